"""How a webhook gets onto the disk: many at a time, and none is told "yes" before it is there."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from connector import moments
from connector.errors import StoreUnavailable
from connector.model import Arrival
from connector.store.connect import Store
from connector.store.precedence import Precedence
from connector.store.schema import deliveries

_PATIENCE = 5.0  # seconds a webhook waits for the store; Shopify hangs up after five
_POLL = 0.0005  # seconds between two tries for SQLite's lock, which a worker holds in turns with us
_MOST = 64  # arrivals in one transaction
# Pages in SQLite's journal before a commit carries them over into the file: four times the usual,
# which spares a third of the time per row and keeps the journal below 20 MB.
_JOURNAL_PAGES = 4000

_COLUMNS = ("key", "shop", "topic", "received_at", "headers", "body", "body_sha256")


Done: TypeAlias = Callable[[StoreUnavailable | None], None]
"""Told when an arrival is durable (``None``), or why it could not be made so."""


class _Ticket:
    """One arrival between the door and the disk.

    Whoever brought it waits for ``turn``, or has gone on and is told by ``done``.
    """

    __slots__ = ("deadline", "decided", "done", "leads", "left", "problem", "row", "turn")

    def __init__(self, row: tuple[Any, ...], done: Done | None) -> None:
        self.row = row  # the values of _COLUMNS
        self.done = done
        self.deadline = time.monotonic() + _PATIENCE
        self.turn = threading.Lock()
        self.turn.acquire()
        self.leads = False
        self.left = False
        self.decided = False
        self.problem: StoreUnavailable | None = None

    @property
    def waits(self) -> bool:
        """Whether a thread waits for it that could lead."""
        return self.done is None and not self.left

    def decide(self, problem: StoreUnavailable | None) -> None:
        self.problem = problem
        self.decided = True
        if self.done is None:
            self.turn.release()
        else:
            self.done(problem)


class Inbox:
    """Takes arrivals from any number of threads and commits them in groups.

    There is no writer thread: whoever comes while nobody commits takes everybody who waits along
    in one transaction, so that a lone webhook pays for no hand-over and a crowd shares one flush
    to disk. ``accepted`` counts the rows written, ``duplicates`` those that were there already.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sqlite: PoolProxiedConnection | None = None
        self._precedence = Precedence(str(store.engine.url.database))
        self._mutex = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._committing = False
        self.accepted = 0
        self.duplicates = 0

    def accept(self, arrival: Arrival) -> None:
        """Return when the arrival is durable, or was so already.

        Raises `StoreUnavailable` when that cannot be had within about five seconds; nothing is
        then known to be written, and the sender must not be told that it was.
        """
        ticket = _Ticket(_row(arrival), None)
        leads = self._queue(ticket)
        if not leads:
            if not ticket.turn.acquire(timeout=_PATIENCE):
                self._leave(ticket)
                raise _too_late()
            leads = ticket.leads
        if leads:
            self._lead(ticket)
        if ticket.problem is not None:
            raise ticket.problem

    def accept_soon(self, arrival: Arrival, done: Done) -> None:
        """As `accept`, but return at once if somebody commits already, and tell ``done``.

        ``done`` is called exactly once, perhaps before this returns and perhaps by another thread;
        it must neither raise nor wait.
        """
        ticket = _Ticket(_row(arrival), done)
        if self._queue(ticket):
            self._lead(ticket)

    def close(self) -> None:
        """Let go of the connection."""
        self._precedence.close()
        if self._sqlite is not None:
            self._sqlite.invalidate()
            self._sqlite = None

    def _queue(self, ticket: _Ticket) -> bool:
        """Wait in line; true when nobody commits, so that whoever brought this has to."""
        with self._mutex:
            self._waiting.append(ticket)
            leads = not self._committing
            self._committing = True
        return leads

    def _lead(self, mine: _Ticket) -> None:
        """Commit what waits, group by group, until nobody does or another can take over."""
        while True:
            batch: list[_Ticket] = []
            try:
                self._commit(mine, batch)
            except Exception as problem:  # noqa: BLE001 - whatever it was, all must be told
                self._fail(batch, problem)
            else:
                for ticket in batch:
                    ticket.decide(None)
            self._precedence.thank()
            with self._mutex:
                if not self._waiting:
                    self._committing = False
                    return
                if mine.decided and mine.done is None and self._find_heir():
                    return

    def _commit(self, mine: _Ticket, batch: list[_Ticket]) -> None:
        """Fill the batch and write it; it is left empty if there was nothing that could be."""
        while True:
            self._take(batch)  # again at every try: who comes meanwhile rides along
            while batch and batch[0].deadline <= time.monotonic():
                batch.pop(0).decide(_too_late())
            if mine.decided and mine.done is None and any(t.waits for t in batch):
                with self._mutex:  # my time is up: the others go on without me
                    self._waiting.extendleft(t for t in reversed(batch) if not t.left)
                batch.clear()
            if not batch:
                return
            try:
                self._write(batch)
            except sqlite3.OperationalError as problem:
                if not _is_busy(problem):
                    raise
            else:
                return
            self._precedence.ask()
            time.sleep(_POLL)

    def _take(self, batch: list[_Ticket]) -> None:
        with self._mutex:
            while self._waiting and len(batch) < _MOST:
                batch.append(self._waiting.popleft())

    def _write(self, batch: Sequence[_Ticket]) -> None:
        """One statement, one transaction; returns when it is durable.

        A statement of many rows, for at every end of a statement the driver has let go of the
        interpreter, and the group would queue for it again behind all other requests.
        """
        sql = _insert(self._store.dialect, len(batch))
        values = tuple(itertools.chain.from_iterable(ticket.row for ticket in batch))
        if self._store.dialect == "sqlite":
            if self._sqlite is None:
                self._sqlite = self._store.engine.raw_connection()
                self._sqlite.cursor().execute(f"PRAGMA wal_autocheckpoint={_JOURNAL_PAGES}")
            cursor = self._sqlite.cursor()
            cursor.execute(sql, values)  # outside of BEGIN: commits by itself, or does nothing
            written = cursor.rowcount
        else:
            with self._store.engine.connect() as conn, conn.begin():
                written = conn.exec_driver_sql(sql, values).rowcount
        self.accepted += written
        self.duplicates += len(batch) - written

    def _fail(self, batch: Sequence[_Ticket], problem: Exception) -> None:
        if len(batch) == 1 or isinstance(problem, OperationalError | sqlite3.OperationalError):
            self.close()
            for ticket in batch:
                ticket.decide(_unavailable(problem))
            return
        for ticket in batch:  # some row is at fault: the others shall not suffer for it
            try:
                self._write([ticket])
            except Exception as found:  # noqa: BLE001 - as above
                ticket.decide(_unavailable(found))
            else:
                ticket.decide(None)

    def _find_heir(self) -> bool:
        """Let the first one lead who waits for its turn, if there is one; under the mutex."""
        heir = next((ticket for ticket in self._waiting if ticket.waits), None)
        if heir is None:
            return False
        heir.leads = True
        heir.turn.release()
        return True

    def _leave(self, ticket: _Ticket) -> None:
        """Give up waiting for a turn."""
        with self._mutex:
            ticket.left = ticket.decided = True
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if not ticket.leads or self._find_heir():
                return
            if not self._waiting:
                self._committing = False
                return
        self._lead(ticket)  # the turn came at the very moment of leaving, and there is no other


