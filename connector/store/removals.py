"""How much of what a destination holds was taken from it lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select, true

from connector.store.schema import records


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """How much a destination holds, and what goes from it.

    ``taken`` lately without anybody's word, ``held`` back to be confirmed.
    """

    acknowledged: int
    taken: int
    held: int


def tally_removals(
    conn: Connection, destination: str, *, since: datetime, held_as: str, passing: str = ""
) -> Removals:
    """Count what a destination holds and what was taken from it since a moment.

    ``held_as`` is the reason under which removals are parked to be confirmed. Records whose keys
    begin with ``passing`` are not counted: they go all the time.
    """
    gone = and_(
        records.c.acknowledged.is_(None),
        records.c.acknowledged_at >= since,
        ~records.c.confirmed,
    )
    parked_as = and_(records.c.status == "parked", records.c.reason == held_as)
    row = conn.execute(
        select(
            func.count(records.c.acknowledged),
            func.count(case((gone, 1))),
            func.count(case((parked_as, 1))),
        ).where(
            records.c.destination == destination,
            ~records.c.key.startswith(passing, autoescape=True) if passing else true(),
        )
    ).one()
    return Removals(acknowledged=row[0], taken=row[1], held=row[2])
