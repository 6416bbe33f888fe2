"""Who is erased is gone from what was sold, too: carts, and the orders a destination holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connector import access
from connector.engine import Engine
from connector.explain import Question, answer
from connector.flow.rules import Holds, Rules
from connector.keys import Keyring
from connector.model import Cart, Change, Claim, Deleted, Kind, Line, Version
from connector.store import again, backup, schema, suppressions
from connector.store.connect import Store
from connector.store.subjects import Named
from tests.erasure.place import (
    EMAIL,
    MARK,
    NAME,
    NOON,
    SECRET,
    Memory,
    Place,
    account,
    order,
    redaction,
    said,
)

NEIGHBOUR = "neighbour@x.example"
OLA: dict[str, Any] = {
    "phone": None, "first_name": "Ola", "last_name": "", "company": "", "meta": {}, "refunds": (),
    "landing_url": None, "carts": (),
}  # fmt: skip


@dataclass
class Market(Place):
    """The house, with a destination that is told of sales beside the newsletter."""

    sold: Memory = field(default_factory=lambda: Memory(name="newsletter/sales"))

    @property
    def engine(self) -> Engine:
        engine = super().engine
        house = engine._house
        (people,) = house.rules.targets
        rules = replace(
            house.rules,
            targets=(
                people,
                replace(people, name="newsletter/sales", holds=Holds.SALES, members="newsletter"),
            ),
        )
        destinations = {"newsletter": self.newsletter, "newsletter/sales": self.sold}
        return Engine(replace(house, rules=rules, destinations=destinations))  # type: ignore[arg-type]

    @property
    def rules(self) -> Rules:
        return self.engine._house.rules


def bought(number: int, email: str = EMAIL, minutes: float = 0, **more: Any) -> Any:
    """An order that also tells by which page its buyer came, and of which cart."""
    page = f"https://wool.example/?who={email}"
    return order(
        number, email, minutes, **{"landing_url": page, "carts": (f"{MARK}-token",), **more}
    )


def cart(number: str = "c1", email: str | None = EMAIL, minutes: float = 20, **more: Any) -> Cart:
    """A cart that says everything a cart can say of a person."""
    at = NOON + timedelta(minutes=minutes)
    line = Line(id="1", product_id="1", variant_id="1", sku="s", name="Wool", quantity=1, total=500)
    return Cart(
        **{
            "shop": "wool",
            "id": number,
            "version": Version(at),
            "currency": "NOK",
            "total": 500,
            "created_at": at,
            "url": f"https://wool.example/back?who={MARK}",
            "email": email,
            "first_name": NAME,
            "last_name": NAME,
            "company": NAME,
            "other_name": f"{MARK}-name",
            "lines": (line,),
            **more,
        }
    )


@pytest.fixture
def market(store_url: str, tmp_path: Path) -> Iterator[Market]:
    """A market with a secret key, on each of the two engines."""
    store = Store.open(store_url, Keyring.of([SECRET]))
    yield Market(store, tmp_path)
    store.close()


def live_a_little(market: Market) -> None:
    """The person has an account, orders, and carts by address and account; so has a neighbour."""
    market.tell(account(7, EMAIL))
    market.tell(bought(1, minutes=1, customer_id="7"), said(Claim.GRANT, minutes=1))
    market.tell(bought(2, minutes=2))
    market.tell(cart(), cart("c2", None, customer_id="7"))
    market.tell(order(3, NEIGHBOUR, 4, **OLA), said(Claim.GRANT, NEIGHBOUR, 4))
    market.tell(cart("c3", NEIGHBOUR, first_name="Ola", last_name="", company="", url=None,
                     other_name=None))  # fmt: skip
    market.now += timedelta(minutes=30)
    market.work()


def test_nothing_that_names_the_person_is_left(market: Market) -> None:
    """Not in carts, in orders, nor in what the destination of sales acknowledged."""
    live_a_little(market)
    assert {"carts", "ordered_carts", "orders", "records"} <= set(market.holding())
    mine = {"order/wool/1", "order/wool/2", "cart/wool/c1", "cart/wool/c2"}
    theirs = {"order/wool/3", "cart/wool/c3"}
    assert mine | theirs == market.sold.held.keys()
    market.erase()
    market.work()
    assert [] == market.holding()
    assert theirs == market.sold.held.keys()
    with market.store.read() as conn:
        keys = conn.scalars(
            select(schema.records.c.key).where(schema.records.c.destination == "newsletter/sales")
        )
        assert theirs == set(keys)
        assert 6 == conn.scalar(select(func.count()).select_from(schema.order_lines))


def test_the_destination_is_told_to_forget_and_what(market: Market) -> None:
    """Each order and cart comes as erased, with what was held of it: the buyer is in there."""
    live_a_little(market)
    market.sold.pushed.clear()
    market.erase()
    market.work()
    told: list[Change] = [change for change in market.sold.pushed if change.erased]
    assert ["cart/wool/c1", "cart/wool/c2", "order/wool/1", "order/wool/2"] == sorted(
        change.key for change in told
    )
    assert [None] * 4 == [change.after for change in told]
    assert {EMAIL} == {change.before.email for change in told if change.before}
    assert len(told) == len(market.sold.pushed)


def test_an_erasure_is_not_held_by_the_breaker(market: Market) -> None:
    """However much of all that is held it takes away."""
    market.tell(said(Claim.GRANT), *(bought(number, minutes=number) for number in range(1, 31)))
    assert 30 == len(market.sold.held)
    market.now += timedelta(hours=1)
    market.erase()
    market.work()
    assert {} == market.sold.held
    assert [] == market.holding()


def test_nothing_dated_before_comes_back(market: Market) -> None:
    """A cart that was begun before, told of late or once more, is kept without its person."""
    live_a_little(market)
    market.erase()
    market.work()
    market.tell(cart(minutes=21), words="late")
    market.tell(cart("c9", minutes=22), words="late too")
    market.tell(cart("c2", None, minutes=23, customer_id="7"), words="by the account")
    market.tell(replace(cart("c1"), version=Version(market.now + timedelta(hours=1))), words="new")
    market.tell(bought(2, minutes=2, version=Version(market.now)), words="once more")
    market.work()
    assert [] == market.holding()
    assert {"order/wool/3", "cart/wool/c3"} == market.sold.held.keys()


def test_a_finished_checkout_of_theirs_is_forgotten_word_for_word(market: Market) -> None:
    """It is no cart and names nobody as a fact; but what was delivered names them."""
    market.tell(order(1, EMAIL))
    market.erase(minutes=10)
    market.work()
    gone = Deleted(shop="wool", kind=Kind.CART, id="c1", version=Version(NOON))
    late = market.tell(gone, words=f"a checkout of {EMAIL}, completed")
    assert [] == market.holding()
    other = market.tell(replace(gone, id="c2"), words=f"a checkout of {NEIGHBOUR}, completed")
    with market.store.read() as conn:
        bodies = schema.deliveries.c
        kept = dict(conn.execute(select(bodies.id, bodies.body.is_not(None))).all())
    assert (False, True) == (kept[late], kept[other])


def test_what_is_begun_afterwards_is_kept(market: Market) -> None:
    """Whoever comes back by themselves, and allows it anew, is a customer like others."""
    live_a_little(market)
    market.erase()
    market.work()
    market.now += timedelta(hours=1)
    minutes = 120.0
    market.now = NOON + timedelta(minutes=minutes)
    market.tell(order(5, EMAIL, minutes, **OLA), said(Claim.GRANT, minutes=minutes), words="back")
    market.tell(cart("c5", minutes=minutes + 1, other_name=None), words="again")
    market.work()
    assert {"order/wool/5", "cart/wool/c5"} <= market.sold.held.keys()


def test_a_whole_shop_goes(market: Market) -> None:
    """Who is known by a cart alone is erased with it; of those others know, what it told is."""
    live_a_little(market)
    market.tell(cart("c4", f"looker-{EMAIL}"))
    market.tell(order(8, NEIGHBOUR, 5, **OLA, shop="yarn"), shop="yarn")
    market.tell(redaction(None, whole_shop=True), minutes=60)
    market.work()
    assert [] == market.holding()
    assert {"order/yarn/8"} == market.sold.held.keys()
    with market.store.read() as conn:
        assert [] == conn.scalars(select(schema.carts.c.email).where(~schema.carts.c.deleted)).all()


def test_what_is_held_is_told_to_the_person(market: Market) -> None:
    """Carts, and the records of their orders and carts, stand in the file for them."""
    live_a_little(market)
    with market.store.read() as conn:
        told = access.gather(conn, Named(emails=frozenset([EMAIL])), market.rules, now=market.now)
        assert (
            []
            == access.gather(
                conn, Named(emails=frozenset(["nobody@x.example"])), market.rules, now=market.now
            )["carts"]
        )
    assert ["c1", "c2"] == [each["cart_id"] for each in told["carts"]]
    assert [
        ("newsletter", EMAIL),
        ("newsletter/sales", "cart/wool/c1"),
        ("newsletter/sales", "cart/wool/c2"),
        ("newsletter/sales", "order/wool/1"),
        ("newsletter/sales", "order/wool/2"),
    ] == [(each["destination"], each["key"]) for each in told["destinations"]]
    assert NEIGHBOUR not in access.as_json(told)


def test_it_is_explained_where_each_order_and_cart_is(market: Market) -> None:
    """For each of them every destination, with its state."""
    live_a_little(market)
    with market.store.read() as conn:
        told = answer(conn, Question(EMAIL), market.rules, now=market.now)
    assert told is not None
    assert ["cart/wool/c1", "cart/wool/c2", "order/wool/1", "order/wool/2"] == list(told["sales"])
    standing = told["sales"]["order/wool/1"]["newsletter/sales"]
    assert ("settled", EMAIL) == (standing["status"], standing["holds"]["email"])


def test_who_is_known_by_a_cart_alone_is_found_in_a_backup(tmp_path: Path) -> None:
    """The store is put back from before the erasure: the cart in it is recognised, and goes."""
    file, copy = tmp_path / "connector.db", tmp_path / "copy.db"
    keys = Keyring.of([SECRET])
    store = Store.open(f"sqlite:///{file}", keys)
    market = Market(store, tmp_path)
    market.tell(cart("c7"))
    with store.read() as conn:
        backup.back_up(file, copy, suppressions.everything(conn))
    market.erase()
    market.work()
    assert [] == market.holding()
    store.close()
    backup.put_back(copy, file)
    store = Store.open(f"sqlite:///{file}", keys, put_back=True)
    again.erase_again(store, now=NOON + timedelta(hours=1))
    back = Market(store, tmp_path)
    back.work()
    assert [] == back.holding()
    with store.read() as conn:
        assert True is conn.scalar(select(schema.carts.c.deleted))
    store.close()
