"""Reads the tables back: what is really held of each person, so many people at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sqlite_utils import Database

from adapters.files import tables
from adapters.files.rows import comparable
from connector.model import Json, Record
from connector.ports import Held, Shown

MOST_PEOPLE = 1_000

_Rows: TypeAlias = Mapping[str, tuple[Mapping[str, Json], ...]]


def page(database: Database, cursor: str | None) -> Shown:
    """See `connector.ports.Showing.show`; ``cursor`` is how many people were shown before.

    It names nobody, for it is kept. Who is gone meanwhile lets somebody be passed over, whose rows
    are written once more then.
    """
    start = int(cursor or 0)
    persons = tables.people(database, start=start, most=MOST_PEOPLE)
    rows = tables.rows_of(database, persons)
    held = {
        person: Held(
            record=_record(person, {name: comparable(some) for name, some in rows[person].items()})
        )
        for person in persons
    }
    further = len(persons) == MOST_PEOPLE
    return Shown(held=held, cursor=str(start + len(persons)) if further else None)


def as_shown(record: Record) -> Record:
    """See `connector.ports.Showing.as_shown`."""
    return _record(
        record.key, {name: comparable(rows) for name, rows in record.tables.items() if rows}
    )


def _record(person: str, rows: _Rows) -> Record:
    return Record(key=person, email=None, permission=None, tables=rows)
