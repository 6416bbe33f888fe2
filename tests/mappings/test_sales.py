"""What is told of a sale, and of whose: every status of both platforms, and every permission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.errors import ConfigurationFault
from connector.model import (
    Bearing,
    Cart,
    Kind,
    Line,
    Order,
    Permission,
    Product,
    Promotion,
    Purpose,
    Refund,
    Variant,
    Version,
    Worth,
)
from connector.store.baskets import Basket
from connector.store.catalog import ForSale
from connector.store.sales import Bought, Shown
from mappings import sales
from mappings.item_rules import default_mapping
from mappings.load import load_mapping

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KARI = "kari@x.example"
SHOPS = {"wool": "woocommerce"}


def order(**more: Any) -> Order:
    return Order(
        **{
            "shop": "wool",
            "id": "1",
            "version": Version(NOON),
            "number": "1",
            "status": "processing",
            "currency": "NOK",
            "total": 10_000,
            "placed_at": NOON,
            **more,
        }
    )


def told(
    given: Order, platform: str = "woocommerce", counting: frozenset[str] = frozenset()
) -> Any:
    return sales.order(Bought(given, KARI), KARI, platform=platform, counting=counting)


@pytest.mark.parametrize(
    ("platform", "statuses"),
    [
        (
            "woocommerce",
            {
                "pending": "pending",
                "on-hold": "pending",
                "processing": "paid",
                "completed": "paid",
                "cancelled": "cancelled",
                "refunded": "refunded",
                "failed": "failed",
                "backordered": "pending",
            },
        ),
        (
            "shopify",
            {
                "pending": "pending",
                "authorized": "pending",
                "partially_paid": "pending",
                "paid": "paid",
                "partially_refunded": "partially_refunded",
                "refunded": "refunded",
                "voided": "cancelled",
                "expired": "failed",
                "cancelled": "cancelled",
            },
        ),
    ],
)
def test_every_status_of_a_platform(platform: str, statuses: dict[str, str]) -> None:
    """One of six words for each of the platform's own."""
    assert statuses == {
        status: told(order(status=status), platform)["status"] for status in statuses
    }


@pytest.mark.parametrize(
    ("status", "amounts", "expected"),
    [
        ("processing", [1_000], "partially_refunded"),
        ("completed", [4_000, 6_000], "refunded"),
        ("cancelled", [10_000], "cancelled"),
        ("pending", [1_000], "pending"),
    ],
)
def test_what_was_given_back_decides(status: str, amounts: list[int], expected: str) -> None:
    """The refunds say how much, whatever the word says; what never was paid stays what it is."""
    refunds = tuple(Refund(id=str(n), amount=amount) for n, amount in enumerate(amounts))
    assert expected == told(order(status=status, refunds=refunds))["status"]


def test_a_status_of_the_shops_own_is_what_it_counts_as() -> None:
    """Where the mapping counts it as bought, it is paid."""
    given = told(order(status="in-transit"), counting=frozenset({"in-transit"}))
    assert ("paid", True) == (given["status"], given["counts"])
    given = told(order(status="in-transit"))
    assert ("pending", False) == (given["status"], given["counts"])


@pytest.mark.parametrize(
    ("currency", "quantity", "total", "discount", "expected"),
    [
        ("NOK", 3, 9_000, 1_000, ("33.33", "10.00", "90.00")),
        ("NOK", 2, 1_001, 0, ("5.01", "0.00", "10.01")),
        ("NOK", 0, 500, 0, ("5.00", "0.00", "5.00")),
        ("JPY", 2, 5_900, 100, ("3000", "100", "5900")),
        ("KWD", 1, 1_234, 0, ("1.234", "0.000", "1.234")),
    ],
)
def test_amounts_have_the_places_of_their_currency(
    currency: str, quantity: int, total: int, discount: int, expected: tuple[str, ...]
) -> None:
    """The price is for one, before what was taken off; half a minor unit is rounded up."""
    line = Line(
        id="1", product_id=None, variant_id=None, sku="", name="Gone", quantity=quantity,
        total=total, discount=discount,
    )  # fmt: skip
    (given,) = told(order(currency=currency, lines=(line,)))["lines"]
    assert expected == (given["price"], given["discount"], given["total"])
    assert (None, "Gone") == (given["product_id"], given["product_title"])


ORDERS = {
    Permission.SEND: (True, True),
    Permission.CONFIRM: (True, True),
    Permission.SILENT: (True, True),
    Permission.WITHDRAWN: (False, True),
    None: (False, True),
}
CARTS = {
    Permission.SEND: (True, True),
    Permission.CONFIRM: (False, False),
    Permission.SILENT: (False, False),
    Permission.WITHDRAWN: (False, False),
    None: (False, False),
}