def _too_late() -> StoreUnavailable:
    return StoreUnavailable(
        f"the store did not take a delivery within {_PATIENCE:.0f} s: another program holds it. "
        "The shop was told to come again."
    )


def _unavailable(problem: Exception) -> StoreUnavailable:
    """What the engine said, without the statement and its values."""
    told = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    cause = (str(told).strip().splitlines() or [type(told).__name__])[0]
    found = StoreUnavailable(
        f"the store could not take a delivery: {cause}. The shop was told to come again; see that "
        "the disk has room and that the database answers."
    )
    found.__cause__ = problem
    return found


def _row(arrival: Arrival) -> tuple[Any, ...]:
    """The values of ``_COLUMNS``, as the types of the table would write them."""
    return (
        arrival.key,
        arrival.shop,
        arrival.topic,
        moments.to_micros(arrival.received_at),
        msgspec.json.encode(arrival.headers, order="sorted").decode(),
        arrival.body,
        arrival.body_sha256 or hashlib.sha256(arrival.body).digest(),
    )


@cache
def _insert(dialect: str, size: int) -> str:
    mark = {"sqlite": "?", "postgresql": "%s"}[dialect]
    row = f"({', '.join([mark] * len(_COLUMNS))})"
    return (
        f"INSERT INTO {deliveries.name} ({', '.join(_COLUMNS)}) "  # noqa: S608 - all from this file
        f"VALUES {', '.join([row] * size)} ON CONFLICT (key) DO NOTHING"
    )


def _is_busy(problem: Exception) -> bool:
    return (
        isinstance(problem, sqlite3.OperationalError)
        and problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
