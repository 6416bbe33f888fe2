"""People whose facts changed since they were last evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, insert, literal, select

from connector.store.schema import dirty, profiles
from connector.store.sql import insert_into


@dataclass(frozen=True, slots=True)
class Changed:
    """A person to evaluate, at which mark, and the delivery that last concerned them."""

    person: str
    mark: int
    delivery_id: int | None


def mark_dirty(conn: Connection, persons: Mapping[str, int | None], *, now: datetime) -> None:
    """Note that these people must be evaluated; ``persons`` names the delivery that caused it."""
    if not persons:
        return
    statement = insert_into(conn, dirty)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["person"],
            set_={"mark": dirty.c.mark + 1, "delivery_id": statement.excluded.delivery_id},
        ),
        [
            {"person": person, "mark": 1, "since": now, "delivery_id": delivery_id}
            for person, delivery_id in sorted(persons.items())
        ],
    )


def claim_changed(conn: Connection, *, limit: int) -> list[Changed]:
    """Take people to evaluate, those that have waited longest first."""
    rows = conn.execute(
        select(dirty.c.person, dirty.c.mark, dirty.c.delivery_id)
        .order_by(dirty.c.since)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Changed(row.person, row.mark, row.delivery_id) for row in rows]


def any_changed(conn: Connection) -> bool:
    """Whether anybody waits to be evaluated."""
    return conn.scalar(select(dirty.c.person).limit(1)) is not None


def clear_changed(conn: Connection, evaluated: list[Changed]) -> None:
    """Forget those evaluated; one that changed again since keeps its row."""
    if evaluated:
        conn.execute(
            delete(dirty).where(
                and_(dirty.c.person == bindparam("b_person"), dirty.c.mark == bindparam("b_mark"))
            ),
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
