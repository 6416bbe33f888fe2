"""The tables in the SQLite file: each person's rows in them, and whether the CSV files are older.

No row calls its person but by the key of the record that it came with.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from connector.model import Change, Json

TABLES = ("customers", "orders", "segments", "consents")
WRITTEN, UNWRITTEN, AT_ONCE = range(3)
"""What ``PRAGMA user_version`` says: are the CSV files older than the tables, and may that wait."""

_SEARCHED: Mapping[str, tuple[str, ...]] = {
    "customers": ("first_name", "last_name", "email", "company"),
    "orders": ("number", "first_name", "last_name", "company", "lines"),
}
"""The columns of each table that full-text search looks in; they are there from the beginning."""

_BARE = "without_rows"
"""Where people are noted who are held, and have no row in any table."""

Row = Mapping[str, Json]


def make(database: Database, table: str) -> None:
    """Make a table with its search index, if it is not there."""
    if database.table(table).exists():
        return
    # The columns have no type: a number stays a number and a text a text, whatever came first.
    names = ", ".join(("person NOT NULL", *_SEARCHED.get(table, ())))
    with database.atomic():
        database.execute(f"CREATE TABLE {table} ({names})")
        database.execute(f"CREATE INDEX ix_{table}_person ON {table} (person)")
        if table in _SEARCHED:
            database.table(table).enable_fts(
                _SEARCHED[table], create_triggers=True, tokenize="unicode61 remove_diacritics 2"
            )


def held(database: Database) -> list[str]:
    """The tables that are there."""
    present = set(database.table_names())
    return [table for table in TABLES if table in present]


def _columns_for(database: Database, table: str, rows: Sequence[Row]) -> dict[str, str]:
    """Every column by its name in lower case (SQLite knows no other), new ones added."""
    columns = {name.lower(): name for name in database.table(table).columns_dict}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name.lower() not in columns:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)}")
            columns[name.lower()] = name
    return columns


def replace(database: Database, changes: Sequence[Change]) -> None:
    """Put each person's rows in place of the old ones, all in one transaction."""
    rows: dict[str, list[Row]] = {table: [] for table in held(database)}
    for change in changes:
        for table, given in (change.after.tables if change.after else {}).items():
            rows.setdefault(table, []).extend({**row, "person": change.key} for row in given)
    with database.atomic():
        for table, new in rows.items():
            make(database, table)
            columns = _columns_for(database, table, new)
            database.conn.executemany(
                f"DELETE FROM {table} WHERE person = ?",  # noqa: S608 one of TABLES
                [(change.key,) for change in changes],
            )
            spelled = [{columns[name.lower()]: row[name] for name in row} for row in new]
            database.table(table).insert_all(
                dict.fromkeys(columns.values()) | row for row in spelled
            )
        _note_bare(database, changes)
        mark(database, AT_ONCE if any(each.erased for each in changes) else UNWRITTEN)


def people(database: Database, *, start: int, most: int) -> list[str]:
    """So many of the people who are held, in their order, after the first ``start``."""
    known = [*held(database), *([_BARE] if database.table(_BARE).exists() else [])]
    if not known:
        return []
    every = " UNION ".join(f"SELECT person FROM {table}" for table in known)  # noqa: S608 ours
    found = database.execute(
        f"SELECT person FROM ({every}) WHERE typeof(person) = 'text' "  # noqa: S608 the same
        "ORDER BY person LIMIT ? OFFSET ?",
        [most, start],
    )
    return [person for (person,) in found]


def rows_of(database: Database, persons: Sequence[str]) -> dict[str, dict[str, list[Row]]]:
    """The rows of these people by table, in the order they came."""
    found: dict[str, dict[str, list[Row]]] = {person: {} for person in persons}
    for table in held(database):
        for row in database.query(
            f"SELECT * FROM {table} "  # noqa: S608 one of TABLES
            "WHERE person IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            [json.dumps(list(persons))],
        ):
            found[row["person"]].setdefault(table, []).append(row)
    return found


def _note_bare(database: Database, changes: Sequence[Change]) -> None:
    """Who is held without a row is held all the same, and would be looked for else."""
    bare = [each for each in changes if each.after and not any(each.after.tables.values())]
    if bare and not database.table(_BARE).exists():
        database.execute(f"CREATE TABLE {_BARE} (person PRIMARY KEY) WITHOUT ROWID")
    if database.table(_BARE).exists():
        database.conn.executemany(
            f"DELETE FROM {_BARE} WHERE person = ?",  # noqa: S608 ours
            [(each.key,) for each in changes],
        )
        database.table(_BARE).insert_all({"person": each.key} for each in bare)


def mark(database: Database, how: int) -> None:
    """Note in the file itself that the CSV files are older than it: a crash must not forget it."""
    if how > marked(database):
        database.execute(f"PRAGMA user_version = {how}")


def marked(database: Database) -> int:
    """Whether the CSV files are older, and may stay so for a while."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def counts(database: Database) -> dict[str, dict[str, int]]:
    """How many customers there are by shop and by the state of their permission to be mailed."""
    by_shop, by_consent = Counter[str](), Counter[str]()
    columns = database.table("customers").columns_dict if "customers" in held(database) else {}
    if {"shops", "email_consent"} <= columns.keys():
        for shops, consent, number in database.execute(
            "SELECT shops, email_consent, count(*) FROM customers GROUP BY 1, 2"
        ):
            for shop in str(shops or "").split(", "):
                by_shop[shop] += number
            by_consent[str(consent or "")] += number
    return {"by_shop": dict(by_shop), "by_email_consent": dict(by_consent)}


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
