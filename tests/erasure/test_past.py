"""Whoever was erased stays so when a shop's past is read, in whatever spelling it is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from connector.flow.errands import Reader
from connector.model import Claim, Kind, Understood
from connector.ports import Recalled
from connector.store import errands, schema
from connector.store.bodies import ERASED
from connector.store.errands import BACKFILL
from tests.erasure.place import EMAIL, NAME, Place, account, order, said
from tests.flow.past import PastShop, odd, recalled

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in EMAIL)


@pytest.fixture
def erased(place: Place) -> Place:
    """A house that knew the person, and has erased them at ten past noon."""
    place.tell(account(), order(1), said(Claim.GRANT))
    place.now += timedelta(minutes=10)
    place.erase()
    place.work()
    place.newsletter.pushed.clear()
    return place


def read(place: Place, past: dict[Kind, Sequence[Recalled]]) -> errands.Errand:
    """Read all of it; how the errand with the orders ended."""
    shop = PastShop(things=past)
    with place.store.write() as conn:
        errands.begin(conn, "wool", BACKFILL, tuple(past), since=None, now=place.now)
    reader = Reader(place.store, {"wool": shop}, place.engine.reader.rules, lambda: 0.0)
    while reader.step(now=place.now):
        pass
    place.work()
    with place.store.read() as conn:
        return errands.of_shop(conn, "wool", BACKFILL)[-1]


@pytest.mark.parametrize("spelling", [EMAIL.upper(), f" {EMAIL} "], ids=["upper", "spaces"])
@pytest.mark.parametrize("number", [1, 8], ids=["same ids", "other ids"])
def test_what_is_read_is_kept_without_them(erased: Place, spelling: str, number: int) -> None:
    """The account is one that is gone, the order a number and its sums; nothing is sent."""
    told = Understood(
        facts=(
            order(number, spelling, 2, customer_id=str(number + 6)),
            said(Claim.GRANT, spelling.strip().lower(), minutes=2),
        )
    )
    read(
        erased,
        {
            Kind.CUSTOMER: [recalled(account(number + 6, spelling, 1))],
            Kind.ORDER: [Recalled(id=str(number), understanding=told)],
        },
    )
    assert [] == erased.holding()
    assert [] == erased.newsletter.pushed
    with erased.store.read() as conn:
        kept = conn.execute(
            select(schema.orders.c.total, schema.orders.c.person).where(
                schema.orders.c.order_id == str(number)
            )
        ).one()
    assert (30_000, f"wool:order:{number}") == tuple(kept)


def test_an_address_that_could_not_be_read_gives_them_away(erased: Place) -> None:
    """It stands in the words that came with the order, and only there."""
    hidden = recalled(order(8, None, 2, phone=None), body=f'{{"email": "{FULL_WIDTH}"}}'.encode())
    read(erased, {Kind.ORDER: [hidden]})
    assert [] == erased.holding()


def test_what_is_not_understood_is_not_kept_of_them(erased: Place) -> None:
    """It is counted and noted that it came, without its words; a stranger's are kept."""
    row = read(
        erased,
        {
            Kind.ORDER: [
                odd(8, body=f'{{"email": "{EMAIL}", "name": "{NAME}"}}'.encode()),
                odd(9, body=b'{"email": "somebody@else.example"}'),
            ]
        },
    )
    assert (2, 0, 1, 1) == (row.read, row.applied, row.ignored, row.quarantined)
    assert [] == erased.holding()
    with erased.store.read() as conn:
        kept = conn.execute(
            select(schema.deliveries.c.reason, schema.deliveries.c.body).where(
                schema.deliveries.c.reason.in_([ERASED, "odd"])
            )
        ).all()
    assert {(ERASED, None), ("odd", b'{"email": "somebody@else.example"}')} <= {
        tuple(each) for each in kept
    }


def test_what_is_dated_later_is_kept(erased: Place) -> None:
    """Who bought again after the erasure is a customer again."""
    read(erased, {Kind.ORDER: [recalled(order(9, EMAIL, 20))]})
    assert "orders" in erased.holding(EMAIL)
