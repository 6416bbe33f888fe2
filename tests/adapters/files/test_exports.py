"""Exports by the clock, and the list beside them that says when the set is whole."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.files import manifest
from adapters.files.destination import FilesDestination
from connector.errors import TryLater
from connector.model import Change, Permission, Record
from connector.ports import Scheduled, Shape

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHAPE = Shape(fields={}, tables=("customers", "segments"))


@dataclass
class Office:
    """A folder with an export each day, and a clock to turn."""

    folder: Path
    every: timedelta | None = timedelta(days=1)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.open()
        self.crm.prepare(SHAPE)
        self.crm.flush()

    def open(self) -> None:
        """As after a new start."""
        self.crm = FilesDestination("crm", self.folder, self.every, lambda: self.now)

    def push(self, *changes: Change) -> None:
        self.crm.push(changes, now=self.now)
        self.crm.flush()

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)
        self.crm.flush()

    def exported(self) -> set[str]:
        with (self.folder / "customers.csv").open(encoding="utf-8", newline="") as file:
            return {row["person"] for row in csv.DictReader(file)}

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / manifest.NAME).read_text("utf-8"))
        return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Exported once, empty, at noon."""
    return Office(tmp_path / "exports")


def person(key: str, shops: str = "wool", consent: str = "granted") -> Change:
    row = {"email": key, "shops": shops, "email_consent": consent}
    after = Record(
        key=key,
        email=key,
        permission=Permission.SILENT,
        tables={"customers": (row,), "segments": ({"segment": "vips"},)},
    )
    return Change(key=key, before=None, after=after)


def test_what_changes_waits_for_its_time(office: Office) -> None:
    """A day after the last export, not a second before it; the database is of now."""
    assert isinstance(office.crm, Scheduled)
    office.push(person("a@x.example"))
    assert (set(), True) == (office.exported(), office.crm.is_waiting())
    office.later(days=1, seconds=-1)
    assert (set(), True) == (office.exported(), office.crm.is_waiting())
    office.later(seconds=1)
    assert ({"a@x.example"}, False) == (office.exported(), office.crm.is_waiting())


def test_without_a_schedule_it_is_written_at_once(tmp_path: Path) -> None:
    """As soon as nothing more is due."""
    office = Office(tmp_path / "exports", every=None)
    office.push(person("a@x.example"))
    assert ({"a@x.example"}, False) == (office.exported(), office.crm.is_waiting())
    assert office.told()["every_seconds"] is None


def test_an_erasure_does_not_wait(office: Office) -> None:
    """Who is to be forgotten is out of the files at once, with all else that waited."""
    office.push(person("a@x.example"), person("b@x.example"))
    office.later(days=1)
    office.push(person("c@x.example"))
    assert {"a@x.example", "b@x.example"} == office.exported()
    office.push(Change(key="a@x.example", before=None, after=None, erased=True))
    assert ({"b@x.example", "c@x.example"}, False) == (office.exported(), office.crm.is_waiting())


def test_a_mere_removal_waits(office: Office) -> None:
    """Who is gone from the shop is nobody's erasure."""
    office.push(person("a@x.example"))
    office.later(days=1)
    office.push(Change(key="a@x.example", before=None, after=None))
    assert {"a@x.example"} == office.exported()


def test_an_erasure_is_not_forgotten_by_a_new_start(office: Office) -> None:
    """The mark is in the database: the process may die between the two."""
    office.push(person("a@x.example"))
    office.later(days=1)
    gone = Change(key="a@x.example", before=None, after=None, erased=True)
    office.crm.push([gone], now=office.now)
    office.crm.push([person("b@x.example")], now=office.now)
    office.open()
    office.crm.flush()
    assert {"b@x.example"} == office.exported()


def test_a_new_start_keeps_the_time(office: Office) -> None:
    """The list says when the last export was."""
    office.push(person("a@x.example"))
    office.open()
    office.later(hours=23)
    assert (set(), True) == (office.exported(), office.crm.is_waiting())
    office.later(hours=1)
    assert {"a@x.example"} == office.exported()


def test_a_clock_that_was_set_back_delays_nothing(office: Office) -> None:
    """An export from the future is none to wait for."""
    office.now -= timedelta(days=400)
    office.open()
    office.push(person("a@x.example"))
    assert {"a@x.example"} == office.exported()


def test_on_demand_it_is_written_now(office: Office) -> None:
    """`connector export` waits for nothing; the next is a day later."""
    office.push(person("a@x.example"))
    office.now += timedelta(hours=1)
    office.crm.rewrite()
    assert {"a@x.example"} == office.exported()
    assert "2026-11-23T13:00:00Z" == office.told()["written_at"]
    office.push(person("b@x.example"))
    office.later(hours=23)
    assert {"a@x.example"} == office.exported()
    office.later(hours=1)
    assert {"a@x.example", "b@x.example"} == office.exported()


def test_the_list_says_what_is_in_each_file(office: Office) -> None:
    """Rows, bytes, digest and columns, when, and the people by shop and permission."""
    office.push(
        person("a@x.example", "wool, yarn"),
        person("b@x.example", consent="withdrawn"),
        person("c@x.example"),
    )
    office.later(days=1)
    told = office.told()
    assert ("crm", "2026-11-24T12:00:00Z", 86_400) == (
        told["destination"],
        told["written_at"],
        told["every_seconds"],
    )
    assert ["customers.csv", "segments.csv"] == [each["name"] for each in told["files"]]
    for each in told["files"]:
        content = (office.folder / each["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            each["bytes"],
            each["sha256"],
        )
        rows = list(csv.reader(content.decode().splitlines()))
        assert (rows[0], len(rows) - 1) == (each["columns"], each["rows"])
        assert 3 == each["rows"]
    assert {
        "by_shop": {"wool": 3, "yarn": 1},
        "by_email_consent": {"granted": 2, "withdrawn": 1},
    } == told["customers"]


def test_while_files_are_written_there_is_no_list(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it never sees half a set; after a crash all is written once more."""
    seen = []
    really = manifest.write_table

    def write(path: Path, *rest: Any) -> manifest.Written:
        seen.append((office.folder / manifest.NAME).exists())
        if path.name == "segments.csv" and len(seen) == 2:
            raise OSError(28, "No space left on device")
        return really(path, *rest)

    monkeypatch.setattr(manifest, "write_table", write)
    office.push(person("a@x.example"))
    with pytest.raises(TryLater):
        office.later(days=1)
    assert ([False, False], False) == (seen, (office.folder / manifest.NAME).exists())
    office.open()
    office.crm.flush()
    assert 1 == office.told()["files"][1]["rows"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"written_at": 3}'])
def test_a_list_that_cannot_be_read_is_written_anew(office: Office, text: str) -> None:
    """It says nothing of a time to wait for."""
    (office.folder / manifest.NAME).write_text(text, encoding="utf-8")
    office.push(person("a@x.example"))
    assert {"a@x.example"} == office.exported()
    assert 1 == office.told()["files"][0]["rows"]


def test_a_folder_from_before_gets_its_list(office: Office) -> None:
    """Also when nothing changes."""
    (office.folder / manifest.NAME).unlink()
    office.open()
    office.crm.prepare(SHAPE)
    office.crm.flush()
    assert [0, 0] == [each["rows"] for each in office.told()["files"]]


def test_only_its_owner_may_read_it(office: Office) -> None:
    """It counts the shop's customers."""
    assert 0o600 == (office.folder / manifest.NAME).stat().st_mode & 0o777
