"""What the stores really hold is read back, and what was taken and not kept is found and mended."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mailchimp.commerce import showing
from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from connector.errors import LaneDown, TryLater
from connector.model import Json, Permission, Postponed, Record, Settled
from connector.ports import Showing
from tests.adapters.mailchimp.commerce.wares import (
    NOW,
    OLA,
    SHAPE,
    STORE,
    cart,
    customer,
    drop_one,
    held,
    line,
    make,
    new,
    order,
    product,
    promotion,
    push,
    push_one,
    variant,
)

_KEPT: dict[str, Json] = {"lines": {"l1": ["1", "11", "2", "19.9", "0"]}}
_LIST = "GET /ecommerce/stores/{store_id}/"


def read(sales: MailchimpSales) -> dict[str, Record]:
    """Everything that is shown, page by page."""
    found: dict[str, Record] = {}
    cursor = None
    while True:
        page = sales.show(cursor, now=NOW)
        found |= {key: each.record for key, each in page.held.items()}
        cursor = page.cursor
        if cursor is None:
            return found


def other(sales: MailchimpSales, taken: Record, found: Mapping[str, Record]) -> dict[str, Json]:
    """The fields of a record that are not held as they were taken, and what is held instead."""
    there = found[taken.key].fields
    expected = sales.as_shown(taken).fields
    assert expected
    return {name: there.get(name) for name in expected if expected[name] != there.get(name)}


def without(record: Record, *names: str) -> Record:
    """What counts as acknowledged of a record when these fields turned out to be lost."""
    kept = {name: value for name, value in record.fields.items() if name not in names}
    return replace(record, fields=kept)


def test_everything_is_read_back(mc: Sandbox, sales: MailchimpSales) -> None:
    """One list after another, a call each; all is as it was taken."""
    taken = [product(), promotion(), order(), cart()]
    push(sales, *map(new, taken))
    mc.calls.clear()
    found = read(sales)
    assert [each.key for each in taken] == list(found)
    assert {} == {key: each for one in taken for key, each in other(sales, one, found).items()}
    lists = ("products", "promo-rules", "orders", "carts")
    assert {_LIST + each: 1 for each in lists} == mc.calls
    assert isinstance(sales, Showing)


def test_what_is_compared(sales: MailchimpSales) -> None:
    """In a record's own words, each value in one spelling; nobody's address or name."""
    shown = sales.as_shown(order(status="cancelled", refunded="9.80", fulfilled=True))
    buyer = shown.fields["customer"]
    assert Record(
        key="order/nord/100",
        email=None,
        permission=None,
        fields={
            "currency": "EUR",
            "total": "30",
            "tax": "7.96",
            "shipping": "0",
            "discount": "0",
            "customer": buyer,
            "lines": {"l1": ["1", "11", "2", "19.9", "0"]},
            "cancelled_at": True,
            "status": "cancelled",
            "fulfilled": True,
            "placed_at": "2026-11-20T10:00:00Z",
        },
    ) == shown  # fmt: skip
    assert 40 == len(buyer)
    assert {
        "title": "Mitten",
        "type": "Clothes",
        "vendor": "Nord",
        "variants": {"11": ["Red", "19.9"]},
    } == sales.as_shown(product(variants=[variant(), variant("12", visible=False)])).fields


def test_what_may_be_kept_otherwise_is_not_compared(mc: Sandbox, sales: MailchimpSales) -> None:
    """Thousandths, a price that was not told, a delivery that was taken back, an unknown state."""
    odd = order(status="new", total="1.234", lines=[line(price="0.625")], fulfilled=False)
    bare = product("5", variants=[variant("5", price=None), variant("6")])
    push(sales, new(odd), new(bare))
    assert not {"total", "lines", "fulfilled", "status"} & sales.as_shown(odd).fields.keys()
    assert {"title", "type", "vendor"} == set(sales.as_shown(bare).fields)
    held(mc).orders["100"] |= {"order_total": 1.23, "fulfillment_status": "shipped"}
    held(mc).products["5"]["variants"]["5"]["price"] = 0
    found = read(sales)
    assert ({}, {}) == (other(sales, odd, found), other(sales, bare, found))
    stranger = replace(order(), key="order/elsewhere/1")
    assert {} == sales.as_shown(stranger).fields
    assert {} == sales.as_shown(without(order(), "currency")).fields


def _id(thing: dict[str, Any]) -> str:
    return str(thing["id"])


_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
_AMOUNTS = st.decimals(0, 99_999, places=2).map(str)
_LINES = st.lists(
    st.builds(
        line,
        st.sampled_from(["1", "2", "3"]),
        quantity=st.integers(0, 9),
        price=_AMOUNTS,
        discount=_AMOUNTS,
    ),
    max_size=3,
    unique_by=_id,
)
_ORDERS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["pending", "paid", "refunded", "cancelled", "failed"]),
        "fulfilled": st.booleans(),
        "currency": st.sampled_from(["EUR", "NOK"]),
        **dict.fromkeys(("total", "tax", "shipping", "discount", "refunded"), _AMOUNTS),
        "placed_at": st.datetimes().map(lambda at: f"{at.isoformat()}+02:00"),
        "customer": st.builds(customer, st.sampled_from(["a@x.example", OLA]), first_name=_NAMES),
        "lines": _LINES,
    }
)
_PRODUCTS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("title", "type", "vendor", "description"), _NAMES),
        "variants": st.lists(
            st.builds(
                variant,
                st.sampled_from(["1", "2", "3", "4"]),
                title=_NAMES,
                price=_AMOUNTS | st.none(),
                visible=st.booleans(),
                stock=st.integers(-5, 5) | st.none(),
            ),
            max_size=4,
            unique_by=_id,
        ),
    }
)


@pytest.mark.parametrize(("kind", "words"), [("order", _ORDERS), ("product", _PRODUCTS)])
def test_whatever_is_taken_is_shown_as_expected(kind: str, words: Any) -> None:
    """For any two states of an order or a product, one after the other: nothing differs."""
    build, numbers = {"order": order, "product": product}[kind], itertools.count()
    with Sandbox(clock=lambda: NOW) as mc:
        sales = make(mc)
        sales.prepare(SHAPE)

        @settings(max_examples=25, deadline=None)
        @given(words, words)
        def holds(first: dict[str, Any], then: dict[str, Any]) -> None:
            number = f"n{next(numbers)}"
            before = None
            for fields in (first, then):
                after = build(number, **fields)
                assert Settled() == push_one(sales, after, before)
                before = after
                page = sales.show(f"nord/{kind}s/0/0", now=NOW)
                found = {key: each.record for key, each in page.held.items()}
                assert {} == other(sales, after, found)

        holds()


# --- Taken, and not kept --------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [product(), order(), cart()])
def test_what_was_never_kept_is_missing(mc: Sandbox, sales: MailchimpSales, taken: Record) -> None:
    """Mailchimp said it took it. Sent once more as new it is there, also where it was after all."""
    push(sales, new(product("1")), new(product("2")))  # what is sold is there
    _, _, name = taken.key.split("/", 2)
    if taken.key.startswith("product/"):
        del held(mc).products[name]
    mc.sales.forgotten.add(name)
    assert Settled() == push_one(make(mc), taken)
    assert taken.key not in read(sales)
    mc.sales.forgotten.clear()
    for _ in range(2):
        assert Settled() == push_one(make(mc), taken)
        assert {} == other(sales, taken, read(sales))


def test_a_promotion_that_went_away(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is missing; a rule that is not kept is noticed at once, for its code has no place."""
    push_one(sales, promotion())
    held(mc).rules.clear()
    assert {} == read(sales)
    mc.sales.forgotten.add("p1")
    assert isinstance(push_one(sales, promotion()), Postponed)
    mc.sales.forgotten.clear()
    assert Settled() == push_one(sales, promotion())
    assert {} == other(sales, promotion(), read(sales))


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (order(), order(total="99.00", refunded="9.00"), {"total": "39.8"}),
        (order(), order(status="refunded"), {"status": "paid"}),
        (order(), order(lines=[line(quantity=7)]), _KEPT),
        (cart(), cart(total="1.00"), {"total": "39.8"}),
        (product(), product(title="Glove"), {"title": "Mitten"}),
        (
            product(),
            product(variants=[variant(price="5.00")]),
            {"variants": {"11": ["Red", "19.9"]}},
        ),
        (promotion(), promotion(amount="12.50"), {"amount": "0.1"}),
        (promotion(), promotion(enabled=False), {"enabled": True}),
    ],
)  # fmt: skip
def test_what_kept_its_old_state_differs(
    mc: Sandbox, sales: MailchimpSales, before: Record, after: Record, lost: dict[str, Json]
) -> None:
    """An old total, state, line, title or price is told; the ordinary step mends it."""
    push_one(sales, before)
    mc.sales.forgotten.add(before.key.rsplit("/", 1)[1])
    assert Settled() == push_one(sales, after, before)
    assert lost == other(sales, after, read(sales))
    mc.sales.forgotten.clear()
    assert Settled() == push_one(sales, after, without(after, *lost))
    assert {} == other(sales, after, read(sales))


