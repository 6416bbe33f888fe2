"""Finds again what webhooks lost: asks each shop every few minutes what changed lately.

A pass asks for what changed since ten minutes before the last one began, so that nothing falls
between two. Once a day a whole pass also compares every id that the shop shows with those known
(`connector.flow.sweep`), and reads once more what cannot be asked for by its change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connector.errors import LaneDown
from connector.flow.errands import Reader
from connector.flow.rules import Rules
from connector.flow.sweep import Sweeper
from connector.model import Kind
from connector.ports import Limited, Remembering, Scoped, ShopAdapter
from connector.store import agreement, errands, hastened, holdings
from connector.store.agreement import Agreement, Compared
from connector.store.connect import Store
from connector.store.errands import BACKFILL, RECONCILE, REREAD, SWEEP, Counted, Errand

log = structlog.get_logger()

OVERLAP = timedelta(minutes=10)
"""How much earlier than the last pass began each begins."""
WHOLE_EVERY = timedelta(days=1)
_GLANCE = timedelta(seconds=5)  # between looks whether a pass is due
_MOST_BEHIND = timedelta(days=1)


class Reconciler:
    """Begins passes when their time has come and carries them out, a little at a time.

    ``every`` is how often each shop is asked; one that is not in it is only when somebody wants.
    """

    def __init__(
        self,
        store: Store,
        shops: Mapping[str, ShopAdapter],
        rules: Rules,
        clock: Callable[[], float],
        *,
        every: Mapping[str, timedelta],
    ) -> None:
        self._store = store
        self._shops = {name: shop for name, shop in shops.items() if isinstance(shop, Remembering)}
        self._every = every
        self._reader = Reader(store, shops, rules, clock, only=(RECONCILE,), told=self._note)
        self._sweeper = Sweeper(store, shops, rules, clock)
        self._looked: datetime | None = None

    def halt(self, halted: Mapping[str, LaneDown]) -> None:
        """Which shops are not believed now, and why: nothing is read of them."""
        self._reader.halted = self._sweeper.halted = halted

    def look(self, *, now: datetime) -> int:
        """Begin the passes that are due; how many. Raises `StoreUnavailable`."""
        if self._looked is not None and timedelta(0) <= now - self._looked < _GLANCE:
            return 0
        self._looked = now
        begun = 0
        for name, every in self._every.items():
            shop = self._shops.get(name)
            if shop is None:
                continue
            with self._store.read() as conn:
                due, whole = _due(conn, name, every, now)
            if due:
                if isinstance(shop, Scoped):
                    shop.learn_kinds()
                with self._store.write() as conn:
                    begin(conn, name, shop, whole=whole, now=now)
                begun += 1
        return begun

    def step(self, *, now: datetime) -> int:
        """Go on a little with what was begun: how many steps forward. Raises as `look`."""
        return self._reader.step(now=now) or self._sweeper.step(now=now)

    def wait(self, shop: str) -> float:
        """For how many seconds yet the shop is left alone."""
        return max(self._reader.wait(shop), self._sweeper.wait(shop))

    def rest(self) -> None:
        """Let go of everything; it can be gone on with at any time."""
        self._reader.rest()
        self._sweeper.rest()

    def _note(self, conn: Connection, row: Errand, counted: Counted, now: datetime) -> None:
        note(conn, row, counted, now)
        shop = self._shops[row.shop]
        if row.finished_at and isinstance(shop, Limited) and shop.told_at is not None:
            behind = min(max(now - shop.told_at, timedelta(0)), _MOST_BEHIND).total_seconds()
            known = agreement.read(conn, row.shop, locked=True)
            if behind != known.behind:
                agreement.write(conn, row.shop, replace(known, behind=behind), now=now)


def begin(
    conn: Connection,
    name: str,
    shop: Remembering,
    *,
    now: datetime,
    whole: bool = False,
    believed: bool = False,
) -> None:
    """Ask for a pass, or join the one under way.

    ``believed``: what is gone is gone, however much it is. A pass that was asked for because
    something was missed is whole: what was deleted then leaves no other trace.
    """
    known = agreement.read(conn, name, locked=True)
    missed = hastened.hastened(conn, name)
    errands.forget_problems(conn, name)
    if not _is_under_way(conn, name, RECONCILE):
        since = _since(conn, name, known, missed, now)
        errands.begin(conn, name, RECONCILE, shop.kinds, since=since, now=now)
        hastened.begun(conn, name, now=now)
        known = replace(known, first=known.first or now, began=now)
    if (whole or missed is not None) and not _is_under_way(conn, name, SWEEP):
        if again := _to_reread(conn, name, shop):
            errands.begin(conn, name, REREAD, again, since=None, now=now)
        errands.begin(conn, name, SWEEP, shop.kinds, since=None, now=now)
        fresh = {
            kind: Compared(compared=each.compared, unread=each.unread, held_back=each.held_back)
            for kind, each in known.kinds.items()
            if kind in shop.kinds
        }
        known = replace(known, whole=now, kinds=fresh)
    if believed:
        errands.believe(conn, name, SWEEP)
    agreement.write(conn, name, known, now=now)


def note(conn: Connection, row: Errand, counted: Counted, now: datetime) -> None:
    """Put into the agreement what a step of a pass found that no webhook had told of."""
    if row.errand not in (RECONCILE, REREAD) or not (counted.missed or row.finished_at):
        return
    known = agreement.read(conn, row.shop, locked=True)
    before = known.of(row.kind)
    compared = before.compared
    if row.finished_at and known.whole is None:
        compared = holdings.count(conn, row.shop, row.kind)
    after = replace(
        before,
        compared=compared,
        changed=before.changed + counted.missed,
        repaired=before.repaired + counted.missed,
    )
    if counted.missed:
        log.info("repaired", shop=row.shop, kind=row.kind, errand=row.errand, things=counted.missed)
        known = replace(known, repaired=known.repaired + counted.missed, repaired_at=now)
    if row.finished_at:
        known = replace(known, at=now)
    agreement.write(conn, row.shop, known.having(row.kind, after), now=now)


def _due(conn: Connection, name: str, every: timedelta, now: datetime) -> tuple[bool, bool]:
    """Whether a pass is due, and whether it is to be a whole one."""
    if _is_under_way(conn, name, BACKFILL) or _is_under_way(conn, name, RECONCILE):
        return False, False
    known = agreement.read(conn, name)
    last = known.whole or known.first
    whole = last is not None and not _is_young(last, WHOLE_EVERY, now)
    due = known.began is None or not _is_young(known.began, every, now)
    return due or hastened.hastened(conn, name) is not None, whole


def _is_young(moment: datetime, span: timedelta, now: datetime) -> bool:
    """Less than a span ago, and not in a future that a clock dreamt of."""
    return timedelta(0) <= now - moment < span


def _since(
    conn: Connection, name: str, known: Agreement, missed: datetime | None, now: datetime
) -> datetime:
    began = known.began
    if began is None:
        began = min((row.started_at for row in errands.of_shop(conn, name, BACKFILL)), default=now)
    moments = [min(began, now) - OVERLAP, *([] if missed is None else [missed])]
    return min(moments) - timedelta(seconds=known.behind)


def _to_reread(conn: Connection, name: str, shop: Remembering) -> Sequence[Kind]:
    """What shows its changes only when all of it is read, if it ever was."""
    unfiltered = shop.unfiltered if isinstance(shop, Limited) else ()
    known = errands.read_whole(conn, name)
    return [kind for kind in shop.kinds if kind in unfiltered and kind in known]


def _is_under_way(conn: Connection, name: str, errand: str) -> bool:
    return any(row.finished_at is None for row in errands.of_shop(conn, name, errand))
