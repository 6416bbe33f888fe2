"""The files destination: rows replaced, removed and forgotten, searched, and copied out."""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.files.destination import FilesDestination
from connector.errors import LaneDown, TryLater
from connector.model import Change, Json, Outcome, Parked, Permission, Record, Settled
from connector.ports import DestinationAdapter, Shape

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SHAPE = Shape(fields={}, tables=("customers", "orders", "segments", "consents"))
OLE, ASE = "ole@example.org", "åse@example.org"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for the files; the folder is made by the destination."""
    return tmp_path / "exports"


@pytest.fixture
def crm(folder: Path) -> Iterator[DestinationAdapter]:
    """A prepared destination."""
    destination: DestinationAdapter = FilesDestination("crm", folder)
    assert () == tuple(destination.prepare(SHAPE))
    yield destination
    left = {path.name for path in folder.iterdir()}
    assert not {name for name in left if name.startswith(".") or name.endswith("-journal")}


def person(key: str, **tables: tuple[Mapping[str, Json], ...]) -> Change:
    """A change that gives a person these rows."""
    after = Record(key=key, email=key, permission=Permission.SILENT, tables=tables)
    return Change(key=key, before=None, after=after)


def gone(key: str) -> Change:
    """A change that removes a person."""
    return Change(key=key, before=None, after=None)


def ole(**more: Json) -> Change:
    """A customer with two orders."""
    return person(
        OLE,
        customers=({"person": OLE, "email": OLE, "first_name": "Ole", "spent": 1250, **more},),
        orders=(
            {"person": OLE, "number": "1001", "lines": "Blåbær wool; needles", "total": 1000},
            {"person": OLE, "number": "1002", "lines": "Pattern: Łódź sweater", "total": 250},
        ),
    )


def held(folder: Path, sql: str) -> list[tuple[Json, ...]]:
    """What a reader of the SQLite file finds."""
    with closing(sqlite3.connect(folder / "crm.sqlite3")) as connection:
        return connection.execute(sql).fetchall()


def copied(folder: Path, table: str) -> list[dict[str, str]]:
    """What a reader of a CSV file finds."""
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def push(crm: DestinationAdapter, *changes: Change) -> Mapping[str, Outcome]:
    """Push, at a fixed moment."""
    return crm.push(changes, now=NOW)


def test_a_new_person_has_rows_in_every_table(crm: DestinationAdapter, folder: Path) -> None:
    """One customer, two orders; numbers are numbers and texts are texts."""
    assert {OLE: Settled()} == push(crm, ole())
    assert [(OLE, "Ole", 1250)] == held(folder, "SELECT person, first_name, spent FROM customers")
    expected = [("1001", "text", 1000, "integer"), ("1002", "text", 250, "integer")]
    assert expected == held(
        folder, "SELECT number, typeof(number), total, typeof(total) FROM orders ORDER BY rowid"
    )
    assert [] == held(folder, "SELECT * FROM segments")


def test_a_change_replaces_the_person_and_nobody_else(
    crm: DestinationAdapter, folder: Path
) -> None:
    """What is no longer there goes, what is the same stays once, other people stay."""
    push(crm, ole(), person(ASE, customers=({"email": ASE},)))
    push(crm, person(OLE, customers=({"email": OLE, "first_name": "Olav"},)))
    expected = [(OLE, "Olav", None), (ASE, None, None)]
    assert expected == held(folder, "SELECT person, first_name, spent FROM customers ORDER BY 1")
    assert [] == held(folder, "SELECT * FROM orders")


def test_the_same_change_twice_is_the_same(crm: DestinationAdapter, folder: Path) -> None:
    """Pushed again, even in one batch, nothing doubles and the last one counts."""
    assert {OLE: Settled()} == push(crm, ole(), ole(first_name="Olav"))
    push(crm, ole(first_name="Olav"))
    assert [("Olav",)] == held(folder, "SELECT first_name FROM customers")
    assert [(2,)] == held(folder, "SELECT count(*) FROM orders")


def test_rows_belong_to_the_key_they_came_under(crm: DestinationAdapter, folder: Path) -> None:
    """Whatever a row calls its person, it can be found and removed by the record's key."""
    push(crm, person(OLE, customers=({"person": "somebody", "email": OLE},)))
    assert [(OLE,)] == held(folder, "SELECT person FROM customers")


def test_removing_works_once_and_again(crm: DestinationAdapter, folder: Path) -> None:
    """Somebody who is not there is removed without complaint."""
    push(crm, ole())
    assert {OLE: Settled(), ASE: Settled()} == push(crm, gone(OLE), gone(ASE))
    assert {OLE: Settled()} == push(crm, gone(OLE))
    assert [(0, 0)] == held(
        folder, "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders)"
    )


