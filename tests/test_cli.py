"""What an admin types, and what comes back: the words and the exit codes."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.program import CONFIG, ENV, furnish, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a whole configuration."""
    furnish(tmp_path)
    return tmp_path


def test_a_right_configuration_is_fine(home: Path) -> None:
    """It says what it found, offline, and makes no store."""
    done = run(home, "check")
    assert (0, "") == (done.returncode, done.stderr)
    assert "fine: 1 shop, 1 destination" in done.stdout
    assert not (home / "connector.db").exists()


def test_every_fault_of_a_mapping_is_told_at_once(home: Path) -> None:
    """Exit 2, each fault with its line, on the screen and as JSON."""
    (home / "mapping.yaml").write_text(
        "version: 1\nsegmets: {}\ndestinations:\n  newsleter: {}\n", encoding="utf-8"
    )
    told = run(home, "check", "--mapping", "mapping.yaml")
    assert 2 == told.returncode
    assert "mapping.yaml:2 segmets:" in told.stderr
    assert "mapping.yaml:4 destinations.newsleter:" in told.stderr
    as_json = run(home, "check", "--mapping", "mapping.yaml", "--json")
    assert 2 == as_json.returncode
    assert 2 == len(json.loads(as_json.stdout)["faults"])


def test_a_missing_secret_names_its_variable_and_every_place(home: Path) -> None:
    """Exit 2; no value is shown."""
    (home / ".env").write_text(ENV.replace("WEBHOOK_SECRET", "WEBHOOK_SECRETT"), encoding="utf-8")
    done = run(home, "run")
    assert 2 == done.returncode
    assert "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET" in done.stderr
    assert "0123456789abcdef0123" not in done.stderr + done.stdout


@pytest.mark.parametrize("secret", ["", "short", "changeme"])
def test_an_empty_or_short_webhook_secret_is_refused_at_start(home: Path, secret: str) -> None:
    """Threat R2: nobody may sign with nothing."""
    (home / ".env").write_text(
        ENV.replace("WEBHOOK_SECRET=0123456789abcdef0123", f"WEBHOOK_SECRET={secret}"),
        encoding="utf-8",
    )
    done = run(home, "serve")
    assert 2 == done.returncode
    assert "WEBHOOK_SECRET" in done.stderr


@pytest.mark.parametrize(
    ("content", "journal", "words"),
    [
        (b"this is a letter, not a database", None, "no SQLite database, or a damaged one"),
        (b"", b"journal", "empty but has a journal"),
        (None, b"journal", "is missing but its journal"),
    ],
)
def test_a_damaged_store_is_refused_and_left_as_it_is(
    home: Path, content: bytes | None, journal: bytes | None, words: str
) -> None:
    """Exit 3 with the cause and the mend; no empty store takes its place."""
    store, wal = home / "connector.db", home / "connector.db-wal"
    if content is not None:
        store.write_bytes(content)
    if journal is not None:
        wal.write_bytes(journal)
    done = run(home, "status")
    assert 3 == done.returncode
    assert words in done.stderr
    assert "backup" in done.stderr
    assert content == (store.read_bytes() if store.exists() else None)


def test_a_folder_that_is_missing_is_named(home: Path) -> None:
    """Exit 3: the store's folder is not made by guess."""
    (home / "connector.yaml").write_text(
        CONFIG.replace("connector.db", "nowhere/connector.db"), encoding="utf-8"
    )
    done = run(home, "status")
    assert 3 == done.returncode
    assert "nowhere of the store does not exist" in done.stderr


def test_an_address_in_use_is_exit_four(home: Path) -> None:
    """The receiver says which, and that another program has it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(home, "serve", "--listen", address)
    assert 4 == done.returncode
    assert address in done.stderr


def test_a_new_store_has_empty_books_that_balance(home: Path) -> None:
    """Every name that is configured is there, with zeros."""
    done = run(home, "status", "--json")
    assert 0 == done.returncode
    told = json.loads(done.stdout)
    assert (True, "live", ["wool"], ["newsletter"]) == (
        told["balanced"],
        told["mode"],
        list(told["shops"]),
        list(told["destinations"]),
    )
    assert "The books balance." in run(home, "status").stdout


def test_a_stranger_cannot_be_explained(home: Path) -> None:
    """Exit 1 and a sentence; a text that is no address is a usage error."""
    done = run(home, "explain", "nobody@x.example")
    assert 1 == done.returncode
    assert "Nobody is known" in done.stderr
    assert 2 == run(home, "explain", "nobody").returncode
    assert 2 == run(home, "explain", "a@x.example", "--segment", "vipps").returncode


def test_nothing_parked_is_fine_and_nothing_can_be_released(home: Path) -> None:
    """Exit 0 for an empty list, 1 for a release that finds nothing."""
    assert 0 == run(home, "parked").returncode
    assert 1 == run(home, "parked", "--release", "7").returncode
    assert 1 == run(home, "parked", "--release", "newsletter").returncode


def test_presets_and_schema_are_printed(home: Path) -> None:
    """The names, one preset as it is, and a valid JSON Schema."""
    names = run(home, "mapping", "presets").stdout.split()
    assert ["loyalty-ladder", "minimal-newsletter", "winback"] == names
    assert "version: 1" in run(home, "mapping", "presets", "winback").stdout
    Draft202012Validator.check_schema(json.loads(run(home, "mapping", "schema").stdout))


def test_a_rehearsal_clock_is_refused_where_it_could_reach_people(home: Path) -> None:
    """CONNECTOR_CLOCK with a live Mailchimp is a fault."""
    with (home / ".env").open("a", encoding="utf-8") as env:
        env.write("CONNECTOR_CLOCK=2026-11-23T23:30:00Z\n")
    assert 2 == run(home, "check").returncode
    (home / "connector.yaml").write_text(f"mode: test\n{CONFIG}", encoding="utf-8")
    assert 0 == run(home, "check").returncode
