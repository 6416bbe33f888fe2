"""The exact bodies: amounts that add up, numbers beyond a float, shapes that Shopify publishes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.shopify.sandbox import Sandbox

Buy = Callable[..., Any]
Told = Callable[..., list[Any]]


def test_ids_are_beyond_a_float(shop: Sandbox, buy: Buy) -> None:
    """Ids are larger than 2**53, and neighbours are one and the same as floats."""
    first, second = buy()["id"], buy()["id"]
    assert first > 2**53
    assert first != second
    assert float(first) == float(second)
    numbers = [row["id"] for t in ("orders", "customers", "products") for row in shop.books.rows(t)]
    assert len(numbers) == len(set(numbers))


def test_an_order_with_tax_in_its_prices(buy: Buy) -> None:
    """Prices hold the tax: the total is goods and sending, and the tax is a part of it."""
    order = buy(discount={"code": "TI", "percent": 10})
    assert order["total_line_items_price"] == "25.00"
    assert order["total_discounts"] == "2.50"
    assert order["subtotal_price"] == "22.50"
    assert order["total_price"] == "27.50"
    assert order["total_tax"] == "5.50"
    assert order["line_items"][0]["tax_lines"][0]["price"] == "4.50"
    assert order["line_items"][0]["name"] == "Tjukk ull - Rød"
    assert order["discount_codes"] == [{"code": "TI", "amount": "2.50", "type": "percentage"}]


def test_an_order_with_tax_on_top(clock: Any) -> None:
    """Where prices are without tax, it is added."""
    with Sandbox(auto=False, clock=clock, currency="EUR", taxes_included=False) as shop:
        line = {"title": "Ull", "price": "10.00", "quantity": 2}
        order = shop.orders.check_out({"email": "a@b.example", "line_items": [line]})
    assert (order["subtotal_price"], order["total_tax"]) == ("20.00", "5.00")
    assert order["total_price"] == "25.00"
    assert order["line_items"][0]["product_id"] is None
    assert order["line_items"][0]["variant_id"] is None


def test_the_buyers_own_currency(shop: Sandbox, buy: Buy) -> None:
    """A buyer in another currency: every bag tells both, and a refund goes back in theirs."""
    order = buy(presentment={"currency": "JPY", "rate": "160.5"})
    assert order["currency"] == "EUR"
    assert order["total_price_set"] == {
        "shop_money": {"amount": "30.00", "currency_code": "EUR"},
        "presentment_money": {"amount": "4815", "currency_code": "JPY"},
    }
    refund = shop.orders.refund(order["id"])
    moved = refund["transactions"][0]
    assert (moved["amount"], moved["currency"]) == ("4815", "JPY")
    assert shop.totals().refunded == 3000


def test_a_part_comes_back(told: Told, buy: Buy, shop: Sandbox) -> None:
    """One piece back: its subtotal and tax are JSON numbers, all else is text."""
    order = buy(discount={"code": "TI", "percent": 10})
    line = order["line_items"][0]["id"]
    arrived = told(
        lambda: shop.orders.refund(order["id"], lines={line: 1}, restock=True, note="Feil farge")
    )
    assert [a.topic for a in arrived] == [
        *("refunds/create", "orders/updated", "inventory_levels/update", "products/update"),
    ]
    assert b'"subtotal":11.25,"total_tax":2.25,' in arrived[0].body
    refund, after = arrived[0].value, arrived[1].value
    assert refund["transactions"][0]["amount"] == "11.25"
    assert refund["refund_line_items"][0]["restock_type"] == "return"
    assert after["financial_status"] == "partially_refunded"
    assert after["refunds"] == [refund]
    assert after["current_total_price"] == "16.25"
    assert after["total_price"] == "27.50"
    assert after["line_items"][0]["current_quantity"] == 1
    assert shop.totals().revenue == {"kari@epost.example": 1625}


def test_all_of_it_comes_back(buy: Buy, shop: Sandbox) -> None:
    """Everything back, the sending too: nothing is left, and more cannot be given."""
    order = buy()["id"]
    refund = shop.orders.refund(order)
    assert refund["transactions"][0]["amount"] == "30.00"
    assert refund["refund_shipping_lines"][0]["subtotal_amount_set"]["shop_money"] == {
        "amount": "5.00",
        "currency_code": "EUR",
    }
    after = shop.orders.get(order)
    assert (after["financial_status"], after["current_total_price"]) == ("refunded", "0.00")
    with pytest.raises(ValueError, match="less than the paid amount"):
        shop.orders.refund(order, amount="0.01")
    assert shop.totals().refunds == 1
    assert shop.totals().revenue == {"kari@epost.example": 0}
    assert shop.totals().purchases == {"kari@epost.example": 1}


def test_an_amount_agreed_upon(buy: Buy, shop: Sandbox) -> None:
    """Money without goods: the difference is told as an adjustment."""
    order = buy()["id"]
    refund = shop.orders.refund(order, amount="4.00", note="Beklager")
    assert refund["refund_line_items"] == []
    assert refund["order_adjustments"][0]["kind"] == "refund_discrepancy"
    assert refund["order_adjustments"][0]["amount"] == "-4.00"
    assert shop.totals().refunded == 400


def test_any_basket_adds_up(shop: Sandbox) -> None:
    """Whatever is bought, and in whatever pieces it comes back: the parts are the whole."""
    chance = random.Random(11)
    for number in range(60):
        lines = [
            {"title": f"t{n}", "price": f"{chance.randint(1, 9999) / 100:.2f}", "quantity": n + 1}
            for n in range(chance.randint(1, 4))
        ]
        discount = {"code": "X", "percent": chance.choice(("12.50", "33", "7.5"))}
        given = {"email": f"p{number}@b.example", "line_items": lines, "discount": discount}
        order = shop.orders.check_out({**given, "shipping": "7.90"})
        parts = Decimal(order["subtotal_price"]) + Decimal("7.90")
        assert parts == Decimal(order["total_price"])
        shares = sum(
            Decimal(share["amount"])
            for line in order["line_items"]
            for share in line["discount_allocations"]
        )
        assert shares == Decimal(order["total_discounts"])
        shop.orders.refund(order["id"])
        assert shop.orders.get(order["id"])["current_total_price"] == "0.00"


def test_many_variants_are_cut_short(told: Told, shop: Sandbox) -> None:
    """Of a product with many variants a webhook tells the first, and the ids of all."""
    shades = [{"value": f"Farge {n}", "price": "9.00"} for n in range(130)]
    arrived = told(lambda: shop.products.create({"title": "Fargekart", "variants": shades}))
    assert [a.topic for a in arrived] == ["products/create"]
    assert len(arrived[0].value["variants"]) == 100
    assert len(arrived[0].value["variant_gids"]) == 130


def test_test_orders_are_none(buy: Buy, shop: Sandbox) -> None:
    """A test order says so, and the shop itself does not count it."""
    assert buy(test=True)["test"] is True
    assert shop.totals().orders == {}
    assert shop.totals().revenue == {}


def test_nobody_is_named(buy: Buy, shop: Sandbox) -> None:
    """An order from the counter may have no customer and no address."""
    order = buy(email=None, nobody=True, address=None, source_name="pos")
    assert order["customer"] is None
    assert order["billing_address"] is None
    assert shop.totals().orders_without_address == 1


def test_letters_and_signs(told: Told, shop: Sandbox) -> None:
    """Letters are written as they are; what could end a script is escaped."""
    arrived = told(
        lambda: shop.customers.create({"email": "a@b.example", "first_name": "Åse & <3"})
    )
    assert '"first_name":"Åse \\u0026 \\u003c3"'.encode() in arrived[0].body


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("topic", "sample"),
    [
        ("customers/create", "customers__create"),
        ("customers/merge", "customers__merge"),
        ("customers/delete", "customers__delete"),
        ("customers_email_marketing_consent/update", "customers_email_marketing_consent__update"),
        ("customers_marketing_consent/update", "customers_marketing_consent__update"),
        ("customer.tags_added", "customer.tags_added"),
        ("orders/paid", "orders__paid"),
        ("products/update", "products__update"),
        ("products/delete", "products__delete"),
        ("refunds/create", "refunds__create"),
        ("customers/data_request", "customers__data_request"),
        ("customers/redact", "customers__redact"),
        ("shop/redact", "shop__redact"),
    ],
)
def test_shapes_are_shopifys(
    topic: str, sample: str, corpus: Path, told: Told, buy: Buy, shop: Sandbox
) -> None:
    """Each field that we write is one of the published sample, in a value of the same kind.

    Not each of theirs is ours: duties, weights and other things that the stand-in does not sell.
    """
    folder = corpus / "specs/shopify/webhook_samples_2026-07"
    published = json.loads((folder / f"{sample}.json").read_text("utf-8"))
    arrived = {a.topic: a.value for a in told(lambda: _everything(shop, buy))}
    assert list(_strange(arrived[topic], published, topic)) == []


def _everything(shop: Sandbox, buy: Buy) -> None:
    order = buy(accepts_marketing=True, discount={"code": "TI", "percent": 10})
    customer = order["customer"]["id"]
    other = shop.customers.create({"email": "a@b.example", "phone": "+4790000000"})["id"]
    shop.customers.change(other, {"tags": ["a"]})
    shop.customers.sms_consent(other, "subscribed", now=shop.clock() + timedelta(seconds=1))
    shop.demands.request_data(customer)
    shop.demands.redact_customer(customer)
    shop.demands.redact_shop()
    shop.customers.merge(customer, other)
    shop.customers.delete(shop.customers.create({"email": "c@b.example"})["id"])
    shop.orders.refund(order["id"])
    shop.products.delete(shop.products.create({"title": "x", "price": "1"})["id"])


_EXTRA = {"discount_allocations", "tax_lines", "discount_codes", "discount_applications"}
_EXTRA |= {"transactions", "options", "errors", "refund_shipping_lines", "tax_exemptions"}


def _strange(ours: Any, theirs: Any, where: str) -> Any:
    """Where our value is of another kind than theirs; lists that are empty in theirs are let be."""
    if ours is None or theirs is None:
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key not in theirs:
                yield f"{where}.{key} is no field of Shopify's"
            elif key not in _EXTRA:
                yield from _strange(value, theirs[key], f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        for value in ours if theirs else ():
            yield from _strange(value, theirs[0], f"{where}[]")
    elif type(ours) is not type(theirs):
        yield f"{where} is {type(ours).__name__}, Shopify's {type(theirs).__name__}"
