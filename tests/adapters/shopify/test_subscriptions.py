"""Webhooks set up by GraphQL, at a stand-in that checks each request against the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.shopify.parse import TOPICS as UNDERSTOOD
from adapters.shopify.sandbox import SCOPES, Sandbox
from adapters.shopify.shop import ShopifyShop
from adapters.shopify.subscriptions import DISCOUNTS, TOPICS, enum_of
from connector.errors import LaneDown, TryLater
from connector.ports import CheckableShop, Finding, Grade, Letterbox, Subscribing

ROOT = "https://hooks.example.org/webhooks/yarn"


def box(root: str = ROOT) -> Letterbox:
    def never(topic: str) -> str:
        pytest.fail(f"a secret was asked for, which Shopify is not told: {topic}")

    return Letterbox(root=root, secret=never)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that sends only when it is told to."""
    with Sandbox(auto=False) as sandbox:
        yield sandbox


def open_shop(sandbox: Sandbox, **settings: Any) -> ShopifyShop:
    given = {"access_token": sandbox.token, "currency": "NOK", "timezone": "Europe/Oslo"}
    return ShopifyShop("yarn", sandbox.domain, sandbox.base_url, **(given | settings))


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[ShopifyShop]:
    """The shop as the connector sees it."""
    shop = open_shop(sandbox)
    yield shop
    shop.close()


def kept(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in sandbox.subscriptions.made()}


def made(sandbox: Sandbox, topic: str, uri: str, **given: Any) -> str:
    body = sandbox.subscriptions.create(enum_of(topic), {"uri": uri, **given}, sandbox.clock())
    return str(body["id"])


def grave(findings: Any) -> list[Finding]:
    return [each for each in findings if each.grade in (Grade.WARNING, Grade.ALARM)]


def test_it_is_a_shop_that_can_be_examined_and_set_up(shop: ShopifyShop) -> None:
    """The commands ask for these two roles."""
    assert isinstance(shop, CheckableShop)
    assert isinstance(shop, Subscribing)


def test_every_topic_asked_for_is_understood() -> None:
    """And no two are one word for GraphQL."""
    assert set() == set(TOPICS) - UNDERSTOOD
    assert 26 == len(TOPICS) == len({enum_of(topic) for topic in TOPICS})


