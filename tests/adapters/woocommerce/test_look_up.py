"""Asking the shop: deletions confirmed or not, variations fetched, the shop's own facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown, TryLater
from connector.model import (
    Customer,
    Deleted,
    Delivery,
    Ignored,
    Kind,
    Order,
    Product,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.ports import ShopAdapter, ShopFacts

Build = Callable[..., dict[str, Any]]
Deliver = Callable[[str, Any], Delivery]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GONE = {"code": "wc_user_invalid_id", "message": "", "data": {"status": 404}}


def _shop(
    answers: dict[str, Any], *, currency: str | None = "NOK", timezone: str | None = None
) -> WooCommerceShop:
    """A shop that answers by path; what it has not is missing in WooCommerce's words."""

    def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/wp-json/").removeprefix("wc/v3/")
        if path not in answers:
            return httpx.Response(404, json=GONE)
        return httpx.Response(200, content=json.dumps(answers[path]).encode())

    return WooCommerceShop(
        "wool",
        "https://wool.example",
        "ck",
        "cs",
        currency,
        timezone,
        httpx.MockTransport(handle),
    )


def _wish(kind: Kind, thing: str) -> Wish:
    return Wish(kind=kind, id=thing, expected_gone=True)


def test_keeps_the_port() -> None:
    """The shop is all that the connector asks of a shop."""
    adapter: ShopAdapter = _shop({})
    assert "wool" == adapter.name
    door = adapter.door
    assert ("X-WC-Webhook-Signature", "X-WC-Webhook-Topic", "X-WC-Webhook-Delivery-ID") == (
        door.signature_header,
        door.topic_header,
        door.delivery_header,
    )
    assert door.ping is not None
    assert door.ping.fullmatch(b"webhook_id=12")
    assert not door.ping.fullmatch(b"webhook_id=12&x=1")
    assert not door.ping.fullmatch(b"webhook_id=" + b"1" * 11)


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CUSTOMER, Kind.VARIANT])
def test_deletion_confirmed(deliver: Deliver, kind: Kind) -> None:
    """Row 52: what the shop no longer has is gone since the delivery, known to us or not."""
    found = _shop({}).look_up(_wish(kind, "22"), deliver("order.deleted", {"id": 22}))
    gone = Deleted(shop="wool", kind=kind, id="22", version=Version(ARRIVED))
    assert Understood(facts=(gone,)) == found


def test_product_gone_with_its_variant(deliver: Deliver) -> None:
    """An id under product.deleted may be a product's or a variation's: neither is left."""
    found = _shop({}).look_up(_wish(Kind.PRODUCT, "9"), deliver("product.deleted", {"id": 9}))
    assert isinstance(found, Understood)
    kinds = [(fact.kind, fact.id) for fact in found.facts if isinstance(fact, Deleted)]
    assert [(Kind.PRODUCT, "9"), (Kind.VARIANT, "9")] == kinds


def test_order_in_the_trash(deliver: Deliver, order: Build) -> None:
    """A trashed order is still shown: it is gone since it was trashed, not since we asked."""
    shop = _shop({"orders/41": order(status="trash")})
    found = shop.look_up(_wish(Kind.ORDER, "41"), deliver("order.deleted", {"id": 41}))
    assert isinstance(found, Understood)
    (gone,) = found.facts
    assert isinstance(gone, Deleted)
    assert datetime(2026, 11, 23, 10, 5, tzinfo=UTC) == gone.version.at
    assert () == found.flags


def test_deletion_of_a_living_order(deliver: Deliver, order: Build) -> None:
    """A deletion that the shop contradicts deletes nothing; what the shop shows is believed."""
    shop = _shop({"orders/41": order()})
    found = shop.look_up(_wish(Kind.ORDER, "41"), deliver("order.deleted", {"id": 41}))
    assert isinstance(found, Understood)
    assert [Order] == [type(fact) for fact in found.facts]
    assert ("deletion_not_confirmed",) == found.flags


def test_deletion_of_a_living_customer_and_product(
    deliver: Deliver, customer: Build, product: Build
) -> None:
    """The same for accounts and for products, whose variations are not fetched for it."""
    answers = {
        "customers/5": customer(),
        "products/10": product(type="variable", variations=[12]),
    }
    for kind, thing, expected in (
        (Kind.CUSTOMER, "5", Customer),
        (Kind.PRODUCT, "10", Product),
    ):
        found = _shop(answers).look_up(_wish(kind, thing), deliver("x.deleted", {}))
        assert isinstance(found, Understood)
        assert [expected] == [type(fact) for fact in found.facts]
        assert (("deletion_not_confirmed",), ()) == (found.flags, found.wishes)


def test_deletion_of_staff(deliver: Deliver, customer: Build) -> None:
    """An account of the shop's own people stays unknown to us."""
    shop = _shop({"customers/5": customer(role="administrator")})
    found = shop.look_up(_wish(Kind.CUSTOMER, "5"), deliver("customer.deleted", {"id": 5}))
    assert Ignored(reason="staff account") == found


