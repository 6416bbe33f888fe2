"""The few statements whose spelling both engines share but SQLAlchemy Core keeps apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, or_, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from connector.policy.retry import LONGEST_WAIT

T = TypeVar("T", bound=Any)
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(conn: Connection, table: Table) -> Any:
    """An ``INSERT`` that knows ``ON CONFLICT``, in the connection's dialect."""
    return _INSERT[conn.dialect.name](table)


def insert_missing(conn: Connection, table: Table) -> Any:
    """Insert rows whose key is not there yet; leave the others as they are."""
    return _insert_missing(conn.dialect.name, table)


def upsert(conn: Connection, table: Table, *, keep: Collection[str] = ()) -> Any:
    """Insert, or overwrite every column but the key and ``keep``."""
    return _upsert(conn.dialect.name, table, frozenset(keep), newer=False)


def upsert_newer(conn: Connection, table: Table) -> Any:
    """Insert, or overwrite a row of an older version; a newer or equal one is left alone."""
    return _upsert(conn.dialect.name, table, frozenset(), newer=True)


def chunks(things: Collection[T], size: int = 500) -> Iterable[list[T]]:
    """The things, sorted, in lists that a statement can take."""
    ordered = sorted(things)
    return (ordered[start : start + size] for start in range(0, len(ordered), size))


def is_time(next_attempt_at: Any, now: datetime) -> Any:
    """Whether a row's next attempt has come, or was set by a clock that was ahead.

    No wait is longer than `LONGEST_WAIT`, so a later moment is none that this clock meant.
    """
    return or_(
        next_attempt_at.is_(None),
        next_attempt_at <= now,
        next_attempt_at > now + timedelta(seconds=LONGEST_WAIT),
    )


@cache
def _insert_missing(dialect: str, table: Table) -> Any:
    return _INSERT[dialect](table).on_conflict_do_nothing()


@cache
def _upsert(dialect: str, table: Table, keep: frozenset[str], *, newer: bool) -> Any:
    statement = _INSERT[dialect](table)
    key = [column.name for column in table.primary_key]
    fresh = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={c.name: fresh[c.name] for c in table.c if c.name not in {*key, *keep}},
        where=(
            tuple_(fresh.version_at, fresh.version_tie)
            > tuple_(table.c.version_at, table.c.version_tie)
        )
        if newer
        else None,
    )
