"""Opening the store: one SQLite file or one PostgreSQL database, durable, at the newest schema."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from connector.errors import ConfigurationFault, ConnectorError, StoreUnavailable
from connector.keys import Keyring
from connector.store import ledger, suppressions
from connector.store.damage import MEND
from connector.store.engines import open_engine
from connector.store.patience import PATIENCE, begin_immediate
from connector.store.precedence import Precedence
from connector.store.sole import appointed, is_appointed, sole_worker
from connector.store.upgrade import migrate


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass(frozen=True)
class Store:
    """An open store. Every connection of it commits durably (``synchronous=FULL`` or ``on``)."""

    engine: Engine
    untidy: threading.Event = field(default_factory=_set_event, repr=False, compare=False)
    """Something was erased that SQLite's journal may still hold: see `tidy`."""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def open(cls, url: str, keys: Keyring | None = None, *, put_back: bool = False) -> Store:
        """Open, check and migrate the store at a SQLAlchemy URL.

        ``keys`` recognise who was erased. ``put_back`` is for who is about to erase again the
        people that a backup brought back; nobody else gets to use such a store.

        Raises `ConfigurationFault` for an URL that names no store or when a key is missing,
        `StoreUnavailable` for one that cannot be used: damaged, newer than this program,
        unreachable, not writable, or put back from a backup.
        """
        engine = open_engine(url, keys or Keyring())
        store = cls(engine)
        try:
            with store._exclusive():
                migrate(engine)
            if not put_back:
                store._check_erasures()
        except DBAPIError as problem:
            engine.dispose()
            raise _unavailable(engine, problem) from problem
        except ConnectorError:
            engine.dispose()
            raise
        return store

    def _check_erasures(self) -> None:
        with self.read() as conn:
            if unknown := suppressions.unknown_keys(conn):
                raise ConfigurationFault(suppressions.key_missing(len(unknown)))
            if self.file is None:
                return
            noted = ledger.read(ledger.beside(self.file))
            if lost := ledger.missing(conn, noted):
                raise StoreUnavailable(
                    f"{self.file} was put back from a backup that knows nothing of {len(lost)} "
                    f"erasures noted in {ledger.beside(self.file)}: erased people would come back. "
                    "Run: connector db erase-again"
                )
            known = suppressions.everything(conn)
        if len(known) > len(noted):
            ledger.write(ledger.beside(self.file), known)

    @cached_property
    def _precedence(self) -> Precedence:
        return Precedence(str(self.file))

    @property
    def file(self) -> str | None:
        """The SQLite file; ``None`` on PostgreSQL."""
        return self.engine.url.database if self.dialect == "sqlite" else None

    def note_erasures(self) -> None:
        """Write the list of who was erased beside the SQLite file, where a backup outlives it."""
        if self.file is not None:
            with self.read() as conn:
                known = suppressions.everything(conn)
            ledger.write(ledger.beside(self.file), known)

    def tidy(self) -> bool:
        """Empty SQLite's journal, which keeps what was erased; not while somebody reads from it.

        PostgreSQL clears away by itself (autovacuum).
        """
        if self.file is None:
            self.untidy.clear()
            return True
        self.untidy.clear()
        with self._queue(), self.engine.connect() as conn:
            busy, _, _ = conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            self.untidy.set()
        return not busy

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and writes nothing."""
        with self.engine.connect() as conn, conn.begin():
            if self.dialect == "sqlite":
                conn.exec_driver_sql("BEGIN")
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed durably at the end of the block, undone by an exception.

        On SQLite it waits up to five seconds for other writers. Raises `StoreUnavailable`.
        """
        with self._queue(), self._begun() as conn:
            yield conn

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as conn, conn.begin():
                if self.dialect == "sqlite":
                    begin_immediate(conn.connection.driver_connection)
                yield conn
        except (OperationalError, InterfaceError) as problem:
            raise _unavailable(self.engine, problem) from problem

    @contextmanager
    def _queue(self) -> Iterator[None]:
        """On SQLite the threads of a process take turns, and let a waiting receiver go first."""
        if self.dialect != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE):
            raise StoreUnavailable(
                f"the store {self.engine.url.render_as_string(hide_password=True)} cannot be used: "
                f"another part of this program has been writing for {PATIENCE:.0f} s"
            )
        try:
            yield
            self._precedence.give_way()
        finally:
            self._turn.release()

    @contextmanager
    def claim(self) -> Iterator[Claim]:
        """Work that reads, then does something slow, then writes: see `Claim`."""
        if self.dialect == "sqlite":
            yield Claim(self, None)
            return
        with self.write() as conn:
            yield Claim(self, conn)

    @contextmanager
    def only_worker(self) -> Iterator[None]:
        """Keep a second worker off an SQLite store; on PostgreSQL any number may work."""
        path = self.file
        if path is None:
            yield
            return
        with sole_worker(path):
            yield

    @contextmanager
    def appointed(self) -> Iterator[None]:
        """Be the one worker of an SQLite store, also while a command works on it for a while.

        Raises `StoreTaken` if there is another.
        """
        path = self.file
        if path is None:
            yield
            return
        with appointed(path):
            yield

    def has_worker(self) -> bool:
        """Whether a worker is appointed for an SQLite store; nobody is on PostgreSQL."""
        return self.file is not None and is_appointed(self.file)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()
        if self.file is not None:
            self._precedence.close()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process migrates at a time."""
        if self.dialect == "postgresql":
            with self.engine.connect() as conn:
                conn.exec_driver_sql("SELECT pg_advisory_lock(727368)")
                try:
                    yield
                finally:
                    conn.rollback()
                    conn.exec_driver_sql("SELECT pg_advisory_unlock(727368)")
            return
        yield


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows held while slow work (a shop or destination answering) is done about them.

    On PostgreSQL one transaction spans the work: its row locks keep other workers off, and fall
    away at once if this one dies. SQLite has one worker and one writer, so nothing is locked while
    waiting for the network, and writers guard by revision.
    """

    _store: Store
    _conn: Connection | None

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A transaction of its own: durable when it ends, whatever becomes of the claim."""
        with self._store.write() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The connection to claim and read with."""
        if self._conn is not None:
            yield self._conn
            return
        with self._store.read() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The connection to settle with."""
        if self._conn is not None:
            yield self._conn
            return
        with self._store.write() as conn:
            yield conn


def _unavailable(engine: Engine, problem: DBAPIError) -> StoreUnavailable:
    where = engine.url.render_as_string(hide_password=True)
    cause = str(problem.orig).strip().splitlines()[0] if problem.orig else type(problem).__name__
    code = getattr(problem.orig, "sqlite_errorcode", 0) & 0xFF
    mend = f". {MEND}" if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else ""
    return StoreUnavailable(f"the store {where} cannot be used: {cause}{mend}")