@pytest.mark.parametrize("taken", [promotion(), order(), cart()])
def test_what_should_be_gone_is_still_there(
    mc: Sandbox, sales: MailchimpSales, taken: Record
) -> None:
    """A removal that was answered and not done: it is shown, and taken away by the next one."""
    push_one(sales, taken)
    mc.sales.forgotten.add(taken.key.rsplit("/", 1)[1])
    assert Settled() == drop_one(sales, taken)
    assert taken.key in read(sales)
    mc.sales.forgotten.clear()
    assert Settled() == drop_one(sales, replace(read(sales)[taken.key], key=taken.key))
    assert taken.key not in read(sales)


def test_somebody_cancelled_an_order_there(mc: Sandbox, sales: MailchimpSales) -> None:
    """That cannot be undone in Mailchimp: the order is made anew."""
    push_one(sales, order())
    held(mc).orders["100"]["cancelled_at_foreign"] = "2026-11-22T10:00:00+00:00"
    assert {"cancelled_at": True} == other(sales, order(), read(sales))
    assert Settled() == push_one(sales, order(), without(order(), "cancelled_at"))
    assert {} == other(sales, order(), read(sales))


def test_an_order_of_somebody_else(mc: Sandbox, sales: MailchimpSales) -> None:
    """The buyer is compared by the id that stands for the address."""
    push_one(sales, order(customer=customer(OLA)))
    assert {"customer"} == set(other(sales, order(), read(sales)))
    assert Settled() == push_one(sales, order(), without(order(), "customer"))
    assert {} == other(sales, order(), read(sales))


