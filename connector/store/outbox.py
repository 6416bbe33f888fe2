"""What each destination holds, and where that is not what it should: level, not edge.

A due row carries no payload. It says that a person or a thing changed; what to send is worked out
when it is sent. So ten changes make one send, and a replay is nothing but marking rows due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)

from connector import moments
from connector.model import Lane, Permission, Record
from connector.store import farewell
from connector.store.kept import record_from, record_json
from connector.store.schema import records
from connector.store.sql import insert_for, is_time, write_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed row: whose record, at which revision, and what the destination last took."""

    key: str
    revision: int
    attempts: int
    lane: Lane
    due_since: datetime
    acknowledged: Record | None
    removed_at: datetime | None = None
    """When the destination took our removal, if that was the last it took."""
    confirmed: bool = False
    """A person looked at it, parked, and let it go on."""
    unsure: bool = False
    """``acknowledged`` was sent, and the destination has not said yet whether it took it."""
    erased: bool = False
    """Whose record it is was erased: it is to be removed for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a claimed row. ``status`` is settled, parked, due (again, later) or erased."""

    due: Due
    status: str
    acknowledged: Record | None
    taken: bool = False
    """The destination answered that it now holds ``acknowledged``."""
    unsure: bool = False
    """It was sent ``acknowledged``, and has not said yet whether it took it."""
    reason: str | None = None
    mend: str | None = None
    next_attempt_at: datetime | None = None
    tried: bool = True
    """It was sent, or could have been; ``False`` for what waits for another record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What could be claimed now: how many rows (counted up to a limit), and how urgent they are."""

    number: int
    has_withdrawal: bool
    oldest: datetime | None


def mark_due(
    conn: Connection, destination: str, lanes: Mapping[str, Lane], *, now: datetime
) -> None:
    """Mark the records of these people due; one that waits already keeps its place in the queue."""
    if not lanes:
        return
    write_rows(
        conn,
        _mark_due(conn.dialect.name),
        [
            {
                "destination": destination,
                "key": key,
                "status": "due",
                "lane": lane,
                "revision": 1,
                "due_since": now,
            }
            for key, lane in sorted(lanes.items())
        ],
    )


@cache
def _mark_due(dialect: str) -> Any:
    statement = insert_for(dialect, records)
    fresh = statement.excluded
    waiting = records.c.status == "due"
    return statement.on_conflict_do_update(
        index_elements=["destination", "key"],
        set_={
            "status": "due",
            "lane": case(
                (and_(waiting, records.c.lane < fresh.lane), records.c.lane),
                (records.c.erased, Lane.WITHDRAWAL),
                else_=fresh.lane,
            ),
            "revision": records.c.revision + 1,
            "due_since": case((waiting, records.c.due_since), else_=fresh.due_since),
            "next_attempt_at": None,
            "attempts": 0,
            "reason": None,
            "mend": None,
            "confirmed": and_(waiting, records.c.confirmed),
        },
    )


def mark_held_due(
    conn: Connection, destination: str, keys: Collection[str], *, now: datetime
) -> None:
    """Mark due only those of these people that have a record already."""
    if not keys:
        return
    known = conn.scalars(
        select(records.c.key).where(records.c.destination == destination, records.c.key.in_(keys))
    )
    mark_due(conn, destination, dict.fromkeys(known, Lane.NORMAL), now=now)


def queue(conn: Connection, destination: str, *, now: datetime, limit: int) -> Queue:
    """Look at what `claim` would take."""
    first = _claimable(destination, now).limit(limit).subquery()
    number, lane, oldest = conn.execute(
        select(func.count(), func.min(first.c.lane), func.min(first.c.due_since))
    ).one()
    return Queue(number=number, has_withdrawal=lane == Lane.WITHDRAWAL, oldest=oldest)


def claim(
    conn: Connection, destination: str, *, now: datetime, limit: int, only: Lane | None = None
) -> list[Due]:
    """Take due rows, withdrawals first, then those that have waited longest; of one lane only."""
    claimable = _claimable(destination, now)
    if only is not None:
        claimable = claimable.where(records.c.lane == only)
    rows = conn.execute(claimable.limit(limit).with_for_update(skip_locked=True)).mappings()
    return [
        Due(
            key=row["key"],
            revision=row["revision"],
            attempts=row["attempts"],
            lane=Lane(row["lane"]),
            due_since=row["due_since"],
            acknowledged=record_from(row["key"], row["acknowledged"]),
            removed_at=None if row["acknowledged"] else row["acknowledged_at"],
            confirmed=row["confirmed"],
            unsure=row["unsure"],
            erased=row["erased"],
        )
        for row in rows
    ]


