"""Reads a list by windows that overlap by one thing, so that nothing is skipped when it shifts.

The list is in the order of its ids. A window is a stretch of it at one moment, so it shows all
that is there between its first id and its last. It is taken only if it begins at or before the
last id that is known already; where it begins later, something before it went away and the list
moved to the left, and what lies between is fetched. So what is known is always *everything* up to
some id, whatever came and went meanwhile and in whatever order the windows were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from connector.errors import TryLater

T = TypeVar("T")
R = TypeVar("R")
_MOST_STEPS_BACK = 64
_MOST_IDLE = 200
_NO_ORDER = "the list has no order: its pages do not fit together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Generic[T]):
    """What the list showed from ``offset`` on; ``ids`` beside ``things``, ``None`` if unreadable.

    ``is_last``: there was nothing after it.
    """

    offset: int
    ids: Sequence[int | None]
    things: Sequence[T]
    total: int | None
    is_last: bool

    @property
    def first(self) -> int | None:
        """The first id that can be read."""
        return next((number for number in self.ids if number is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch(Generic[T]):
    """What a window brought that was not known, and up to where all is known now.

    ``last`` is an id, ``at`` the place in the list where it was seen.
    """

    things: Sequence[T]
    last: int
    at: int
    total: int | None


class AtOnce(Executor):
    """Does what it is given before it says that it took it: for who works in a thread already."""

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Do it now."""
        done: Future[R] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as problem:  # noqa: BLE001 - whoever asks for the result is told it
            done.set_exception(problem)
        return done


class _Ahead(Generic[T]):
    """Windows that are fetched before they are needed, a few at once."""

    def __init__(
        self, fetch: Callable[[int], Window[T]], pool: Executor, *, step: int, ahead: int
    ) -> None:
        self._fetch = fetch
        self._pool = pool
        self._step = step
        self._ahead = ahead
        self._fetched: dict[int, Future[Window[T]]] = {}

    def take(self, offset: int, total: int | None) -> Window[T]:
        """The window at ``offset``; those after it are asked for as well, up to ``total``."""
        self._forget(lambda known: known < offset)
        wanted = range(offset, offset + self._step * self._ahead, self._step)
        for each in wanted if total is not None else (offset,):
            if each not in self._fetched and (each == offset or each < (total or 0)):
                self._fetched[each] = self._pool.submit(self._fetch, each)
        window = self._fetched[offset].result()
        if not window.is_last and len(window.ids) < self._step // 2:  # the shop gives less at once
            self._step = max(len(window.ids) - 1, 1)
            self._forget(lambda known: known > offset)
        return window

    def fresh(self, offset: int) -> Window[T]:
        """A window by itself, asked for now."""
        return self._pool.submit(self._fetch, offset).result()

    def after(self, window: Window[T], *, fits: bool) -> int:
        """Where to go on: at one that is there already, if it ``fits`` what is known."""
        covered = window.offset + max(len(window.ids) - 1, 1)
        if not fits:
            self._forget(lambda _: True)
        return max((known for known in self._fetched if known <= covered), default=covered)

    def drop(self, offset: int) -> None:
        """Forget one window: it was used."""
        self._fetched.pop(offset, None)

    def _forget(self, which: Callable[[int], bool]) -> None:
        for each in [known for known in self._fetched if which(known)]:
            self._fetched.pop(each).cancel()


def walk(
    fetch: Callable[[int], Window[T]],
    pool: Executor,
    *,
    size: int,
    ahead: int,
    last: int = 0,
    at: int = 0,
) -> Iterator[Stretch[T]]:
    """Everything after the id ``last``, which was once seen at the place ``at``, to the end.

    ``fetch`` gives the window of ``size`` things at an offset. Raises what it raises, and
    `TryLater` when the list has no order that windows could be fitted into.
    """
    windows = _Ahead(fetch, pool, step=size - 1, ahead=ahead)
    total: int | None = None
    offset, idle = at, 0
    while idle < _MOST_IDLE:
        window = windows.take(offset, total)
        if _begins_later(window, last):
            window = _step_back(windows, window, last)
        else:
            windows.drop(offset)
        stretch = _beyond(window, last)
        idle = 0 if stretch.last > last else idle + 1
        last, total = stretch.last, window.total
        if stretch.things or window.is_last:
            yield stretch
        if window.is_last:
            return
        offset = windows.after(window, fits=not idle)
    raise TryLater(_NO_ORDER)


def _begins_later(window: Window[T], last: int) -> bool:
    return window.offset > 0 and (window.first is None or window.first > last)


def _step_back(windows: _Ahead[T], window: Window[T], last: int) -> Window[T]:
    """The window that closes a gap: as near before ``window`` as one begins early enough."""
    back = 1
    for _ in range(_MOST_STEPS_BACK):
        found = windows.fresh(max(0, window.offset - back))
        if not _begins_later(found, last):
            return found
        back *= 2
    raise TryLater(_NO_ORDER)


def _beyond(window: Window[T], last: int) -> Stretch[T]:
    """What of a window comes after an id. What has no id stands with what stands before it."""
    known = [at for at, number in enumerate(window.ids) if number is not None and number <= last]
    begin = known[-1] + 1 if known else 0
    end = len(window.ids)
    if not window.is_last:  # what stands last without an id begins the next window
        while end > begin and window.ids[end - 1] is None:
            end -= 1
    numbered = [at for at in range(begin, end) if window.ids[at] is not None]
    place = numbered[-1] if numbered else (known[-1] if known else 0)
    number = window.ids[place] if window.ids else None
    return Stretch(
        things=window.things[begin:end],
        last=last if number is None else max(last, number),
        at=window.offset + place,
        total=window.total,
    )
