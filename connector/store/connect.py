"""Opening the store: one SQLite file or one PostgreSQL database, durable, at the newest schema."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.pool import QueuePool

from connector.errors import ConfigurationFault, StoreUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_SQLITE_MAGIC = b"SQLite format 3\x00"
_PATIENCE = 5.0  # seconds to wait for another writer before giving up
_POLL = 0.001  # SQLite's own busy handler sleeps up to 0.1 s; a webhook cannot wait for that
# The gap a worker leaves between its transactions, so that a waiting receiver gets its turn.
_COURTESY = 0.002


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Every connection of it commits durably (``synchronous=FULL`` or ``on``)."""

    engine: Engine
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open, check and migrate the store at a SQLAlchemy URL.

        Raises `ConfigurationFault` for an URL that names no store, `StoreUnavailable` for one that
        cannot be used: damaged, newer than this program, unreachable, not writable.
        """
        engine = _engine(url)
        store = cls(engine)
        try:
            with store._exclusive():
                _migrate(engine)
        except DBAPIError as problem:
            raise _unavailable(engine, problem) from problem
        return store

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
        """On SQLite the threads of a process take turns, with a gap between for other processes.

        Otherwise the lanes of a worker would hand the lock to each other past a waiting receiver.
        """
        if self.dialect != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=_PATIENCE):
            raise StoreUnavailable(
                f"the store {self.engine.url.render_as_string(hide_password=True)} cannot be used: "
                f"another part of this program has been writing for {_PATIENCE:.0f} s"
            )
        try:
            yield
            time.sleep(_COURTESY)
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
        path = self.engine.url.database
        if self.dialect != "sqlite" or not path:
            yield
            return
        import fcntl

        with open(f"{path}.worker", "w") as lock:  # noqa: PTH123 - a file to lock, not to read
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as problem:
                raise StoreUnavailable(
                    f"another worker already works on {path}. Stop it first, or keep the store on "
                    "PostgreSQL, where any number of workers may share it."
                ) from problem
            yield

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

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


def begin_immediate(raw: Any, *, patience: float = _PATIENCE) -> None:
    """Take SQLite's write lock now, polling every millisecond.

    A deferred transaction that turns into a writer fails at once, whatever the busy timeout:
    https://www.sqlite.org/lang_transaction.html.
    """
    _when_free(raw, "BEGIN IMMEDIATE", patience)


def _when_free(raw: Any, sql: str, patience: float = _PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while True:
        try:
            return raw.execute(sql)
        except sqlite3.OperationalError as problem:
            busy = problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() >= deadline:
                raise
        time.sleep(_POLL)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ConfigurationFault(
                f"store: {parsed.get_backend_name()} is not supported. Use sqlite:///FILE or "
                "postgresql+psycopg://USER@HOST/DATABASE."
            )
        if parsed.get_backend_name() == "sqlite":
            _check_file(parsed.database)
            engine = create_engine(
                parsed,
                poolclass=QueuePool,
                hide_parameters=True,  # an error must not quote a person
                connect_args={"timeout": 0, "isolation_level": None},
            )
            event.listen(engine, "connect", _make_durable)
            return engine
        return create_engine(
            parsed,
            connect_args={"options": "-c synchronous_commit=on", "connect_timeout": 10},
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError) as problem:
        raise ConfigurationFault(
            "store: this is no database address. Use sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/DATABASE."
        ) from problem


def _make_durable(raw: sqlite3.Connection, _record: object) -> None:
    # FULL: NORMAL lost 2,764 of 6,680 acknowledged rows in simulated power cuts, FULL none.
    (mode,) = _when_free(raw, "PRAGMA journal_mode=WAL").fetchone()
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA secure_delete=ON")  # what is erased is gone from the file as well
    raw.execute("PRAGMA cache_size=-32768")
    (level,) = raw.execute("PRAGMA synchronous").fetchone()
    if (mode, level) not in (("wal", 2), ("memory", 2)):
        raise StoreUnavailable(
            f"SQLite offers journal mode {mode} and synchronous {level} here, not WAL and FULL: "
            "a webhook could be lost in a power cut. Put the store on a local disk."
        )


def _check_file(path: str | None) -> None:
    """Refuse what is no store of ours before SQLite makes an empty one of it."""
    if not path or path == ":memory:":
        raise ConfigurationFault("store: name a file, sqlite:///FILE; memory does not outlast 200.")
    file = Path(path)
    folder = file.parent
    if not folder.is_dir():
        raise StoreUnavailable(f"the folder {folder} of the store does not exist: make it first.")
    if not file.exists():
        if Path(f"{path}-wal").exists():
            raise StoreUnavailable(
                f"{path} is missing but its journal {path}-wal is there: put the file back from "
                "the newest backup; an empty store in its place would forget who opted out."
            )
        if not os.access(folder, os.W_OK):
            raise StoreUnavailable(f"the folder {folder} of the store cannot be written.")
        file.touch(mode=0o600)
        return
    if not os.access(file, os.W_OK):
        raise StoreUnavailable(f"the store {path} cannot be written by this user.")
    with file.open("rb") as opened:
        head = opened.read(len(_SQLITE_MAGIC))
    if head and head != _SQLITE_MAGIC:
        raise StoreUnavailable(
            f"{path} is no SQLite database, or a damaged one. It was left as it is: put the newest "
            "backup in its place."
        )
    if not head and Path(f"{path}-wal").exists() and Path(f"{path}-wal").stat().st_size:
        raise StoreUnavailable(
            f"{path} is empty but has a journal: it is damaged. Put the newest backup in its place."
        )


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    with engine.connect() as conn:
        current = MigrationContext.configure(conn).get_current_revision()
        conn.rollback()
        if current == script.get_current_head():
            return
        if current is not None:
            try:
                script.get_revision(current)
            except CommandError as problem:
                raise StoreUnavailable(
                    f"the store was written by a newer connector (schema {current}): "
                    "install that version again, or restore the backup from before the upgrade."
                ) from problem
        if engine.dialect.name == "sqlite":
            begin_immediate(conn.connection.driver_connection)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        conn.commit()


def _unavailable(engine: Engine, problem: DBAPIError) -> StoreUnavailable:
    where = engine.url.render_as_string(hide_password=True)
    cause = str(problem.orig).strip().splitlines()[0] if problem.orig else type(problem).__name__
    return StoreUnavailable(f"the store {where} cannot be used: {cause}")
