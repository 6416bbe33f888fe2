"""What the shop is asked, and that its answers mean the same as its webhooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.shopify.shop import PATIENCE, ShopifyShop
from connector.errors import LaneDown, TryLater
from connector.model import (
    Claim,
    Customer,
    Deleted,
    Delivery,
    Evidence,
    Ignored,
    Kind,
    Order,
    Product,
    Purpose,
    Quarantined,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.ports import ShopFacts

Build = Callable[..., dict[str, Any]]
Asked = Callable[..., tuple[ShopifyShop, list[dict[str, Any]]]]
Deliver = Callable[..., Delivery]
Facts = Callable[..., tuple[Any, ...]]

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CUSTOMER = Wish(kind=Kind.CUSTOMER, id="706405506930370084")
ORDER = Wish(kind=Kind.ORDER, id="820982911946154508")
PRODUCT = Wish(kind=Kind.PRODUCT, id="788032119674292922")
STOCK = Wish(kind=Kind.INVENTORY_ITEM, id="808950810")


def _data(**fields: Any) -> dict[str, Any]:
    return {"data": fields}


def _money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "NOK"}}


def _customer(**parts: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Customer/706405506930370084",
        "firstName": "Bo",
        "lastName": "Smith & Sons",
        "locale": "nb-NO",
        "tags": ["vip", "Noël"],
        "createdAt": "2026-11-20T08:00:00Z",
        "updatedAt": "2026-11-22T08:00:00Z",
        "defaultAddress": {"company": "A&B", "phone": "22 00 00 01", "countryCodeV2": "NO"},
        "defaultEmailAddress": {
            "emailAddress": "Bo.Berg@Example.org",
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "CONFIRMED_OPT_IN",
            "marketingUpdatedAt": "2026-11-22T07:30:00Z",
        },
        "defaultPhoneNumber": {
            "phoneNumber": "+4722000000",
            "smsMarketingConsent": {
                "state": "UNSUBSCRIBED",
                "optInLevel": None,
                "updatedAt": "2026-11-21T08:00:00Z",
            },
        },
        "metafields": {"nodes": [{"namespace": "club", "key": "number", "value": "7"}]},
    } | parts


def _order(**parts: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Order/820982911946154508",
        "name": "#1001",
        "test": False,
        "createdAt": "2026-11-23T10:00:00Z",
        "updatedAt": "2026-11-23T10:05:00Z",
        "processedAt": "2026-11-23T09:59:58Z",
        "cancelledAt": None,
        "sourceName": "web",
        "customerAcceptsMarketing": False,
        "displayFinancialStatus": "PAID",
        "email": "eva.dahl@example.org",
        "phone": None,
        "taxesIncluded": True,
        "currencyCode": "NOK",
        "customer": {
            "id": "gid://shopify/Customer/706405506930370084",
            "firstName": "E",
            "lastName": "D",
        },
        "billingAddress": {
            "firstName": "Eva",
            "lastName": "<b>Dahl</b> & Sønn",
            "company": "Garn",
            "phone": "22 00 00 00",
            "countryCodeV2": "NO",
        },
        "shippingAddress": {"firstName": "Eva", "countryCodeV2": "SE"},
        "totalPriceSet": _money("249.5"),
        "totalTaxSet": _money("49.9"),
        "totalShippingPriceSet": _money("49.0"),
        "totalDiscountsSet": _money("10.0"),
        "customAttributes": [{"key": "gift", "value": "yes"}],
        "refunds": [],
        "lineItems": _page([_line("487817672276298554")]),
    } | parts


def _line(line_id: str) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line_id}",
        "name": "Sokker - 42",
        "sku": "SO-42",
        "quantity": 2,
        "product": {"id": "gid://shopify/Product/788032119674292922"},
        "variant": {"id": "gid://shopify/ProductVariant/642667041472713922"},
        "originalUnitPriceSet": _money("99.75"),
        "discountAllocations": [{"allocatedAmountSet": _money("10.0")}],
        "taxLines": [{"priceSet": _money("37.9")}],
    }


def _page(nodes: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def _picture(number: int) -> dict[str, Any]:
    return {"preview": {"image": {"url": f"https://cdn.example/{number}.jpg"}}}


def _variant(variant_id: str, size: str, **parts: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{variant_id}",
        "title": size,
        "sku": f"SO-{size}",
        "price": "99.75",
        "compareAtPrice": None,
        "inventoryPolicy": "DENY",
        "inventoryQuantity": 3,
        "updatedAt": "2026-11-21T07:00:00Z",
        "inventoryItem": {"tracked": True},
        "selectedOptions": [{"name": "Størrelse", "value": size}],
        "media": {"nodes": []},
    } | parts


def _product(**parts: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Product/788032119674292922",
        "title": "Sokker",
        "handle": "sokker",
        "status": "ACTIVE",
        "vendor": "Spinneriet",
        "productType": "Strømper",
        "descriptionHtml": "<p>Soft.</p>",
        "tags": ["ull", "vinter"],
        "createdAt": "2026-11-01T07:00:00Z",
        "updatedAt": "2026-11-22T07:00:00Z",
        "publishedAt": "2026-11-01T07:00:00Z",
        "category": {"fullName": "Apparel > Socks"},
        "featuredMedia": _picture(1),
        "metafields": {"nodes": []},
        "variants": _page(
            [
                _variant(
                    "642667041472713922",
                    "42",
                    compareAtPrice="129.00",
                    inventoryQuantity=7,
                    media={"nodes": [_picture(2)]},
                ),
                _variant("757650484644203962", "44"),
            ]
        ),
    } | parts


def _only(understanding: Any, kind: type) -> Any:
    assert isinstance(understanding, Understood), understanding
    (fact,) = (fact for fact in understanding.facts if isinstance(fact, kind))
    return fact


def test_account(asked: Asked, deliver: Deliver, customer: Build) -> None:
    """An account as a whole: tags, language, own fields and both permissions."""
    shop, questions = asked(_data(customer=_customer()))
    understanding = shop.look_up(CUSTOMER, deliver("customers/update", customer()))
    assert isinstance(understanding, Understood)
    fact, mail, sms = understanding.facts
    assert isinstance(fact, Customer)
    assert (
        Customer(
            shop="yarn",
            id="706405506930370084",
            version=Version(at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC), tie=fact.version.tie),
            email="bo.berg@example.org",
            phone="+4722000000",
            first_name="Bo",
            last_name="Smith & Sons",
            company="A&B",
            country="NO",
            language="nb-NO",
            created_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
            tags=("vip", "Noël"),
            meta={"club.number": "7"},
        )
        == fact
    )
    assert isinstance(mail, Evidence)
    assert isinstance(sms, Evidence)
    assert (Purpose.EMAIL, Claim.GRANT_CONFIRMED) == (mail.purpose, mail.claim)
    assert datetime(2026, 11, 22, 7, 30, tzinfo=UTC) == mail.at
    assert (Purpose.SMS, Claim.WITHDRAW) == (sms.purpose, sms.claim)
    assert () == understanding.wishes
    assert {"id": "gid://shopify/Customer/706405506930370084"} == questions[0]["variables"]


def test_answer_outranks_its_webhook(
    asked: Asked, deliver: Deliver, customer: Build, facts: Facts
) -> None:
    """Of one moment, what was asked is newer than what made us ask, and later truths than both."""
    shop, _ = asked(_data(customer=_customer()))
    delivery = deliver("customers/update", customer())
    (told,) = facts("customers/update", customer())
    answer = _only(shop.look_up(CUSTOMER, delivery), Customer)
    (later,) = facts("customers/update", customer(updated_at="2026-11-22T09:00:01+01:00"))
    assert told.version < answer.version < later.version
    assert told.version.at == answer.version.at
    assert answer.version.tie < 2**63


def test_answers_say_what_webhooks_say(
    asked: Asked, deliver: Deliver, order: Build, product: Build, facts: Facts
) -> None:
    """One order and one product, told by a webhook and by GraphQL, are the same facts."""
    for topic, body, wish, answer, kind in (
        ("orders/updated", order(), ORDER, _data(order=_order()), Order),
        ("products/update", product(), PRODUCT, _data(product=_product()), Product),
    ):
        shop, _ = asked(answer)
        found = _only(shop.look_up(wish, deliver(topic, body)), kind)
        (told,) = facts(topic, body)
        if isinstance(told, Product):
            variants = [replace(v, version=told.version) for v in found.variants]
            found = replace(found, variants=tuple(variants))
        assert told == replace(found, version=told.version)


def test_refunds_of_an_answer(asked: Asked, deliver: Deliver, refund: Build) -> None:
    """A refund's webhook brings its order, with what went back in the shop's currency."""
    told = {
        "id": "gid://shopify/Refund/890088186047892319",
        "note": "Things were damaged",
        "createdAt": "2026-11-23T11:00:00Z",
        "totalRefundedSet": _money("89.99"),
    }
    shop, _ = asked(
        _data(order=_order(refunds=[told], displayFinancialStatus="PARTIALLY_REFUNDED"))
    )
    fact = _only(shop.look_up(ORDER, deliver("refunds/create", refund())), Order)
    assert ("partially_refunded", [("890088186047892319", 8999)]) == (
        fact.status,
        [(each.id, each.amount) for each in fact.refunds],
    )


def test_tick_in_an_answer(asked: Asked, deliver: Deliver, order: Build, facts: Facts) -> None:
    """The box ticked at the checkout is the same evidence from either."""
    shop, _ = asked(_data(order=_order(customerAcceptsMarketing=True)))
    tick = _only(shop.look_up(ORDER, deliver("orders/edited", {})), Evidence)
    _, told = facts("orders/create", order(buyer_accepts_marketing=True))
    assert told == tick


def test_test_order_in_an_answer(asked: Asked, deliver: Deliver, refund: Build) -> None:
    """The refund of a test order is none either."""
    shop, _ = asked(_data(order=_order(test=True)))
    answer = shop.look_up(ORDER, deliver("refunds/create", refund()))
    assert Ignored(reason="test order") == answer


def test_pages(asked: Asked, deliver: Deliver) -> None:
    """Lines come fifty at a time: all pages are one order."""
    shop, questions = asked(
        _data(order=_order(lineItems=_page([_line("1")], "a"))),
        _data(order=_order(lineItems=_page([_line("2")], "b"))),
        _data(order=_order(lineItems=_page([_line("3")]))),
    )
    fact = _only(shop.look_up(ORDER, deliver("orders/edited", {})), Order)
    assert ["1", "2", "3"] == [line.id for line in fact.lines]
    assert [None, "a", "b"] == [question["variables"]["after"] for question in questions]


def test_changed_between_pages(asked: Asked, deliver: Deliver) -> None:
    """A product that changes while its pages are turned is begun again, not put together."""
    old = {"updatedAt": "2026-11-22T07:00:00Z"}
    new = {"updatedAt": "2026-11-22T07:00:09Z"}
    shop, questions = asked(
        _data(product=_product(variants=_page([_variant("1", "42")], "a"), **old)),
        _data(product=_product(variants=_page([_variant("2", "44")]), **new)),
        _data(product=_product(variants=_page([_variant("3", "46")], "b"), **new)),
        _data(product=_product(variants=_page([_variant("4", "48")]), **new)),
    )
    fact = _only(shop.look_up(PRODUCT, deliver("products/update", {})), Product)
    assert ["3", "4"] == [variant.id for variant in fact.variants]
    assert fact.all_variants
    assert [None, "a", None, "b"] == [question["variables"]["after"] for question in questions]


def test_changes_for_ever(asked: Asked, deliver: Deliver) -> None:
    """What never stands still is read another time."""
    answers = [
        _data(product=_product(updatedAt=f"2026-11-22T07:00:{second:02}Z", variants=page))
        for second in range(6)
        for page in [_page([_variant("1", "42")], "a")]
    ]
    shop, questions = asked(*answers)
    with pytest.raises(TryLater, match="kept changing"):
        shop.look_up(PRODUCT, deliver("products/update", {}))
    assert 6 == len(questions)


def test_pages_without_end(asked: Asked, deliver: Deliver) -> None:
    """Pages that never end are given up, not turned for ever."""
    page = _data(order=_order(lineItems=_page([_line("1")], "again")))
    shop, questions = asked(*[page] * 300)
    with pytest.raises(TryLater, match="more than 250 pages"):
        shop.look_up(ORDER, deliver("orders/edited", {}))
    assert 250 == len(questions)


def test_untracked_stock(asked: Asked, deliver: Deliver) -> None:
    """Where stock is not counted, zero is not sold out."""
    node = _variant("1", "42", inventoryQuantity=0, inventoryItem={"tracked": False})
    shop, _ = asked(_data(product=_product(variants=_page([node]))))
    fact = _only(shop.look_up(PRODUCT, deliver("products/update", {})), Product)
    assert [("instock", None)] == [(v.stock_status, v.stock_quantity) for v in fact.variants]


def test_stock_of_an_item(asked: Asked, deliver: Deliver, facts: Facts, product: Build) -> None:
    """A stock level brings its variant, as of the level's own change, and not the product."""
    node = _variant("757650484644203962", "44", product=_product(), inventoryQuantity=1)
    item = {
        "id": "gid://shopify/InventoryItem/808950810",
        "updatedAt": "2026-11-02T07:00:00Z",
        "variants": {"nodes": [node]},
    }
    shop, _ = asked(_data(inventoryItem=item))
    level = {
        "inventory_item_id": 808950810,
        "location_id": 1,
        "updated_at": "2026-11-22T12:00:00Z",
    }
    understanding = shop.look_up(STOCK, deliver("inventory_levels/update", level))
    assert isinstance(understanding, Understood)
    (variant,) = understanding.facts
    assert isinstance(variant, Variant)
    assert datetime(2026, 11, 22, 12, 0, tzinfo=UTC) == variant.version.at
    (whole,) = facts("products/update", product())
    expected = replace(whole.variants[1], version=variant.version, stock_quantity=1)
    assert expected == variant