def test_an_empty_shop_gets_one_webhook_a_topic(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Each at an address that names its topic; no secret is sent."""
    done = shop.register_webhooks(box())
    assert list(TOPICS) == [each.topic for each in done]
    assert {"created"} == {each.done for each in done}
    assert {(enum_of(topic), f"{ROOT}/{topic}") for topic in TOPICS} == {
        (each["topic"], each["uri"]) for each in kept(sandbox).values()
    }
    assert [] == grave(shop.check_webhooks(box()))


def test_what_is_right_is_left(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """A second call changes nothing."""
    shop.register_webhooks(box())
    before = kept(sandbox)
    again = shop.register_webhooks(box())
    assert {"left as it is"} == {each.done for each in again}
    assert before == kept(sandbox)


@pytest.mark.parametrize(
    ("path", "include", "done"),
    [
        ("", [], "mended: address"),
        ("/orders/paid", [], "mended: address"),
        ("/orders/create", ["id"], "mended: parts left out"),
        ("", ["id"], "mended: address, parts left out"),
    ],
)
def test_what_is_wrong_is_mended(
    sandbox: Sandbox, shop: ShopifyShop, path: str, include: list[str], done: str
) -> None:
    """The same webhook, by its id; the doctor saw that something was wrong."""
    number = made(sandbox, "orders/create", f"{ROOT}{path}", includeFields=include)
    seen = [
        each.what
        for each in shop.check_webhooks(box())
        if "orders/create" in each.what and "no webhook" not in each.what
    ]
    assert done.count(",") + 1 == len(seen)
    told = {each.id: each.done for each in shop.register_webhooks(box())}
    assert done == told[number]
    now = kept(sandbox)[int(number)]
    assert (f"{ROOT}/orders/create", []) == (now["uri"], now["include"])
    assert 26 == len(kept(sandbox))


def test_a_second_one_for_a_topic_is_removed(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """The better of the two stays, so that each change is told once."""
    plain = made(sandbox, "orders/create", ROOT)
    right = made(sandbox, "orders/create", f"{ROOT}/orders/create")
    assert 1 == sum("several webhooks" in each.what for each in shop.check_webhooks(box()))
    told = {each.id: each.done for each in shop.register_webhooks(box())}
    assert "left as it is" == told[right]
    assert "removed: a second one for the topic" == told[plain]
    assert int(plain) not in kept(sandbox)
    assert 26 == len(kept(sandbox))


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com/webhooks/yarn/orders/create",
        "https://hooks.example.org/webhooks/yarns/orders/create",
        "https://hooks.example.org/else",
    ],
)
def test_webhooks_of_others_are_never_touched(
    sandbox: Sandbox, shop: ShopifyShop, address: str
) -> None:
    """Not changed, not removed, not counted as ours; even one that brings only parts."""
    number = int(made(sandbox, "orders/create", address, includeFields=["id"]))
    before = kept(sandbox)[number]
    told = shop.register_webhooks(box())
    assert before == kept(sandbox)[number]
    assert str(number) not in {each.id for each in told}
    assert 27 == len(kept(sandbox))
    assert address in {each.address for each in shop.list_webhooks()}
    assert [] == grave(shop.check_webhooks(box()))


def test_topics_that_are_not_used_are_left(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """One of ours on themes harms nothing and may have its reason; it is shown by its word."""
    number = int(made(sandbox, "themes/create", f"{ROOT}/themes/create"))
    before = kept(sandbox)[number]
    shop.register_webhooks(box())
    assert before == kept(sandbox)[number]
    assert {"themes_create"} == {
        each.topic for each in shop.list_webhooks() if each.id == str(number)
    }


def test_all_pages_of_the_list_are_read(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """Beyond the hundred that one page holds."""
    for number in range(105):
        made(sandbox, "orders/create", f"https://other.example/{number}")
    assert 105 == len({each.id for each in shop.list_webhooks()})


def test_a_refused_topic_does_not_hold_up_the_others() -> None:
    """Without one scope, all others are made; then it is said which is lacking."""
    scopes = SCOPES - {"read_customer_merge"}
    with Sandbox(auto=False, scopes=scopes) as sandbox:
        shop = open_shop(sandbox)
        with pytest.raises(LaneDown) as caught:
            shop.register_webhooks(box())
        shop.close()
        assert "no webhook for customers/merge:" in str(caught.value)
        assert "scopes" in caught.value.mend
        assert {enum_of(topic) for topic in TOPICS} - {"CUSTOMERS_MERGE"} == {
            each["topic"] for each in kept(sandbox).values()
        }


@pytest.mark.parametrize("scope", ["read_discounts", "write_discounts"])
def test_promotions_are_told_of_where_the_app_may_hear_it(scope: str) -> None:
    """Three topics more; without the scope they are neither asked for nor missed."""
    with Sandbox(auto=False) as sandbox:
        shop = open_shop(sandbox)
        assert {*TOPICS} == {each.topic for each in shop.register_webhooks(box())}
        assert () == shop.look_at_webhooks(box())
        [note] = [each for each in shop.check_webhooks(box()) if "discounts/" in each.what]
        shop.close()
    assert Grade.NOTE is note.grade
    assert note.what.startswith("without read_discounts, there are no webhooks for")
    assert "add read_discounts to the app's scopes" in note.mend
    with Sandbox(auto=False, scopes=SCOPES | {scope, "read_discounts"}) as sandbox:
        shop = open_shop(sandbox)
        assert [*TOPICS, *DISCOUNTS] == [each.topic for each in shop.look_at_webhooks(box())]
        done = shop.register_webhooks(box())
        assert [*TOPICS, *DISCOUNTS] == [each.topic for each in done]
        assert () == shop.look_at_webhooks(box())
        assert [] == [each for each in shop.check_webhooks(box()) if "discounts/" in each.what]
        shop.close()
        assert {"DISCOUNTS_CREATE", "DISCOUNTS_UPDATE", "DISCOUNTS_DELETE"} == {
            each["topic"] for each in kept(sandbox).values() if "DISCOUNT" in each["topic"]
        }
        assert {f"{ROOT}/{topic}" for topic in DISCOUNTS} < {
            each["uri"] for each in kept(sandbox).values()
        }


def test_a_scope_that_cannot_be_seen_is_not_counted_on(sandbox: Sandbox) -> None:
    """An answer without the app's scopes: what every app may hear is asked for, and no more."""

    class Silent(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if b"query Scopes" in request.content:
                return httpx.Response(200, json={"data": {"currentAppInstallation": None}})
            return super().handle_request(request)

    shop = open_shop(sandbox, transport=Silent())
    assert [*TOPICS] == [each.topic for each in shop.register_webhooks(box())]
    shop.close()


@pytest.mark.corpus
def test_topics_are_words_of_the_platform(corpus: Path) -> None:
    """Each is in Shopify's list, with the scope that we think it needs."""
    told = json.loads((corpus / "specs/shopify/webhook_topics_2026-10.json").read_bytes())
    listed = {each["enum"]: each["description"] for each in told}
    assert set() == {enum_of(topic) for topic in (*TOPICS, *DISCOUNTS)} - listed.keys()
    assert {enum_of(topic) for topic in DISCOUNTS} == {
        name
        for name, description in listed.items()
        if "`read_discounts`" in description and "REDEEMCODE" not in name
    }


def test_an_address_that_is_not_https_is_refused(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """By Shopify, for each topic; nothing is made, and the doctor says why."""
    plain = box("http://hooks.example.org/webhooks/yarn")
    with pytest.raises(LaneDown):
        shop.register_webhooks(plain)
    assert {} == kept(sandbox)
    alarms = [each for each in shop.check_webhooks(plain) if each.grade is Grade.ALARM]
    assert ["Shopify calls only https addresses, and public_url is none"] == [
        each.what for each in alarms
    ]


def test_a_lost_answer_is_looked_for(sandbox: Sandbox) -> None:
    """What was made though nobody heard of it is found, and not made twice."""
    lost = []

    class Forgetful(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if b"webhookSubscriptionCreate" in request.content and not lost:
                lost.append(answer.read())
                answer.close()
                return httpx.Response(502)
            return answer

    shop = open_shop(sandbox, transport=Forgetful())
    done = shop.register_webhooks(box())
    shop.close()
    assert 1 == len(lost)
    assert {"created"} == {each.done for each in done}
    assert 26 == len(kept(sandbox)) == len({each.id for each in done})


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"webhookSubscriptions": None},
        {"webhookSubscriptions": {"nodes": []}},
        {"webhookSubscriptions": {"nodes": [{"id": 1}], "pageInfo": {"hasNextPage": False}}},
        {
            "webhookSubscriptions": {
                "nodes": [],
                "pageInfo": {"hasNextPage": True, "endCursor": "again"},
            }
        },
    ],
)
def test_a_list_that_cannot_be_read_is_no_empty_list(data: Any) -> None:
    """Else webhooks would be made a second time."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["query"].split()[1])
        return httpx.Response(200, json={"data": data})

    shop = ShopifyShop(
        "yarn",
        "yarn.myshopify.com",
        access_token="shpat_x",
        transport=httpx.MockTransport(answer),
    )
    with pytest.raises(TryLater):
        shop.register_webhooks(box())
    assert {"Webhooks($after:"} == set(asked)
    assert ["the webhooks cannot be listed"] == [
        each.what for each in grave(shop.check_webhooks(box()))
    ]


# --- The check-up ---------------------------------------------------------------------------


def test_a_shop_that_is_right(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """All is fine, and all of it is said; nothing was changed."""
    found = shop.check_up(now=sandbox.clock())
    assert {Grade.FINE} == {each.grade for each in found}
    assert 4 == len(found)
    assert {} == kept(sandbox)


def test_a_wrong_token_is_an_alarm(sandbox: Sandbox) -> None:
    """It ends the check-up, and names who mends it."""
    shop = open_shop(sandbox, access_token="shpat_of_another")
    [found] = shop.check_up(now=sandbox.clock())
    shop.close()
    assert Grade.ALARM is found.grade
    assert found.mend
    assert "shpat_of_another" not in repr(found)


def test_a_shop_that_is_silent_is_a_warning() -> None:
    """Nothing is known then, and nothing raised."""
    shop = ShopifyShop(
        "yarn",
        "yarn.myshopify.com",
        access_token="shpat_x",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"errors": "no"})),
    )
    [found] = shop.check_up(now=datetime(2026, 11, 23, tzinfo=UTC))
    assert Grade.WARNING is found.grade


@pytest.mark.parametrize(
    ("lacking", "grade"),
    [
        ("read_customers", Grade.ALARM),
        ("read_orders", Grade.ALARM),
        ("read_products", Grade.ALARM),
        ("read_inventory", Grade.ALARM),
        ("read_all_orders", Grade.NOTE),
        ("read_customer_merge", Grade.NOTE),
    ],
)
def test_a_lacking_scope_is_named(lacking: str, grade: Grade) -> None:
    """What work needs is an alarm; what it can do without, a note."""
    also = lacking.replace("read_", "write_")  # who may write may read
    with Sandbox(auto=False, scopes=SCOPES - {lacking, also}) as sandbox:
        shop = open_shop(sandbox)
        found = [each for each in shop.check_up(now=sandbox.clock()) if lacking in each.what]
        shop.close()
    assert [grade] == [each.grade for each in found]


def test_a_scope_to_write_is_one_to_read() -> None:
    """Shopify lists the stronger one alone."""
    with Sandbox(auto=False, scopes=SCOPES - {"read_orders"} | {"write_orders"}) as sandbox:
        shop = open_shop(sandbox)
        assert [] == grave(shop.check_up(now=sandbox.clock()))
        shop.close()


def test_a_version_that_is_served_no_more(sandbox: Sandbox) -> None:
    """Shopify answers with another one instead: a person should know."""
    shop = open_shop(sandbox, api_version="2024-01")
    found = [each for each in shop.check_up(now=sandbox.clock()) if "2024-01" in each.what]
    shop.close()
    assert [Grade.WARNING] == [each.grade for each in found]


def test_clocks_that_differ_are_seen(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """By the Date of Shopify's answer."""
    far = sandbox.clock() + timedelta(days=2)
    found = [each for each in shop.check_up(now=far) if "clock" in each.what]
    assert [Grade.ALARM] == [each.grade for each in found]


def test_anothers_token_is_seen(sandbox: Sandbox) -> None:
    """The shop behind the token is not the one configured."""
    shop = ShopifyShop(
        "yarn", "another.myshopify.com", sandbox.base_url, access_token=sandbox.token
    )
    found = [each for each in shop.check_up(now=sandbox.clock()) if "another shop" in each.what]
    shop.close()
    assert [Grade.ALARM] == [each.grade for each in found]
