"""How the lanes are: since when one pauses, what last went well, what last went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connector import moments
from connector.store.schema import cursors
from connector.store.sql import upsert

_HEARTBEAT = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """What is known of the lane to one destination. ``failures`` counts those in a row."""

    paused_until: datetime | None = None
    failures: int = 0
    last_success_at: datetime | None = None
    last_problem: str | None = None
    mend: str | None = None


def read(conn: Connection, destination: str) -> LaneState:
    """The state of a destination's lane."""
    kept = get(conn, f"lane:{destination}") or {}
    return LaneState(
        paused_until=moments.parse_utc(kept.get("paused_until")),
        failures=kept.get("failures", 0),
        last_success_at=moments.parse_utc(kept.get("last_success_at")),
        last_problem=kept.get("last_problem"),
        mend=kept.get("mend"),
    )


def write(conn: Connection, destination: str, state: LaneState, *, now: datetime) -> None:
    """Keep the state of a destination's lane."""
    put(
        conn,
        f"lane:{destination}",
        {
            "paused_until": state.paused_until.isoformat() if state.paused_until else None,
            "failures": state.failures,
            "last_success_at": state.last_success_at.isoformat() if state.last_success_at else None,
            "last_problem": state.last_problem,
            "mend": state.mend,
        },
        now=now,
    )


def succeeded(conn: Connection, destination: str, *, now: datetime) -> None:
    """Note that the destination took something: whatever was wrong is over."""
    write(conn, destination, LaneState(last_success_at=now), now=now)


def beat(conn: Connection, *, now: datetime) -> None:
    """Note that a worker lives."""
    put(conn, _HEARTBEAT, None, now=now)


def last_beat(conn: Connection) -> datetime | None:
    """When a worker last said that it lives."""
    return conn.scalar(select(cursors.c.updated_at).where(cursors.c.name == _HEARTBEAT))


def get(conn: Connection, name: str) -> Any:
    """A small fact that outlives the process, or ``None``."""
    return conn.scalar(select(cursors.c.value).where(cursors.c.name == name))


def put(conn: Connection, name: str, value: Any, *, now: datetime) -> None:
    """Keep a small fact under a name."""
    conn.execute(upsert(conn, cursors), [{"name": name, "value": value, "updated_at": now}])