# --- Goods that are there for orders' sake --------------------------------------------------------


def test_products_that_are_only_there_for_orders_are_not_shown(
    mc: Sandbox, sales: MailchimpSales
) -> None:
    """A stand-in, a product that was taken away: none of them is still there by mistake."""
    push(sales, new(order(lines=[line("7"), line("8", product_id=None)])), new(product()))
    push_one(sales, order("101", lines=[]))
    drop_one(sales, product())
    assert 4 == len(held(mc).products)
    assert ["order/nord/100", "order/nord/101"] == list(read(sales))
    held(mc).products["1"]["variants"]["11"]["visibility"] = "visible"
    found = read(sales)
    assert "product/nord/1" in found
    drop_one(sales, found["product/nord/1"])
    assert "product/nord/1" not in read(sales)


def test_a_variant_too_many_on_show_is_hidden(mc: Sandbox, sales: MailchimpSales) -> None:
    """What the shelf was thought to be does not count: the reading teaches what is there."""
    push_one(sales, product())
    extra = {"id": "99", "title": "Old", "price": 1, "visibility": "visible"}
    held(mc).products["1"]["variants"]["99"] = extra
    assert {"variants": {"11": ["Red", "19.9"], "99": ["Old", "1"]}} == other(
        sales, product(), read(sales)
    )
    assert Settled() == push_one(sales, product(), without(product(), "variants"))
    assert "hidden" == held(mc).products["1"]["variants"]["99"]["visibility"]
    assert {} == other(sales, product(), read(sales))


def test_products_of_many_variants_are_read_whole(mc: Sandbox, sales: MailchimpSales) -> None:
    """Mailchimp shows 50 with the product: the others by a call each, so many in one page."""
    wide = [variant(f"v{number}") for number in range(60)]
    taken = [product(f"p{number}", variants=wide) for number in range(12)]
    for each in taken:
        push_one(sales, each)
    mc.calls.clear()
    found = read(sales)
    assert [{}] * 12 == [other(sales, each, found) for each in taken]
    assert (2, 12) == (
        mc.calls[f"{_LIST}products"],
        mc.calls[f"{_LIST}products/{{product_id}}/variants"],
    )


def test_an_order_of_the_fifty_fifth_variant(mc: Sandbox, sales: MailchimpSales) -> None:
    """A process that starts anew asks for it, once, and does not take it for gone and hide it."""
    wide = product(variants=[variant(f"v{number}") for number in range(60)])
    push_one(sales, wide)
    again = make(mc)
    for number in ("1", "2"):
        sold = order(number, lines=[line(product_id="1", variant_id="v55")])
        assert Settled() == push_one(again, sold)
    one = f"{_LIST}products/{{product_id}}/variants"
    assert (1, 0) == (mc.calls[one], mc.calls[f"{one.replace('GET', 'PUT')}/{{variant_id}}"])
    assert {} == other(again, wide, read(again))


