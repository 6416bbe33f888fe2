"""From facts to what a destination holds: only changes are sent, and only what is permitted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from connector.errors import TryLater
from connector.model import Claim, Customer, Deleted, Kind, Parked, Permission, Postponed, Version
from connector.store.schema import memberships, moves, records

if TYPE_CHECKING:
    from conftest import World


def status(world: World, key: str) -> tuple[str, str | None]:
    with world.store.read() as conn:
        return tuple(
            conn.execute(
                select(records.c.status, records.c.reason).where(records.c.key == key)
            ).one()
        )


def test_a_granted_buyer_arrives_with_fields_and_tags(world: World) -> None:
    """Number and sum of the orders, and the segments as tags."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.tell(world.order(2, "a@x.example", 5, total=30_050))
    assert 1 == world.settle()
    held = world.destination.held["a@x.example"]
    assert Permission.SEND == held.permission
    assert {"FNAME": "Kari", "ORDERS": 2, "SPENT": 600.5} == held.fields
    assert ("Big", "Returning") == held.tags


def test_what_the_destination_holds_is_not_sent_again(world: World) -> None:
    """A change that changes nothing for the destination makes no call."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.settle()
    world.tell(world.order(1, "a@x.example", 3, phone="+4791234567"))
    assert 0 == world.settle()
    assert 1 == len(world.destination.pushed)


def test_nobody_is_held_without_a_permission(world: World) -> None:
    """A buyer who never opted in is evaluated, and not sent anywhere."""
    world.tell(world.order(1, "a@x.example"))
    assert 0 == world.settle()
    assert {} == world.destination.held
    assert ("settled", None) == status(world, "a@x.example")


def test_a_withdrawal_takes_the_permission_and_our_tags(world: World) -> None:
    """The record that goes out says withdrawn, and holds nothing else."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.settle()
    world.tell(world.withdraw("a@x.example", 30))
    assert 1 == world.settle()
    held = world.destination.held["a@x.example"]
    assert (Permission.WITHDRAWN, {}, ()) == (held.permission, held.fields, held.tags)


@pytest.mark.parametrize(
    ("again", "expected"),
    [(0, Permission.WITHDRAWN), (31, Permission.SEND)],
    ids=["replayed grant", "newer grant"],
)
def test_only_a_newer_grant_of_their_own_brings_a_person_back(
    world: World, again: int, expected: Permission
) -> None:
    """The grant from before the withdrawal, replayed with a newer order, changes nothing."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.tell(world.withdraw("a@x.example", 30))
    world.settle()
    world.tell(world.order(1, "a@x.example", 60), world.grant("a@x.example", again))
    world.settle()
    assert expected == world.destination.held["a@x.example"].permission


def test_an_e_mail_change_does_not_resurrect(world: World) -> None:
    """Who withdrew at the old address is withdrawn at the new one, an old grant there or not."""
    old = Customer(shop="wool", id="7", version=Version(world.now), email="old@x.example")
    world.tell(old, world.withdraw("old@x.example", 10), world.grant("new@x.example", -60))
    world.settle()
    moved = Customer(
        shop="wool", id="7", version=Version(world.now + timedelta(hours=1)), email="new@x.example"
    )
    world.tell(moved, world.order(1, "old@x.example"))
    world.settle()
    assert Permission.WITHDRAWN == world.destination.held["new@x.example"].permission


def test_who_is_gone_from_the_shop_is_no_longer_held(world: World) -> None:
    """An account deleted, with no order left: the destination gets a removal, once."""
    world.tell(
        Customer(shop="wool", id="7", version=Version(world.now), email="a@x.example"),
        world.grant("a@x.example"),
    )
    world.settle()
    assert {"a@x.example"} == world.destination.held.keys()
    gone = Version(world.now + timedelta(minutes=1))
    world.tell(Deleted(shop="wool", kind=Kind.CUSTOMER, id="7", version=gone))
    assert 1 == world.settle()
    assert {} == world.destination.held
    assert 0 == world.settle()


def test_a_parked_record_says_why_and_the_others_go_through(world: World) -> None:
    """One bad row is one bad row."""
    for name in "abc":
        world.tell(world.order(ord(name), f"{name}@x.example"), world.grant(f"{name}@x.example"))
    world.destination.answers["b@x.example"] = Parked(reason="looks fake", mend="Ask the person")
    world.settle()
    assert {"a@x.example", "c@x.example"} == world.destination.held.keys()
    assert ("parked", "looks fake") == status(world, "b@x.example")


def test_a_postponed_record_is_tried_again_later(world: World) -> None:
    """It stays due, is not claimed before its time, and goes through then."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.destination.answers["a@x.example"] = Postponed(reason="busy", retry_after=60)
    world.settle()
    assert ("due", "busy") == status(world, "a@x.example")
    assert 0 == world.deliver()
    del world.destination.answers["a@x.example"]
    world.now += timedelta(seconds=61)
    assert 1 == world.deliver()
    assert ("settled", None) == status(world, "a@x.example")


