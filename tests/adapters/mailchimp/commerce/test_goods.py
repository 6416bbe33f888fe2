"""Products: brought whole, changed, hidden when they go, and stood in for when orders need them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.commerce.goods import STAND_IN
from adapters.mailchimp.sandbox import Sandbox
from connector.model import Parked, Postponed, Settled
from tests.adapters.mailchimp.commerce.wares import (
    drop_one,
    gone,
    held,
    line,
    make,
    new,
    order,
    product,
    push,
    push_one,
    variant,
)


def test_a_product_is_brought_whole(mc: Sandbox, sales: MailchimpSales) -> None:
    """With its variants, prices digit for digit, in one call besides the reading of the shelf."""
    assert Settled() == push_one(sales, product())
    assert {
        "id": "1",
        "title": "Mitten",
        "handle": "mitten",
        "url": "https://nord.example/mitten",
        "description": "Warm.",
        "type": "Clothes",
        "vendor": "Nord",
        "image_url": "https://nord.example/mitten.jpg",
        "published_at_foreign": "2026-01-02T03:04:05Z",
        "variants": {
            "11": {
                "id": "11",
                "title": "Red",
                "sku": "SKU-11",
                "price": 19.9,
                "inventory_quantity": 3,
                "image_url": "https://nord.example/red.jpg",
                "url": "https://nord.example/?v=11",
                "visibility": "visible",
            }
        },
    } == held(mc).products["1"]
    assert 1 == mc.calls["POST /ecommerce/stores/{store_id}/products"]
    assert 3 == mc.calls.total()  # and the products that are there, and the open batches


def test_the_same_again(mc: Sandbox, sales: MailchimpSales) -> None:
    """Once more, and by a process that knows of nothing: the store is as it was."""
    push_one(sales, product())
    before = dict(held(mc).products["1"])
    assert Settled() == push_one(sales, product())
    assert Settled() == push_one(make(mc), product())
    assert {"1": before} == held(mc).products


def test_a_product_changes(mc: Sandbox, sales: MailchimpSales) -> None:
    """Words, prices, a variant more; one that the shop has no longer is hidden, for old orders."""
    push_one(sales, product())
    after = product(
        title="Glove",
        description=None,
        variants=[variant("12", price="5", stock=None), variant("13", visible=False)],
    )
    assert Settled() == push_one(sales, after, product())
    found = held(mc).products["1"]
    assert ("Glove", "") == (found["title"], found["description"])
    assert {
        "11": ("hidden", 0, 19.9),
        "12": ("visible", None, 5),
        "13": ("hidden", 3, 19.9),
    } == {
        name: (each["visibility"], each.get("inventory_quantity"), each["price"])
        for name, each in found["variants"].items()
    }
    mc.calls.clear()
    assert Settled() == push_one(sales, after, after)
    one = "/ecommerce/stores/{store_id}/products/{product_id}/variants/{variant_id}"
    assert (2, 0) == (mc.calls[f"PUT {one}"], mc.calls[f"PATCH {one}"])


def test_a_product_without_variants_gets_one(mc: Sandbox, sales: MailchimpSales) -> None:
    """Mailchimp takes none without: it has the product's own id, as simple products have."""
    assert Settled() == push_one(sales, product(variants=[], title=" "))
    assert {"1": {"id": "1", "title": "(no title)"}} == held(mc).products["1"]["variants"]


def test_a_product_that_goes_is_kept_hidden(mc: Sandbox, sales: MailchimpSales) -> None:
    """Orders may name it. A product that never was there is not made for it."""
    push_one(sales, product())
    outcome = drop_one(sales, product())
    assert Settled(note="kept hidden: orders may name it") == outcome
    found = held(mc).products["1"]
    assert (STAND_IN, "hidden") == (found["type"], found["variants"]["11"]["visibility"])
    assert isinstance(drop_one(sales, product("2")), Settled)
    assert {"1"} == set(held(mc).products)
    assert Settled() == push_one(sales, product())
    found = held(mc).products["1"]
    assert ("Clothes", "visible") == (found["type"], found["variants"]["11"]["visibility"])


def test_a_product_that_an_admin_deleted(mc: Sandbox, sales: MailchimpSales) -> None:
    """A removal is done already; a change brings it anew when it is tried again."""
    for number in ("1", "2"):
        push_one(sales, product(number))
    held(mc).products.clear()
    assert isinstance(drop_one(sales, product("2")), Settled)
    again = push_one(sales, product(), product())
    assert isinstance(again, Postponed)
    assert Settled() == push_one(sales, product(), product())
    assert {"1"} == set(held(mc).products)


def test_an_order_of_what_is_gone(mc: Sandbox, sales: MailchimpSales) -> None:
    """A product that is not there is stood in for, and replaced when the real one comes."""
    assert Settled() == push_one(sales, order())
    stand_in = held(mc).products["1"]
    assert ("Mitten", STAND_IN) == (stand_in["title"], stand_in["type"])
    assert {
        "11": {
            "id": "11",
            "title": "Mitten, red",
            "price": 19.9,
            "visibility": "hidden",
            "inventory_quantity": 0,
        }
    } == stand_in["variants"]
    assert Settled() == push_one(sales, product())
    found = held(mc).products["1"]
    assert ("Clothes", "Red") == (found["type"], found["variants"]["11"]["title"])
    assert "visible" == found["variants"]["11"]["visibility"]


