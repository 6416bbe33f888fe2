"""All ids that a shop shows of a kind, small enough to hold a million of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(slots=True)
class ShownIds:
    """The ids that a shop shows: eight bytes for each. Two of a million never look alike."""

    marks: array[int] = field(default_factory=lambda: array("q"))
    lowest: int | None = None

    def add(self, ids: Collection[str]) -> None:
        """Note a page of them."""
        self.marks.extend(map(hash, ids))
        numbers = [int(each) for each in ids if each.isdecimal()]
        known = [] if self.lowest is None else [self.lowest]
        self.lowest = min([*numbers, *known], default=None)

    def sort(self) -> None:
        """All are noted: from now on they are looked up."""
        self.marks = array("q", sorted(self.marks))

    def has(self, thing: str) -> bool:
        """Whether it is among them."""
        mark = hash(thing)
        place = bisect_left(self.marks, mark)
        return place < len(self.marks) and self.marks[place] == mark

    def is_older(self, thing: str) -> bool:
        """Whether a thing is older than all that are shown: ids are given in turn."""
        if not thing.isdecimal():
            return False
        return self.lowest is None or int(thing) < self.lowest