def test_an_outage_leaves_every_row_due_and_uses_up_no_attempt(world: World) -> None:
    """Nothing was taken, nothing is counted against a record."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.evaluate()
    world.destination.answers["*"] = TryLater("down")
    with pytest.raises(TryLater):
        world.deliver()
    with world.store.read() as conn:
        assert [("due", 0)] == [
            tuple(row) for row in conn.execute(select(records.c.status, records.c.attempts))
        ]


def test_a_verdict_that_is_missing_is_not_taken_for_a_yes(world: World) -> None:
    """An adapter that forgets a key leaves the row due."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.evaluate()
    world.destination.push = lambda _changes, *, now: {}  # type: ignore[method-assign]
    world.deliver()
    assert ("due", "the destination gave no verdict") == status(world, "a@x.example")


def test_what_an_answer_tells_of_a_permission_counts(world: World) -> None:
    """A destination that knows of an opt-out makes the person withdrawn everywhere."""
    from connector.model import Settled

    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    known = world.said(Claim.WITHDRAW, "a@x.example", 30, "newsletter")
    world.destination.answers["a@x.example"] = Settled(evidence=(known,))
    world.settle()
    del world.destination.answers["a@x.example"]
    world.settle()
    assert Permission.WITHDRAWN == world.destination.held["a@x.example"].permission


def test_a_bouncing_address_is_left_as_it_is(world: World) -> None:
    """Undeliverable is no withdrawal: nothing more is written, nothing is taken away."""
    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.settle()
    before = world.destination.held["a@x.example"]
    world.tell(world.said(Claim.UNDELIVERABLE, "a@x.example", 5, "newsletter"))
    world.tell(world.order(2, "a@x.example", 6))
    assert 0 == world.settle()
    assert before == world.destination.held["a@x.example"]


def test_a_segment_flips_when_its_time_has_come(world: World) -> None:
    """A year and a day after the last order the buyer is lapsed, by the clock alone."""
    from connector.flow import clock

    world.tell(world.order(1, "a@x.example"), world.grant("a@x.example"))
    world.settle()
    assert ("First-time buyer",) == world.destination.held["a@x.example"].tags
    world.now += timedelta(days=365)
    assert 0 == clock.drain(world.store, now=world.now)
    world.now += timedelta(days=1)
    assert 1 == clock.drain(world.store, now=world.now)
    assert 1 == world.settle()
    assert ("First-time buyer", "Lapsed") == world.destination.held["a@x.example"].tags
    assert 0 == clock.drain(world.store, now=world.now)


def test_every_move_names_the_delivery_that_caused_it(world: World) -> None:
    """Entering by the first order, leaving and entering by the second."""
    world.tell(world.order(1, "a@x.example"))
    world.evaluate()
    world.tell(world.order(2, "a@x.example", 5))
    world.evaluate()
    with world.store.read() as conn:
        assert [("first-time", True, 1), ("first-time", False, 2), ("returning", True, 2)] == [
            tuple(row)
            for row in conn.execute(
                select(moves.c.segment, moves.c.entered, moves.c.delivery_id).order_by(moves.c.id)
            )
            if row.segment != "big-returning"
        ]
        assert {"returning", "big-returning"} == set(conn.scalars(select(memberships.c.segment)))


def test_money_of_another_currency_is_never_added(world: World) -> None:
    """The order counts, its amount does not."""
    world.tell(
        world.order(1, "a@x.example"),
        world.order(2, "a@x.example", currency="EUR", total=99_900),
        world.grant("a@x.example"),
    )
    world.settle()
    assert {"FNAME": "Kari", "ORDERS": 2, "SPENT": 300} == (
        world.destination.held["a@x.example"].fields
    )