def test_an_order_of_a_variant_that_is_gone(mc: Sandbox, sales: MailchimpSales) -> None:
    """Only the variant is stood in for; the product stays as it is."""
    push_one(sales, product())
    assert Settled() == push_one(sales, order(lines=[line(variant_id="99")]))
    found = held(mc).products["1"]
    assert ("Clothes", {"11", "99"}) == (found["type"], set(found["variants"]))
    assert "hidden" == found["variants"]["99"]["visibility"]


def test_lines_of_products_without_id(mc: Sandbox, sales: MailchimpSales) -> None:
    """The shop forgot the product: the same title is the same stand-in, another is another."""
    lines = [
        line("1", product_id=None, variant_id=None, product_title="Gift wrap"),
        line("2", product_id=None, variant_id=None, product_title="Gift wrap"),
        line("3", product_id=None, variant_id=None, product_title="", title=""),
    ]
    assert Settled() == push_one(sales, order(lines=lines))
    found = held(mc).products
    assert ["(no title)", "Gift wrap"] == sorted(each["title"] for each in found.values())
    assert 3 == len(held(mc).orders["100"]["lines"])


def test_one_stand_in_for_many_orders(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is made once, with every variant that they name."""
    orders = [order(str(n), lines=[line(variant_id=f"v{n % 3}")]) for n in range(1, 10)]
    assert {Settled()} == set(push(sales, *map(new, orders)).values())
    assert {"v0", "v1", "v2"} == set(held(mc).products["1"]["variants"])
    assert 1 == mc.calls["POST /ecommerce/stores/{store_id}/products"]


def test_goods_go_before_what_was_sold(mc: Sandbox, sales: MailchimpSales) -> None:
    """In whatever order they come in one push: no stand-in is made for what comes along."""
    outcomes = push(sales, new(order()), new(product()))
    assert {Settled()} == set(outcomes.values())
    assert "Clothes" == held(mc).products["1"]["type"]
    assert 1 == mc.calls["POST /ecommerce/stores/{store_id}/products"]


def test_a_product_that_is_refused(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is parked, and so is the order that cannot be without it; another order is unharmed."""
    mc.sales.refused["1"] = (400, "The resource could not be validated")
    outcomes = push(sales, new(product()), new(order()), new(order("101", lines=[line("2")])))
    parked = [outcomes[key] for key in ("product/nord/1", "order/nord/100")]
    assert [Parked, Parked] == [type(each) for each in parked]
    assert "product 1" in getattr(parked[0], "mend", "")
    assert getattr(parked[1], "reason", "").startswith("product 1: refused")
    assert Settled() == outcomes["order/nord/101"]
    assert {"101"} == set(held(mc).orders)


def test_a_product_deleted_in_mailchimp_is_made_again(mc: Sandbox, sales: MailchimpSales) -> None:
    """We believed it there: the order's refusal teaches, and the next try brings a stand-in."""
    push(sales, new(product()), new(product("2")))
    del held(mc).products["1"]
    sold = order(lines=[line("1"), line("2")])
    first = push_one(sales, sold)
    assert isinstance(first, Postponed)
    assert Settled() == push_one(sales, sold)
    assert STAND_IN == held(mc).products["1"]["type"]
    assert "Clothes" == held(mc).products["2"]["type"]


@pytest.mark.parametrize("number", ["a/b", "ser-server-1", "100 %", "ø?x=1#", "..."])
def test_ids_of_any_kind(mc: Sandbox, sales: MailchimpSales, number: str) -> None:
    """Each is one thing, made, changed and hidden under its own id."""
    assert Settled() == push_one(sales, product(number))
    assert Settled() == push_one(sales, product(number, title="Glove"), product(number))
    assert Settled() == push_one(sales, order(number, lines=[line(number)]))
    assert Settled() == push_one(sales, order(number, lines=[line("3")]), order(number))
    assert "Glove" == held(mc).products[number]["title"]
    assert {"l3"} == set(held(mc).orders[number]["lines"])
    assert isinstance(drop_one(sales, order(number)), Settled)
    assert {} == held(mc).orders


@pytest.mark.parametrize("number", [".", ".."])
def test_ids_that_lead_elsewhere(mc: Sandbox, sales: MailchimpSales, number: str) -> None:
    """Two dots in an address are the store itself: such a thing is parked, the store unharmed."""
    before = dict(held(mc).words)
    things = [new(product(number), product(number)), new(order(number), order(number))]
    inside = order("5", lines=[line(number)])
    outcomes = push(sales, *things, new(inside), new(product("2", variants=[variant(number)])))
    push(sales, gone(product(number)), gone(order(number)))
    push(sales, gone(order(number), erased=True))
    assert Settled() == push_one(sales, product("2"))
    again = push_one(sales, product("2", variants=[variant(number)]), product("2"))
    assert {Parked} == {type(each) for each in (*outcomes.values(), again)} - {Settled}
    assert before == held(mc).words
    assert {} == held(mc).orders


@pytest.mark.parametrize(
    "broken", [{"variants": [{}]}, {"variants": [variant(price="much")]}, {"variants": "x"}]
)
def test_a_record_that_is_no_product(
    mc: Sandbox, sales: MailchimpSales, broken: dict[str, Any]
) -> None:
    """One bad row is one bad row."""
    outcomes = push(sales, new(product("7", **broken)), new(product()))
    assert "malformed" in getattr(outcomes["product/nord/7"], "reason", "")
    assert Settled() == outcomes["product/nord/1"]
    assert {"1"} == set(held(mc).products)


def test_a_kind_that_nobody_knows(sales: MailchimpSales) -> None:
    """A key of another kind is parked."""
    record = product()
    outcome = push(sales, new(type(record)(key="wish/nord/1", email=None, permission=None)))
    assert "unknown_kind" == getattr(outcome["wish/nord/1"], "reason", None)