GONE = [
    (CUSTOMER, "customer"),
    (ORDER, "order"),
    (PRODUCT, "product"),
]


@pytest.mark.parametrize(("wish", "field"), GONE)
def test_confirmed_deletion(asked: Asked, deliver: Deliver, wish: Wish, field: str) -> None:
    """A deletion is believed when the shop has no such thing any more."""
    shop, _ = asked(_data(**{field: None}))
    answer = shop.look_up(replace(wish, expected_gone=True), deliver("any/delete", {}))
    gone = Deleted(shop="yarn", kind=wish.kind, id=wish.id, version=Version(at=ARRIVED))
    assert Understood(facts=(gone,)) == answer


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        (CUSTOMER, _data(customer=_customer())),
        (ORDER, _data(order=_order())),
        (PRODUCT, _data(product=_product())),
    ],
)
def test_deletion_that_is_none(asked: Asked, deliver: Deliver, wish: Wish, answer: Any) -> None:
    """What is still there was not deleted, whatever a delivery said."""
    shop, _ = asked(answer)
    understanding = shop.look_up(replace(wish, expected_gone=True), deliver("any/delete", {}))
    assert Understood(flags=("deletion_not_confirmed",)) == understanding


@pytest.mark.parametrize(("wish", "field"), [*GONE, (STOCK, "inventoryItem")])
def test_gone_when_asked(asked: Asked, deliver: Deliver, wish: Wish, field: str) -> None:
    """What cannot be shown is not thereby deleted: old orders need a scope of their own."""
    shop, _ = asked(_data(**{field: None}))
    answer = shop.look_up(wish, deliver("any/update", {}))
    assert Understood(flags=("gone_when_asked",)) == answer


