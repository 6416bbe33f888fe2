"""The few statements whose spelling both engines share but SQLAlchemy Core keeps apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    false,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector.policy.retry import LONGEST_WAIT
from connector.store.schema import JsonText, Moment

T = TypeVar("T", bound=Any)
_SQLITE = sqlite.dialect()
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(conn: Connection, table: Table) -> Any:
    """An ``INSERT`` that knows ``ON CONFLICT``, in the connection's dialect."""
    return insert_for(conn.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Any:
    """The same for a dialect by its name: ``sqlite`` or ``postgresql``."""
    return _INSERT[dialect](table)


def write_rows(conn: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for many rows, which all have the same columns.

    For SQLite, which has them in no time, the rows are made ready here: SQLAlchemy looks at every
    value of every row anew, and took most of the time of a batch. Give a statement that is kept
    (a constant, or from a cache): it is compiled once.
    """
    if not rows:
        return
    if conn.dialect.name != "sqlite":
        conn.execute(statement, rows)
        return
    ready = _ready(statement, tuple(rows[0]))
    conn.exec_driver_sql(ready.sql, [ready.row(row) for row in rows])


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement as SQLite takes it, with what makes a row of values from one by names."""

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    values: Callable[[Any], tuple[Any, ...]]

    def row(self, named: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values in the order of the statement."""
        if not self.converted and not self.fixed:
            return self.values(named)
        values = list(self.values({**self.fixed, **named} if self.fixed else named))
        for place, convert in self.converted:
            values[place] = convert(values[place])
        return tuple(values)


@cache
def _ready(statement: Any, columns: tuple[str, ...]) -> _Ready:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(columns))
    names = tuple(compiled.positiontup)
    processors = {
        name: process for name in names if (process := _processor(compiled.binds[name].type))
    }
    picked = itemgetter(*names)
    return _Ready(
        sql=str(compiled),
        names=names,
        fixed={name: value for name, value in compiled.params.items() if name not in columns},
        converted=tuple(
            (place, processors[name]) for place, name in enumerate(names) if name in processors
        ),
        values=picked if len(names) > 1 else lambda row: (picked(row),),
    )


def insert_missing(conn: Connection, table: Table) -> Any:
    """Insert rows whose key is not there yet; leave the others as they are."""
    return _insert_missing(conn.dialect.name, table)


def upsert(conn: Connection, table: Table, *, keep: Collection[str] = ()) -> Any:
    """Insert, or overwrite every column but the key and ``keep``."""
    return _upsert(conn.dialect.name, table, frozenset(keep), newer=False)


def upsert_newer(conn: Connection, table: Table) -> Any:
    """Insert, or overwrite a row of an older version; a newer or equal one is left alone."""
    return _upsert(conn.dialect.name, table, frozenset(), newer=True)


def _processor(type_: Any) -> Callable[[Any], Any] | None:
    """What makes of a value what SQLite takes, if it is not the value itself."""
    if isinstance(type_, Moment | JsonText):
        return type_.kept
    if isinstance(type_, LargeBinary):
        return None  # it would only wrap the bytes
    process: Callable[[Any], Any] | None = type_.dialect_impl(_SQLITE).bind_processor(_SQLITE)
    return process


def among(conn: Connection, column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column holds one of these: a single parameter, however many there are.

    With one for each, SQLAlchemy spells the statement anew every time, which takes longer than
    finding the rows.
    """
    if conn.dialect.name != "sqlite":
        wanted: ColumnElement[bool] = column == any_(
            bindparam(None, list(values), type_=ARRAY(Text))
        )
        return wanted
    listed = msgspec.json.encode(list(values)).decode()
    each = func.json_each(bindparam(None, listed, type_=Text)).table_valued("value")
    found: ColumnElement[bool] = column.in_(select(each.c.value))
    return found


def at_places(
    conn: Connection, shop: Any, column: Any, places: Iterable[tuple[str, str]]
) -> ColumnElement[bool]:
    """Whether two columns hold one of these pairs of a shop and its id of something."""
    by_shop: dict[str, list[str]] = {}
    for name, number in places:
        by_shop.setdefault(name, []).append(number)
    return or_(
        false(), *(and_(shop == name, among(conn, column, ids)) for name, ids in by_shop.items())
    )


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
