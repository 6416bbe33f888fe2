"""Waiting for SQLite's one write lock, a millisecond at a time."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy.exc import OperationalError

PATIENCE = 5.0  # seconds to wait for another writer before giving up
_POLL = 0.001  # SQLite's own busy handler sleeps up to 0.1 s; a webhook cannot wait for that


def begin_immediate(raw: Any, *, patience: float = PATIENCE) -> None:
    """Take SQLite's write lock now, polling every millisecond.

    A deferred transaction that turns into a writer fails at once, whatever the busy timeout:
    https://www.sqlite.org/lang_transaction.html.
    """
    when_free(raw, "BEGIN IMMEDIATE", patience)


def when_free(raw: Any, sql: str, patience: float = PATIENCE) -> Any:
    """Execute a statement that needs the database, once nobody is in the way.

    Raises SQLAlchemy's ``OperationalError``, as a statement that went through it would.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return raw.execute(sql)
        except sqlite3.OperationalError as problem:
            busy = problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() >= deadline:
                raise OperationalError(sql, None, problem) from problem
        time.sleep(_POLL)
