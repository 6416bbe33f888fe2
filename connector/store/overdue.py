"""Withdrawals that wait: not taken by their destination, or not brought there for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, and_, func, or_, select, type_coerce

from connector.model import Lane
from connector.store.schema import records

LONG = timedelta(minutes=15)
"""So long from when one became due to when it is tried next, and a person should know."""
LONGEST = timedelta(hours=1)
"""How long one may be due for whatever reason: that nobody works, or the destination is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """How many there are at a destination, since when, and why the first of them is."""

    destination: str
    number: int
    since: datetime
    reason: str | None


def withdrawals(conn: Connection, *, now: datetime) -> Iterator[Overdue]:
    """Those that were tried and are late because they were not taken, and those due for long."""
    waits = type_coerce(records.c.next_attempt_at, BigInteger) - type_coerce(
        records.c.due_since, BigInteger
    )
    for row in conn.execute(
        select(
            records.c.destination,
            func.count().label("number"),
            func.min(records.c.due_since).label("since"),
            func.min(records.c.reason).label("reason"),
        )
        .where(
            records.c.status == "due",
            records.c.lane == Lane.WITHDRAWAL,
            or_(
                records.c.due_since <= now - LONGEST,
                and_(
                    records.c.attempts > 0,
                    records.c.reason.is_not(None),
                    waits >= int(LONG.total_seconds() * 1_000_000),
                ),
            ),
        )
        .group_by(records.c.destination)
        .order_by(records.c.destination)
    ):
        yield Overdue(
            destination=row.destination, number=row.number, since=row.since, reason=row.reason
        )
