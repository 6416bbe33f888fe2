"""Records of things: what a catalog is due, what it is sent, what waits for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connector.flow import deliver
from connector.flow.deliver import Wait
from connector.flow.rules import Holds
from connector.model import (
    Lane,
    Order,
    Outcome,
    Parked,
    Postponed,
    Product,
    Settled,
    Version,
)
from connector.store import outbox
from connector.store.connect import Store
from tests.flow.shelves import NOON, Town, build_town, gone, thing


@pytest.fixture
def town(store: Store) -> Town:
    """A town with an empty store."""
    return build_town(store)


def test_an_item_arrives_as_a_record_of_nobody(town: Town) -> None:
    """No address, no permission, its fields; and an order makes no record in a catalog."""
    bought = Order(
        shop="wool",
        id="7",
        version=Version(NOON),
        number="7",
        status="completed",
        currency="NOK",
        total=100,
        placed_at=NOON,
        email="a@x.example",
    )
    town.tell(thing(1), bought)
    assert 1 == town.deliver()
    held = town.shelf.held["wool/1"]
    assert (None, None, "wool_1", 100) == (
        held.email,
        held.permission,
        held.fields["id"],
        held.fields["price"],
    )
    assert {"wool/1": ("settled", None)} == town.statuses()
    assert {"a@x.example": ("due", None)} == town.statuses("newsletter")


def test_only_the_target_s_shops_are_for_sale_there(town: Town) -> None:
    """What another shop sells makes no record."""
    town.tell(thing(1), thing(2, shop="yarn"))
    town.deliver()
    assert {"wool/1"} == town.statuses().keys()


def test_what_did_not_change_is_not_sent(town: Town) -> None:
    """A repetition marks nothing due; a change that changes nothing there sends nothing."""
    town.tell(thing(1))
    town.deliver()
    town.tell(thing(1))
    assert {"wool/1": ("settled", None)} == town.statuses()
    changed = thing(1, 5)
    town.tell(changed.__class__(**{**_fields(changed), "tags": ("new",)}))
    assert {"wool/1": ("due", None)} == town.statuses()
    assert (0, 1) == (town.deliver(), len(town.shelf.pushed))


def _fields(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in product.__dataclass_fields__}


def test_items_gather_for_a_second(town: Town) -> None:
    """Every batch costs two calls of few: a full one goes at once, a lone item waits a moment."""
    (target,) = town.rules.holding(Holds.ITEMS)
    town.tell(thing(1))
    assert Wait.GATHERING is deliver.wait(town.store, target, now=town.now, full=2)
    town.tell(thing(2))
    assert Wait.READY is deliver.wait(town.store, target, now=town.now, full=2)
    later = town.now + timedelta(seconds=1)
    assert Wait.READY is deliver.wait(town.store, target, now=later, full=5_000)


def test_many_removals_wait_for_a_person(town: Town) -> None:
    """Over half of the items and more than twenty; the others of the batch go through."""
    town.tell(*(thing(number) for number in range(40)))
    town.deliver()
    town.tell(*(gone(number, 9) for number in range(21)), thing(39, 9, price=200))
    assert 1 == town.deliver()
    assert 40 == len(town.shelf.held)
    assert 200 == town.shelf.held["wool/39"].fields["price"]
    assert {("parked", "held_by_breaker")} == {
        town.statuses()[f"wool/{number}"] for number in range(21)
    }


@pytest.mark.parametrize(("items", "removed"), [(30, 20), (60, 30)], ids=["few", "half"])
def test_fewer_removals_do_not_wait(town: Town, items: int, removed: int) -> None:
    """Twenty are never many, and half is not more than half."""
    town.tell(*(thing(number) for number in range(items)))
    town.deliver()
    town.tell(*(gone(number, 9) for number in range(removed)))
    assert removed == town.deliver()
    assert items - removed == len(town.shelf.held)


def test_removals_of_one_day_count_together(town: Town) -> None:
    """In small steps it is as many; the next day begins anew."""
    town.tell(*(thing(number) for number in range(40)))
    town.deliver()
    for number in range(30):
        town.tell(gone(number, 9))
        town.deliver()
    assert (20, 10) == (len(town.shelf.held), _parked(town))
    town.now += timedelta(days=1, seconds=1)
    town.tell(gone(39, 9))
    assert 1 == town.deliver()  # 19 left, and the ten that wait count still: not yet more than half
    assert 19 == len(town.shelf.held)


def _parked(town: Town) -> int:
    return sum(status == "parked" for status, _ in town.statuses().values())


def test_a_released_removal_goes_through_even_when_it_must_be_tried_twice(town: Town) -> None:
    """A person's word holds until it is done, and for that removal alone."""
    town.tell(*(thing(number) for number in range(40)))
    town.deliver()
    town.tell(*(gone(number, 9) for number in range(30)))
    assert (0, 30) == (town.deliver(), _parked(town))
    with town.store.write() as conn:
        assert 30 == outbox.release(conn, "catalog", None, now=town.now)
    town.shelf.answer = Postponed(reason="busy", retry_after=60)
    town.deliver()
    town.now += timedelta(minutes=2)
    town.shelf.answer = Settled()
    assert 30 == town.deliver()
    assert 10 == len(town.shelf.held)
    town.tell(thing(1, 20))
    town.deliver()
    town.tell(gone(1, 30))
    assert 1 == town.deliver()  # those a person let go do not count against it


