"""The files are read back: rows that were lost are found, and a spoilt export is written anew."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.files import manifest, showing
from adapters.files.destination import FilesDestination
from connector.errors import LaneDown, TryLater
from connector.model import Change, Json, Permission, Record, Settled
from connector.ports import Grade, Shape, Showing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHAPE = Shape(fields={}, tables=("customers", "segments"))
KARI, OLA = "kari@x.example", "ola@x.example"


class Office:
    """A destination in a folder, exported once a day, and what it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.crm = FilesDestination("crm", folder, timedelta(days=1), lambda: self.now)
        self.crm.prepare(SHAPE)
        self.taken: dict[str, Record] = {}

    def push(self, key: str, **tables: Sequence[Mapping[str, Json]]) -> None:
        rows = {name: tuple(some) for name, some in tables.items()}
        after = Record(key=key, email=key, permission=Permission.SILENT, tables=rows)
        change = Change(key=key, before=self.taken.get(key), after=after)
        assert {key: Settled()} == self.crm.push([change], now=self.now)
        self.taken[key] = after

    def read(self) -> dict[str, Record]:
        found: dict[str, Record] = {}
        cursor = None
        while True:
            page = self.crm.show(cursor, now=self.now)
            found |= {key: each.record for key, each in page.held.items()}
            cursor = page.cursor
            if cursor is None:
                return found

    def expected(self) -> dict[str, Record]:
        return {key: self.crm.as_shown(record) for key, record in self.taken.items()}

    def sql(self, statement: str) -> None:
        """Somebody works in the SQLite file."""
        with closing(sqlite3.connect(self.folder / "crm.sqlite3")) as file, file:
            file.execute(statement)

    def exported(self) -> set[str]:
        with (self.folder / "customers.csv").open(encoding="utf-8", newline="") as file:
            return {row["person"] for row in csv.DictReader(file)}

    def told(self) -> Any:
        return json.loads((self.folder / manifest.NAME).read_text("utf-8"))

    def findings(self) -> list[tuple[Grade, str]]:
        return [(each.grade, each.what) for each in self.crm.check_up(SHAPE, now=self.now)][1:]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two people, exported an hour ago."""
    office = Office(tmp_path / "exports")
    for key in (KARI, OLA):
        office.push(key, customers=[{"email": key, "spent": 3}], segments=[{"segment": "Big"}])
    office.crm.flush()
    office.now += timedelta(hours=1)
    return office


_NAMES = st.sampled_from(["email", "Spent", "note", 'odd "name"; --'])
_VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | st.text(max_size=9)
_ROWS = st.lists(st.dictionaries(_NAMES, _VALUES, max_size=3), max_size=2)


def test_whatever_is_taken_is_shown_as_expected(tmp_path: Path) -> None:
    """Any rows, of people with and without; the last state of each counts."""
    office = Office(tmp_path / "exports")

    @settings(max_examples=40, deadline=None)
    @given(st.sampled_from([KARI, OLA, "wool:7"]), _ROWS, _ROWS)
    def holds(key: str, customers: Any, segments: Any) -> None:
        office.push(key, customers=customers, segments=segments)
        assert office.expected() == office.read()

    holds()
    assert isinstance(office.crm, Showing)


def test_who_has_no_row_is_held_all_the_same(office: Office) -> None:
    """Else they would be looked for for ever; who is removed is not."""
    office.push("nobody@x.example", customers=[])
    assert office.expected() == office.read()
    assert {} == office.read()["nobody@x.example"].tables
    office.push("nobody@x.example", customers=[{"email": "n"}])
    office.push(OLA)
    office.crm.push([Change(key="nobody@x.example", before=None, after=None)], now=NOW)
    assert {KARI, OLA} == set(office.read())
    office.crm.push([Change(key=OLA, before=None, after=None, erased=True)], now=NOW)
    assert {KARI} == set(office.read())
    assert OLA.encode() not in (office.folder / "crm.sqlite3").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM customers WHERE person = 'kari@x.example'",
        "UPDATE customers SET spent = 4 WHERE person = 'kari@x.example'",
        "INSERT INTO segments (person, segment) VALUES ('kari@x.example', 'Fake')",
    ],
)
def test_rows_that_somebody_changed_differ(office: Office, damage: str) -> None:
    """Those of one person, who is pushed again; nobody else's."""
    office.sql(damage)
    found = office.read()
    assert [KARI] == [key for key, record in office.expected().items() if record != found[key]]
    office.push(KARI, **office.taken[KARI].tables)
    assert office.expected() == office.read()


