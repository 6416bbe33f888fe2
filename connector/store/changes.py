"""People whose facts changed since they were last evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    insert,
    literal,
    select,
    update,
)

from connector.store.schema import dirty, profiles
from connector.store.sql import insert_for, write_rows

LONGEST = timedelta(minutes=1)
"""How long a change may wait for others."""

_CLEAR = delete(dirty).where(
    and_(dirty.c.person == bindparam("b_person"), dirty.c.mark == bindparam("b_mark"))
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A person to evaluate, at which mark, and the delivery that last concerned them."""

    person: str
    mark: int
    delivery_id: int | None


def mark_dirty(
    conn: Connection,
    persons: Mapping[str, int | None],
    *,
    now: datetime,
    after: timedelta = timedelta(0),
) -> None:
    """Note that these people must be evaluated; ``persons`` names the delivery that caused it.

    ``after``, at most `LONGEST`, lets changes that come in crowds gather: it may wait so long, but
    not once something came that may not.
    """
    if persons:
        since = now + after
        write_rows(
            conn,
            _mark_dirty(conn.dialect.name),
            [
                {"person": person, "mark": 1, "since": since, "delivery_id": delivery_id}
                for person, delivery_id in sorted(persons.items())
            ],
        )


@cache
def _mark_dirty(dialect: str) -> Any:
    statement = insert_for(dialect, dirty)
    fresh = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["person"],
        set_={
            "mark": dirty.c.mark + 1,
            "delivery_id": fresh.delivery_id,
            "since": case((fresh.since < dirty.c.since, fresh.since), else_=dirty.c.since),
        },
    )


def claim_changed(conn: Connection, *, now: datetime, limit: int) -> list[Changed]:
    """Take people to evaluate, those that have waited longest first.

    One who was marked by a clock that was ahead is taken as well.
    """
    found = _claim(conn, dirty.c.since <= now, limit)
    return found or _claim(conn, dirty.c.since > now + LONGEST, limit)


def _claim(conn: Connection, when: ColumnElement[bool], limit: int) -> list[Changed]:
    rows = conn.execute(
        select(dirty.c.person, dirty.c.mark, dirty.c.delivery_id)
        .where(when)
        .order_by(dirty.c.since)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [Changed(person, mark, delivery_id) for person, mark, delivery_id in rows]


def let_go(conn: Connection, *, now: datetime) -> None:
    """Evaluate now whoever was marked to be evaluated later: the crowd has passed."""
    conn.execute(update(dirty).where(dirty.c.since > now).values(since=now))


def any_changed(conn: Connection) -> bool:
    """Whether anybody waits to be evaluated."""
    return conn.scalar(select(dirty.c.person).limit(1)) is not None


def clear_changed(conn: Connection, evaluated: list[Changed]) -> None:
    """Forget those evaluated; one that changed again since keeps its row."""
    if evaluated:
        write_rows(
            conn,
            _CLEAR,
            [{"b_person": entry.person, "b_mark": entry.mark} for entry in evaluated],
        )


def mark_flipping(conn: Connection, *, now: datetime) -> int:
    """Mark everybody whose segments change by now merely because time passed. Gives how many."""
    due = conn.scalars(select(profiles.c.person).where(profiles.c.next_flip_at <= now)).all()
    mark_dirty(conn, dict.fromkeys(due), now=now)
    return len(due)


def mark_everybody(conn: Connection, *, now: datetime) -> None:
    """Mark every known person: the mapping changed."""
    statement = insert(dirty).from_select(
        ["person", "mark", "since"],
        select(profiles.c.person, literal(1), literal(now, dirty.c.since.type)).where(
            profiles.c.person.not_in(select(dirty.c.person))
        ),
    )
    conn.execute(statement)


def any_flipping(conn: Connection, *, now: datetime) -> bool:
    """Whether anybody's segments change by now."""
    due = select(profiles.c.person).where(profiles.c.next_flip_at <= now).limit(1)
    return conn.scalar(due) is not None
