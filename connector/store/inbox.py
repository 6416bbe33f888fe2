"""The inbox: what every shop delivered, and what became of each delivery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from connector.model import Delivery
from connector.store.arrivals import Inbox
from connector.store.put_aside import was_delivered
from connector.store.schema import deliveries
from connector.store.sql import is_time

__all__ = [
    "InQuarantine",
    "Inbox",
    "Status",
    "Verdict",
    "any_waiting",
    "claim",
    "count",
    "finish",
    "last_heard",
    "last_received",
    "oldest_waiting",
    "quarantined",
    "replay",
]

Status = Literal["waiting", "applied", "unchanged", "ignored", "quarantined"]


def claim(conn: Connection, *, now: datetime, limit: int, asking: bool = False) -> list[Delivery]:
    """The deliveries to work on next, in the order of their arrival.

    ``asking`` takes those that were put back once, because a shop must be asked about them.

    On PostgreSQL they stay locked until the transaction ends, and those that another worker has
    locked are passed over.
    """
    rows = conn.execute(
        select(
            deliveries.c.id,
            deliveries.c.shop,
            deliveries.c.topic,
            deliveries.c.received_at,
            deliveries.c.body,
            deliveries.c.headers,
            deliveries.c.attempts,
        )
        .where(
            deliveries.c.status == "waiting",
            deliveries.c.attempts > 0 if asking else deliveries.c.attempts == 0,
            is_time(deliveries.c.next_attempt_at, now),
        )
        .order_by(deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Delivery(
            id=row.id,
            shop=row.shop,
            topic=row.topic,
            received_at=row.received_at,
            body=row.body,
            headers=row.headers,
            attempts=row.attempts,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one delivery. ``waiting`` puts it back until ``next_attempt_at``."""

    id: int
    status: Status
    reason: str | None = None
    detail: str | None = None
    mend: str | None = None
    flags: Sequence[str] = ()
    next_attempt_at: datetime | None = None


_FINISH = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("b_id"), deliveries.c.status == "waiting")
    .values(
        status=bindparam("b_status"),
        reason=bindparam("b_reason"),
        detail=bindparam("b_detail"),
        mend=bindparam("b_mend"),
        flags=bindparam("b_flags"),
        next_attempt_at=bindparam("b_next_attempt_at"),
        finished_at=bindparam("b_finished_at"),
        attempts=deliveries.c.attempts + 1,
    )
)


def finish(conn: Connection, verdicts: Sequence[Verdict], *, now: datetime) -> None:
    """Write the verdicts down. One that is finished already keeps its first verdict."""
    if not verdicts:
        return
    conn.execute(
        _FINISH,
        [
            {
                "b_id": verdict.id,
                "b_status": verdict.status,
                "b_reason": verdict.reason,
                "b_detail": verdict.detail,
                "b_mend": verdict.mend,
                "b_flags": list(verdict.flags) or None,
                "b_next_attempt_at": verdict.next_attempt_at,
                "b_finished_at": None if verdict.status == "waiting" else now,
            }
            for verdict in verdicts
        ],
    )


def count(conn: Connection) -> dict[str, dict[str, int]]:
    """How many deliveries of each shop are in each status."""
    counts: dict[str, dict[str, int]] = {}
    for shop, status, number in conn.execute(
        select(deliveries.c.shop, deliveries.c.status, func.count()).group_by(
            deliveries.c.shop, deliveries.c.status
        )
    ):
        counts.setdefault(shop, {})[status] = number
    return counts


def any_waiting(conn: Connection) -> bool:
    """Whether a delivery waits that nobody has looked at yet."""
    one = select(deliveries.c.id).where(
        deliveries.c.status == "waiting", deliveries.c.attempts == 0
    )
    return conn.scalar(one.limit(1)) is not None


def oldest_waiting(conn: Connection) -> dict[str, datetime]:
    """When the oldest delivery that still waits came, for each shop where one does."""
    return _by_shop(
        conn,
        select(deliveries.c.shop, func.min(deliveries.c.received_at))
        .where(deliveries.c.status == "waiting")
        .group_by(deliveries.c.shop),
    )


def last_received(conn: Connection) -> dict[str, datetime]:
    """When each shop last delivered anything; what was read of its past is no delivery."""
    newest = {shop: last_heard(conn, shop) for shop in count(conn)}
    return {shop: moment for shop, moment in newest.items() if moment is not None}


def last_heard(conn: Connection, shop: str) -> datetime | None:
    """When a shop last delivered."""
    newest = [
        conn.scalar(
            select(deliveries.c.received_at)
            .where(deliveries.c.shop == shop, deliveries.c.status == status, was_delivered())
            .order_by(deliveries.c.received_at.desc())
            .limit(1)
        )
        for status in get_args(Status)  # one look at the end of the index for each
    ]
    return max((each for each in newest if each is not None), default=None)


def _by_shop(conn: Connection, query: Any) -> dict[str, datetime]:
    return {shop: moment for shop, moment in conn.execute(query)}  # noqa: C416 - rows, not tuples


def replay(
    conn: Connection,
    *,
    shop: str | None = None,
    since: datetime | None = None,
    delivery: int | None = None,
) -> int:
    """Set finished deliveries back to waiting; how many. Those whose body is gone are left."""
    return conn.execute(
        update(deliveries)
        .where(*_finished(shop, since, delivery), deliveries.c.body.is_not(None))
        .values(
            status="waiting",
            reason=None,
            detail=None,
            mend=None,
            flags=None,
            attempts=0,
            next_attempt_at=None,
            finished_at=None,
        )
    ).rowcount


def count_bodiless(
    conn: Connection,
    *,
    shop: str | None = None,
    since: datetime | None = None,
    delivery: int | None = None,
) -> int:
    """How many deliveries of this choice `replay` leaves because their body is gone."""
    bodiless = (*_finished(shop, since, delivery), deliveries.c.body.is_(None))
    return conn.scalar(select(func.count()).select_from(deliveries).where(*bodiless)) or 0


def _finished(
    shop: str | None, since: datetime | None, delivery: int | None
) -> Iterator[ColumnElement[bool]]:
    yield deliveries.c.status != "waiting"
    if shop is not None:
        yield deliveries.c.shop == shop
    if since is not None:
        yield deliveries.c.received_at >= since
    if delivery is not None:
        yield deliveries.c.id == delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class InQuarantine:
    """A delivery that needs a person: what is wrong with it and who mends it."""

    id: int
    shop: str
    topic: str
    received_at: datetime
    reason: str
    detail: str
    mend: str


def quarantined(conn: Connection, limit: int) -> list[InQuarantine]:
    """The quarantined deliveries, newest first."""
    rows = conn.execute(
        select(
            deliveries.c.id,
            deliveries.c.shop,
            deliveries.c.topic,
            deliveries.c.received_at,
            *(func.coalesce(deliveries.c[name], "") for name in ("reason", "detail", "mend")),
        )
        .where(deliveries.c.status == "quarantined")
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    return [
        InQuarantine(
            id=number,
            shop=shop,
            topic=topic,
            received_at=received_at,
            reason=reason,
            detail=detail,
            mend=mend,
        )
        for number, shop, topic, received_at, reason, detail, mend in rows
    ]
