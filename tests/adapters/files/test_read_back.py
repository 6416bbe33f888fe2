"""Tables are compared with the books: rows that were lost come back, and nothing else is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.files.destination import FilesDestination
from connector.flow import rounds
from connector.flow.rules import Rules, Target
from connector.model import Change, Outcome
from connector.ports import Shape
from connector.store import readings
from connector.store.connect import Store
from mappings.load import load_mapping
from tests.flow.conftest import World

KARI, OLA = "kari@x.example", "ola@x.example"
TABLES = ("customers", "segments")
MAPPING = """
version: 1
segments: {big: {when: "number_of_orders >= 2", tag: Big}}
destinations: {crm: {tables: [customers, segments]}}
"""


class Counting(FilesDestination):
    """The folder, and the keys that were pushed."""

    pushed: tuple[str, ...] = ()

    def push(self, changes: Any, *, now: Any) -> Mapping[str, Outcome]:
        self.pushed += tuple(sorted(change.key for change in changes if isinstance(change, Change)))
        return super().push(changes, now=now)


@dataclass
class Office(World):
    """A shop whose books are kept in a folder."""

    folder: Path = Path()

    def sql(self, statement: str) -> Any:
        """Somebody works in the SQLite file."""
        with closing(sqlite3.connect(self.folder / "crm.sqlite3")) as file, file:
            return file.execute(statement).fetchall()

    def read_back(self) -> tuple[int, int, int]:
        """A whole round, and what it marked due is delivered; compared, differed, repaired."""
        self.now += timedelta(hours=25)
        adapter: Any = self.destination
        adapter.pushed = ()
        with self.store.write() as conn:
            rounds.begin(conn, "crm", believed=False, now=self.now)
        while rounds.walk(self.store, self.rules.targets[0], adapter, self.rules, now=self.now):
            pass
        self.deliver()
        adapter.flush()
        with self.store.read() as conn:
            tally = readings.read(conn, "crm").whole
        return tally.compared, tally.differed, tally.repaired


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    """Two people with their rows, and a CSV file of them."""
    mapping = load_mapping(MAPPING, shops={"wool": "woocommerce"}, destinations={"crm": "files"})
    target = Target(name="crm", mapping=mapping.destinations["crm"], shops=frozenset({"wool"}))
    rules = Rules(
        mapping=mapping,
        platforms={"wool": "woocommerce"},
        zone=ZoneInfo("Europe/Oslo"),
        currency="NOK",
        targets=(target,),
    )
    folder = tmp_path / "exports"
    adapter: Any = Counting("crm", folder)
    office = Office(store, rules, destination=adapter, folder=folder)
    adapter.prepare(Shape(fields={}, tables=TABLES))
    office.tell(*(office.order(number, KARI) for number in (1, 2)), office.order(3, OLA))
    office.settle()
    adapter.flush()
    return office


def test_what_is_as_it_was_taken_is_left_alone(office: Office) -> None:
    """Two people were compared, and nobody was pushed."""
    assert (2, 0, 0) == office.read_back()
    assert () == office.destination.pushed


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE customers SET first_name = 'Nobody' WHERE person = 'kari@x.example'",
        "DELETE FROM segments WHERE person = 'kari@x.example'",
        "INSERT INTO segments (person, segment) VALUES ('kari@x.example', 'fake')",
    ],
)
def test_rows_that_somebody_changed_are_put_right(office: Office, damage: str) -> None:
    """Those of that person, by the ordinary step."""
    people = "SELECT person, first_name FROM customers ORDER BY person"
    before = (office.sql(people), office.sql("SELECT person, segment FROM segments"))
    office.sql(damage)
    assert (2, 1, 1) == office.read_back()
    assert (KARI,) == office.destination.pushed
    assert before == (office.sql(people), office.sql("SELECT person, segment FROM segments"))
    assert (2, 0, 0) == office.read_back()


def test_a_database_that_was_deleted_is_filled_again(office: Office) -> None:
    """Everybody is missing in it, and so is everybody in the files."""
    (office.folder / "crm.sqlite3").unlink()
    (office.folder / "customers.csv").unlink()
    assert (2, 2, 2) == office.read_back()
    assert [(KARI,), (OLA,)] == office.sql("SELECT person FROM customers ORDER BY person")
    assert KARI in (office.folder / "customers.csv").read_text("utf-8")


def test_who_was_removed_and_is_there_again_is_removed_again(office: Office) -> None:
    """Rows under the key of somebody whom the connector had taken out."""
    rows = office.sql("SELECT person, email FROM customers WHERE person = 'ola@x.example'")
    office.tell(office.order(3, KARI, minutes=5))
    office.settle()
    assert [] == office.sql("SELECT 1 FROM customers WHERE person = 'ola@x.example'")
    office.sql("INSERT INTO customers (person, email) VALUES ('ola@x.example', 'x')")
    assert [(OLA, OLA)] == rows
    assert (2, 1, 1) == office.read_back()
    assert (OLA,) == office.destination.pushed
    assert [] == office.sql("SELECT 1 FROM customers WHERE person = 'ola@x.example'")
