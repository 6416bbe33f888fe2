"""Facts settle to one state, in whatever order and however often they arrive."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector.model import Customer, Deleted, Kind, Line, Order, Product, Refund, Variant, Version
from connector.store import evidence, facts
from connector.store.connect import Store
from connector.store.facts import Stated, Thing
from connector.store.schema import (
    contact_points,
    customer_addresses,
    customers,
    order_lines,
    orders,
    products,
    refunds,
    variants,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = (
    customers, orders, order_lines, refunds, products, variants, contact_points, customer_addresses
)  # fmt: skip


def at(minutes: int, tie: int = 0) -> Version:
    return Version(NOON + timedelta(minutes=minutes), tie)


def account(number: int, email: str | None, minutes: int, **more: Any) -> Customer:
    return Customer(shop="wool", id=str(number), version=at(minutes), email=email, **more)


def order(number: int, email: str | None, minutes: int = 0, **more: Any) -> Order:
    return Order(
        **{
            "shop": "wool",
            "id": str(number),
            "version": at(minutes),
            "number": str(number),
            "status": "processing",
            "currency": "NOK",
            "total": 10_000,
            "placed_at": NOON,
            "email": email,
            **more,
        }
    )


def settle(store: Store, stated: Sequence[Thing]) -> facts.Settlement:
    with store.write() as conn:
        return facts.settle(conn, [Stated(fact, number) for number, fact in enumerate(stated, 1)])


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as conn:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in conn.execute(select(table)))
            for table in TABLES
        }


def person_of(store: Store, number: int) -> str:
    with store.read() as conn:
        return conn.scalars(select(orders.c.person).where(orders.c.order_id == str(number))).one()


def test_an_older_statement_changes_nothing(store: Store) -> None:
    """The newest version stands; an older one that comes later is unchanged and dirties nobody."""
    settle(store, [order(1, "a@x.example", 10, status="completed")])
    late = settle(store, [order(1, "a@x.example", 5, status="processing")])
    assert set() == late.applied
    assert late.dirty == {}
    with store.read() as conn:
        assert conn.scalars(select(orders.c.status)).all() == ["completed"]


def test_the_same_statement_again_changes_nothing(store: Store) -> None:
    """A delivery that says what is known is unchanged, even with a newer version."""
    first = settle(store, [order(1, "a@x.example", 1)])
    again = settle(store, [order(1, "a@x.example", 2)])
    assert {1} == first.applied
    assert set() == again.applied
    assert first.dirty == {"a@x.example": 1}
    assert again.dirty == {}


def test_two_bodies_of_one_moment_are_ordered_by_their_digest(store: Store) -> None:
    """Same version, different body: the larger digest stands, whichever came first."""
    one = order(1, "a@x.example", status="on-hold", version=at(0, 5))
    two = order(1, "a@x.example", status="completed", version=at(0, 9))
    settle(store, [two])
    settle(store, [one])
    with store.read() as conn:
        assert conn.scalars(select(orders.c.status)).all() == ["completed"]


def test_an_update_after_a_delete_restores_only_when_newer(store: Store) -> None:
    """A deletion stands against older updates and gives way to newer ones."""
    gone = Deleted(shop="wool", kind=Kind.ORDER, id="1", version=at(10))
    settle(store, [order(1, "a@x.example", 1), gone])
    settle(store, [order(1, "a@x.example", 9)])
    with store.read() as conn:
        assert conn.scalars(select(orders.c.deleted)).all() == [True]
        assert conn.scalars(select(orders.c.email)).all() == [None]
    settle(store, [order(1, "a@x.example", 11)])
    with store.read() as conn:
        assert conn.scalars(select(orders.c.deleted)).all() == [False]


def test_a_delete_of_something_unknown_is_a_tombstone(store: Store) -> None:
    """A deletion that overtakes the creation keeps the older creation out."""
    settle(store, [Deleted(shop="wool", kind=Kind.CUSTOMER, id="7", version=at(10))])
    settle(store, [account(7, "a@x.example", 1)])
    with store.read() as conn:
        assert [
            tuple(row) for row in conn.execute(select(customers.c.deleted, customers.c.email))
        ] == [(True, None)]


def test_lines_and_refunds_are_replaced_with_their_order(store: Store) -> None:
    """What an order no longer has is gone from its lines and refunds."""
    line = Line(
        id="1", product_id="9", variant_id=None, sku="", name="Yarn", quantity=2, total=9_000
    )
    second = Line(
        id="2", product_id="8", variant_id=None, sku="", name="Pin", quantity=1, total=1_000
    )
    settle(store, [order(1, "a@x.example", 1, lines=(line, second))])
    settle(
        store,
        [order(1, "a@x.example", 2, lines=(line,), refunds=(Refund(id="5", amount=1_000),))],
    )
    with store.read() as conn:
        assert conn.scalars(select(order_lines.c.line_id)).all() == ["1"]
        assert conn.scalars(select(refunds.c.amount)).all() == [1_000]
        assert conn.scalars(select(orders.c.refunded)).all() == [1_000]


def test_a_guest_order_joins_the_account_with_its_address(store: Store) -> None:
    """Two spellings of one address are one person."""
    settle(store, [account(7, "Kari@X.example", 1), order(1, "kari@x.EXAMPLE")])
    assert person_of(store, 1) == "kari@x.example"


def test_an_order_of_an_account_belongs_to_it_whatever_address_it_was_billed_to(
    store: Store,
) -> None:
    """An order that came before its account moves to it when the account arrives."""
    settle(store, [order(1, "work@x.example", customer_id="7")])
    assert person_of(store, 1) == "work@x.example"
    moved = settle(store, [account(7, "home@x.example", 1)])
    assert person_of(store, 1) == "home@x.example"
    assert {"work@x.example", "home@x.example"} == set(moved.dirty)


def test_an_e_mail_change_moves_the_person(store: Store) -> None:
    """Guest orders under the old address follow the account to the new one."""
    settle(store, [account(7, "old@x.example", 1), order(1, "old@x.example")])
    settle(store, [account(7, "new@x.example", 2)])
    assert person_of(store, 1) == "new@x.example"
    settle(store, [order(2, "old@x.example")])
    assert person_of(store, 2) == "new@x.example"


def test_an_address_somebody_else_has_now_is_theirs(store: Store) -> None:
    """A vacated address that another account takes leads to that account."""
    settle(store, [account(7, "old@x.example", 1), order(1, "old@x.example")])
    settle(store, [account(7, "new@x.example", 2), account(8, "old@x.example", 3)])
    assert person_of(store, 1) == "old@x.example"


def test_the_aliases_of_an_address_are_those_its_accounts_ever_had(store: Store) -> None:
    """Also those an account had after, and none of strangers; a deletion forgets no link."""
    settle(
        store,
        [
            account(7, "a@x.example", 1),
            account(8, "z@x.example", 1),
            account(7, "b@x.example", 2),
            Deleted(shop="wool", kind=Kind.CUSTOMER, id="7", version=at(3)),
        ],
    )
    with store.read() as conn:
        assert {"a@x.example": {"b@x.example"}, "b@x.example": {"a@x.example"}} == (
            evidence.aliases(conn, ["a@x.example", "b@x.example", "z@x.example"])
        )


def test_an_order_without_an_address_is_kept_as_its_own_person(store: Store) -> None:
    """No e-mail, no contact point; the order still counts."""
    settle(store, [order(1, None), order(2, "no address")])
    assert person_of(store, 1) == "wool:order:1"
    assert person_of(store, 2) == "wool:order:2"


def test_a_product_brings_its_variants(store: Store) -> None:
    """Variants in a product's statement are stated too, each with its own version."""
    variant = Variant(shop="wool", id="11", product_id="9", version=at(1), price=5_900)
    product = Product(
        shop="wool", id="9", version=at(1), title="Yarn", status="publish", variants=(variant,)
    )
    settle(store, [product])
    with store.read() as conn:
        assert [
            tuple(row) for row in conn.execute(select(variants.c.product_id, variants.c.price))
        ] == [("9", 5_900)]


