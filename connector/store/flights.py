"""What is on its way to a destination, written down before it is sent.

Whoever dies with an answer outstanding, or loses it, leaves a note of what may have been taken. It
is brought down into the records before anything else is sent there: as long as nobody knows, a
record is treated as if the destination held both what it held before and what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy import text as sql

from connector.model import Json, Permission, Record
from connector.moments import EPOCH
from connector.store import lanes
from connector.store.connect import Claim
from connector.store.kept import record_from, record_json
from connector.store.schema import cursors, records

_PREFIX = "flight:"
_LOCK = sql("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY_LOCK = sql("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_RAISED = (Permission.SEND, Permission.CONFIRM, Permission.SILENT, Permission.WITHDRAWN)
"""In doubt the higher one holds: then a withdrawal is still a change, and is sent."""


def take_off(claim: Claim, destination: str, sent: Mapping[str, Record | None]) -> str:
    """Note what is about to be sent, durably; gives the note's name, for `land`."""
    with claim.read() as conn:
        name = f"{_PREFIX}{destination}:{_number(conn)}"
        _hold(conn, name)
    with claim.aside() as conn:
        kept = {key: record_json(record) for key, record in sent.items()}
        lanes.put(conn, name, kept, now=EPOCH)
    return name


def land(conn: Connection, name: str) -> None:
    """The answers are there and settled in this transaction."""
    conn.execute(delete(cursors).where(cursors.c.name == name))


def bring_down(claim: Claim, destination: str) -> int:
    """Enter what may have been taken while nobody was there to hear of it; how many records."""
    with claim.read() as conn:
        lost = _lost(conn, destination)
    if not lost:
        return 0
    with claim.write() as conn:
        for name, sent in lost.items():
            _enter(conn, destination, sent)
            land(conn, name)
    return sum(len(sent) for sent in lost.values())


def either(before: Record | None, sent: Record | None) -> Record | None:
    """What a destination may hold that took this record or did not.

    A field of which two values are possible has neither, so that it is written anew. Of tags and
    tables all are there that may be; the tags that may also be missing are its doubts.
    """
    one = sent or before
    if one is None:
        return None
    nothing = Record(key=one.key, email=None, permission=None)
    old, new = before or nothing, sent or nothing
    sure = set(old.tags).intersection(new.tags) - {*old.doubts}
    tags = sorted({*old.tags, *new.tags})
    return Record(
        key=one.key,
        email=new.email or old.email,
        permission=min(
            (each for each in (old.permission, new.permission) if each is not None),
            key=_RAISED.index,
            default=None,
        ),
        fields={
            name: _value(old.fields, new.fields, name)
            for name in sorted({*old.fields, *new.fields})
        },
        tags=tuple(tags),
        tables={**old.tables, **new.tables},
        doubts=tuple(tag for tag in tags if tag not in sure),
    )


def _value(before: Mapping[str, Json], sent: Mapping[str, Json], name: str) -> Json:
    if name in before and name in sent and before[name] == sent[name]:
        return before[name]
    return {"either": [before.get(name), sent.get(name)]}


def _enter(conn: Connection, destination: str, sent: Mapping[str, Any]) -> None:
    rows = conn.execute(
        select(records.c.key, records.c.acknowledged).where(
            records.c.destination == destination, records.c.key.in_(list(sent))
        )
    ).all()
    doubtful = [
        {
            "b_key": key,
            "b_acknowledged": record_json(
                either(record_from(key, kept), record_from(key, sent[key]))
            ),
        }
        for key, kept in rows
    ]
    if doubtful:
        conn.execute(
            update(records)
            .where(records.c.destination == destination, records.c.key == bindparam("b_key"))
            .values(
                acknowledged=bindparam("b_acknowledged", type_=records.c.acknowledged.type),
                unsure=True,
            ),
            doubtful,
        )


def _lost(conn: Connection, destination: str) -> dict[str, Mapping[str, Any]]:
    """The notes of those who do not live any more."""
    begin = f"{_PREFIX}{destination}:"
    found = conn.execute(
        select(cursors.c.name, cursors.c.value).where(
            cursors.c.name >= begin, cursors.c.name < begin + "~"
        )
    ).all()
    return {name: msgspec.convert(sent, dict) for name, sent in found if _is_lost(conn, name)}


def _number(conn: Connection) -> str:
    """What tells the notes of several workers apart; on SQLite there is one."""
    if conn.dialect.name != "postgresql":
        return "0"
    return str(conn.scalar(sql("SELECT pg_current_xact_id()::text")))


def _hold(conn: Connection, name: str) -> None:
    """A lock that falls away with the transaction, and so with whoever holds it."""
    if conn.dialect.name == "postgresql":
        conn.execute(
            sql("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )


def _is_lost(conn: Connection, name: str) -> bool:
    if conn.dialect.name != "postgresql":
        return True
    return bool(conn.scalar(_TRY_LOCK, {"name": name}))