# --- Page by page ---------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page."""
    monkeypatch.setattr(showing, "MOST_ROWS", 3)
    monkeypatch.setattr(showing, "_FEWEST_ROWS", 1)


def two_shops(mc: Sandbox) -> MailchimpSales:
    other_store = replace(STORE, shop="sor", id="c-sor")
    sales = make(mc, stores={"sor": other_store, "nord": STORE})
    sales._reader.rows = showing.MOST_ROWS
    sales.prepare(SHAPE)
    return sales


@pytest.mark.usefixtures("small")
def test_lists_of_two_shops_are_chained(mc: Sandbox) -> None:
    """Shop by shop, list by list, three rows at a time; a restart goes on at the cursor."""
    sales = two_shops(mc)
    orders = [order(str(number)) for number in range(1, 5)]
    elsewhere = replace(order("9"), key="order/sor/9")
    push(sales, *map(new, orders), new(elsewhere))
    cursors, cursor, found = [], None, list[str]()
    while True:
        page = two_shops(mc).show(cursor, now=NOW)
        found += page.held
        cursor = page.cursor
        if cursor is None:
            break
        cursors.append(cursor)
    assert [each.key for each in (*orders, elsewhere)] == found
    assert [
        "nord/promo-rules/0/0",
        "nord/orders/0/0",
        "nord/orders/3/4",
        "nord/carts/0/0",
        "sor/products/0/0",
        "sor/promo-rules/0/0",
        "sor/orders/0/0",
        "sor/carts/0/0",
    ] == cursors


@pytest.mark.usefixtures("small")
def test_what_goes_away_meanwhile_lets_nothing_be_passed_over(mc: Sandbox) -> None:
    """The rows after it move up, so as many are read once more."""
    sales = two_shops(mc)
    push(sales, *(new(order(str(number))) for number in range(1, 6)))
    first = sales.show("nord/orders/0/0", now=NOW)
    del held(mc).orders["1"]
    again = sales.show(first.cursor, now=NOW)
    assert ({}, "nord/orders/2/4") == (again.held, again.cursor)
    last = sales.show(again.cursor, now=NOW)
    assert ["order/nord/4", "order/nord/5"] == list(last.held)
    assert "nord/carts/0/0" == last.cursor


def test_a_shop_that_is_not_configured_any_more(mc: Sandbox, sales: MailchimpSales) -> None:
    """The reading goes on with the next shop, or is over; without any shop there is nothing."""
    push_one(sales, promotion())
    assert "nord/promo-rules/0/0" == sales.show("alt/orders/3/9", now=NOW).cursor
    assert sales.show("sor/orders/3/9", now=NOW).cursor is None
    assert sales.show("sor/orders/3/9", now=NOW).held == {}
    nobody = make(mc, stores={}).show(None, now=NOW)
    assert ({}, None) == (nobody.held, nobody.cursor)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "HTML", "empty", "list", "half JSON", "torn after", "endless"]
)
def test_a_bad_answer_is_asked_for_again(mc: Sandbox, fault: str) -> None:
    """Nothing is believed of it; the next page is smaller, for it may have been too much."""
    sales = two_shops(mc)
    push(sales, *(new(order(str(number))) for number in range(1, 4)))
    mc.misbehave(fault, endpoint=f"{_LIST}orders")
    with pytest.raises(TryLater):
        sales.show("nord/orders/0/0", now=NOW)
    sizes = []
    cursor: str | None = "nord/orders/0/0"
    while cursor and "orders" in cursor:
        page = sales.show(cursor, now=NOW)
        sizes.append(len(page.held))
        cursor = page.cursor
    assert [1, 2] == sizes


@pytest.mark.parametrize("row", [{}, {"id": 7}, {"id": None}])
def test_rows_without_an_id_are_no_answer(
    mc: Sandbox, sales: MailchimpSales, row: dict[str, Any]
) -> None:
    """Else what they stand for would be taken for missing."""
    held(mc).carts["x"] = {"customer": "c", "lines": {}, **row}
    with pytest.raises(TryLater, match="without an id"):
        sales.show("nord/carts/0/0", now=NOW)


def test_a_store_that_was_deleted(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is told, and not taken for an empty one."""
    push_one(sales, order())
    mc.sales.stores.clear()
    with pytest.raises(LaneDown, match="has no store c-nord any more"):
        sales.show(None, now=NOW)


def test_a_cart_of_who_may_not_be_reminded(sales: MailchimpSales) -> None:
    """Only a permission to mail brings a cart: what is compared does not depend on it."""
    silent = cart(permission=Permission.SILENT)
    assert sales.as_shown(cart()) == sales.as_shown(silent)
