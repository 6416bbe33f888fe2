"""Who is in which segment, since when, and every move in and out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select

from connector.store.schema import memberships, moves
from connector.store.sql import among, write_rows

_ENTER, _NOTE = insert(memberships), insert(moves)
_LEAVE = delete(memberships).where(
    memberships.c.segment == bindparam("b_segment"), memberships.c.person == bindparam("b_person")
)


def move(
    conn: Connection,
    segment: str,
    evaluated: Mapping[str, int | None],
    members: Collection[str],
    *,
    now: datetime,
) -> None:
    """Make ``members`` those of the evaluated people who are in the segment, and note each move.

    ``evaluated`` names for each person the delivery that caused the evaluation.
    """
    before = set(
        conn.scalars(
            select(memberships.c.person).where(
                memberships.c.segment == segment, among(conn, memberships.c.person, evaluated)
            )
        )
    )
    entered, left = sorted(set(members) - before), sorted(before - set(members))
    if left:
        write_rows(conn, _LEAVE, [{"b_segment": segment, "b_person": person} for person in left])
    if entered:
        write_rows(
            conn,
            _ENTER,
            [
                {
                    "segment": segment,
                    "person": person,
                    "since": now,
                    "delivery_id": evaluated[person],
                }
                for person in entered
            ],
        )
    if entered or left:
        write_rows(
            conn,
            _NOTE,
            [
                {
                    "segment": segment,
                    "person": person,
                    "entered": person not in before,
                    "at": now,
                    "delivery_id": evaluated[person],
                }
                for person in (*entered, *left)
            ],
        )


def of_people(conn: Connection, persons: Collection[str]) -> dict[str, set[str]]:
    """The segments each of these people is in."""
    found: dict[str, set[str]] = {}
    for person, segment in conn.execute(
        select(memberships.c.person, memberships.c.segment).where(
            among(conn, memberships.c.person, persons)
        )
    ):
        found.setdefault(person, set()).add(segment)
    return found


def drop_unknown(conn: Connection, known: Collection[str]) -> None:
    """Forget memberships of segments that the mapping no longer has."""
    conn.execute(delete(memberships).where(memberships.c.segment.not_in(known)))


def sizes(conn: Connection) -> dict[str, int]:
    """How many people are in each segment."""
    rows = conn.execute(select(memberships.c.segment, func.count()).group_by(memberships.c.segment))
    return {segment: size for segment, size in rows}  # noqa: C416 - rows are no plain tuples


@dataclass(frozen=True, slots=True)
class Moved:
    """How many people came into a segment and how many left it; who did both counts in both."""

    came: int
    left: int


NOBODY = Moved(0, 0)


def moved(conn: Connection, *, since: datetime) -> dict[str, Moved]:
    """What moved in each segment from that moment on."""
    rows = conn.execute(
        select(
            moves.c.segment,
            func.count(func.distinct(case((moves.c.entered, moves.c.person)))).label("came"),
            func.count(func.distinct(case((~moves.c.entered, moves.c.person)))).label("left"),
        )
        .where(moves.c.at >= since)
        .group_by(moves.c.segment)
    )
    return {row.segment: Moved(row.came, row.left) for row in rows}
