"""Reads what changed since a moment, oldest change first, so that nothing slips from page to page.

Whatever changes while the list is read moves to its end. So each page is asked for by time, not by
its place: everything changed since the second in which the page before ended, that second
included, for more may have come into it since. Only where one second holds more than a page are
its things counted through, with windows that overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from connector.errors import TryLater

T = TypeVar("T")
_SECOND = timedelta(seconds=1)
_MARGIN = 2 * _SECOND
_MOST_IDLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """A page of what changed after a second, from ``offset`` on.

    ``marks`` tell its things and their states apart, two states of one second as well; ``moments``
    are when they changed, never falling, ``None`` where it cannot be read. ``left`` is how many
    there are after this page, as far as the shop says; ``told_at`` is the shop's own time of the
    answer.
    """

    marks: Sequence[Hashable]
    moments: Sequence[datetime | None]
    things: Sequence[T]
    left: int
    is_last: bool
    told_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Generic[T]):
    """What a page brought that was not seen yet. Go on with what changed after ``floor``."""

    things: Sequence[T]
    floor: datetime
    left: int


def follow(
    fetch: Callable[[datetime, int], Slice[T]],
    *,
    floor: datetime,
    wait: Callable[[float], None],
) -> Iterator[Changed[T]]:
    """Everything that changed after the second ``floor``, to the end of the list as it is then.

    ``fetch`` gives the slice after a second at an offset. Raises what it raises, and `TryLater`
    when the list does not hold still.
    """
    seen: set[Hashable] = set()
    offset, idle = 0, 0
    while idle < _MOST_IDLE:
        found = fetch(floor, offset)
        idle += 1
        if offset and not (found.marks and found.marks[0] in seen):
            offset //= 2  # it moved to the left: what lies between was not seen
            continue
        fresh = [at for at, mark in enumerate(found.marks) if mark not in seen]
        seen.update(found.marks)
        idle = 0 if fresh else idle
        newest = next((moment for moment in reversed(found.moments) if moment), floor + _SECOND)
        overfull = newest <= floor + _SECOND
        if not overfull:
            floor = newest - _SECOND
            seen = {
                mark
                for mark, moment in zip(found.marks, found.moments, strict=True)
                if moment is None or moment >= newest
            }
        yield Changed(things=[found.things[at] for at in fresh], floor=floor, left=found.left)
        if found.is_last:
            return
        if not overfull:
            offset = 0
        elif offset == 0 and _is_fresh(newest, found.told_at):
            wait(_MARGIN.total_seconds())  # counted through only when nothing more can come into it
        else:
            offset += max(len(found.marks) - 1, 1)
    raise TryLater("the list of what changed does not hold still")


def _is_fresh(second: datetime, told_at: datetime | None) -> bool:
    """Whether a second may not be over yet, by the shop's clock."""
    return told_at is not None and second + _MARGIN > told_at