def test_row_127_answer_about_another(asked: Asked, deliver: Deliver) -> None:
    """Row 127: an answer about something else is none."""
    shop, _ = asked(_data(customer=_customer(id="gid://shopify/Customer/1")))
    with pytest.raises(TryLater, match="something else"):
        shop.look_up(CUSTOMER, deliver("customers/update", {}))


def test_unreadable_answer(asked: Asked, deliver: Deliver) -> None:
    """An answer that cannot be counted is kept for a person, with its reason."""
    shop, _ = asked(_data(order=_order(totalPriceSet=None)))
    answer = shop.look_up(ORDER, deliver("orders/edited", {}))
    assert isinstance(answer, Quarantined)
    assert "money" == answer.reason


@pytest.mark.parametrize("status", [401, 503])
def test_account_is_not_held_up_for_ever(
    asked: Asked, deliver: Deliver, customer: Build, status: int
) -> None:
    """While the shop is silent an account waits, and then counts by what its own body said."""
    refusal = httpx.Response(status, json={"errors": "x"}, headers={"Retry-After": "60"})
    for attempts in (1, PATIENCE - 1):
        shop, _ = asked(refusal)
        delivery = deliver("customers/update", customer(), None, attempts)
        with pytest.raises((TryLater, LaneDown)):
            shop.look_up(CUSTOMER, delivery)
    shop, _ = asked(refusal)
    delivery = deliver("customers/update", customer(), None, PATIENCE)
    expected = Understood(flags=("customer_not_completed",))
    assert expected == shop.look_up(CUSTOMER, delivery)


