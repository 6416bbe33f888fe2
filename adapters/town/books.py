"""Where a stand-in shop keeps its orders, customers and goods: one SQLite table for each.

A row holds the body as the shop shows it and, beside it, only the columns that lists are filtered
by. Kept with sqlite-utils, so that a file can be looked into with any of its tools.
"""

# ruff: noqa: S608 the names of tables and columns in SQL are the stand-ins' own
from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeAlias

from sqlite_utils import Database

Body: TypeAlias = dict[str, Any]
"""A thing of a shop in the shop's own words, JSON values only."""
Columns: TypeAlias = Mapping[str, Mapping[str, type]]
"""The columns of each table, beside those that every table has."""
Row: TypeAlias = dict[str, Any]
"""A row's columns; ``body`` is JSON text, ``created`` and ``modified`` are seconds since 1970."""

_EVERY = {"id": int, "created": int, "modified": int, "body": str}


class Books:
    """The shop's books. Safe to use from several threads; ``turn`` makes several steps one.

    ``indexes`` names the columns by which tables are searched; ``write`` makes a body's text.
    ``state`` is another number after every change.
    """

    def __init__(
        self,
        columns: Columns,
        write: Callable[[Any], bytes],
        *,
        path: str | None = None,
        indexes: Mapping[str, str] | None = None,
    ) -> None:
        connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        connection.execute("PRAGMA synchronous=OFF")
        self._db = Database(connection)
        self._text = write
        self._lock = threading.RLock()
        self.state = 0
        for name, own in columns.items():
            table = self._db.table(name)
            table.create({**_EVERY, **own}, pk="id", if_not_exists=True)
            if indexes and name in indexes:
                table.create_index([indexes[name]], if_not_exists=True)
        self._db.table("numbers").create({"name": str, "last": int}, pk="name", if_not_exists=True)
        self._numbers: dict[str, int] = {
            row["name"]: row["last"] for row in self._db.query("SELECT name, last FROM numbers")
        }

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody else reads or writes the books until this is over."""
        with self._lock:
            yield

    def number(self, series: str) -> int:
        """The next number of a series, from 1."""
        with self._lock:
            last = self._numbers.get(series, 0) + 1
            self._numbers[series] = last
            self._write("INSERT OR REPLACE INTO numbers (name, last) VALUES (?, ?)", (series, last))
            return last

    def keep(self, table: str, body: Body, now: datetime | None = None, **columns: Any) -> None:
        """Write a thing anew or again. ``now`` moves its time; columns not named stay."""
        with self._lock:
            row: Row = {"id": body["id"], "body": self._text(body).decode(), **columns}
            if now is not None:
                row["modified"] = int(now.timestamp())
                row["created"] = int(now.timestamp())
            names = list(row)
            changed = [name for name in names if name not in {"id", "created"}]
            self._write(
                f"INSERT INTO {table} ({', '.join(names)}) "
                f"VALUES ({', '.join('?' * len(names))}) ON CONFLICT (id) DO UPDATE SET "
                + ", ".join(f"{name} = excluded.{name}" for name in changed),
                tuple(row.values()),
            )

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Write many rows at once, each with all its columns; ``body`` is text already."""
        with self._lock:
            self._db.table(table).insert_all(rows, pk="id", replace=True, batch_size=500)
            self.state += 1

    def after(self, series: str, number: int) -> None:
        """Let a series go on after ``number``, if it is not further already."""
        with self._lock:
            if number > self._numbers.get(series, 0):
                self._numbers[series] = number - 1
                self.number(series)

    def mark(self, table: str, number: int, **columns: Any) -> None:
        """Change some columns of a row and nothing else."""
        sets = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE {table} SET {sets} WHERE id = ?"
        self._write(sql, (*columns.values(), number))

    def row(self, table: str, number: int) -> Row | None:
        """One row, or ``None``."""
        found = self.rows(table, "id = ?", (number,))
        return found[0] if found else None

    def body(self, table: str, number: int) -> Body | None:
        """One body, or ``None``."""
        row = self.row(table, number)
        return None if row is None else opened(row)

    def rows(
        self, table: str, where: str = "1", values: tuple[Any, ...] = (), rest: str = "ORDER BY id"
    ) -> list[Row]:
        """All rows for which ``where`` (our own SQL) holds."""
        sql = f"SELECT * FROM {table} WHERE {where} {rest}"
        with self._lock:
            return list(self._db.query(sql, values))

    def ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """The rows of any query of ours."""
        with self._lock:
            return list(self._db.query(sql, values))

    def count(self, table: str, where: str = "1", values: tuple[Any, ...] = ()) -> int:
        """How many rows ``where`` holds for."""
        sql = f"SELECT count(*) AS n FROM {table} WHERE {where}"
        return int(self.ask(sql, values)[0]["n"])

    def drop(self, table: str, number: int) -> None:
        """Remove a row for good."""
        self._write(f"DELETE FROM {table} WHERE id = ?", (number,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            self._db.execute(sql, values)
            self.state += 1


def opened(row: Mapping[str, Any]) -> Body:
    """The body in a row."""
    body: Body = json.loads(row["body"])
    return body
