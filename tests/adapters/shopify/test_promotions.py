"""Discount codes: asked for by their id or read with all others, and told in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.shopify.sandbox import SCOPES, Sandbox
from adapters.shopify.shop import ShopifyShop
from connector.errors import LaneDown
from connector.model import (
    Bearing,
    Deleted,
    Delivery,
    Ignored,
    Kind,
    Promotion,
    Quarantined,
    Understanding,
    Understood,
    Version,
    Wish,
    Worth,
)
from connector.ports import Recalled, Scoped

Asked = Callable[..., tuple[ShopifyShop, list[dict[str, Any]]]]
Deliver = Callable[..., Delivery]
Read = Callable[..., Understanding]

GID = "gid://shopify/DiscountCodeNode/1057371195"
WISH = Wish(kind=Kind.PROMOTION, id="1057371195")
TOLD = {
    "admin_graphql_api_id": GID,
    "title": "SUMMER",
    "status": "ACTIVE",
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-23T10:00:00Z",
}
BASIC = {
    "__typename": "DiscountCodeBasic",
    "title": "Summer",
    "status": "ACTIVE",
    "startsAt": "2026-11-01T00:00:00Z",
    "endsAt": "2026-12-24T23:59:59Z",
    "createdAt": "2026-11-01T00:00:00Z",
    "updatedAt": "2026-11-23T10:00:00Z",
    "asyncUsageCount": 7,
    "codes": {"nodes": [{"code": "SUMMER"}]},
    "context": {"__typename": "DiscountBuyerSelectionAll"},
    "customerGets": {
        "items": {"__typename": "AllDiscountItems"},
        "value": {"percentage": 0.125},
    },
}
AMOUNT = {"amount": {"amount": "25.0", "currencyCode": "NOK"}, "appliesOnEachItem": True}


def answered(asked: Asked, deliver: Deliver, node: Any) -> Understood:
    """What comes of asking for the discount."""
    shop, questions = asked({"data": {"discountNode": node}})
    understanding = shop.look_up(WISH, deliver("discounts/update", TOLD))
    assert isinstance(understanding, Understood)
    assert [{"id": GID}] == [each["variables"] for each in questions]
    return understanding


def node(**parts: Any) -> dict[str, Any]:
    return {"id": GID, "discount": BASIC | parts}


@pytest.mark.parametrize("topic", ["discounts/create", "discounts/update", "discounts/delete"])
def test_a_webhook_only_names_it(understand: Read, topic: str) -> None:
    """What it is, and whether it is gone, only the shop can say."""
    gone = topic == "discounts/delete"
    body = {"admin_graphql_api_id": GID} if gone else TOLD
    wish = Wish(kind=Kind.PROMOTION, id="1057371195", expected_gone=gone)
    assert Understood(wishes=(wish,)) == understand(topic, body)


def test_a_discount_without_a_code_is_left_alone(understand: Read) -> None:
    """It works by itself, and nobody can be told of a code."""
    body = TOLD | {"admin_graphql_api_id": "gid://shopify/DiscountAutomaticNode/1"}
    assert Ignored(reason="a discount without a code") == understand("discounts/update", body)


def test_a_whole_promotion(asked: Asked, deliver: Deliver) -> None:
    """An eighth off everything, for all who have the code."""
    (fact,) = answered(asked, deliver, node()).facts
    assert isinstance(fact, Promotion)
    assert (
        Promotion(
            shop="yarn",
            id="1057371195",
            version=Version(datetime(2026, 11, 23, 10, 0, tzinfo=UTC), fact.version.tie),
            code="SUMMER",
            worth=Worth.PERCENTAGE,
            amount=1_250,
            bearing=Bearing.TOTAL,
            title="Summer",
            starts_at=datetime(2026, 11, 1, tzinfo=UTC),
            ends_at=datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC),
            usage_count=7,
        )
        == fact
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"customerGets": {"items": {"__typename": "AllDiscountItems"}, "value": AMOUNT}},
            (Worth.FIXED, 2_500, Bearing.PER_ITEM, "NOK", True),
        ),
        (
            {
                "customerGets": {
                    "items": {"__typename": "AllDiscountItems"},
                    "value": AMOUNT | {"appliesOnEachItem": False},
                }
            },
            (Worth.FIXED, 2_500, Bearing.TOTAL, "NOK", True),
        ),
        (
            {
                "customerGets": {
                    "items": {"__typename": "DiscountProducts"},
                    "value": {"percentage": 1},
                }
            },
            (Worth.PERCENTAGE, 10_000, Bearing.PER_ITEM, None, True),
        ),
        (
            {"__typename": "DiscountCodeFreeShipping", "customerGets": None},
            (Worth.PERCENTAGE, 10_000, Bearing.SHIPPING, None, True),
        ),
        ({"status": "EXPIRED"}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, False)),
        ({"status": "SCHEDULED"}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, True)),
    ],
)
def test_every_sort(
    asked: Asked, deliver: Deliver, parts: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """How much it takes off what, and whether it can be used."""
    (fact,) = answered(asked, deliver, node(**parts)).facts
    assert isinstance(fact, Promotion)
    assert expected == (fact.worth, fact.amount, fact.bearing, fact.currency, fact.enabled)


@pytest.mark.parametrize(
    "parts",
    [
        {"context": {"__typename": "DiscountCustomers"}},
        {"context": {"__typename": "DiscountCustomerSegments"}},
        {"__typename": "DiscountCodeApp"},
        {"__typename": "DiscountCodeBxgy"},
        {"codes": {"nodes": []}},
        {"customerGets": {"items": {}, "value": {"percentage": 7}}},
    ],
)
def test_what_is_not_for_everybody_is_no_promotion(
    asked: Asked, deliver: Deliver, parts: dict[str, Any]
) -> None:
    """For certain people, worked out by an app, or without a code: none, also if it was one."""
    (fact,) = answered(asked, deliver, node(**parts)).facts
    assert isinstance(fact, Deleted)
    assert (Kind.PROMOTION, "1057371195") == (fact.kind, fact.id)


def test_a_deletion_is_believed_when_the_shop_has_it_no_more(
    asked: Asked, deliver: Deliver
) -> None:
    """It is asked first: what is there is not gone."""
    wish = Wish(kind=Kind.PROMOTION, id="1057371195", expected_gone=True)
    delivery = deliver("discounts/delete", {"admin_graphql_api_id": GID})
    shop, _ = asked({"data": {"discountNode": None}}, {"data": {"discountNode": node()}})
    gone = shop.look_up(wish, delivery)
    assert isinstance(gone, Understood)
    assert [(Kind.PROMOTION, "1057371195")] == [
        (fact.kind, fact.id) for fact in gone.facts if isinstance(fact, Deleted)
    ]
    assert Understood(flags=("deletion_not_confirmed",)) == shop.look_up(wish, delivery)


# --- All of them ------------------------------------------------------------------------------

DAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MANY = 30  # more than a page


class Clock:
    """The shop's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = DAY - timedelta(days=30)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_shop(clock: Clock) -> Iterator[Callable[..., Sandbox]]:
    """A shop with many discounts, of every sort, and these scopes."""
    opened: list[Sandbox] = []

    def build(*scopes: str) -> Sandbox:
        sandbox = Sandbox(auto=False, clock=clock, scopes=SCOPES | {*scopes}, points=100_000)
        opened.append(sandbox.start())
        for number in range(MANY):
            sandbox.discounts.create({"code": f"SUMMER{number}", "percentage": number / 100})
            clock.now += timedelta(seconds=number % 2)
        amount = {"amount": "25.0", "currencyCode": "NOK"}
        sandbox.discounts.create({"code": "LESS", "amount": amount, "each_item": True})
        sandbox.discounts.create({"code": "FREE", "sort": "DiscountCodeFreeShipping"})
        sandbox.discounts.create({"code": "MINE", "for_all": False})
        sandbox.discounts.create({"code": "APP", "sort": "DiscountCodeApp"})
        sandbox.discounts.create({"code": "TWO", "sort": "DiscountCodeBxgy"})
        return sandbox

    yield build
    for each in opened:
        each.close()