def test_other_wishes_wait(asked: Asked, deliver: Deliver, refund: Build) -> None:
    """What brings nothing of its own has nothing to go on with: it waits."""
    shop, _ = asked(httpx.Response(503, headers={"Retry-After": "60"}))
    with pytest.raises(TryLater):
        shop.look_up(ORDER, deliver("refunds/create", refund(), None, 90))
    shop, _ = asked(httpx.Response(503, headers={"Retry-After": "60"}))
    with pytest.raises(TryLater):
        shop.look_up(CUSTOMER, deliver("customer.tags_added", {}, None, 90))


def test_fields_that_are_denied(asked: Asked, deliver: Deliver, customer: Build) -> None:
    """What our app may not see is not taken for gone: the delivery's own words stand."""
    errors = [
        {
            "message": "Access denied for defaultEmailAddress field.",
            "path": ["customer", "defaultEmailAddress"],
            "extensions": {"code": "ACCESS_DENIED"},
        }
    ]
    node = _customer(defaultEmailAddress=None, defaultPhoneNumber=None, firstName=None)
    shop, _ = asked({"data": {"customer": node}, "errors": errors})
    understanding = shop.look_up(CUSTOMER, deliver("customers/update", customer()))
    fact = _only(understanding, Customer)
    assert ("bo.berg@example.org", "Bo", ("vip", "Noël")) == (
        fact.email,
        fact.first_name,
        fact.tags,
    )
    assert ("fields_not_allowed",) == understanding.flags  # type: ignore[union-attr]