def test_rows_of_who_was_removed_are_shown(office: Office) -> None:
    """Somebody put them back: they are removed once more; what has no person is nobody's."""
    office.sql("INSERT INTO customers (person, email) VALUES ('back@x.example', 'x')")
    office.sql("INSERT INTO customers (person, email) VALUES (17, 'x')")
    assert {KARI, OLA, "back@x.example"} == set(office.read())


def test_a_file_that_was_deleted_holds_nothing(office: Office) -> None:
    """All is missing, and comes back with the next pushes."""
    (office.folder / "crm.sqlite3").unlink()
    assert {} == office.read()
    for key in (KARI, OLA):
        office.push(key, **office.taken[key].tables)
    assert office.expected() == office.read()


def test_people_come_in_pages(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cursor names anybody."""
    monkeypatch.setattr(showing, "MOST_PEOPLE", 2)
    office.push("siri@x.example", segments=[{"segment": "Big"}])
    first = office.crm.show(None, now=NOW)
    assert ([KARI, OLA], "2") == (list(first.held), first.cursor)
    second = office.crm.show(first.cursor, now=NOW)
    assert (["siri@x.example"], None) == (list(second.held), second.cursor)


# --- The CSV files --------------------------------------------------------------------------------


def test_a_whole_export_is_left_alone(office: Office) -> None:
    """Also while newer rows wait for their time."""
    office.push("siri@x.example", customers=[{"email": "s"}])
    before = (office.folder / "customers.csv").stat()
    office.read()
    assert before == (office.folder / "customers.csv").stat()
    assert office.told()["restored"] is None
    assert [] == office.findings()


@pytest.mark.parametrize("how", ["edited", "deleted", "a link", "a folder in its place"])
def test_an_export_that_was_spoilt_is_written_anew(office: Office, how: str) -> None:
    """At the next reading, whatever the time; it is told before and after, and once."""
    file = office.folder / "customers.csv"
    whole = file.read_bytes()
    match how:
        case "edited":
            file.write_bytes(whole.replace(b"3", b"4"))
        case "deleted":
            file.unlink()
        case "a link":
            elsewhere = office.folder.parent / "elsewhere.csv"
            file.rename(elsewhere)
            file.symlink_to(elsewhere)
        case _:
            file.unlink()
            file.mkdir()
    assert [(Grade.WARNING, "customers.csv: not as written")] == office.findings()
    if file.is_dir():
        with pytest.raises((LaneDown, TryLater)):
            office.read()
        file.rmdir()
    office.read()
    assert whole == file.read_bytes()
    assert not file.is_symlink()
    told = {"files": ["customers.csv"], "at": "2026-11-23T13:00:00Z"}
    if how != "a folder in its place":
        assert told == office.told()["restored"]
        mended = "customers.csv: somebody had changed it or taken it away; written anew at "
        assert [(Grade.NOTE, mended + told["at"])] == office.findings()
    office.now += timedelta(days=1)
    office.push("siri@x.example", customers=[{"email": "s"}])
    office.crm.flush()
    assert {KARI, OLA, "siri@x.example"} == office.exported()
    if how != "a folder in its place":
        assert told == office.told()["restored"]


@pytest.mark.parametrize("text", [None, "", "[]", '{"files": 3, "restored": 3}', "[" * 99_999])
def test_a_list_that_was_spoilt_is_written_anew(office: Office, text: str | None) -> None:
    """Nothing proves then that the files are whole."""
    listing = office.folder / manifest.NAME
    (office.folder / "customers.csv").write_text("x")
    listing.unlink()
    if text is not None:
        listing.write_text(text, encoding="utf-8")
    office.findings()
    office.read()
    assert {KARI, OLA} == office.exported()
    assert ["customers.csv", "segments.csv"] == [each["name"] for each in office.told()["files"]]


def test_an_export_that_broke_off_is_finished_by_the_next_reading(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full: the list is away, and the mark is in the database."""
    (office.folder / "segments.csv").unlink()
    with monkeypatch.context() as broken:
        broken.setattr(manifest, "write_table", _full)
        with pytest.raises(TryLater):
            office.read()
    assert not (office.folder / manifest.NAME).exists()
    office.read()
    assert 2 == office.told()["files"][1]["rows"]


def test_a_first_export_is_not_hurried(tmp_path: Path) -> None:
    """Before anything was exported nothing is missing: that comes when nothing more is due."""
    office = Office(tmp_path / "exports")
    office.push(KARI, customers=[{"email": KARI}])
    assert {KARI} == set(office.read())
    assert not (office.folder / manifest.NAME).exists()


def _full(*_: Any) -> Any:
    raise OSError(28, "No space left on device")
