"""``connector export`` and ``connector erase``: from the typed word to the last file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import structlog
from structlog.testing import capture_logs

from connector import wiring
from connector.engine import Engine
from connector.model import Claim, Evidence, Purpose
from connector.store import evidence
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.store.sql import insert_missing
from tests.commands.conftest import Home

SECRET = "a-command-secret-key-91c"
MARK = "zz-marker"
EMAIL, PHONE, NAME = f"{MARK}@x.example", "+4791234567", "Zzmarkername"
WORDS = [word.encode() for word in (MARK, PHONE, NAME)]


@contextmanager
def opened(home: Home) -> Iterator[Store]:
    """The store as the worker opens it."""
    store = wiring.open_store(wiring.configure(home.config).settings)
    yield store
    store.close()


def work(home: Home) -> None:
    """Let a worker do everything that can be done now."""
    with opened(home) as store:
        Engine(wiring.build_house(wiring.configure(home.config), store)).drain()
        assert store.tidy()


def buy(home: Home, number: int, email: str, name: str, *, ago: float = 60) -> None:
    """The shop tells of an order, and the buyer allowed mail."""
    at = datetime.now(UTC) - timedelta(minutes=ago)
    body = json.dumps(
        {
            "id": number,
            "number": str(number),
            "status": "processing",
            "currency": "NOK",
            "date_created_gmt": f"{at:%Y-%m-%dT%H:%M:%S}",
            "date_modified_gmt": f"{at:%Y-%m-%dT%H:%M:%S}",
            "total": "300.00",
            "total_tax": "0.00",
            "shipping_total": "0.00",
            "customer_id": 0,
            "billing": {"first_name": name, "last_name": name, "email": email, "country": "NO",
                        "phone": PHONE if MARK in email else ""},
            "shipping": {},
            "line_items": [],
            "refunds": [],
            "meta_data": [],
        }
    ).encode()  # fmt: skip
    granted = Evidence(
        contact=email,
        purpose=Purpose.EMAIL,
        claim=Claim.GRANT,
        source="wool",
        at=at,
        received_at=at,
        reference=f"order:{number}",
    )
    with opened(home) as store, store.write() as conn:
        conn.execute(
            insert_missing(conn, deliveries),
            [
                {
                    "key": hashlib.sha256(body).digest(),
                    "shop": "wool",
                    "topic": "order.created",
                    "received_at": at,
                    "headers": {},
                    "body": body,
                    "body_sha256": hashlib.sha256(body).digest(),
                }
            ],
        )
        mark_dirty(conn, evidence.append(conn, [(granted, None)]).contacts, now=at)


def hits(folder: Path) -> dict[str, list[bytes]]:
    """In which files below a folder one of the marks is found, byte by byte."""
    return {
        file.name: found
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (found := [word for word in WORDS if word in file.read_bytes()])
    }


@pytest.fixture
def keyed(home: Home) -> Home:
    """A house with a secret key, in which two people bought and are held everywhere."""
    home.env["CONNECTOR_SECRET_KEY"] = SECRET
    home.write()
    buy(home, 1, EMAIL, NAME)
    buy(home, 2, "ola@x.example", "Ola")
    work(home)
    assert {EMAIL, "ola@x.example"} == home.audience.members().keys()
    return home


def test_erased_everywhere(keyed: Home) -> None:
    """Store, journal, exported files, Mailchimp, logs, the screen: no trace is left."""
    before = hits(keyed.folder)
    assert {"connector.db", "crm.sqlite3", "customers.csv", "orders.csv"} <= before.keys()
    with capture_logs() as logs:
        ran = keyed.run("erase", EMAIL, "--yes")
        assert 0 == ran.exit_code
        work(keyed)
    assert {} == hits(keyed.folder)
    assert {"ola@x.example"} == keyed.audience.members().keys()
    spoken = f"{ran.text}{ran.error}{logs}".encode()
    assert [] == [word for word in WORDS if word in spoken]
    told = keyed.run("erase", EMAIL, "--yes", "--json").told
    assert (0, 0, 0) == (told["accounts"], told["orders"], told["removals_due"])
    with (keyed.folder / "exports" / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = {row["order_id"]: row for row in csv.DictReader(file)}
    assert ("wool:order:1", "300.00", "") == tuple(
        orders["1"][name] for name in ("person", "total", "first_name")
    )


def test_erased_people_are_suppressed_and_said_to_be(keyed: Home) -> None:
    """``connector explain`` knows them by their digest, and why they may not be mailed."""
    keyed.run("erase", EMAIL, "--yes")
    work(keyed)
    told = keyed.run("explain", EMAIL, "--consent", "--json").told
    assert ("suppressed", False) == (
        told["consent"]["email"]["state"],
        told["consent"]["email"]["sendable"],
    )


def test_told_again_by_replay_and_by_the_shop(keyed: Home) -> None:
    """Neither brings anything of them back, and nothing is sent."""
    keyed.run("erase", EMAIL, "--yes")
    work(keyed)
    calls = dict(keyed.audience.calls)
    assert keyed.run("replay").text.startswith("to be taken up again: 1\n")
    buy(keyed, 1, EMAIL.upper(), NAME, ago=59)
    buy(keyed, 3, f" {EMAIL} ", NAME, ago=59)
    work(keyed)
    assert {} == hits(keyed.folder)
    changed = {
        name: number - calls.get(name, 0)
        for name, number in keyed.audience.calls.items()
        if not name.startswith("GET") and number != calls.get(name, 0)
    }
    assert {} == changed


def test_without_a_key_it_is_refused(home: Home) -> None:
    """Exit 2, naming the variable; nothing is touched."""
    ran = home.run("erase", EMAIL, "--yes")
    assert 2 == ran.exit_code
    assert "CONNECTOR_SECRET_KEY" in ran.error


def test_nobody_is_erased_without_being_asked(keyed: Home) -> None:
    """Where nobody can be asked, --yes is needed; what is no address is a wrong use."""
    assert 2 == keyed.run("erase", EMAIL).exit_code
    assert 2 == keyed.run("erase", "nobody", "--yes").exit_code
    assert EMAIL in keyed.audience.members()
    assert "connector.db" in hits(keyed.folder)


def test_on_a_terminal_the_address_is_typed_again(
    keyed: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the right one erases."""
    from connector.commands import people

    monkeypatch.setattr(people, "_is_asked", lambda: True)
    with pytest.raises(click.Abort):
        keyed.run("erase", EMAIL, typed="other@x.example\n")
    work(keyed)
    assert EMAIL in keyed.audience.members()
    ran = keyed.run("erase", EMAIL, typed=f"{EMAIL.upper()}\n")
    assert 0 == ran.exit_code
    assert "1 addresses, 0 accounts and the names in 1 orders" in ran.text
    work(keyed)
    assert EMAIL not in keyed.audience.members()