@pytest.fixture
def read_of(clock: Clock) -> Iterator[Callable[[Sandbox], ShopifyShop]]:
    """The shop as the connector sees it."""
    opened: list[ShopifyShop] = []

    def build(sandbox: Sandbox) -> ShopifyShop:
        opened.append(
            ShopifyShop(
                "yarn",
                sandbox.domain,
                sandbox.base_url,
                access_token=sandbox.token,
                currency="NOK",
                timezone="Europe/Oslo",
            )
        )
        return opened[-1]

    yield build
    for each in opened:
        each.close()


Open = Callable[..., Sandbox]
Opened = Callable[[Sandbox], ShopifyShop]


def past(shop: ShopifyShop, **asked_for: Any) -> list[Recalled]:
    given = {"since": None, "cursor": None, "now": DAY} | asked_for
    return [each for haul in shop.history(Kind.PROMOTION, **given) for each in haul.found]


def facts_of(found: list[Recalled]) -> dict[str, Any]:
    told = {each.id: each.understanding for each in found}
    assert len(told) == len(found)
    return {key: u.facts for key, u in told.items() if isinstance(u, Understood) and not u.wishes}


def untouched(sandbox: Sandbox) -> int:
    return len(sandbox.bulk.begun)


@pytest.mark.parametrize("scope", ["read_discounts", "write_discounts"])
def test_all_of_them_as_each_is_told_alone(
    open_shop: Open, read_of: Opened, deliver: Deliver, scope: str
) -> None:
    """Page by page, in the order of ids, whatever they are; no file is written for so few."""
    sandbox = open_shop("read_discounts", scope)
    shop = read_of(sandbox)
    told = facts_of(past(shop))
    assert MANY + 5 == len(told)
    assert list(told) == [each for page in shop.ids(Kind.PROMOTION) for each in page]
    nothing = deliver("discounts/update", TOLD)
    for number, facts in told.items():
        alone = shop.look_up(Wish(kind=Kind.PROMOTION, id=number), nothing)
        assert isinstance(alone, Understood)
        assert alone.facts == facts
    kinds = [type(fact) for facts in told.values() for fact in facts]
    assert (MANY + 2, 3) == (kinds.count(Promotion), kinds.count(Deleted))
    assert 0 == untouched(sandbox)


