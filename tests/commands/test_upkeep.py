"""``connector replay`` and ``connector db``: what an admin types, and what comes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from tests.commands.conftest import Home
from tests.commands.test_people import EMAIL, SECRET, buy, hits, opened, work


@pytest.fixture
def lived(home: Home) -> Home:
    """A house with a secret key in which two people bought."""
    home.env["CONNECTOR_SECRET_KEY"] = SECRET
    home.write()
    buy(home, 1, EMAIL, "Zzmarkername", ago=120)
    buy(home, 2, "ola@x.example", "Ola")
    work(home)
    return home


def test_replay_takes_up_what_is_chosen(lived: Home) -> None:
    """All, one shop's, one delivery, those since a day or a moment."""
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    hour = f"{datetime.now(UTC) - timedelta(minutes=90):%Y-%m-%dT%H:%M:%SZ}"
    for arguments, number in (
        ((), 2),
        (("--shop", "wool"), 2),
        (("--since", hour), 1),
        (("--since", "2020-01-31"), 2),
        (("--since", tomorrow), 0),
    ):
        ran = lived.run("replay", *arguments)
        assert (0, f"to be taken up again: {number}\n") == (ran.exit_code, ran.text), arguments
        work(lived)


def test_whatever_reports_does_so_in_json_too(lived: Home, tmp_path: Path) -> None:
    """One document each, for programs."""
    assert {"replayed": 2, "without_body": 0} == lived.run("replay", "--json").told
    work(lived)
    copy = str(tmp_path / "copy.db")
    assert copy == lived.run("db", "backup", copy, "--json").told["file"]
    ran = lived.run("parked", "--release", "1", "--json")
    assert {"released": 1} == ran.told
    assert 0 == lived.run("export", "--email", EMAIL, "--json").exit_code


def test_replay_of_nothing_says_so(lived: Home) -> None:
    """A number that is not there, a shop that is not there, a moment that is none."""
    assert 1 == lived.run("replay", "--delivery", "999").exit_code
    assert 0 == lived.run("replay", "--delivery", "1").exit_code
    assert 1 == lived.run("replay", "--delivery", "1").exit_code
    assert 2 == lived.run("replay", "--shop", "wol").exit_code
    assert 2 == lived.run("replay", "--since", "yesterday").exit_code


def test_replay_changes_nothing(lived: Home) -> None:
    """Everything is known already: nothing is sent."""
    calls = dict(lived.audience.calls)
    lived.run("replay")
    work(lived)
    changing = {k: v for k, v in lived.audience.calls.items() if not k.startswith("GET")}
    assert changing == {k: v for k, v in calls.items() if not k.startswith("GET")}


def stop(home: Home) -> None:
    """Stop the receiver that the fixture keeps running in this process."""
    for store in home.running:
        store.close()


def test_backup_and_restore(lived: Home) -> None:
    """There and back; the erasure in between is done again, and found nowhere."""
    target = lived.folder / "copy.db"
    assert 0 == lived.run("db", "backup", str(target)).exit_code
    assert 1 == lived.run("db", "backup", str(target)).exit_code
    assert 0 == lived.run("db", "backup", str(target), "--force").exit_code
    assert 0 == lived.run("erase", EMAIL, "--yes").exit_code
    work(lived)
    in_use = lived.run("db", "restore", str(target), "--yes")
    assert (3, True) == (in_use.exit_code, "in use" in in_use.error)
    stop(lived)
    ran = lived.run("db", "restore", str(target), "--yes")
    assert 0 == ran.exit_code
    assert "erased again: " in ran.text
    work(lived)
    target.unlink()
    assert {} == hits(lived.folder)
    assert {"ola@x.example"} == lived.audience.members().keys()
    with closing(sqlite3.connect(lived.folder / "connector.db")) as conn:
        assert (2,) == conn.execute("SELECT count(*) FROM orders").fetchone()


def test_restore_asks_first(lived: Home) -> None:
    """Answered no, everything stays."""
    target = lived.folder / "copy.db"
    lived.run("db", "backup", str(target))
    stop(lived)
    with pytest.raises(click.Abort):
        lived.run("db", "restore", str(target), typed="n\n")
    assert not (lived.folder / "connector.db.replaced").exists()


def test_a_restore_that_lacked_its_key_is_finished_later(lived: Home) -> None:
    """Until then every command is refused; ``db erase-again`` opens the store."""
    target = lived.folder / "copy.db"
    lived.run("db", "backup", str(target))
    lived.run("erase", EMAIL, "--yes")
    work(lived)
    stop(lived)
    lived.env["CONNECTOR_SECRET_KEY"] = "another-key-entirely"
    lived.write()
    assert 2 == lived.run("db", "restore", str(target), "--yes").exit_code
    assert 3 == lived.run("status").exit_code
    lived.env["CONNECTOR_SECRET_KEY"] = f"another-key-entirely,{SECRET}"
    lived.write()
    refused = lived.run("status")
    assert (3, True) == (refused.exit_code, "erase-again" in refused.error)
    assert 0 == lived.run("db", "erase-again").exit_code
    assert 0 == lived.run("status").exit_code
    work(lived)
    target.unlink()
    assert {} == hits(lived.folder)


def test_a_backup_that_is_none_changes_nothing(lived: Home) -> None:
    """Exit 3 and what is wrong with it."""
    stop(lived)
    other = lived.folder / "other.db"
    with closing(sqlite3.connect(other)) as conn:
        conn.execute("CREATE TABLE things (x)")
    for file, words in ((other, "no backup of"), (lived.folder / "missing.db", "no backup")):
        ran = lived.run("db", "restore", str(file), "--yes")
        assert (3, True) == (ran.exit_code, words in ran.error)
    with opened(lived) as store, store.read() as conn:
        assert 2 == conn.exec_driver_sql("SELECT count(*) FROM orders").scalar_one()


def test_postgresql_brings_its_own_tools(home: Home, tmp_path: Path) -> None:
    """Said so, with exit 1, before anything is opened."""
    home.settings["store"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    home.write()
    for arguments in (("backup", "x.db"), ("restore", "x.db", "--yes"), ("erase-again",)):
        ran = home.run("db", *arguments)
        assert (1, True) == (ran.exit_code, "pg_dump" in ran.error)
