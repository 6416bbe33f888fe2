"""Reading a shop's past: what it had before anybody listened, or what may have been missed.

A stretch of it settles as deliveries do, in one transaction with how far the errand has come. So
whenever a process dies, nothing is lost and nothing counted twice: the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from connector.errors import LaneDown, TryLater
from connector.flow.apart import Apart
from connector.flow.recalling import Settling, settle_apart, settle_together
from connector.flow.respite import Respite
from connector.flow.rules import Rules
from connector.ports import Haul, Limited, Recalled, Remembering, ShopAdapter
from connector.store import changes, errands
from connector.store.connect import Store
from connector.store.errands import BACKFILL, RECONCILE, REREAD, Counted, Errand

_MOST = 500  # things in one transaction: fewer are slower, more hold up the webhooks
_SOON = 1.0  # seconds after which what was read is written, however little it is

Told: TypeAlias = Callable[[Connection, Errand, Counted, datetime], None]
"""Told, in the same transaction, how far an errand has come and what was counted on the way."""


class _OvertakenError(Exception):
    """Somebody else went on with the errand meanwhile."""


@dataclass(slots=True)
class _Open:
    """An errand under way: how far it is written down, and the shop's answer to read on in."""

    row: Errand
    hauls: Iterator[Haul]
    held: ExitStack


@dataclass(slots=True)
class _Gathered:
    """What was read since the last transaction."""

    found: list[Recalled] = field(default_factory=list)
    cursor: str | None = None
    total: int | None = None
    finished: bool = False
    trouble: TryLater | LaneDown | None = None


class Reader:
    """Carries out what is asked of the shops, one errand after another, a little at a time.

    ``clock`` gives seconds that only grow: by them a shop is left alone that cannot answer.
    ``only`` are the errands that it carries out; ``told`` hears of each step.
    """

    def __init__(
        self,
        store: Store,
        shops: Mapping[str, ShopAdapter | Apart],
        rules: Rules,
        clock: Callable[[], float],
        *,
        only: Collection[str] = (BACKFILL, REREAD),
        told: Told | None = None,
    ) -> None:
        self._store = store
        self._shops = {name: shop for name, shop in shops.items() if isinstance(shop, Remembering)}
        self.rules = rules
        self._clock = clock
        self._open: _Open | None = None
        self._respite = Respite(clock)
        self._only = only
        self._told = told
        self.halted: Mapping[str, LaneDown] = {}
        """Shops that are not believed, and why: nothing is read of their past."""

    def step(self, *, now: datetime) -> int:
        """Read on a little and write it down. Gives how many steps forward that was: 0 or 1.

        Raises `StoreUnavailable`.
        """
        if self._open is not None and self._open.row.shop in self.halted:
            self.close()
        try:
            mine = self._open or self._begin(now)
            if mine is None:
                self.rest()
                return 0
            self._open = mine
            gathered = self._gather(mine.hauls)
            if gathered.found or gathered.finished or gathered.cursor is not None:
                self._write(mine, gathered, now)
        except _OvertakenError:
            self.close()
            return 1
        except BaseException:
            self.close()  # what it had read and not written is read once more
            raise
        if gathered.trouble is not None:
            self._wait(mine.row, gathered.trouble, now)
            return 0
        self._respite.over(mine.row.shop)
        if gathered.finished:
            self.close()
        return 1

    def wait(self, shop: str) -> float:
        """For how many seconds yet the shop is left alone."""
        return self._respite.left(shop)

    def close(self) -> None:
        """Let go of the errand in hand; it can be gone on with at any time."""
        if self._open is not None:
            self._open.held.close()
            self._open = None

    def rest(self) -> None:
        """Let go of everything, also of the processes that read."""
        self.close()
        for shop in self._shops.values():
            if isinstance(shop, Apart):
                shop.close()

    def _begin(self, now: datetime) -> _Open | None:
        """Take the next errand that somebody wants, in the shops' own order of kinds."""
        with self._store.read() as conn:
            wanted = [row for row in errands.unfinished(conn) if row.errand in self._only]
        for name, shop in self._shops.items():
            if self.wait(name):
                continue
            if trouble := self.halted.get(name):
                first = next((row for row in wanted if row.shop == name), None)
                if first is not None:
                    self._wait(first, trouble, now)
                continue
            rows = {(row.errand, row.kind): row for row in wanted if row.shop == name}
            for errand in sorted({errand for errand, _ in rows}):
                left = {kind for each, kind in rows if each == errand}.difference(shop.kinds)
                for kind in (*shop.kinds, *sorted(left)):  # it may have shown more when they began
                    if row := rows.get((errand, kind)):
                        if mine := self._take(shop, row, now):
                            return mine
                        break
        return None

    def _take(self, shop: Remembering, row: Errand, now: datetime) -> _Open | None:
        with ExitStack() as held:
            if not held.enter_context(errands.alone(self._store, row.shop, row.errand)):
                return None
            with self._store.read() as conn:  # what another has read since we looked
                known = errands.of_shop(conn, row.shop, row.errand)
            for each in known:
                if each.kind == row.kind and each.finished_at is None:
                    return _Open(each, _hauls(shop, each, now), held.pop_all())
        return None

    def _gather(self, hauls: Iterator[Haul]) -> _Gathered:
        gathered = _Gathered()
        began = self._clock()
        try:
            while len(gathered.found) < _MOST and self._clock() < began + _SOON:
                haul = next(hauls, None)
                if haul is None:
                    gathered.finished = True
                    break
                gathered.found += haul.found
                gathered.cursor = haul.cursor
                gathered.total = haul.total if gathered.total is None else gathered.total
        except (TryLater, LaneDown) as problem:
            gathered.trouble = problem
        return gathered

    def _write(self, mine: _Open, gathered: _Gathered, now: datetime) -> None:
        try:
            mine.row = self._settle(mine.row, gathered, now, settle_together)
        except (DBAPIError, StatementError, ValueError, OverflowError):
            # One thing in it cannot be stored. Alone, each shows whether it is the one.
            mine.row = self._settle(mine.row, gathered, now, settle_apart)

    def _settle(self, row: Errand, gathered: _Gathered, now: datetime, how: Settling) -> Errand:
        with self._store.write() as conn:
            counted = how(conn, row, gathered.found, self.rules, now)
            after = errands.advance(
                conn,
                row,
                counted,
                cursor=row.cursor if gathered.cursor is None else gathered.cursor,
                total=gathered.total,
                now=now,
                finished=gathered.finished,
            )
            if after is None:
                raise _OvertakenError
            if self._told is not None:
                self._told(conn, after, counted, now)
            if after.finished_at and not errands.unfinished(conn):
                changes.let_go(conn, now=now)  # nobody need wait for more
        return after

    def _wait(self, row: Errand, trouble: TryLater | LaneDown, now: datetime) -> None:
        self.close()
        mend = self._respite.give(row.shop, trouble)
        with self._store.write() as conn:
            errands.note_problem(conn, row, trouble.reason, mend)
            changes.let_go(conn, now=now)  # nothing more comes for a while


def _hauls(shop: Remembering, row: Errand, now: datetime) -> Iterator[Haul]:
    """What the errand is to read; of what has no date of change, the newest must do between."""
    if row.errand == RECONCILE and isinstance(shop, Limited) and row.kind in shop.unfiltered:
        return iter(shop.latest(row.kind, now=now))
    return iter(shop.history(row.kind, since=row.since, cursor=row.cursor, now=now))
