"""Overlapping windows over a list that moves while it is read: nothing that stays is skipped."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.woocommerce.paging import AtOnce, Stretch, Window, walk
from connector.errors import TryLater

SIZE = 10


class Shelf:
    """A list of ids that a test changes between two windows."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        self.asked: list[int] = []
        self.before: Callable[[], None] = lambda: None

    def fetch(self, offset: int) -> Window[str]:
        self.before()
        self.asked.append(offset)
        ids = self.ids[offset : offset + SIZE]
        return Window(
            offset=offset,
            ids=ids,
            things=[str(number) for number in ids],
            total=len(self.ids),
            is_last=offset + SIZE >= len(self.ids),
        )

    def walk(self, *, ahead: int = 1, last: int = 0, at: int = 0) -> list[Stretch[str]]:
        return list(walk(self.fetch, AtOnce(), size=SIZE, ahead=ahead, last=last, at=at))


def _things(stretches: list[Stretch[str]]) -> list[int]:
    return [int(thing) for stretch in stretches for thing in stretch.things]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 18, 19, 20, 28, 95])
def test_a_list_that_holds_still(count: int) -> None:
    """Each thing comes once, in order, whatever the length of the list."""
    shelf = Shelf(list(range(1, count + 1)))
    assert list(range(1, count + 1)) == _things(shelf.walk())


def test_windows_overlap_by_one() -> None:
    """The last thing of a window is the first of the next, and no window is asked for twice."""
    shelf = Shelf(list(range(1, 31)))
    shelf.walk()
    assert [0, 9, 18, 27] == shelf.asked


def test_several_windows_at_once_are_given_in_order() -> None:
    """Windows are fetched ahead in threads and given in order all the same."""
    shelf = Shelf(list(range(1, 501)))
    with ThreadPoolExecutor(4) as pool:
        found = list(walk(shelf.fetch, pool, size=SIZE, ahead=4))
    assert list(range(1, 501)) == _things(found)
    assert len(set(shelf.asked)) == len(shelf.asked)


def test_what_moved_to_the_left_is_fetched() -> None:
    """Something before the window went away: one thing would be skipped unseen, and is not."""
    shelf = Shelf(list(range(1, 31)))

    def drop() -> None:
        if len(shelf.asked) == 1:
            shelf.ids.remove(3)

    shelf.before = drop
    assert list(range(1, 31)) == _things(shelf.walk())
    assert [0, 9, 8] == shelf.asked[:3]


def test_the_whole_list_went_away() -> None:
    """A list that is emptied while it is read ends, with what was seen of it."""
    shelf = Shelf(list(range(1, 31)))

    def empty() -> None:
        if shelf.asked:
            shelf.ids.clear()

    shelf.before = empty
    assert list(range(1, 11)) == _things(shelf.walk())


@pytest.mark.parametrize("ahead", [1, 4])
@pytest.mark.parametrize("seed", range(150))
def test_random_changes(seed: int, ahead: int) -> None:
    """Deletions, restored things and new ones at random: what was always there is read, once."""
    chance = random.Random(seed)
    ids = sorted(chance.sample(range(1, 900), chance.randint(1, 160)))
    shelf, always, gone = Shelf(list(ids)), set(ids), list[int]()
    often = chance.choice((0.2, 0.6, 0.95))

    def change() -> None:
        while chance.random() < often:
            match chance.randrange(4):
                case 0 | 1 if shelf.ids:
                    number = chance.choice(shelf.ids[: chance.randint(1, len(shelf.ids))])
                    shelf.ids.remove(number)
                    always.discard(number)
                    gone.append(number)
                case 2 if gone:
                    shelf.ids = sorted({*shelf.ids, gone.pop(chance.randrange(len(gone)))})
                case _ if chance.random() < 0.3:
                    shelf.ids.append(max(shelf.ids, default=1000) + 1)

    shelf.before = change
    found = _things(shelf.walk(ahead=ahead))
    assert sorted(set(found)) == found
    assert always <= set(found)


@pytest.mark.parametrize("seed", range(40))
def test_killed_anywhere_and_resumed(seed: int) -> None:
    """Killed after each stretch in turn, with deletions meanwhile, the rest follows."""
    chance = random.Random(seed)
    shelf = Shelf(list(range(1, 121)))
    always = set(shelf.ids)
    found: list[int] = []
    last = at = 0
    for _ in range(200):
        reading = walk(shelf.fetch, AtOnce(), size=SIZE, ahead=1, last=last, at=at)
        stretch = next(reading, None)
        if stretch is None:
            break
        found += [int(thing) for thing in stretch.things]
        last, at = stretch.last, stretch.at
        if last >= max(shelf.ids):
            break
        for number in chance.sample(shelf.ids, min(len(shelf.ids) - 1, chance.randint(0, 4))):
            shelf.ids.remove(number)
            always.discard(number)
    assert sorted(set(found)) == found
    assert always <= set(found)


def test_a_hint_that_is_far_off() -> None:
    """Resumed long after most of the list went away: the place is found again."""
    shelf = Shelf(list(range(400, 450)))
    assert list(range(421, 450)) == _things(shelf.walk(last=420, at=5_000))
    assert list(range(421, 450)) == _things(shelf.walk(last=420, at=0))


def test_no_order_at_all() -> None:
    """A shop that ignores the place it is asked for is not read on and on."""

    def fetch(offset: int) -> Window[str]:
        ids = range(1, 11)
        return Window(offset=offset, ids=ids, things=["x"] * 10, total=10**6, is_last=False)

    with pytest.raises(TryLater, match="no order"):
        list(walk(fetch, AtOnce(), size=SIZE, ahead=1))


def test_things_without_an_id_are_given_once() -> None:
    """What has no readable id stands where it stands, at the border of two windows as well."""
    ids: list[int | None] = [*range(1, 10), None, *range(11, 26)]

    def fetch(offset: int) -> Window[int | None]:
        some = ids[offset : offset + SIZE]
        return Window(
            offset=offset,
            ids=some,
            things=some,
            total=len(ids),
            is_last=offset + SIZE >= len(ids),
        )

    found = [t for s in walk(fetch, AtOnce(), size=SIZE, ahead=1) for t in s.things]
    assert ids == found


def test_smaller_windows_than_asked_for() -> None:
    """A shop that gives less at once from the middle on is read in smaller steps."""
    shelf = Shelf(list(range(1, 101)))

    def fetch(offset: int) -> Window[str]:
        window = shelf.fetch(offset)
        short = 3 if offset > 20 else SIZE
        last = offset + short >= len(shelf.ids)
        return Window(
            offset=offset,
            ids=window.ids[:short],
            things=window.things[:short],
            total=window.total,
            is_last=last,
        )

    found = list(walk(fetch, AtOnce(), size=SIZE, ahead=3))
    assert list(range(1, 101)) == _things(found)
