"""What is handed over as CSV: in no column of no table does a spreadsheet find a formula."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from adapters.files.destination import FilesDestination
from connector.model import Change, Permission, Record
from connector.ports import Shape

# ASVS 5.0, 1.2.10: https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en
NASTY = [
    *(
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\x00=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
    ),
    *('=HYPERLINK("http://evil.example")', "=cmd|' /C calc'!A0", " =1+1", "\u200b=1+1", "+45 12"),
]
TABLES = ("customers", "orders", "segments", "consents")
COLUMNS = ("first_name", "last_name", "company", "number", "lines", "segment", "source", "wording")


def test_threat_e1_every_sign_in_every_column(tmp_path: Path) -> None:
    """Threat E1: each of the signs, as a value of each column and as a column's own name."""
    crm = FilesDestination("crm", tmp_path / "exports")
    list(crm.prepare(Shape(fields={}, tables=TABLES)))
    changes = [
        Change(
            key=f"p{number}",
            before=None,
            after=Record(
                key=f"p{number}",
                email=None,
                permission=Permission.SILENT,
                tables={name: (dict.fromkeys(COLUMNS, nasty) | {nasty: nasty},) for name in TABLES},
            ),
        )
        for number, nasty in enumerate(NASTY)
        if "\x00" not in nasty
    ]
    crm.push(changes, now=datetime(2026, 3, 1, tzinfo=UTC))
    crm.flush()
    for name in TABLES:
        with (tmp_path / "exports" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert len(changes) + 1 == len(rows)
        cells = [cell for row in rows for cell in row]
        assert len(changes) * (len(COLUMNS) + 1) <= sum(cell[:1] == "'" for cell in cells)
        assert [] == [
            cell for cell in cells if cell and cell[0] in "=+-@\t\r\x00\uff1d\uff0b\uff0d\uff20"
        ]