def test_removed_people_are_forgotten_by_the_disk(crm: DestinationAdapter, folder: Path) -> None:
    """After a removal and the flush, no byte of the person is in any file, the index included."""
    markers = [b"zzmarker", b"Kvikksolv", b"91234567"]
    others = [person(f"p{n}@x.no", customers=({"first_name": f"P{n}"},)) for n in range(300)]
    push(crm, *others)
    push(
        crm,
        person(
            "zzmarker@example.org",
            customers=({"first_name": "Kvikksolv", "phone": "+4791234567", "company": "x" * 9000},),
            orders=({"number": "1", "lines": "Kvikksolv sweater"},),
        ),
    )
    crm.flush()
    before = b"".join(path.read_bytes() for path in folder.iterdir())
    assert all(marker.lower() in before.lower() for marker in markers)
    push(crm, gone("zzmarker@example.org"))
    crm.flush()
    after = b"".join(path.read_bytes() for path in folder.iterdir())
    assert [] == [marker for marker in markers if marker.lower() in after.lower()]
    assert b"p299@x.no" in after


@pytest.mark.parametrize(
    ("table", "words", "expected"),
    [
        ("customers", "ole", 1),
        ("customers", '"ole@example.org"', 1),
        ("customers", "blabær", 0),
        ("customers", "anders", 1),
        ("customers", "aser", 1),
        ("orders", "1002", 1),
        ("orders", "blabær", 1),
        ("orders", "sweater", 1),
        ("orders", "gone", 0),
    ],
)
def test_people_and_orders_can_be_searched(
    crm: DestinationAdapter, folder: Path, table: str, words: str, expected: int
) -> None:
    """Names, addresses and companies; order numbers and what was bought; accents do not matter."""
    push(crm, person(ASE, customers=({"first_name": "Gone"},), orders=({"lines": "gone"},)))
    push(crm, ole(company="Åser & co", last_name="Anders"), gone(ASE))
    crm.flush()
    found = held(
        folder,
        f"SELECT count(*) FROM {table} WHERE rowid IN "  # noqa: S608 a test's own words
        f"(SELECT rowid FROM {table}_fts WHERE {table}_fts MATCH '{words}')",
    )
    assert [(expected,)] == found


def test_flush_writes_every_table(crm: DestinationAdapter, folder: Path) -> None:
    """One CSV file a table, with its header also when it is empty."""
    push(crm, ole(phone="+4791234567", company="=1+1"))
    assert [] == list(folder.glob("*.csv"))
    crm.flush()
    (customer,) = copied(folder, "customers")
    expected = {
        "person": OLE,
        "first_name": "Ole",
        "last_name": "",
        "email": OLE,
        "company": "'=1+1",
        "spent": "1250",
        "phone": "'+4791234567",
    }
    assert expected == customer
    assert ["1001", "1002"] == [order["number"] for order in copied(folder, "orders")]
    assert b"person\r\n" == (folder / "segments.csv").read_bytes()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert 0o700 == folder.stat().st_mode & 0o777


def test_flush_writes_only_what_changed(crm: DestinationAdapter, folder: Path) -> None:
    """A flush with nothing new leaves the files alone; a change since the last one is not lost."""
    push(crm, ole())
    crm.flush()
    first = (folder / "customers.csv").stat()
    crm.flush()
    FilesDestination("crm", folder).flush()
    assert (first.st_ino, first.st_mtime_ns) == (
        (folder / "customers.csv").stat().st_ino,
        (folder / "customers.csv").stat().st_mtime_ns,
    )
    push(crm, gone(OLE))
    FilesDestination("crm", folder).flush()  # as after a crash between push and flush
    assert [] == copied(folder, "customers")


def test_a_file_that_was_deleted_comes_back(crm: DestinationAdapter, folder: Path) -> None:
    """Starting again notices that a CSV file is missing."""
    push(crm, ole())
    crm.flush()
    (folder / "orders.csv").unlink()
    crm.prepare(SHAPE)
    crm.flush()
    assert 2 == len(copied(folder, "orders"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"a": [1]}, "customers.'a' has a value that is no text or number"),
        ({"a": {}}, "customers.'a' has a value that is no text or number"),
        ({"a": 2**63}, "customers.'a' has a value that is no text or number"),
        ({"a": float("nan")}, "customers.'a' has a value that is no text or number"),
        ({"a": "\ud800"}, "customers.'a' has a value that is no text or number"),
        ({"": 1}, "customers.'' has a value that is no text or number"),
        ({"a": 1, "A": 2}, "customers has a column twice"),
    ],
)
def test_one_bad_row_among_good(
    crm: DestinationAdapter, folder: Path, row: Mapping[str, Json], reason: str
) -> None:
    """The bad record is parked with its reason, and the others go through."""
    mend = "Look at the attributes mapped to this destination: one gives a value no table can hold"
    outcomes = push(crm, ole(), person(ASE, customers=({"first_name": "Åse"}, row)))
    assert {OLE: Settled(), ASE: Parked(reason=reason, mend=mend)} == outcomes
    assert [(OLE,)] == held(folder, "SELECT person FROM customers")