def test_resumed_after_each_page(open_shop: Open, read_of: Opened) -> None:
    """Another process goes on where the page ended, nothing twice and nothing missed."""
    shop = read_of(open_shop("read_discounts"))
    hauls = list(shop.history(Kind.PROMOTION, since=None, cursor=None, now=DAY))
    whole = [each.id for haul in hauls for each in haul.found]
    assert ([25, MANY - 20], {MANY + 5}) == (
        [len(haul.found) for haul in hauls],
        {haul.total for haul in hauls},
    )
    rest = [each.id for each in past(shop, cursor=hauls[0].cursor)]
    assert whole[25:] == rest
    assert [] == past(shop, cursor=hauls[1].cursor)


def test_what_changed_since(open_shop: Open, read_of: Opened, clock: Clock) -> None:
    """Only what was changed, oldest first; what is for certain people now is gone."""
    sandbox = open_shop("read_discounts")
    shop = read_of(sandbox)
    all_of_them = [*facts_of(past(shop))]
    clock.now += timedelta(hours=1)
    since = clock.now
    sandbox.discounts.change(int(all_of_them[7]), {"percentage": 0.5})
    clock.now += timedelta(seconds=5)
    sandbox.discounts.change(int(all_of_them[3]), {"for_all": False})
    (half,), (closed,) = facts_of(past(shop, since=since, now=clock.now)).values()
    assert isinstance(half, Promotion)
    assert (all_of_them[7], 5_000) == (half.id, half.amount)
    assert isinstance(closed, Deleted)
    assert all_of_them[3] == closed.id
    assert [] == past(shop, since=since + timedelta(hours=1), now=clock.now)


