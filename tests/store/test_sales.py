"""Carts and promotions settle like all else, and an order finds the cart that it came of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector.model import (
    Bearing,
    Cart,
    Customer,
    Deleted,
    Kind,
    Line,
    Order,
    Product,
    Promotion,
    Variant,
    Version,
    Worth,
)
from connector.sales_keys import Thing, key_of, thing_of
from connector.store import baskets, facts, sales
from connector.store.connect import Store
from connector.store.facts import Stated
from connector.store.schema import carts, ordered_carts, promotions
from connector.store.shelves import Thing as Told

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KARI = "kari@x.example"


def at(minutes: int, tie: int = 0) -> Version:
    return Version(NOON + timedelta(minutes=minutes), tie)


def cart(number: str = "a", minutes: int = 0, **more: Any) -> Cart:
    line = Line(id="1", product_id="5", variant_id=None, sku="", name="Wool", quantity=1, total=500)
    return Cart(
        **{
            "shop": "yarn",
            "id": number,
            "version": at(minutes),
            "currency": "NOK",
            "total": 500,
            "created_at": NOON,
            "email": KARI,
            "lines": (line,),
            **more,
        }
    )


def promotion(minutes: int = 0, **more: Any) -> Promotion:
    return Promotion(
        **{
            "shop": "yarn",
            "id": "9",
            "version": at(minutes),
            "code": "SUMMER",
            "worth": Worth.FIXED,
            "amount": 100,
            "bearing": Bearing.TOTAL,
            "currency": "NOK",
            **more,
        }
    )


def order(number: int, minutes: int, **more: Any) -> Order:
    return Order(
        **{
            "shop": "yarn",
            "id": str(number),
            "version": at(minutes),
            "number": str(number),
            "status": "paid",
            "currency": "NOK",
            "total": 500,
            "placed_at": NOON + timedelta(minutes=minutes),
            "email": KARI,
            **more,
        }
    )


def settle(store: Store, *told: Told) -> facts.Settlement:
    with store.write() as conn:
        return facts.settle(conn, [Stated(fact, number) for number, fact in enumerate(told, 1)])


def rows(store: Store) -> dict[str, list[tuple[str, ...]]]:
    with store.read() as conn:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in conn.execute(select(table)))
            for table in (carts, promotions, ordered_carts)
        }


STATEMENTS: Sequence[Told] = (
    cart("a", 0),
    cart("a", 5, total=900),
    cart("a", 5, version=at(5, 1), total=1_000),
    cart("b", 1),
    Deleted(shop="yarn", kind=Kind.CART, id="b", version=at(2)),
    promotion(0),
    promotion(3, amount=200, enabled=False),
    order(1, 1, carts=("a", "x")),
    order(1, 2, version=at(4), carts=()),
    Deleted(shop="yarn", kind=Kind.PROMOTION, id="8", version=at(0)),
)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_any_repetition_end_in_the_same_state(store: Store, seed: int) -> None:
    """Shuffled, doubled, in batches of any size: the same carts, promotions and links."""
    settle(store, *STATEMENTS)
    expected = rows(store)
    assert (2, 2, 2) == tuple(len(expected[t.name]) for t in (carts, promotions, ordered_carts))
    with store.write() as conn:
        for table in (carts, promotions, ordered_carts):
            conn.execute(table.delete())
    chance = random.Random(seed)
    told = [*STATEMENTS, *STATEMENTS]
    chance.shuffle(told)
    while told:
        size = chance.randint(1, 5)
        settle(store, *told[:size])
        told = told[size:]
    assert expected == rows(store)


def test_what_changed_is_told_once(store: Store) -> None:
    """A thing that is stated again as it was, or older, concerns nobody."""
    first = settle(store, cart("a", 5), promotion(5), order(1, 0))
    assert {
        Thing(Kind.CART, "yarn", "a"),
        Thing(Kind.PROMOTION, "yarn", "9"),
        Thing(Kind.ORDER, "yarn", "1"),
    } == first.sold
    assert {1, 2, 3} == first.applied
    again = settle(store, cart("a", 5), promotion(4, amount=1), order(1, 0))
    assert (set(), set()) == (again.sold, again.applied)


def test_a_cart_alone_makes_nobody_known(store: Store) -> None:
    """Who only looked is no customer, and is not evaluated."""
    assert {} == settle(store, cart()).dirty


@pytest.mark.parametrize("name", ["a", "other"])
def test_an_order_concerns_its_cart(store: Store, name: str) -> None:
    """By whatever name it says so, also when nothing else of the order is new."""
    settle(store, cart(other_name="other"), order(1, -5, email="wife@x.example"))
    done = settle(store, order(1, -5, email="wife@x.example", carts=(name,)))
    assert ({Thing(Kind.CART, "yarn", "a")}, {1}) == (done.sold, done.applied)
    with store.read() as conn:
        assert conn.execute(select(carts.c.deleted)).scalar_one() is False
        (basket,) = baskets.carts_at(conn, [("yarn", "a")]).values()
    assert basket.is_ordered


@pytest.mark.parametrize(("minutes", "expected"), [(-1, False), (0, True), (9, True)])
def test_whoever_ordered_since_needs_no_reminder(
    store: Store, minutes: int, *, expected: bool
) -> None:
    """An order after the cart was begun, in the same shop; one before does not count."""
    settle(store, cart(minutes=5), order(1, minutes))
    settle(store, order(2, 60, shop="wool", id="2"))
    with store.read() as conn:
        (basket,) = baskets.carts_at(conn, [("yarn", "a")]).values()
    assert (KARI, expected) == (basket.person, basket.is_ordered)


def test_a_cart_follows_its_account(store: Store) -> None:
    """The account moved to another address: the cart is that person's, and found by that."""
    account = Customer(shop="yarn", id="7", version=at(0), email=KARI)
    settle(store, account, cart(customer_id="7"), cart("g", email="guest@x.example"))
    settle(store, Customer(shop="yarn", id="7", version=at(9), email="new@x.example"))
    with store.read() as conn:
        assert {Thing(Kind.CART, "yarn", "a"): "new@x.example"} == sales.of_people(
            conn, ["new@x.example", KARI]
        )
        assert {Thing(Kind.CART, "yarn", "g"): "guest@x.example"} == sales.of_people(
            conn, ["guest@x.example"]
        )


def test_a_variant_that_moves_concerns_both_products(store: Store) -> None:
    """It goes from one and comes to the other."""
    variant = Variant(shop="yarn", id="51", product_id="5", version=at(0))
    product = Product(shop="yarn", id="5", version=at(0), title="Wool", status="active")
    settle(store, product, variant)
    moved = settle(store, Variant(shop="yarn", id="51", product_id="6", version=at(1)))
    assert {Thing(Kind.PRODUCT, "yarn", "5"), Thing(Kind.PRODUCT, "yarn", "6")} == moved.sold


def test_keys_lead_back_to_their_things() -> None:
    """A key names kind, shop and id, whatever is in the id."""
    assert "cart/yarn/a/b" == key_of(Kind.CART, "yarn", "a/b")
    assert Thing(Kind.CART, "yarn", "a/b") == thing_of("cart/yarn/a/b")