def test_a_table_that_nobody_knows_is_refused(crm: DestinationAdapter, folder: Path) -> None:
    """Only the four tables exist."""
    outcomes = push(crm, person(OLE, sqlite_master=({"a": 1},)))
    expected = Parked(
        reason="there is no table 'sqlite_master'",
        mend="Choose from customers, orders, segments, consents",
    )
    assert {OLE: expected} == outcomes
    assert [] == held(folder, "SELECT * FROM customers")


def test_difficult_names_are_kept_exactly(crm: DestinationAdapter, folder: Path) -> None:
    """Quotes, semicolons, right-to-left marks and emoji, in values and in column names."""
    name = 'Bobby\'); DROP TABLE customers;-- \u202e 🧶 "x" \x00 ł'
    column = 'odd "name"; --'
    push(crm, person(OLE, customers=({"first_name": name, column: name, "Email": OLE},)))
    assert [(name, name, OLE)] == held(
        folder, 'SELECT first_name, "odd ""name""; --", email FROM customers'
    )


def test_new_columns_join_in_any_order_and_kind(crm: DestinationAdapter, folder: Path) -> None:
    """A column that began empty or as text takes numbers as numbers later."""
    push(crm, person("a", customers=({"x": None, "y": "007"},)))
    push(crm, person("b", customers=({"y": 7, "x": 1.5, "z": True},)))
    expected = [("a", None, "007", None), ("b", 1.5, 7, 1)]
    assert expected == held(folder, "SELECT person, x, y, z FROM customers ORDER BY person")


def test_a_large_batch_is_taken_whole(crm: DestinationAdapter, folder: Path) -> None:
    """As many as a batch holds, with many columns."""
    wide = {f"column_{number}": number for number in range(200)}
    batch = [person(f"p{n}", customers=(wide,)) for n in range(crm.batch_size)]
    assert {f"p{n}": Settled() for n in range(1000)} == crm.push(batch, now=NOW)
    assert [(1000, 199_000)] == held(folder, "SELECT count(*), sum(column_199) FROM customers")


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Neither the folder nor the file may be a symbolic link: nothing is written through it."""
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(LaneDown, match="is a symbolic link") as caught:
        FilesDestination("crm", tmp_path / "link").prepare(SHAPE)
    assert "Set the folder of crm to the real place" == caught.value.mend
    (real / "crm.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LaneDown, match="is a symbolic link"):
        FilesDestination("crm", real).push([ole()], now=NOW)
    assert not (tmp_path / "elsewhere").exists()


def test_a_place_that_everybody_may_change_is_refused(
    crm: DestinationAdapter, folder: Path
) -> None:
    """The folder or the file with write permission for all."""
    for path, mode in ((folder, 0o700), (folder / "crm.sqlite3", 0o600)):
        path.chmod(0o777)
        with pytest.raises(LaneDown, match="can be changed by everybody"):
            push(crm, ole())
        path.chmod(mode)
    assert [] == held(folder, "SELECT * FROM customers")


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    """A folder is a folder, and so is what is above it."""
    (tmp_path / "x").write_text("")
    with pytest.raises(LaneDown, match="is of another kind"):
        FilesDestination("crm", tmp_path / "x").prepare(SHAPE)
    with pytest.raises(LaneDown, match="cannot be used: Not a directory"):
        FilesDestination("crm", tmp_path / "x" / "y").prepare(SHAPE)


def test_a_damaged_file_stops_the_lane_and_is_left_as_it_is(folder: Path) -> None:
    """Nothing is created over what might still be rescued."""
    folder.mkdir(mode=0o700)
    file = folder / "crm.sqlite3"
    file.write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    file.chmod(0o600)
    before = file.read_bytes()
    with pytest.raises(LaneDown, match="damaged or no SQLite file"):
        FilesDestination("crm", folder).prepare(SHAPE)
    assert before == file.read_bytes()


def test_a_file_that_is_being_read_is_tried_again_later(
    crm: DestinationAdapter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the file: nothing is taken, nothing is lost."""
    monkeypatch.setattr("adapters.files.destination._PATIENCE", 0.1)
    with closing(sqlite3.connect(folder / "crm.sqlite3")) as reader:
        reader.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryLater, match="database is locked"):
            push(crm, ole())
        reader.rollback()
    assert [] == held(folder, "SELECT * FROM customers")
    assert {OLE: Settled()} == push(crm, ole())


def test_a_full_disk_is_tried_again_later(
    crm: DestinationAdapter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CSV file that cannot be written leaves the old ones, and is written next time."""
    push(crm, ole())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TryLater, match="cannot be written now: No space left on device"):
            crm.flush()
    assert [] == list(folder.glob("*.csv"))
    crm.flush()
    assert 1 == len(copied(folder, "customers"))
