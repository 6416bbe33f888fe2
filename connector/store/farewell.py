"""The records of erased people: to be removed for good, and forgotten once that is confirmed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, literal, select, update

from connector.model import Lane
from connector.store.schema import profiles, records
from connector.store.sql import chunks


def mark(conn: Connection, persons: Collection[str], *, now: datetime) -> int:
    """Have these people's records removed for good wherever there are any; how many those are.

    Does not wait for a worker who is just sending one of them (on PostgreSQL, where they are
    locked): the transaction fails, to be tried again.
    """
    number = 0
    for some in chunks(persons):
        chosen = records.c.key.in_(some)
        conn.execute(select(records.c.key).where(chosen).with_for_update(nowait=True))
        number += conn.execute(
            update(records)
            .where(chosen)
            .values(
                status="due",
                lane=Lane.WITHDRAWAL,
                erased=True,
                revision=records.c.revision + 1,
                due_since=case(
                    (records.c.status == "due", records.c.due_since),
                    else_=literal(now, records.c.due_since.type),
                ),
                next_attempt_at=None,
                attempts=0,
                reason=None,
                mend=None,
            )
        ).rowcount
    return number


def forget(
    conn: Connection, destination: str, removed: Sequence[tuple[str, int]], *, now: datetime
) -> None:
    """Drop the rows of erased people whom the destination has removed, each at its revision.

    Who is back by now is due as anybody else; whose row changed meanwhile is looked at once more.
    """
    if not removed:
        return
    mine = and_(records.c.destination == destination, records.c.key == bindparam("b_key"))
    same = records.c.revision == bindparam("b_revision")
    back = exists().where(profiles.c.person == records.c.key)
    rows = [{"b_key": key, "b_revision": revision} for key, revision in removed]
    conn.execute(delete(records).where(mine, same, ~back), rows)
    conn.execute(
        update(records)
        .where(mine)
        .values(
            acknowledged=None,
            acknowledged_at=None,
            status="due",
            erased=case((same, False), else_=True),
            lane=case((same, Lane.NORMAL), else_=records.c.lane),
            revision=records.c.revision + 1,
            due_since=now,
            next_attempt_at=None,
            attempts=0,
            unsure=False,
        ),
        rows,
    )
