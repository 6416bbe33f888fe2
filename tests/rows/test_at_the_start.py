"""What stops a program before it has done anything: the command, its exit code and its words."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.store.connect import Store

ENV = """\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_1234567890
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_1234567890
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=0123456789abcdef0123
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY=0123456789abcdef0123456789abcdef-us1
"""
CONFIG = """\
store: sqlite:///connector.db
mapping: preset:loyalty-ladder
shops:
  wool: {platform: woocommerce, url: "https://wool.example", timezone: Europe/Oslo, currency: NOK}
destinations:
  newsletter: {platform: mailchimp, audience: a1b2c3d4e5}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a whole configuration and a store that was used before."""
    (tmp_path / "connector.yaml").write_text(CONFIG, encoding="utf-8")
    env = tmp_path / ".env"
    env.touch(mode=0o600)
    env.write_text(ENV, encoding="utf-8")
    Store.open(f"sqlite:///{tmp_path}/connector.db").close()
    return tmp_path


def run(home: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of the real program."""
    done = subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")},
    )
    return done.returncode, done.stderr


def test_row_98_a_store_newer_than_the_program(home: Path) -> None:
    """Exit 3, what to do, and the store is as it was."""
    file = home / "connector.db"
    with sqlite3.connect(file) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    before = file.read_bytes()
    code, error = run(home, "status")
    assert 3 == code
    assert "written by a newer connector" in error
    assert before == file.read_bytes()


@pytest.mark.parametrize("exists", [True, False])
def test_row_97_a_store_that_cannot_be_written(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    exists: bool,  # noqa: FBT001 - a case of the test
) -> None:
    """Exit 3 with the file or its folder by name; nothing is made or changed."""
    file = home / ("connector.db" if exists else "another.db")
    before = sorted((each.name, each.read_bytes()) for each in home.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)  # an administrator may write everywhere
    with pytest.raises(StoreUnavailable, match="cannot be written") as caught:
        Store.open(f"sqlite:///{file}")
    assert 3 == caught.value.exit_code
    assert str(home) in str(caught.value)
    assert before == sorted((each.name, each.read_bytes()) for each in home.iterdir())


def text_in_its_place(file: Path) -> None:
    file.write_bytes(b"this is a letter, not a database")


def empty_beside_a_journal(file: Path) -> None:
    file.write_bytes(b"")
    file.with_name(f"{file.name}-wal").write_bytes(b"journal")


def missing_beside_a_journal(file: Path) -> None:
    file.unlink()
    file.with_name(f"{file.name}-wal").write_bytes(b"journal")


def cut_in_half(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def cut_in_its_first_page(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


@pytest.mark.parametrize(
    "damage",
    [
        text_in_its_place,
        empty_beside_a_journal,
        missing_beside_a_journal,
        cut_in_half,
        cut_in_its_first_page,
    ],
)
def test_row_99_a_damaged_store(home: Path, damage: Callable[[Path], None]) -> None:
    """Exit 3 with the way back from a backup; it is left as it is, no empty one takes its place."""
    file = home / "connector.db"
    damage(file)
    before = file.read_bytes() if file.exists() else None
    code, error = run(home, "status")
    assert 3 == code
    assert "backup" in error
    assert "Traceback" not in error
    assert before == (file.read_bytes() if file.exists() else None)


def test_row_101_a_port_that_is_used(home: Path) -> None:
    """Exit 4, and which address it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, error = run(home, "serve", "--listen", address)
    assert 4 == code
    assert address in error
