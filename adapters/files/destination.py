"""Keeps customers, orders, segments and consents in one SQLite file, and copies them out as CSV.

The file is ready for https://datasette.io: a table for each kind, an index for full-text search.
"""

from __future__ import annotations

import math
import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from adapters.files import manifest
from connector.errors import LaneDown, TryLater
from connector.model import Change, Json, Outcome, Parked, Settled
from connector.ports import OPERATOR, Finding, Grade, Shape

_SEARCHED: Mapping[str, tuple[str, ...]] = {
    "customers": ("first_name", "last_name", "email", "company"),
    "orders": ("number", "first_name", "last_name", "company", "lines"),
}
"""The columns of each table that full-text search looks in; they are there from the beginning."""

_TABLES = ("customers", "orders", "segments", "consents")
_WRITTEN, _UNWRITTEN, _AT_ONCE = range(3)
"""What ``PRAGMA user_version`` says: are the CSV files older than the tables, and may that wait."""
_PATIENCE = 5.0  # seconds to wait while another program reads the file
_LARGEST = 2**63
_MEND_ROW = "Look at the attributes mapped to this destination: one gives a value no table can hold"

Row = Mapping[str, Json]


class FilesDestination:
    """A folder as a destination. ``folder`` must be for our user alone to change.

    ``every`` is the least time from one export of the CSV files to the next, by ``clock``; the
    SQLite file is always of now. Who was erased is out of both at once.
    """

    batch_size = 1000

    def __init__(
        self,
        name: str,
        folder: Path,
        every: timedelta | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._folder = folder
        self._file = folder / f"{name}.sqlite3"
        self._every = every
        self._clock = clock
        self._not_before: datetime | None = None

    @property
    def name(self) -> str:
        """The destination's name in the configuration."""
        return self._name

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Make the folder, the file and the tables; raises `LaneDown` if the place is not safe."""
        wanted = tuple(name for name in _TABLES if name in shape.tables)
        with self._open() as database:
            for table in wanted:
                _make(database, table)
            files = [*map(self._csv, wanted), self._folder / manifest.NAME]
            if not all(file.exists() for file in files):
                _mark(database, _UNWRITTEN)
        return ()

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Is there a folder for our user alone, and room in it; nothing is made or changed."""
        del shape, now
        place = self._folder
        while not os.path.lexists(place):
            place = place.parent
        if place == self._folder and os.path.lexists(self._file):
            try:
                with self._open() as database:
                    database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except (TryLater, LaneDown) as problem:
                return (Finding.of("the folder cannot be used", problem),)
        if not os.access(place, os.W_OK | os.X_OK):
            return (
                Finding(
                    what="the folder cannot be written",
                    cause=f"{place} is not this user's to write in",
                    mend=f"Give the connector a folder of its own for {self._name}.",
                    who=OPERATOR,
                    grade=Grade.ALARM,
                ),
            )
        return (Finding(what=f"{self._folder} can be written", grade=Grade.FINE),)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Replace each person's rows by the new ones, all in one transaction."""
        del now
        latest = {change.key: change for change in changes}
        refused = {key: what for key, change in latest.items() if (what := _refusal(change))}
        taken = [change for key, change in latest.items() if key not in refused]
        if taken:
            with self._open() as database:
                self._replace(database, taken)
            if any(change.erased for change in taken):
                self._not_before = None
        return {key: refused.get(key, Settled()) for key in latest}

    def flush(self) -> None:
        """Write the CSV files anew, if the tables changed since then and it is time.

        Raises as `prepare`.
        """
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return
        with self._open() as database:
            self._not_before = self._until(_marked(database), now)
            if _marked(database) and self._not_before is None:
                self._export(database, now)

    def is_waiting(self) -> bool:
        """Whether the last `flush` left something for later, because it was not time."""
        return self._not_before is not None

    def rewrite(self) -> None:
        """Write the CSV files anew now, whether or not anything changed. Raises as `prepare`."""
        with self._open() as database:
            _mark(database, _AT_ONCE)
        self._not_before = None
        self.flush()

    def _until(self, mark: int, now: datetime) -> datetime | None:
        """Until when what is marked so must wait, if it must."""
        if mark != _UNWRITTEN or self._every is None:
            return None
        return manifest.next_at(self._folder, self._every, now=now)

    def _export(self, database: Database, now: datetime) -> None:
        manifest.take_away(self._folder)
        written = []
        for table in _held(database):
            # Merging the search index is what makes it forget the words of removed rows.
            database.table(table).optimize()
            columns = list(database.table(table).columns_dict)
            chosen = ", ".join(map(_quoted, columns))
            rows = database.execute(
                f"SELECT {chosen} FROM {table} ORDER BY person, rowid"  # noqa: S608 quoted
            )
            written.append(manifest.write_table(self._csv(table), columns, rows))
        manifest.put(
            self._folder, self._name, written, _counts(database), every=self._every, now=now
        )
        database.execute(f"PRAGMA user_version = {_WRITTEN}")

    def _replace(self, database: Database, changes: Sequence[Change]) -> None:
        rows: dict[str, list[Row]] = {table: [] for table in _held(database)}
        for change in changes:
            for table, given in (change.after.tables if change.after else {}).items():
                rows.setdefault(table, []).extend({**row, "person": change.key} for row in given)
        with database.atomic():
            for table, new in rows.items():
                _make(database, table)
                columns = _columns_for(database, table, new)
                database.conn.executemany(
                    f"DELETE FROM {table} WHERE person = ?",  # noqa: S608 one of _TABLES
                    [(change.key,) for change in changes],
                )
                spelled = [{columns[name.lower()]: row[name] for name in row} for row in new]
                database.table(table).insert_all(
                    dict.fromkeys(columns.values()) | row for row in spelled
                )
            _mark(database, _AT_ONCE if any(each.erased for each in changes) else _UNWRITTEN)

    def _csv(self, table: str) -> Path:
        return self._folder / f"{table}.csv"

    @contextmanager
    def _open(self) -> Iterator[Database]:
        """The file, opened for one step; what goes wrong is told as what happens next."""
        try:
            self._make_place()
            connection = sqlite3.connect(self._file, timeout=_PATIENCE)
            database = Database(connection)
            try:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA synchronous = FULL")
                yield database
            finally:
                database.close()
        except sqlite3.OperationalError as error:
            raise TryLater(f"{self._file} cannot be written now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise LaneDown(
                f"{self._file} is damaged or no SQLite file: {error}",
                mend="Move it away and have this destination reconciled, which writes it anew",
            ) from error
        except (PermissionError, NotADirectoryError, FileExistsError) as error:
            raise LaneDown(
                f"{self._folder} cannot be used: {error.strerror}",
                mend=f"Give the connector a folder of its own for {self._name}",
            ) from error
        except OSError as error:
            raise TryLater(f"{self._folder} cannot be written now: {error.strerror}") from error

    def _make_place(self) -> None:
        if not os.path.lexists(self._folder):
            self._folder.mkdir(mode=0o700, parents=True)
        for path, is_right in ((self._folder, stat.S_ISDIR), (self._file, stat.S_ISREG)):
            if path == self._file and not os.path.lexists(path):
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
                os.close(os.open(path, flags, 0o600))
            mode = path.lstat().st_mode
            if not is_right(mode):
                found = "a symbolic link" if stat.S_ISLNK(mode) else "of another kind"
                raise LaneDown(
                    f"{path} is {found}, and personal data is not written through it",
                    mend=f"Set the folder of {self._name} to the real place",
                )
            if mode & stat.S_IWOTH:
                raise LaneDown(
                    f"{path} can be changed by everybody on this machine",
                    mend=f"Take that right away: chmod o-w {path}",
                )


def _make(database: Database, table: str) -> None:
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


def _held(database: Database) -> list[str]:
    present = set(database.table_names())
    return [table for table in _TABLES if table in present]


def _columns_for(database: Database, table: str, rows: Sequence[Row]) -> dict[str, str]:
    """Every column by its name in lower case (SQLite knows no other), new ones added."""
    columns = {name.lower(): name for name in database.table(table).columns_dict}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name.lower() not in columns:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {_quoted(name)}")
            columns[name.lower()] = name
    return columns


def _mark(database: Database, how: int) -> None:
    """Note in the file itself that the CSV files are older than it: a crash must not forget it."""
    if how > _marked(database):
        database.execute(f"PRAGMA user_version = {how}")


def _marked(database: Database) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _counts(database: Database) -> dict[str, dict[str, int]]:
    """How many customers there are by shop and by the state of their permission to be mailed."""
    by_shop, by_consent = Counter[str](), Counter[str]()
    columns = database.table("customers").columns_dict if "customers" in _held(database) else {}
    if {"shops", "email_consent"} <= columns.keys():
        for shops, consent, number in database.execute(
            "SELECT shops, email_consent, count(*) FROM customers GROUP BY 1, 2"
        ):
            for shop in str(shops or "").split(", "):
                by_shop[shop] += number
            by_consent[str(consent or "")] += number
    return {"by_shop": dict(by_shop), "by_email_consent": dict(by_consent)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refusal(change: Change) -> Parked | None:
    """Why a record cannot be kept, if so; never with what stands in it."""
    for table, rows in (change.after.tables if change.after else {}).items():
        if table not in _TABLES:
            return Parked(
                reason=f"there is no table {table!r}", mend=f"Choose from {', '.join(_TABLES)}"
            )
        for row in rows:
            if len({name.lower() for name in row}) != len(row):
                return Parked(reason=f"{table} has a column twice", mend=_MEND_ROW)
            for name, value in row.items():
                if not (_is_text(name) and name and "\x00" not in name and _fits(value)):
                    return Parked(
                        reason=f"{table}.{name!a:.60} has a value that is no text or number",
                        mend=_MEND_ROW,
                    )
    return None


def _fits(value: Json) -> bool:
    match value:
        case None | bool():
            return True
        case int():
            return -_LARGEST <= value < _LARGEST
        case float():
            return math.isfinite(value)
        case str():
            return _is_text(value)
        case _:
            return False


def _is_text(value: Json) -> bool:
    """Can it be stored as UTF-8: half of a surrogate pair cannot."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