def _claimable(destination: str, now: datetime) -> Select[Any]:
    return (
        select(records)
        .where(
            records.c.destination == destination,
            records.c.status == "due",
            is_time(records.c.next_attempt_at, now),
        )
        .order_by(records.c.lane, records.c.due_since)
    )


def settle(
    conn: Connection, destination: str, verdicts: Sequence[Verdict], *, now: datetime
) -> None:
    """Write what became of claimed rows. One that changed meanwhile stays due."""
    gone = [(each.due.key, each.due.revision) for each in verdicts if each.status == "erased"]
    farewell.forget(conn, destination, gone, now=now)
    verdicts = [each for each in verdicts if each.status != "erased"]
    if not verdicts:
        return
    untouched = records.c.revision == bindparam("b_revision")
    late = {
        name: case((untouched, _bound(name)), else_=records.c[name])
        for name in ("status", "reason", "mend", "next_attempt_at", "attempts", "due_since")
    }
    conn.execute(
        update(records)
        .where(and_(records.c.destination == destination, records.c.key == bindparam("b_key")))
        .values(
            **late,
            acknowledged=_bound("acknowledged"),
            unsure=_bound("unsure"),
            acknowledged_at=case(
                (bindparam("b_taken", type_=Boolean()), _bound("acknowledged_at")),
                else_=records.c.acknowledged_at,
            ),
        ),
        [
            {
                "b_key": verdict.due.key,
                "b_revision": verdict.due.revision,
                "b_status": verdict.status,
                "b_reason": verdict.reason,
                "b_mend": verdict.mend,
                "b_next_attempt_at": verdict.next_attempt_at,
                "b_attempts": verdict.due.attempts + verdict.tried
                if verdict.status == "due"
                else 0,
                "b_due_since": verdict.due.due_since if verdict.status == "due" else None,
                "b_acknowledged": record_json(verdict.acknowledged),
                "b_taken": verdict.taken,
                "b_unsure": verdict.unsure,
                "b_acknowledged_at": now,
            }
            for verdict in verdicts
        ],
    )


def _bound(name: str) -> BindParameter[Any]:
    return bindparam(f"b_{name}", type_=records.c[name].type)


def release(conn: Connection, destination: str, key: str | None, *, now: datetime) -> int:
    """Make parked rows due again: one, or all of a destination. Gives how many."""
    chosen = and_(records.c.destination == destination, records.c.status == "parked")
    if key is not None:
        chosen = and_(chosen, records.c.key == key)
    keys = conn.scalars(select(records.c.key).where(chosen)).all()
    mark_due(conn, destination, dict.fromkeys(keys, Lane.NORMAL), now=now)
    if keys:
        conn.execute(
            update(records)
            .where(records.c.destination == destination, records.c.key == bindparam("b_key"))
            .values(confirmed=True),
            [{"b_key": each} for each in keys],
        )
    return len(keys)


def held(conn: Connection, destination: str) -> Iterator[dict[str, Any]]:
    """What a destination acknowledged, record by record, with the moment it last took one."""
    rows = conn.execute(
        select(records.c.key, records.c.acknowledged, records.c.acknowledged_at)
        .where(records.c.destination == destination, records.c.acknowledged.is_not(None))
        .order_by(records.c.key)
    )
    for key, content, at in rows:
        yield {"key": key, **content, "acknowledged_at": moments.to_text(at) if at else None}


def holding(
    conn: Connection, destination: str, keys: Collection[str], permission: Permission
) -> set[str]:
    """Those of these keys under which the destination took a record with this permission."""
    rows = conn.execute(
        select(records.c.key, records.c.acknowledged).where(
            records.c.destination == destination,
            records.c.key.in_(keys),
            records.c.acknowledged.is_not(None),
        )
    )
    return {key for key, kept in rows if kept["permission"] == permission}


def parked(conn: Connection, *, limit: int) -> list[dict[str, Any]]:
    """Records that need a person: whose, where, why, and who mends it."""
    rows = conn.execute(
        select(records.c.destination, records.c.key, records.c.reason, records.c.mend)
        .where(records.c.status == "parked")
        .order_by(records.c.destination, records.c.key)
        .limit(limit)
    ).mappings()
    return [dict(row) for row in rows]
