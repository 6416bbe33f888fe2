"""Copies of an SQLite store, taken while it is used, and putting one back."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connector.errors import StoreUnavailable
from connector.store import ledger
from connector.store.damage import refuse_damaged
from connector.store.sole import sole_worker
from connector.store.suppressions import Entry
from connector.whole_files import sync_folder

_JOURNALS = ("-wal", "-shm")
_PATIENCE = 5.0  # seconds


def back_up(store: Path, target: Path, erased: list[Entry]) -> int:
    """Copy the store as it is at this moment, writers or not; gives the copy's size in bytes.

    Store and copy are looked through for damage, so that no damaged copy takes the place of a good
    one. The list of who was erased is put beside the copy. Raises `StoreUnavailable`.
    """
    with _telling(store), closing(sqlite3.connect(store, timeout=_PATIENCE)) as source:
        _examine(source, store)
        with _new_file(target) as fresh:
            with closing(sqlite3.connect(fresh)) as copy:
                source.backup(copy)  # in one step: a writer does not make it begin anew
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a journal
                _examine(copy, target)
            size = fresh.stat().st_size
    ledger.write(ledger.beside(target), erased)
    return size


def put_back(source: Path, store: Path) -> Path | None:
    """Put a copy in the place of the store; gives where the former store is kept now.

    Who was erased since the copy is noted first: until they are erased again, nobody gets to use
    the store. Raises `StoreUnavailable`: for a damaged copy, or while anybody uses the store.
    """
    if not source.is_file():
        raise StoreUnavailable(f"there is no backup {source}.")
    if store.exists() and source.samefile(store):
        raise StoreUnavailable(f"{source} is the store itself, not a backup of it.")
    refuse_damaged(source)
    with sole_worker(str(store)):
        _let_nobody_in(store)
        with _telling(source), _new_file(store) as fresh:
            with closing(sqlite3.connect(source, timeout=_PATIENCE)) as copy:
                _examine(copy, source)
                _know(copy, source)
                with closing(sqlite3.connect(fresh)) as into:
                    copy.backup(into)
                    into.execute("PRAGMA journal_mode=DELETE")
            noted = [
                *ledger.read(ledger.beside(store)),
                *ledger.read(ledger.beside(source)),
            ]
            latest: dict[bytes, Entry] = {}
            for entry in sorted(noted, key=lambda entry: entry.erased_at):
                latest[entry.digest.value] = entry
            ledger.write(ledger.beside(store), latest.values())
            return _set_aside(store)


def _let_nobody_in(store: Path) -> None:
    """Make sure that no other program has the store open: it would go on writing into the old.

    A healthy store can leave its journal mode only while nobody else has it open.
    """
    if not store.exists():
        return
    try:
        with closing(sqlite3.connect(store, timeout=1.0)) as conn:
            conn.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreUnavailable(
                f"{store} is in use: stop the connector before a backup is put back."
            ) from problem
    except sqlite3.DatabaseError:
        return  # damaged: that is why a backup is put back


def _set_aside(store: Path) -> Path | None:
    """Keep what was there, damaged or not, under a second name: nothing is thrown away here.

    The store itself is never missing: an empty one could be made in its place.
    """
    if not store.exists():
        return None
    aside = store.with_name(f"{store.name}.replaced")
    for end in ("", *_JOURNALS):
        Path(f"{aside}{end}").unlink(missing_ok=True)
    aside.hardlink_to(store)
    for end in _JOURNALS:
        if Path(f"{store}{end}").exists():
            Path(f"{store}{end}").rename(f"{aside}{end}")
    return aside


def _examine(conn: sqlite3.Connection, file: Path) -> None:
    found = [row[0] for row in conn.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise StoreUnavailable(
            f"{file} is damaged, so nothing was copied ({len(found)} or more findings). "
            "Take an older backup."
        )


def _know(conn: sqlite3.Connection, file: Path) -> None:
    """Refuse a database that is not one of ours, an empty one first of all."""
    ours = "SELECT count(*) FROM sqlite_schema WHERE name IN ('deliveries', 'alembic_version')"
    if conn.execute(ours).fetchone() != (2,):
        raise StoreUnavailable(f"{file} is no backup of a connector's store.")


@contextmanager
def _new_file(place: Path) -> Iterator[Path]:
    """A file for its owner alone that takes its place as a whole, or never."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.replace(place)
    except BaseException:
        for end in ("", "-journal", *_JOURNALS):
            Path(f"{fresh}{end}").unlink(missing_ok=True)
        raise
    sync_folder(place.parent)


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise StoreUnavailable(f"{file} cannot be read as a store: {problem}") from problem
    except OSError as problem:
        raise StoreUnavailable(f"{file} cannot be copied: {problem.strerror}") from problem
