"""Keeps customers, orders, segments and consents in one SQLite file, and copies them out as CSV.

The file is ready for https://datasette.io: a table for each kind, an index for full-text search.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from adapters.files import manifest, showing, tables
from adapters.files.rows import refusal
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Record, Settled
from connector.ports import OPERATOR, Finding, Grade, Shape, Shown

_PATIENCE = 5.0  # seconds to wait while another program reads the file


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
        wanted = tuple(name for name in tables.TABLES if name in shape.tables)
        with self._open() as database:
            for table in wanted:
                tables.make(database, table)
            files = [*map(self._csv, wanted), self._folder / manifest.NAME]
            if not all(file.exists() for file in files):
                tables.mark(database, tables.UNWRITTEN)
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
        fine = Finding(what=f"{self._folder} can be written", grade=Grade.FINE)
        return (fine, *manifest.findings(self._folder, [*map(_csv_of, tables.TABLES)]))

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Replace each person's rows by the new ones, all in one transaction."""
        del now
        latest = {change.key: change for change in changes}
        refused = {key: what for key, change in latest.items() if (what := refusal(change))}
        taken = [change for key, change in latest.items() if key not in refused]
        if taken:
            with self._open() as database:
                tables.replace(database, taken)
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
            self._not_before = self._until(tables.marked(database), now)
            if tables.marked(database) and self._not_before is None:
                self._export(database, now)

    def show(self, cursor: str | None, *, now: datetime) -> Shown:
        """Read what is held of a thousand people, in the SQLite file. Raises as `prepare`.

        The CSV files are looked at first: those that are not as they were written are written anew.
        """
        with self._open() as database:
            if cursor is None:
                self._restore(database, now)
            return showing.page(database, cursor)

    def as_shown(self, record: Record) -> Record:
        """What `show` gives of a record that was taken whole."""
        return showing.as_shown(record)

    def is_waiting(self) -> bool:
        """Whether the last `flush` left something for later, because it was not time."""
        return self._not_before is not None

    def rewrite(self) -> None:
        """Write the CSV files anew now, whether or not anything changed. Raises as `prepare`."""
        with self._open() as database:
            tables.mark(database, tables.AT_ONCE)
        self._not_before = None
        self.flush()

    def _until(self, mark: int, now: datetime) -> datetime | None:
        """Until when what is marked so must wait, if it must."""
        if mark != tables.UNWRITTEN or self._every is None:
            return None
        return manifest.next_at(self._folder, self._every, now=now)

    def _restore(self, database: Database, now: datetime) -> None:
        """Write the CSV files anew if somebody changed one or took it away, whatever the time."""
        names = [*map(_csv_of, tables.held(database))]
        altered = manifest.altered(self._folder, names)
        if altered and (
            manifest.exists(self._folder) or tables.marked(database) != tables.UNWRITTEN
        ):
            tables.mark(database, tables.AT_ONCE)  # a crash must not forget it
            self._not_before = None
            self._export(database, now, manifest.Restored.of(altered, now))

    def _export(
        self, database: Database, now: datetime, restored: manifest.Restored | None = None
    ) -> None:
        restored = restored or manifest.restored(self._folder)
        manifest.take_away(self._folder)
        written = []
        for table in tables.held(database):
            # Merging the search index is what makes it forget the words of removed rows.
            database.table(table).optimize()
            columns = list(database.table(table).columns_dict)
            chosen = ", ".join(map(tables.quoted, columns))
            rows = database.execute(
                f"SELECT {chosen} FROM {table} ORDER BY person, rowid"  # noqa: S608 quoted
            )
            written.append(manifest.write_table(self._csv(table), columns, rows))
        manifest.put(
            self._folder,
            self._name,
            written,
            tables.counts(database),
            every=self._every,
            restored=restored,
            now=now,
        )
        database.execute(f"PRAGMA user_version = {tables.WRITTEN}")

    def _csv(self, table: str) -> Path:
        return self._folder / _csv_of(table)

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


def _csv_of(table: str) -> str:
    return f"{table}.csv"