def test_protected_fields_are_null(asked: Asked, deliver: Deliver) -> None:
    """Protected data comes as null without a word: the rest counts."""
    node = _customer(
        firstName=None,
        lastName=None,
        defaultAddress=None,
        defaultEmailAddress=None,
        defaultPhoneNumber=None,
    )
    shop, _ = asked(_data(customer=node))
    understanding = shop.look_up(CUSTOMER, deliver("customer.tags_added", {}))
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Customer)
    assert (None, None, ("vip", "Noël")) == (fact.email, fact.phone, fact.tags)


def test_describe(asked: Asked) -> None:
    """The shop tells its time zone and currency; what is configured stands before it."""
    answer = _data(
        shop={
            "myshopifyDomain": "yarn-and-more.myshopify.com",
            "ianaTimezone": "Europe/Copenhagen",
            "currencyCode": "DKK",
        }
    )
    shop, questions = asked(answer, timezone=None, currency=None)
    assert ShopFacts(timezone="Europe/Copenhagen", currency="DKK") == shop.describe()
    shop, _ = asked(answer, timezone="Europe/Oslo", currency=None)
    assert ShopFacts(timezone="Europe/Oslo", currency="DKK") == shop.describe()
    assert 1 == len(questions)
    shop, questions = asked()
    assert ShopFacts(timezone="Europe/Oslo", currency="NOK") == shop.describe()
    assert [] == questions


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"myshopifyDomain": "other.myshopify.com"}, "another shop"),
        ({"ianaTimezone": None}, "no time zone"),
        ({"currencyCode": "kr"}, "no time zone"),
    ],
)
def test_describe_what_cannot_be(asked: Asked, told: dict[str, Any], expected: str) -> None:
    """A token of another shop, and a shop that does not know where it is, stop the start."""
    right = {"ianaTimezone": "Europe/Oslo", "currencyCode": "NOK"}
    shop, _ = asked(_data(shop=right | told), timezone=None, currency=None)
    with pytest.raises(LaneDown, match=expected):
        shop.describe()


def test_name_and_close(asked: Asked) -> None:
    """The shop knows its name, and hangs up when told."""
    shop, _ = asked()
    assert "yarn" == shop.name
    shop.close()