def test_variations_are_fetched(deliver: Deliver, product: Build) -> None:
    """A wish for a product brings it with its variations, named as their own webhooks name them."""
    small = {
        "id": 12,
        "price": "199.00",
        "status": "publish",
        "date_modified_gmt": "2026-11-22T09:00:00",
        "attributes": [{"name": "Size", "option": "S"}, {"name": "Colour", "option": "Red"}],
        "image": {"id": 3, "src": "https://wool.example/i/3.jpg"},
        "manage_stock": False,
        "meta_data": [],
    }
    shop = _shop(
        {
            "products/10": product(type="variable", variations=[12, 13, 14]),
            "products/10/variations": [
                small,
                small | {"id": 13, "name": "M", "parent_id": 10},
                small | {"id": None},
            ],
        }
    )
    found = shop.look_up(Wish(kind=Kind.PRODUCT, id="10"), deliver("product.updated", {}))
    assert isinstance(found, Understood)
    (head,) = found.facts
    assert isinstance(head, Product)
    assert head.all_variants is False  # one of them could not be read
    titles = {each.id: (each.product_id, each.title) for each in head.variants}
    expected = {
        "12": ("10", "Ull & bomull - S, Red"),
        "13": ("10", "Ull & bomull - M"),
    }
    assert expected == titles
    first = head.variants[0]
    assert (19900, "NOK", "https://wool.example/i/3.jpg") == (
        first.price,
        first.currency,
        first.image_url,
    )
    assert datetime(2026, 11, 22, 9, 0, tzinfo=UTC) == first.version.at
    assert ("variation_not_readable",) == found.flags
    assert () == found.wishes


def test_all_variations_there_are(deliver: Deliver, product: Build) -> None:
    """Where every variation could be read, the product says that it has no others."""
    small = {"id": 12, "price": "199.00", "status": "publish", "meta_data": []}
    shop = _shop(
        {
            "products/10": product(type="variable", variations=[12]),
            "products/10/variations": [small],
        }
    )
    found = shop.look_up(Wish(kind=Kind.PRODUCT, id="10"), deliver("product.updated", {}))
    assert isinstance(found, Understood)
    (head,) = found.facts
    assert isinstance(head, Product)
    assert (True, ["12"]) == (head.all_variants, [each.id for each in head.variants])


def test_variation_through_the_products_address(deliver: Deliver, product: Build) -> None:
    """A variation answers under the products' address, as its webhooks do."""
    shop = _shop({"products/12": product(id=12, type="variation", parent_id=11)})
    found = shop.look_up(Wish(kind=Kind.VARIANT, id="12"), deliver("product.updated", {}))
    assert isinstance(found, Understood)
    assert [Variant] == [type(fact) for fact in found.facts]


def test_gone_when_asked(deliver: Deliver) -> None:
    """A product that nobody said was deleted is not deleted for having gone meanwhile."""
    found = _shop({}).look_up(Wish(kind=Kind.PRODUCT, id="10"), deliver("product.updated", {}))
    assert Understood(flags=("gone_when_asked",)) == found


@pytest.mark.parametrize("answer", [{"id": 42}, {"id": 41}, {}, [], {"error": "x"}])
def test_answer_about_something_else(deliver: Deliver, order: Build, answer: Any) -> None:
    """A cache's or plugin's answer about another thing confirms nothing."""
    full = order(id=42) if answer == {"id": 42} else answer
    shop = _shop({"orders/41": full})
    with pytest.raises(TryLater, match="something else than order 41"):
        shop.look_up(_wish(Kind.ORDER, "41"), deliver("order.deleted", {"id": 41}))


def test_refused_key(deliver: Deliver) -> None:
    """A shop that refuses our key is not believed to have lost everything."""
    refused = {"code": "woocommerce_rest_cannot_view", "message": "", "data": {"status": 401}}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=refused))
    shop = WooCommerceShop("wool", "https://wool.example", "ck", "cs", "NOK", None, transport)
    with pytest.raises(LaneDown, match="consumer key"):
        shop.look_up(_wish(Kind.ORDER, "41"), deliver("order.deleted", {"id": 41}))


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ({"timezone_string": "Europe/Oslo", "gmt_offset": 1}, "Europe/Oslo"),
        ({"timezone_string": "", "gmt_offset": 0}, "UTC"),
        ({"timezone_string": "", "gmt_offset": "2"}, "Etc/GMT-2"),
        ({"timezone_string": "", "gmt_offset": -5}, "Etc/GMT+5"),
        ({"gmt_offset": 14.0}, "Etc/GMT-14"),
    ],
)
def test_describe(told: dict[str, Any], zone: str) -> None:
    """The shop tells its time zone, by name or by offset, and its currency."""
    shop = _shop({"": told, "data/currencies/current": {"code": "NOK"}}, currency=None)
    assert ShopFacts(timezone=zone, currency="NOK") == shop.describe()


@pytest.mark.parametrize(
    "told",
    [
        {"timezone_string": "", "gmt_offset": 5.5},
        {"timezone_string": "Mars/Olympus", "gmt_offset": 1},
        {"timezone_string": "../etc/passwd"},
        {"gmt_offset": "nan"},
        {"timezone_string": ["x"]},
        {},
        [],
    ],
)
def test_no_usable_zone(told: Any) -> None:
    """Half hours have no zone of fixed offset: a person has to name a city."""
    with pytest.raises(LaneDown, match="timezone"):
        _shop({"": told}).describe()


@pytest.mark.parametrize("told", [{"code": "kr"}, {}, [], {"code": 7}])
def test_no_usable_currency(told: Any) -> None:
    """Without a currency no product has a price."""
    shop = _shop({"data/currencies/current": told}, currency=None, timezone="Europe/Oslo")
    with pytest.raises(LaneDown, match="currency"):
        shop.describe()


def test_configured_facts_are_not_asked_for() -> None:
    """What the configuration says needs no network."""
    described = _shop({}, timezone="Europe/Oslo").describe()
    assert ShopFacts(timezone="Europe/Oslo", currency="NOK") == described
