"""A destination is read back page by page: what differs, what is missing, what is in the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connector.errors import LaneDown, TryLater
from connector.flow import alarms, rounds
from connector.flow.rules import Holds, Target
from connector.model import Record
from connector.ports import Held, Shown
from connector.store import readings
from connector.store.connect import Store
from tests.flow.shelves import Shelf, Town, build_town, gone, thing

PAGE = 3


@dataclass
class OpenShelf(Shelf):
    """A catalog that shows what it has, three at a time, under the ids of the mapping."""

    asked: list[str | None] = field(default_factory=list)
    problem: Exception | None = None

    def show(self, cursor: str | None, *, now: datetime) -> Shown:
        del now
        self.asked.append(cursor)
        if self.problem is not None:
            raise self.problem
        start = int(cursor or 0)
        ids = {str(record.fields["id"]): record for record in self.held.values()}
        names = sorted(ids)[start : start + PAGE]
        further = str(start + PAGE) if start + PAGE < len(ids) else None
        return Shown(
            held={name: Held(record=self.as_shown(ids[name])) for name in names}, cursor=further
        )

    def as_shown(self, record: Record) -> Record:
        fields = {name: record.fields.get(name) for name in ("id", "price")}
        return Record(key=str(record.fields["id"]), email=None, permission=None, fields=fields)


@pytest.fixture
def town(store: Store) -> Town:
    """A town whose catalog can be read back, with seven things taken a day ago."""
    town = build_town(store)
    town.shelf = OpenShelf()
    town.tell(*(thing(number) for number in range(7)))
    town.deliver()
    walk(town)  # the first look only notes the time
    town.now += timedelta(hours=25)
    return town


def target(town: Town) -> Target:
    (found,) = town.rules.holding(Holds.ITEMS)
    return found


def walk(town: Town) -> int:
    return rounds.walk(town.store, target(town), town.shelf, town.rules, now=town.now)


def whole_round(town: Town) -> dict[str, Any]:
    """A round from beginning to end; gives what the books say of it."""
    with town.store.write() as conn:
        rounds.begin(conn, "catalog", believed=False, now=town.now)
    while walk(town):
        pass
    return told(town)


def told(town: Town) -> dict[str, Any]:
    with town.store.read() as conn:
        found = readings.told(readings.read(conn, "catalog"))
    return found or {}


def figures(book: dict[str, Any]) -> tuple[int, ...]:
    return tuple(book[name] for name in ("compared", "differed", "repaired", "left"))


def spoil(town: Town, number: int) -> None:
    """The catalog has another price than it said it took."""
    held = town.shelf.held[f"wool/{number}"]
    town.shelf.held[held.key] = replace(held, fields={**held.fields, "price": 1})


def test_a_round_that_finds_nothing_sends_nothing(town: Town) -> None:
    """Three pages once a day, and not one more until the next."""
    assert [1, 1, 1, 0, 0] == [walk(town) for _ in range(5)]
    assert [None, "3", "6"] == town.shelf.asked
    assert (7, 0, 0, 0) == figures(told(town))
    assert 0 == town.deliver()


def test_what_differs_and_what_is_missing_is_sent_again(town: Town) -> None:
    """One price and one item; afterwards the catalog holds what it should."""
    spoil(town, 2)
    del town.shelf.held["wool/5"]
    book = whole_round(town)
    assert (7, 2, 2, 0) == figures(book)
    assert 0.714285 == pytest.approx(book["ratio"], abs=1e-5)
    pushed = len(town.shelf.pushed)
    assert 2 == town.deliver()
    assert 100 == town.shelf.held["wool/2"].fields["price"]
    assert "wool/5" in town.shelf.held
    assert {"wool/2", "wool/5"} == {each.key for each in town.shelf.pushed[pushed]}


def test_what_was_removed_and_is_still_there_goes(town: Town) -> None:
    """A dead item would stay in advertisements; things of other shops there are nobody's here."""
    dead = town.shelf.held["wool/3"]
    town.tell(gone(3, 9))
    town.deliver()
    assert "wool/3" not in town.shelf.held
    town.shelf.held["wool/3"] = dead
    town.shelf.held["x"] = replace(dead, key="x", fields={**dead.fields, "id": "other_3"})
    town.now += timedelta(hours=1)
    assert (7, 1, 1, 0) == figures(whole_round(town))
    before = len(town.shelf.pushed)
    assert 1 == town.deliver()
    assert ["wool/3"] == [each.key for batch in town.shelf.pushed[before:] for each in batch]
    assert {"x", "wool/3"} & town.shelf.held.keys() == {"x"}


