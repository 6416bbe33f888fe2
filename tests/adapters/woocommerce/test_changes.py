"""Following a list of changes that goes on changing: no state of anything slips from it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from adapters.woocommerce.changes import Changed, Slice, follow
from connector.errors import TryLater

SIZE = 10
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
State = tuple[int, int]
"""A thing's id, and how often it was changed."""


@dataclass
class Desk:
    """A shop whose things are changed between two pages; its clock goes when time is waited for."""

    now: datetime = START
    changed: dict[int, datetime] = field(default_factory=dict)
    states: dict[int, int] = field(default_factory=dict)
    asked: list[tuple[datetime, int]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    shown: dict[int, int] = field(default_factory=dict)

    def change(self, number: int) -> None:
        self.changed[number] = self.now.replace(microsecond=0)
        self.states[number] = self.states.get(number, 0) + 1

    def remove(self, number: int) -> None:
        del self.changed[number], self.states[number]

    def fetch(self, floor: datetime, offset: int) -> Slice[State]:
        self.before()
        self.asked.append((floor, offset))
        ordered = sorted((at, number) for number, at in self.changed.items() if at > floor)
        page = ordered[offset : offset + SIZE]
        self.shown = dict(self.states)
        return Slice(
            marks=[(number, self.states[number]) for _, number in page],
            moments=[at for at, _ in page],
            things=[(number, self.states[number]) for _, number in page],
            left=max(0, len(ordered) - offset - SIZE),
            is_last=offset + SIZE >= len(ordered),
            told_at=self.now,
        )

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)

    def follow(self, floor: datetime = START - timedelta(days=1)) -> list[Changed[State]]:
        return list(follow(self.fetch, floor=floor, wait=self.wait))


def _states(found: list[Changed[State]]) -> list[State]:
    return [state for each in found for state in each.things]


def _desk(count: int, apart: timedelta) -> Desk:
    desk = Desk(now=START - timedelta(hours=1))
    for number in range(1, count + 1):
        desk.change(number)
        desk.now += apart
    desk.now = max(desk.now, START)
    return desk


@pytest.mark.parametrize("count", [0, 1, 10, 11, 95])
@pytest.mark.parametrize("apart", [0, 1, 0.3, 7])
def test_a_list_that_holds_still(count: int, apart: float) -> None:
    """Each thing comes once, whatever shares a second with what."""
    desk = _desk(count, timedelta(seconds=apart))
    assert [(number, 1) for number in range(1, count + 1)] == _states(desk.follow())


def test_nothing_new_is_one_request() -> None:
    """A shop in which nothing changed is asked once."""
    desk = _desk(5, SECOND)
    assert [()] == [tuple(each.things) for each in desk.follow(floor=START)]
    assert [(START, 0)] == desk.asked


def test_equal_times_at_the_border_of_two_pages() -> None:
    """What shares the second in which a page ends is asked for again with the next."""
    desk = _desk(8, SECOND)
    for number in (20, 21, 22, 23):
        desk.changed[number], desk.states[number] = desk.changed[8] + SECOND, 1
    floors = [each.floor for each in desk.follow()]
    assert desk.changed[8] == floors[0]
    assert desk.changed[8] == desk.asked[1][0]


def test_a_change_in_the_second_in_which_a_page_ended() -> None:
    """It sorts before what was read already, and is seen all the same."""
    desk = _desk(30, timedelta(0))
    for number in range(1, 31):
        desk.changed[number] = START - timedelta(seconds=40 - number)

    def change() -> None:
        if len(desk.asked) == 1:  # id 3 now stands before id 10, which ended the page
            desk.changed[3], desk.states[3] = desk.changed[10], 2

    desk.before = change
    assert (3, 2) in _states(desk.follow())


def test_two_states_of_one_second() -> None:
    """What changed twice in a second is given in its later state, though its time is the same."""
    desk = _desk(30, SECOND)

    def change() -> None:
        if len(desk.asked) == 1:
            desk.states[10] += 1

    desk.before = change
    assert [(10, 1), (10, 2)] == [state for state in _states(desk.follow()) if state[0] == 10]


def test_a_second_that_is_not_over_is_waited_for() -> None:
    """More than a page changed just now: it is counted through when no more can come into it."""
    desk = _desk(0, SECOND)
    for number in range(101, 135):
        desk.change(number)

    def change() -> None:
        if len(desk.asked) == 1:
            desk.change(1)

    desk.before = change
    found = _states(desk.follow())
    assert [2.0] == desk.waited[:1]
    assert {1, *range(101, 135)} == {number for number, _ in found}


def test_a_crowded_second_that_moves_to_the_left() -> None:
    """Things leave the second that is being counted through: none of the others is passed over."""
    desk = _desk(60, timedelta(0))

    def change() -> None:
        if 2 <= len(desk.asked) <= 4:
            desk.now += SECOND
            for number in (len(desk.asked) * 3, len(desk.asked) * 3 + 1):
                desk.change(number)

    desk.before = change
    assert set(range(1, 61)) == {number for number, _ in _states(desk.follow())}


@pytest.mark.parametrize("seed", range(250))
def test_random_changes(seed: int) -> None:
    """At the end everything was given in the state in which the last page could have shown it."""
    chance = random.Random(seed)
    desk = _desk(chance.randint(0, 60), timedelta(seconds=chance.choice((0, 0, 0.2, 1, 30))))
    often, most = chance.choice((0.3, 0.7, 0.9)), chance.randint(5, 60)

    def change() -> None:
        while chance.random() < often and len(desk.asked) < most:
            desk.now += timedelta(seconds=chance.choice((0, 0, 0, 0.4, 1, 3)))
            known = list(desk.changed)
            match chance.randrange(5):
                case 0 if known:
                    desk.remove(chance.choice(known))
                case 1:
                    for number in range(500, 500 + chance.randint(1, 25)):  # many in one second
                        desk.change(number)
                case 2:
                    desk.change(1000 + max(known, default=0))
                case _ if known:
                    desk.change(chance.choice(known))

    desk.before = change
    given = dict.fromkeys(_states(desk.follow()))
    assert set(desk.shown.items()) <= given.keys()


@pytest.mark.parametrize("seed", range(40))
def test_killed_after_each_page_and_resumed(seed: int) -> None:
    """Going on from the floor of any page repeats a little and passes over nothing."""
    chance = random.Random(seed)
    desk = _desk(70, timedelta(seconds=chance.choice((0.2, 0.5, 1))))
    floor, given = START - timedelta(days=1), set[State]()
    for _ in range(200):
        found = next(iter(follow(desk.fetch, floor=floor, wait=desk.wait)))
        given.update(found.things)
        floor = found.floor
        if not found.left:
            break
        desk.now += SECOND
        if chance.random() < 0.5:
            desk.change(chance.randint(1, 70))
    assert set(desk.states.items()) <= given


def test_a_list_that_never_holds_still() -> None:
    """A shop that gives something else each time is not asked for ever."""

    def fetch(floor: datetime, offset: int) -> Slice[int]:
        return Slice(marks=[1], moments=[None], things=[1], left=9, is_last=False, told_at=floor)

    with pytest.raises(TryLater, match="does not hold still"):
        list(follow(fetch, floor=START, wait=lambda _: None))