@pytest.mark.parametrize(("kind", "table"), [(Kind.ORDER, ORDERS), (Kind.CART, CARTS)])
def test_whose_sales_are_held(
    kind: Kind, table: dict[Permission | None, tuple[bool, bool]]
) -> None:
    """For every permission: whether it is brought there, and whether it stays there."""
    assert {*Permission, None} == table.keys()
    assert table == {
        permission: tuple(
            sales.should_hold(kind, permission, is_held=is_held) for is_held in (False, True)
        )
        for permission in table
    }


def item(**more: Any) -> ForSale:
    variant = {"id": "51", "product_id": "5", "version": Version(NOON), "currency": "NOK", **more}
    product = Product(
        shop="wool",
        id="5",
        version=Version(NOON),
        title="Wool",
        status="publish",
        type=str(more.pop("type", "simple")),
        image_url="https://wool.example/i.png",
    )
    variant.pop("type", None)
    return ForSale(product, Variant(shop="wool", **variant))


def test_a_product_that_is_sold_in_variations_is_none_itself() -> None:
    """Its own number is among the variants in older statements; alone it is nothing to be sold."""
    parent, red = item(id="5", type="variable"), item(type="variable", price=990)
    fields = sales.product(Shown(parent.product, (parent, red)))
    assert fields is not None
    assert [("51", "9.90", "Wool", "https://wool.example/i.png")] == [
        (each["id"], each["price"], each["title"], each["image_url"]) for each in fields["variants"]
    ]
    assert None is sales.product(Shown(parent.product, (parent,)))


def test_a_price_nobody_told_is_none() -> None:
    """Neither a nought nor a guess."""
    fields = sales.product(Shown(item().product, (item(currency=None, price=990),)))
    assert fields is not None
    assert [None] == [each["price"] for each in fields["variants"]]


def test_an_empty_cart_reminds_of_nothing() -> None:
    """Nor does one that is ordered."""
    cart = Cart(
        shop="wool", id="c", version=Version(NOON), currency="NOK", total=0, created_at=NOON
    )
    line = Line(id="1", product_id="5", variant_id=None, sku="", name="W", quantity=1, total=1)
    full = Cart(
        shop="wool", id="c", version=Version(NOON), currency="NOK", total=1, created_at=NOON,
        lines=(line,),
    )  # fmt: skip
    assert None is sales.cart(Basket(cart, KARI, is_ordered=False), KARI)
    assert None is sales.cart(Basket(full, KARI, is_ordered=True), KARI)
    assert sales.cart(Basket(full, KARI, is_ordered=False), KARI) is not None


def test_an_amount_in_no_currency_is_no_promotion() -> None:
    """Nobody could say how much it takes off."""
    given = Promotion(
        shop="wool", id="9", version=Version(NOON), code="X", worth=Worth.FIXED, amount=100,
        bearing=Bearing.TOTAL,
    )  # fmt: skip
    assert None is sales.promotion(given, None)


# --- In a mapping ---------------------------------------------------------------------------------


def load(text: str, **destinations: str) -> Any:
    return load_mapping(f"version: 1\n{text}", shops=SHOPS, destinations=destinations)


def test_sales_need_a_place_for_them() -> None:
    """A platform without orders and products refuses the word; Mailchimp takes it."""
    assert load("destinations: {n: {ecommerce: true}}", n="mailchimp").destinations["n"].ecommerce
    for platform in ("files", "http"):
        told = f"{platform} has no place for orders and products; these have: mailchimp"
        with pytest.raises(ConfigurationFault, match=told):
            load("destinations: {n: {ecommerce: true}}", n=platform)


def test_conversions_are_about_orders_and_need_the_consent_for_ads() -> None:
    """Nothing else may be mapped there, and no other consent allows it."""
    assert Purpose.ADS is default_mapping("meta_conversions").purpose
    mapping = load("destinations: {e: {consent: ads}}", e="meta_conversions")
    assert Purpose.ADS is mapping.destinations["e"].purpose
    assert () == mapping.destinations["e"].tag_segments
    for key in ("contacts: {policy: everyone}", "fields: {A: first_name}", "labels: {}"):
        with pytest.raises(ConfigurationFault, match="is told of orders, and of nothing else"):
            load(f"destinations: {{e: {{{key}}}}}", e="meta_conversions")
    with pytest.raises(ConfigurationFault, match="needs the consent ads"):
        load("destinations: {e: {consent: email}}", e="meta_conversions")