def test_without_the_scope_there_are_none(open_shop: Open, read_of: Opened) -> None:
    """Once the shop has said so the kind is not offered; who asks all the same finds nothing."""
    sandbox = open_shop()
    shop = read_of(sandbox)
    assert isinstance(shop, Scoped)
    assert Kind.PROMOTION in shop.kinds
    assert [] == past(shop)
    assert (Kind.CUSTOMER, Kind.PRODUCT, Kind.ORDER) == tuple(shop.kinds)
    assert [] == list(shop.ids(Kind.PROMOTION))
    again = read_of(sandbox)
    again.learn_kinds()
    assert (Kind.CUSTOMER, Kind.PRODUCT, Kind.ORDER) == tuple(again.kinds)


def test_a_scope_that_came_later(open_shop: Open, read_of: Opened) -> None:
    """The next time the shop is asked, promotions are offered again."""
    sandbox = open_shop()
    shop = read_of(sandbox)
    shop.learn_kinds()
    assert Kind.PROMOTION not in shop.kinds
    other = open_shop("read_discounts")
    shop._discounts.ask = read_of(other)._client.ask
    shop.learn_kinds()
    assert Kind.PROMOTION in shop.kinds


def test_another_refusal_is_not_taken_for_a_lacking_scope(open_shop: Open, read_of: Opened) -> None:
    """A token that is not taken any more stops the reading, and nothing is unlearned by it."""
    sandbox = open_shop("read_discounts")
    shop = read_of(sandbox)
    sandbox.doors.close_all()
    with pytest.raises(LaneDown, match="access token"):
        past(shop)
    shop.learn_kinds()
    assert Kind.PROMOTION in shop.kinds


def test_named_as_one_of_all_discounts(asked: Asked, deliver: Deliver) -> None:
    """Asked for as a discount of any kind it may be named so: it is the same one."""
    other = node() | {"id": GID.replace("DiscountCodeNode", "DiscountNode")}
    (fact,) = answered(asked, deliver, other).facts
    assert isinstance(fact, Promotion)
    assert "1057371195" == fact.id


def test_one_that_is_not_understood_is_read_once_more(open_shop: Open, read_of: Opened) -> None:
    """It is put aside as it was read, and means the same from there."""
    sandbox = open_shop("read_discounts")
    shop = read_of(sandbox)
    amount = {"amount": "much", "currencyCode": "NOK"}
    made = sandbox.discounts.create({"code": "ODD", "amount": amount})
    odd = next(each for each in past(shop) if each.id == str(made["id"]))
    assert isinstance(odd.understanding, Quarantined)
    assert "history/discounts" == odd.topic
    again = Delivery(id=1, shop="yarn", topic=odd.topic, received_at=DAY, body=odd.body)
    assert odd.understanding == shop.understand(again)


def test_the_stand_in_tells_of_them_as_webhooks_do(
    open_shop: Open, understand: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, changed, deleted: each time only its name, which is understood."""
    sandbox = open_shop("read_discounts")
    heard: list[Any] = []
    monkeypatch.setattr(sandbox.sender, "announce", heard.append)
    number = sandbox.discounts.create({"code": "NEW"})["id"]
    sandbox.discounts.change(number, {"percentage": 0.2})
    sandbox.discounts.delete(number)
    topics = ["discounts/create", "discounts/update", "discounts/delete"]
    assert topics == [each.topic for each in heard]
    for each in heard:
        wish = Wish(
            kind=Kind.PROMOTION, id=str(number), expected_gone=each.topic.endswith("delete")
        )
        assert Understood(wishes=(wish,)) == understand(each.topic, each.payload)