def test_a_person_is_exported_to_the_screen(keyed: Home) -> None:
    """As JSON, with what each destination holds."""
    ran = keyed.run("export", "--email", EMAIL.upper())
    assert 0 == ran.exit_code
    assert [EMAIL] == ran.told["contact_points"]["emails"]
    assert {"newsletter", "crm"} == {each["destination"] for each in ran.told["destinations"]}
    assert NAME == ran.told["deliveries"][0]["body"]["billing"]["first_name"]


def test_a_person_is_exported_to_a_folder(keyed: Home) -> None:
    """For our user alone, never over what is there, never through a link."""
    folder = keyed.folder / "handed-over"
    assert 0 == keyed.run("export", "--email", EMAIL, "--out", str(folder)).exit_code
    assert ["person.csv", "person.json"] == sorted(each.name for each in folder.iterdir())
    assert {0o600} == {each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert 0o700 == folder.stat().st_mode & 0o777
    again = keyed.run("export", "--email", EMAIL, "--out", str(folder))
    assert (1, True) == (again.exit_code, "--force" in again.error)
    assert 0 == keyed.run("export", "--email", EMAIL, "--out", str(folder), "--force").exit_code
    link = keyed.folder / "link"
    link.symlink_to(folder)
    back = folder / ".." / "elsewhere"
    (folder / "person.json").unlink()
    (folder / "person.json").symlink_to(keyed.config)
    for place in (link, back, folder):
        ran = keyed.run("export", "--email", EMAIL, "--out", str(place), "--force")
        assert 1 == ran.exit_code, place
    assert keyed.config.read_text("utf-8").startswith("store:")


def test_of_a_stranger_nothing_is_held(keyed: Home) -> None:
    """Exit 1 and a sentence."""
    ran = keyed.run("export", "--email", "stranger@x.example")
    assert 1 == ran.exit_code
    assert "Nothing is held" in ran.error


def test_what_a_destination_holds(keyed: Home) -> None:
    """One line of JSON for each record that it acknowledged."""
    rows = [json.loads(line) for line in keyed.run("export", "newsletter").text.splitlines()]
    assert {EMAIL, "ola@x.example"} == {row["key"] for row in rows}
    assert {"send"} == {row["permission"] for row in rows}
    assert all(row["acknowledged_at"] for row in rows)
    ran = keyed.run("export", "newsletter", "--out", str(keyed.folder / "out"))
    assert 0 == ran.exit_code
    assert 2 == len((keyed.folder / "out" / "newsletter.jsonl").read_text("utf-8").splitlines())
    assert 2 == keyed.run("export", "newsleter").exit_code
    assert 2 == keyed.run("export", "newsletter/sales").exit_code
    (keyed.folder / "sales.yaml").write_text(
        "version: 1\ndestinations: {newsletter: {ecommerce: true}}\n", "utf-8"
    )
    told = ("export", "newsletter/sales", "--mapping", str(keyed.folder / "sales.yaml"))
    assert (0, "") == (keyed.run(*told).exit_code, keyed.run(*told).text)
    keyed.run(*told, "--out", str(keyed.folder / "out"))
    assert (keyed.folder / "out" / "newsletter-sales.jsonl").is_file()
    assert 2 == keyed.run("export").exit_code
    assert 2 == keyed.run("export", "newsletter", "--email", EMAIL).exit_code


def test_a_destination_of_files_is_written_anew(keyed: Home) -> None:
    """What is due goes in first; a file that somebody spoiled is right again."""
    spoiled = keyed.folder / "exports" / "customers.csv"
    spoiled.write_text("spoiled")
    buy(keyed, 5, "nina@x.example", "Nina")
    with opened(keyed) as store:
        engine = Engine(wiring.build_house(wiring.configure(keyed.config), store))
        engine.ingest()
        engine.evaluate()
    assert 0 == keyed.run("export", "crm").exit_code
    text = spoiled.read_text("utf-8")
    assert all(name in text for name in ("Nina", "Ola", NAME))


def test_the_books_tell_of_demands(keyed: Home) -> None:
    """``connector status`` has them, and none is open."""
    told: dict[str, Any] = keyed.run("status", "--json").told
    assert (0, 0, 0) == tuple(told["requests"][name] for name in ("open", "warn", "alarm"))


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Logs as the library makes them by default, whatever a test before configured."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
