"""What was seen of a destination's records when it was read back, and what was not seen at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from connector.model import Lane, Record
from connector.store import outbox
from connector.store.kept import record_from, record_json
from connector.store.schema import records
from connector.store.sql import chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A settled record: what was acknowledged (``None``: its removal), when, how often repaired."""

    key: str
    acknowledged: Record | None
    at: datetime
    repairs: int


def settled(
    conn: Connection, destination: str, keys: Collection[str], *, before: datetime
) -> Iterator[Taken]:
    """Those of these records that were taken before a moment and wait for nothing."""
    for some in chunks(keys):
        yield from _taken(conn, destination, before, records.c.key.in_(some))


def unseen(
    conn: Connection, destination: str, *, since: datetime, before: datetime, limit: int
) -> list[Taken]:
    """Records that should be there, and were not seen since a moment; at most ``limit``."""
    missing = and_(
        records.c.acknowledged.is_not(None),
        or_(records.c.seen_at.is_(None), records.c.seen_at < since),
    )
    return list(_taken(conn, destination, before, missing, limit=limit))


def known(conn: Connection, destination: str, keys: Collection[str]) -> set[str]:
    """Those of these keys under which there is a record."""
    found: set[str] = set()
    for some in chunks(keys):
        query = select(records.c.key).where(
            records.c.destination == destination, records.c.key.in_(some)
        )
        found.update(conn.scalars(query))
    return found


def never_seen(conn: Connection, destination: str, keys: Collection[str]) -> set[str]:
    """Those of these records that were not read there even once."""
    found: set[str] = set()
    for some in chunks(keys):
        query = select(records.c.key).where(
            records.c.destination == destination,
            records.c.key.in_(some),
            records.c.seen_at.is_(None),
        )
        found.update(conn.scalars(query))
    return found


def saw(conn: Connection, destination: str, keys: Collection[str], *, now: datetime) -> None:
    """Note that these were read there."""
    for some in chunks(keys):
        conn.execute(
            update(records)
            .where(records.c.destination == destination, records.c.key.in_(some))
            .values(seen_at=now)
        )


def is_well(conn: Connection, destination: str, keys: Collection[str]) -> None:
    """These were as they were taken: what was repaired of them before has lasted."""
    for some in chunks(keys):
        conn.execute(
            update(records)
            .where(
                records.c.destination == destination,
                records.c.key.in_(some),
                records.c.repairs > 0,
            )
            .values(repairs=0)
        )


def repair(
    conn: Connection,
    destination: str,
    held: Iterable[tuple[str, Record | None]],
    *,
    now: datetime,
) -> None:
    """Enter what is really held under these keys, and mark them due: the step is taken anew."""
    rows = [{"b_key": key, "b_acknowledged": record_json(record)} for key, record in held]
    if not rows:
        return
    conn.execute(
        update(records)
        .where(records.c.destination == destination, records.c.key == bindparam("b_key"))
        .values(
            acknowledged=bindparam("b_acknowledged", type_=records.c.acknowledged.type),
            repairs=records.c.repairs + 1,
        ),
        rows,
    )
    keys = dict.fromkeys((str(row["b_key"]) for row in rows), Lane.NORMAL)
    outbox.mark_due(conn, destination, keys, now=now)


def _taken(
    conn: Connection, destination: str, before: datetime, which: Any, limit: int | None = None
) -> Iterator[Taken]:
    query = (
        select(records.c.key, records.c.acknowledged, records.c.acknowledged_at, records.c.repairs)
        .where(
            records.c.destination == destination,
            records.c.status == "settled",
            records.c.acknowledged_at < before,
            ~records.c.unsure,
            ~records.c.erased,
            which,
        )
        .order_by(records.c.key)
        .limit(limit)
    )
    for key, kept, at, repairs in conn.execute(query):
        yield Taken(key=key, acknowledged=record_from(key, kept), at=at, repairs=repairs)
