"""Keeps an erasure and what was read before it apart.

Who works out something about people reads first and writes later. Were somebody erased in between,
the writing would bring them back.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from connector.store import lanes

_LOCK = 727369  # beside the one that keeps migrations apart
_COUNT = "erasures"


def hold(conn: Connection) -> None:
    """Let no erasure begin before this transaction has ended; on SQLite writers take turns."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})


def count(conn: Connection) -> int:
    """How many erasures there were.

    Where a reading and its writing are two transactions, another number means that what was read
    must not be written.
    """
    return int(lanes.get(conn, _COUNT) or 0)


def close(conn: Connection, *, now: datetime) -> None:
    """Let nobody else work out anything about people until this erasure is committed."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    lanes.put(conn, _COUNT, count(conn) + 1, now=now)