def _history(seed: int) -> list[Thing]:
    """Accounts that move between few addresses, orders of accounts and guests, deletions."""
    chance = random.Random(seed)
    emails = [f"{letter}@x.example" for letter in "abcd"] + [None]
    story: list[Thing] = []
    for minute in range(40):
        match chance.randrange(5):
            case 0 | 1:
                story.append(account(chance.randrange(3), chance.choice(emails), minute))
            case 2 | 3:
                story.append(
                    order(
                        chance.randrange(8),
                        chance.choice(emails),
                        minute,
                        customer_id=chance.choice(["0", "1", "2", "9", None]),
                        total=chance.randrange(9),
                    )
                )
            case _:
                kind = chance.choice([Kind.CUSTOMER, Kind.ORDER])
                story.append(
                    Deleted(
                        shop="wool", kind=kind, id=str(chance.randrange(3)), version=at(minute, 1)
                    )
                )
    return story


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_any_repetition_end_in_the_same_state(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Shuffled, doubled and cut into other batches, the same statements leave the same rows."""
    story = _history(seed)
    ends = []
    for trial in range(4):
        folder = tmp_path_factory.mktemp("trial")
        store = Store.open(f"sqlite:///{folder}/c.db")
        told = list(story)
        chance = random.Random(f"{seed}-{trial}")
        if trial:
            told += chance.sample(story, 15)
            chance.shuffle(told)
        while told:
            size = chance.randint(1, 9) if trial else len(told)
            settle(store, told[:size])
            del told[:size]
        ends.append(rows(store))
        store.close()
    assert [ends[0]] * 3 == ends[1:]
