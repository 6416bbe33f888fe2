"""The examination of a folder: whether it can be written, without making anything."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.files.destination import FilesDestination
from connector.ports import Finding, Grade, Shape

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SHAPE = Shape(fields={}, tables=("customers",))


def look(folder: Path) -> Finding:
    (only,) = FilesDestination("crm", folder).check_up(SHAPE, now=NOW)
    return only


def test_a_folder_to_be_made_is_fine_and_not_made(tmp_path: Path) -> None:
    """Its place can be written; it is made when work begins."""
    assert Grade.FINE == look(tmp_path / "deep" / "exports").grade
    assert [] == list(tmp_path.iterdir())


def test_a_folder_in_use_is_fine(tmp_path: Path) -> None:
    """The file in it can be read."""
    FilesDestination("crm", tmp_path / "exports").prepare(SHAPE)
    assert Grade.FINE == look(tmp_path / "exports").grade


def test_a_damaged_file_is_an_alarm(tmp_path: Path) -> None:
    """With what to do about it."""
    folder = tmp_path / "exports"
    FilesDestination("crm", folder).prepare(SHAPE)
    (folder / "crm.sqlite3").write_bytes(b"no database at all, but a letter of some length")
    alarm = look(folder)
    assert Grade.ALARM == alarm.grade
    assert "damaged" in alarm.cause
    assert alarm.mend


def test_a_folder_that_is_not_ours_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right to write is asked of the system, which tells an administrator yes to all."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    alarm = look(tmp_path)
    assert Grade.ALARM == alarm.grade
    assert "a folder of its own" in alarm.mend