def test_a_round_goes_on_where_it_was(town: Town) -> None:
    """Stopped after a page and begun by another process, nothing is read twice."""
    walk(town)
    spoil(town, 0)  # seen already: for the next round
    assert [1, 1, 0] == [walk(town) for _ in range(3)]
    assert [None, "3", "6"] == town.shelf.asked
    assert (7, 0, 0, 0) == figures(told(town))


def test_what_was_taken_meanwhile_is_not_judged(town: Town) -> None:
    """What was sent after the round began, or just before, may not show yet."""
    town.tell(thing(1, 60, price=300))
    town.deliver()
    town.shelf.held["wool/1"] = replace(
        town.shelf.held["wool/1"], fields={**town.shelf.held["wool/1"].fields, "price": 100}
    )
    assert (6, 0, 0, 0) == figures(whole_round(town))


def test_three_repairs_are_enough(town: Town) -> None:
    """What does not last is left and counted, and begins anew once it has lasted."""
    found = []
    for _ in range(5):
        spoil(town, 2)
        town.now += timedelta(hours=1)
        found.append(figures(whole_round(town)))
        town.deliver()
    assert [(7, 1, 1, 0)] * 3 + [(7, 1, 0, 1)] * 2 == found
    town.tell(thing(2, 90, price=250))
    town.deliver()
    town.now += timedelta(hours=1)
    assert (7, 0, 0, 0) == figures(whole_round(town))
    spoil(town, 2)
    assert (7, 1, 1, 0) == figures(whole_round(town))


@pytest.mark.parametrize("problem", [TryLater("it answers 500"), LaneDown("no", mend="Let it.")])
def test_what_cannot_be_read_is_told_and_asked_later(town: Town, problem: Exception) -> None:
    """Not at once again; what was read stays, and the problem is over when it answers."""
    shelf = town.shelf
    assert isinstance(shelf, OpenShelf)
    walk(town)
    shelf.problem = problem
    assert [0, 0] == [walk(town), walk(town)]
    assert [None, "3"] == shelf.asked
    assert problem.reason == told(town)["problem"]
    town.now += timedelta(minutes=6)
    shelf.problem = None
    assert [1, 1, 0] == [walk(town) for _ in range(3)]
    assert [None, "3", "3", "6"] == shelf.asked
    assert (None, 7) == (told(town)["problem"], told(town)["compared"])


def test_two_workers_count_a_page_once(town: Town) -> None:
    """Both read it, one is faster: what the other found of the same page is not added."""
    shelf = town.shelf
    assert isinstance(shelf, OpenShelf)
    slow, rest = shelf.show, [True]

    def show(cursor: str | None, *, now: datetime) -> Shown:
        page = slow(cursor, now=now)
        if rest and rest.pop():
            walk(town)
        return page

    shelf.show = show  # type: ignore[method-assign]
    while walk(town):
        pass
    assert (7, 0, 0, 0) == figures(told(town))


def test_an_emptied_catalog_is_not_filled_by_itself(store: Store) -> None:
    """So much is missing that it is no accident: an alarm, until a person says yes."""
    town = build_town(store)
    town.shelf = OpenShelf()
    town.tell(*(thing(number) for number in range(60)))
    town.deliver()
    town.now += timedelta(hours=1)
    town.shelf.held.clear()
    assert (60, 60, 0, 60) == figures(whole_round(town))
    assert 0 == town.deliver()
    with store.read() as conn:
        assert ["difference"] == [each.kind for each in alarms.raised(conn)]
    with store.write() as conn:
        rounds.begin(conn, "catalog", believed=True, now=town.now)
    while walk(town):
        pass
    assert (60, 60, 60, 0) == figures(told(town))
    assert 60 == town.deliver()
    assert 60 == len(town.shelf.held)
    with store.read() as conn:
        assert [] == alarms.raised(conn)