def test_a_removal_that_is_no_removal_any_more_is_not_held(town: Town) -> None:
    """Back in the shop before anybody released it: it settles by itself."""
    town.tell(*(thing(number) for number in range(40)))
    town.deliver()
    town.tell(*(gone(number, 9) for number in range(30)))
    town.deliver()
    town.tell(*(thing(number, 20) for number in range(30)))
    town.deliver()
    assert {("settled", None)} == set(town.statuses().values())


def test_what_was_sent_and_is_not_yet_known_is_treated_as_there(town: Town) -> None:
    """Deleted in the shop before the verdict came: the deletion goes out, nothing is orphaned."""
    town.shelf.answer = Postponed(reason="not finished", retry_after=30, sent=True)
    town.tell(thing(1))
    assert 1 == town.deliver()
    assert {"wool/1": ("due", "not finished")} == town.statuses()
    town.tell(gone(1, 5))
    town.shelf.answer = Settled()
    town.now += timedelta(minutes=1)
    assert 1 == town.deliver()
    (change,) = town.shelf.pushed[-1]
    assert change.before is not None
    assert ("wool_1", None) == (change.before.fields["id"], change.after)
    assert {"wool/1": ("settled", None)} == town.statuses()


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Settled(), "settled"), (Parked(reason="bad", mend="look"), "parked")],
)
def test_the_verdict_is_asked_for_also_when_nothing_changed(
    town: Town, verdict: Outcome, status: str
) -> None:
    """The destination is spoken to once more; then it is quiet."""
    town.shelf.answer = Postponed(reason="not finished", retry_after=30, sent=True)
    town.tell(thing(1))
    town.deliver()
    town.now += timedelta(minutes=1)
    town.shelf.answer = verdict
    assert 1 == town.deliver()
    (change,) = town.shelf.pushed[-1]
    assert (None, "wool_1") == (change.before, change.after and change.after.fields["id"])
    assert status == town.statuses()["wool/1"][0]
    with town.store.write() as conn:
        outbox.mark_due(conn, "catalog", {"wool/1": Lane.NORMAL}, now=town.now)
    assert 0 == town.deliver()


def test_archived_once_and_left_alone(town: Town) -> None:
    """Not shown any more: archived with what was held; changes of a draft are nobody's matter."""
    town.tell(thing(1))
    town.deliver()
    town.tell(thing(1, 5, status="draft", price=999))
    town.deliver()
    held = town.shelf.held["wool/1"].fields
    assert ("archived", 100) == (held["status"], held["price"])
    town.tell(thing(1, 6, status="draft", price=1))
    assert 0 == town.deliver()
