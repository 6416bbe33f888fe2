"""The files destination keeps the promises of every destination."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.files.destination import FilesDestination
from connector.model import Json, Permission, Record
from connector.ports import Shape
from tests.contract.destinations import DestinationContract
from tests.contract.pushing import Make


class TestFiles(DestinationContract):
    """The contract over a folder; what is held is what a reader of the SQLite file finds."""

    shape = Shape(fields={}, tables=("customers", "segments", "consents"))

    def record(
        self,
        email: str,
        permission: Permission = Permission.SEND,
        fields: Mapping[str, Json] | None = None,
        tags: Sequence[str] = (),
    ) -> Record:
        """A record of rows; the address that is refused brings a value no table can hold."""
        plain = super().record(email, permission, fields, tags)
        odd = {"odd": {"a": 1}} if email == self.bad_email else {}
        tables = {
            "customers": ({"email": email, **plain.fields, **odd},),
            "segments": tuple({"segment": tag} for tag in plain.tags),
            "consents": ({"permission": permission.value},),
        }
        return replace(plain, tables=tables)

    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        """A destination in a new folder."""
        folder = tmp_path / "exports"

        def peek(email: str) -> Mapping[str, Any] | None:
            with closing(sqlite3.connect(folder / "crm.sqlite3")) as file:
                file.row_factory = sqlite3.Row
                held = {
                    table: file.execute(
                        f"SELECT * FROM {table} WHERE person = ?",  # noqa: S608 one of ours
                        (email,),
                    ).fetchall()
                    for table in self.shape.tables
                }
            if not any(held.values()):
                return None
            return {
                "fields": dict(held["customers"][0]),
                "tags": sorted(row["segment"] for row in held["segments"]),
                "mailable": [row["permission"] for row in held["consents"]] == ["send"],
            }

        return lambda: (FilesDestination("crm", folder), peek)
