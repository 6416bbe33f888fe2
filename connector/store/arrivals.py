"""How a webhook gets onto the disk: many at a time, and none is told "yes" before it is there."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from connector import moments
from connector.errors import StoreUnavailable
from connector.model import Arrival
from connector.store.connect import Store, begin_immediate
from connector.store.schema import deliveries

_PATIENCE = 5.0  # seconds a webhook waits for the store; Shopify hangs up after five
_MOST = 64  # arrivals in one transaction


class _Ticket:
    """One arrival between the door and the disk. ``turn`` is held until something is decided."""

    __slots__ = ("deadline", "durable", "leads", "problem", "row", "turn")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.row = row  # the values of _COLUMNS
        self.deadline = time.monotonic() + _PATIENCE
        self.turn = threading.Lock()
        self.turn.acquire()
        self.leads = False
        self.durable = False
        self.problem: Exception | None = None


class Inbox:
    """Takes arrivals from any number of threads and commits them in groups.

    There is no writer thread: whoever comes while nobody commits takes everybody who waits along
    in one transaction, so that a lone webhook pays for no hand-over and a crowd shares one flush
    to disk. ``accepted`` counts the rows written, ``duplicates`` those that were there already.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
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
        ticket = _Ticket(_row(arrival))
        with self._mutex:
            self._waiting.append(ticket)
            leads = not self._committing
            self._committing = True
        if not leads:
            if not ticket.turn.acquire(timeout=_PATIENCE):
                self._leave(ticket)
            leads = ticket.leads
        if leads:
            self._lead(ticket)
        if not ticket.durable:
            raise StoreUnavailable(
                f"the store could not take a delivery: {_cause(ticket.problem)}. The shop was told "
                "to come again; see that the disk has room and that the database answers."
            ) from ticket.problem

    def _lead(self, mine: _Ticket) -> None:
        """Commit what waits, ``mine`` included, and let the next one lead."""
        batch: list[_Ticket] = []
        try:
            with self._store.engine.connect() as conn, conn.begin():
                if conn.dialect.name == "sqlite":
                    begin_immediate(
                        conn.connection.driver_connection,
                        patience=max(0.0, mine.deadline - time.monotonic()),
                    )
                # Only now: who comes while another writer is waited for rides along.
                batch = self._take()
                written = _write(conn, batch)
        except Exception as problem:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            self._fail(mine, batch, problem)
        else:
            self._note(batch, written)
        finally:
            self._hand_over()
            for ticket in batch:
                ticket.turn.release()

    def _take(self) -> list[_Ticket]:
        with self._mutex:
            return [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]

    def _note(self, batch: Sequence[_Ticket], written: int) -> None:
        for ticket in batch:
            ticket.durable = True
        self.accepted += written
        self.duplicates += len(batch) - written

    def _fail(self, mine: _Ticket, batch: list[_Ticket], problem: Exception) -> None:
        if len(batch) > 1 and not isinstance(problem, OperationalError):
            # Some row is at fault, not the store: the others shall not suffer for it.
            for ticket in batch:
                self._write_alone(ticket)
            return
        if not batch and not _is_busy(problem):
            batch += self._take()  # nobody else would fare better
        if not batch:
            with self._mutex:
                self._waiting.remove(mine)
            mine.problem = problem
        for ticket in batch:
            ticket.problem = problem

    def _write_alone(self, ticket: _Ticket) -> None:
        try:
            with self._store.write() as conn:
                written = _write(conn, [ticket])
            self._note([ticket], written)
        except (SQLAlchemyError, StoreUnavailable) as problem:
            ticket.problem = problem

    def _hand_over(self) -> None:
        with self._mutex:
            if self._waiting:
                heir = self._waiting[0]
                heir.leads = True
                heir.turn.release()
            else:
                self._committing = False

    def _leave(self, ticket: _Ticket) -> None:
        """Give up waiting; raises `StoreUnavailable`."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            leads = ticket.leads
        if leads:  # the baton came at the very moment of leaving
            self._hand_over()
        raise StoreUnavailable(
            f"the store did not take a delivery within {_PATIENCE:.0f} s: another program holds "
            "it. The shop was asked to come again."
        )


_COLUMNS = ("key", "shop", "topic", "received_at", "headers", "body", "body_sha256")


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


def _write(conn: Connection, batch: Sequence[_Ticket]) -> int:
    """Insert the batch; how many rows were new.

    One statement takes many rows: between statements the engine's driver lets go of the
    interpreter, and the group would queue for it again behind every other request. The sizes are
    powers of two, so that there are few different statements to prepare.
    """
    written = done = 0
    while done < len(batch):
        size = 1 << (len(batch) - done).bit_length() - 1
        rows = batch[done : done + size]
        values = tuple(itertools.chain.from_iterable(ticket.row for ticket in rows))
        written += conn.exec_driver_sql(_insert(conn.dialect.name, size), values).rowcount
        done += size
    return written


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


def _cause(problem: Exception | None) -> str:
    """What the engine said, without the statement and its values."""
    told = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    return (str(told).strip().splitlines() or [type(told).__name__])[0]
