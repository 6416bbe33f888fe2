"""Single rows: which can be kept in a table, and in what form they are compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from adapters.files.tables import TABLES
from connector.model import Change, Json, Parked

_LARGEST = 2**63
_MEND_ROW = "Look at the attributes mapped to this destination: one gives a value no table can hold"


def refusal(change: Change) -> Parked | None:
    """Why a record cannot be kept, if so; never with what stands in it."""
    for table, rows in (change.after.tables if change.after else {}).items():
        if table not in TABLES:
            return Parked(
                reason=f"there is no table {table!r}", mend=f"Choose from {', '.join(TABLES)}"
            )
        for row in rows:
            if len({name.lower() for name in row}) != len(row):
                return Parked(reason=f"{table} has a column twice", mend=_MEND_ROW)
            for name, value in row.items():
                if not (_is_text(name) and name and "\x00" not in name and _fits(value)):
                    return Parked(
                        reason=f"{table}.{name!a:.60} has a value that is no text or number",
                        mend=_MEND_ROW,
                    )
    return None


def comparable(rows: Iterable[Mapping[str, Json]]) -> tuple[dict[str, Json], ...]:
    """Rows as they can be compared: no table tells an empty cell from a column that is missing.

    Nor do columns differ by the case of their names alone; whose row it is, its record says.
    """
    return tuple(
        {
            name.lower(): value
            for name, value in row.items()
            if value is not None and name.lower() != "person"
        }
        for row in rows
    )


def _fits(value: Json) -> bool:
    match value:
        case None | bool():
            return True
        case int():
            return -_LARGEST <= value < _LARGEST
        case float():
            return math.isfinite(value)
        case str():
            return _is_text(value)
        case _:
            return False


def _is_text(value: Json) -> bool:
    """Can it be stored as UTF-8: half of a surrogate pair cannot."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
