"""What stops a program before it has done anything: the command, its exit code and its words."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.store.connect import Store
from tests.program import furnish, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a whole configuration and a store that was used before."""
    furnish(tmp_path)
    Store.open(f"sqlite:///{tmp_path}/connector.db").close()
    return tmp_path


def test_row_98_a_store_newer_than_the_program(home: Path) -> None:
    """Exit 3, what to do, and the store is as it was."""
    file = home / "connector.db"
    with sqlite3.connect(file) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    before = file.read_bytes()
    done = run(home, "status", apart=True)
    assert 3 == done.returncode
    assert "written by a newer connector" in done.stderr
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
    done = run(home, "status")
    assert 3 == done.returncode
    assert "backup" in done.stderr
    assert "Traceback" not in done.stderr
    assert before == (file.read_bytes() if file.exists() else None)


def test_row_101_a_port_that_is_used(home: Path) -> None:
    """Exit 4, and which address it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(home, "serve", "--listen", address)
    assert 4 == done.returncode
    assert address in done.stderr
