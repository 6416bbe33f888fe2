"""Compares every id that a shop shows with those that are known, and asks about each difference.

What the shop does not show is asked for by its id before it is believed gone; so many at once that
it looks like a broken shop are held back until a person says so. What is not known is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, cast

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from connector.errors import LaneDown, TryLater
from connector.flow.recalling import Settling, settle_apart, settle_together
from connector.flow.respite import Respite
from connector.flow.rules import Rules
from connector.flow.shown_ids import ShownIds
from connector.model import Deleted, Delivery, Kind, Understanding, Understood, Wish
from connector.ports import Limited, Recalled, Remembering, ShopAdapter
from connector.store import agreement, changes, errands, holdings
from connector.store.connect import Store
from connector.store.errands import BELIEVED, REREAD, SWEEP, Counted, Errand

log = structlog.get_logger()

FEW = 20
"""So many of a kind may be gone at once without a question."""
SHARE = 10
"""One of so many, likewise."""
_MAY_BE_NONE = frozenset({Kind.PROMOTION})  # what a shop can well come to have nothing of
_PAGE = 5_000
_MOST_KEPT = 100_000  # differences that one sweep repairs; the next does the rest
_MOST_ASKED = 200  # missing things that are asked for one by one; more are read with all others
_TOGETHER = 20
_SOON = 1.0  # seconds after which what was asked is written down


class _Shop(ShopAdapter, Remembering, Protocol):
    """A shop that can be asked for one thing, and for the ids of all."""


@dataclass(slots=True)
class _Open:
    row: Errand
    steps: Iterator[None]
    held: ExitStack


class Sweeper:
    """Carries out the sweeps that were asked for, when nothing else is read of their shops."""

    def __init__(
        self,
        store: Store,
        shops: Mapping[str, ShopAdapter],
        rules: Rules,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._shops = {
            name: cast("_Shop", shop)
            for name, shop in shops.items()
            if isinstance(shop, Remembering)
        }
        self._rules = rules
        self._respite = Respite(clock)
        self._open: _Open | None = None
        self.halted: Mapping[str, LaneDown] = {}
        """Shops that are not believed, and why."""

    def step(self, *, now: datetime) -> int:
        """Go on a little; 0 when there is nothing to do. Raises `StoreUnavailable`.

        One that was interrupted begins anew: what it had repaired is not different any more.
        """
        self._now = now
        if self._open is not None and self._open.row.shop in self.halted:
            self.rest()
        mine = self._open = self._open or self._begin()
        if mine is None:
            return 0
        try:
            if next(mine.steps, self) is self:
                self.rest()
                self._respite.over(mine.row.shop)
        except (TryLater, LaneDown) as trouble:
            self._wait(mine.row, trouble)
            return 0
        except BaseException:
            self.rest()
            raise
        return 1

    def wait(self, shop: str) -> float:
        """For how many seconds yet the shop is left alone."""
        return self._respite.left(shop)

    def rest(self) -> None:
        """Let go of the sweep in hand."""
        if self._open is not None:
            self._open.held.close()
            self._open = None

    def _begin(self) -> _Open | None:
        with self._store.read() as conn:
            rows = errands.unfinished(conn)
        busy = {row.shop for row in rows if row.errand != SWEEP}
        for row in rows:
            shop = self._shops.get(row.shop)
            if row.errand != SWEEP or shop is None or row.shop in {*busy, *self.halted}:
                continue
            if self.wait(row.shop):
                continue
            with ExitStack() as held:
                if held.enter_context(errands.alone(self._store, row.shop, SWEEP)):
                    steps = held.enter_context(closing(self._sweep(row, shop)))
                    return _Open(row, steps, held.pop_all())
        return None

    def _sweep(self, row: Errand, shop: _Shop) -> Generator[None, None, None]:
        """The whole of it, with a pause after each bit of work."""
        shown = ShownIds()
        missing: list[str] = []
        for ids in shop.ids(row.kind):
            shown.add(ids)
            with self._store.read() as conn:
                known = holdings.among(conn, row.shop, row.kind, ids)
            missing += [each for each in ids if each not in known][: _MOST_KEPT - len(missing)]
            yield
        if row.kind not in shop.kinds:  # not shown to us any more: that tells nothing
            self._finish(row, held=0, held_back=0, unread=0, again=False)
            return
        shown.sort()
        held, gone = 0, list[str]()
        hidden = isinstance(shop, Limited) and row.kind in shop.hides_old
        for ids in self._known(row):
            held += len(ids)
            away = [each for each in ids if not shown.has(each)]
            gone += [each for each in away if not (hidden and shown.is_older(each))]
            del gone[_MOST_KEPT:]
            yield
        held_back = 0
        nothing = not shown.marks and row.kind not in _MAY_BE_NONE
        if _is_unlikely(len(gone), held, nothing=nothing) and row.cursor != BELIEVED:
            held_back, gone = len(gone), []
            log.warning("gone, and not believed", shop=row.shop, kind=row.kind, things=held_back)
        with self._store.read() as conn:
            read_whole = row.kind in errands.read_whole(conn, row.shop)
            before = agreement.read(conn, row.shop).of(row.kind)
        unfiltered = isinstance(shop, Limited) and row.kind in shop.unfiltered
        ask = read_whole and not unfiltered  # else all was just read, or was never wanted
        again = ask and len(missing) > _MOST_ASKED + before.unread
        if ask and not again:
            row = yield from self._repair(row, shop, missing, expected_gone=False)
            with self._store.read() as conn:
                missing = [*_unknown(conn, row, missing)]
        row = yield from self._repair(row, shop, gone, expected_gone=True)
        unread = before.unread if again else len(missing)
        self._finish(row, held=held, held_back=held_back, unread=unread, again=again)

    def _known(self, row: Errand) -> Iterator[list[str]]:
        after = ""
        while True:
            with self._store.read() as conn:
                ids = holdings.page(conn, row.shop, row.kind, after=after, limit=_PAGE)
            if not ids:
                return
            yield ids
            after = ids[-1]

    def _repair(
        self, row: Errand, shop: _Shop, ids: Sequence[str], *, expected_gone: bool
    ) -> Generator[None, None, Errand]:
        """Ask the shop about each that is still different, and settle what it says."""
        waiting = list(reversed(ids))
        while waiting:
            some = [waiting.pop() for _ in range(min(_TOGETHER, len(waiting)))]
            with self._store.read() as conn:
                known = holdings.among(conn, row.shop, row.kind, some)
            asked = [each for each in some if (each in known) is expected_gone]
            found: list[Recalled] = []
            until = time.monotonic() + _SOON
            while asked and time.monotonic() < until:
                thing = asked.pop(0)
                wish = Wish(kind=row.kind, id=thing, expected_gone=expected_gone)
                found.append(Recalled(id=thing, understanding=self._ask(row, shop, wish)))
            waiting += reversed(asked)
            if found:
                row = self._settle(row, found)
            yield
        return row

    def _ask(self, row: Errand, shop: _Shop, wish: Wish) -> Understanding:
        delivery = Delivery(
            id=0, shop=row.shop, topic=f"{SWEEP}.{row.kind}", received_at=self._now, body=b"{}"
        )
        answer = shop.look_up(wish, delivery)
        return replace(answer, wishes=()) if isinstance(answer, Understood) else answer

    def _settle(self, row: Errand, found: Sequence[Recalled]) -> Errand:
        try:
            return self._settled(row, found, settle_together)
        except (DBAPIError, StatementError, ValueError, OverflowError):
            # One thing in it cannot be stored. Alone, each shows whether it is the one.
            return self._settled(row, found, settle_apart)

    def _settled(self, row: Errand, found: Sequence[Recalled], how: Settling) -> Errand:
        now = self._now
        with self._store.write() as conn:
            counted = how(conn, row, found, self._rules, now)
            after = errands.advance(
                conn, row, counted, cursor=row.cursor, total=None, now=now, finished=False
            )
            if after is None:
                raise TryLater("somebody else went on with it")
            if counted.applied:
                _note(conn, row, counted, gone=sum(map(_is_gone, found)), now=now)
        return after

    def _finish(self, row: Errand, *, held: int, held_back: int, unread: int, again: bool) -> None:
        now = self._now
        with self._store.write() as conn:
            after = errands.advance(
                conn, row, Counted(), cursor=row.cursor, total=held, now=now, finished=True
            )
            if after is None:
                raise TryLater("somebody else went on with it")
            if again:
                errands.begin(conn, row.shop, REREAD, [row.kind], since=None, now=now)
            known = agreement.read(conn, row.shop, locked=True)
            kind = replace(known.of(row.kind), compared=held, held_back=held_back, unread=unread)
            agreement.write(conn, row.shop, replace(known.having(row.kind, kind), at=now), now=now)
            if not errands.unfinished(conn):
                changes.let_go(conn, now=now)  # nobody need wait for more

    def _wait(self, row: Errand, trouble: TryLater | LaneDown) -> None:
        self.rest()
        mend = self._respite.give(row.shop, trouble)
        with self._store.write() as conn:
            errands.note_problem(conn, row, trouble.reason, mend)
            changes.let_go(conn, now=self._now)  # nothing more comes for a while


def _is_unlikely(gone: int, held: int, *, nothing: bool) -> bool:
    """Whether a shop is rather broken than without so much of what it had."""
    return gone > 0 and (nothing or (gone > FEW and gone * SHARE > held))


def _is_gone(thing: Recalled) -> bool:
    understanding = thing.understanding
    return isinstance(understanding, Understood) and any(
        isinstance(fact, Deleted) for fact in understanding.facts
    )


def _note(conn: Connection, row: Errand, counted: Counted, *, gone: int, now: datetime) -> None:
    """Put into the agreement what was repaired: gone, or else missing."""
    known = agreement.read(conn, row.shop, locked=True)
    before = known.of(row.kind)
    after = replace(
        before,
        gone=before.gone + gone,
        missing=before.missing + max(0, counted.applied - gone),
        repaired=before.repaired + counted.applied,
    )
    log.info("repaired", shop=row.shop, kind=row.kind, errand=row.errand, things=counted.applied)
    known = replace(known, repaired=known.repaired + counted.applied, repaired_at=now)
    agreement.write(conn, row.shop, known.having(row.kind, after), now=now)


def _unknown(conn: Connection, row: Errand, ids: Sequence[str]) -> Iterator[str]:
    known = holdings.among(conn, row.shop, row.kind, ids)
    return (each for each in ids if each not in known)
