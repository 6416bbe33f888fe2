"""Which of what is due at a destination of sales is of the past, and must set off no mail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from connector.model import Kind
from connector.sales_keys import key_of
from connector.store import errands
from connector.store.schema import orders, records
from connector.store.sql import is_time


def read_until(conn: Connection, shops: Collection[str]) -> datetime | None:
    """When the past of any of these shops was last read to its end."""
    ends = [
        row.finished_at
        for row in errands.everything(conn)
        if row.errand == errands.BACKFILL and row.shop in shops and row.finished_at is not None
    ]
    return max(ends, default=None)


def is_due(
    conn: Connection,
    destination: str,
    shops: Collection[str],
    *,
    up_to: datetime | None,
    older_than: datetime,
    soon: datetime,
    waits: str,
    waits_since: datetime,
) -> bool:
    """Whether anything of the past may be sent there up to the moment ``soon``.

    Of the past is what became due ``up_to`` a moment, and every order that was placed before
    ``older_than`` and that the destination never took for certain. What has the reason ``waits``
    counts only while it is due for no longer than ``waits_since``.
    """
    ready = and_(
        records.c.destination == destination,
        records.c.status == "due",
        is_time(records.c.next_attempt_at, soon),
        or_(
            records.c.reason.is_(None),
            records.c.reason != waits,
            records.c.due_since >= waits_since,
        ),
    )
    early = select(records.c.key).where(ready, records.c.due_since <= up_to)
    if up_to is not None and conn.scalar(early.limit(1)) is not None:
        return True
    return any(_is_old_due(conn, ready, shop, older_than) for shop in sorted(shops))


def _is_old_due(
    conn: Connection, ready: ColumnElement[bool], shop: str, older_than: datetime
) -> bool:
    prefix = key_of(Kind.ORDER, shop, "")
    found = (
        select(records.c.key)
        .join(
            orders,
            and_(
                orders.c.shop == shop,
                orders.c.order_id == func.substr(records.c.key, len(prefix) + 1),
            ),
        )
        .where(
            ready,
            records.c.key.startswith(prefix, autoescape=True),
            or_(records.c.acknowledged.is_(None), records.c.unsure),
            orders.c.placed_at < older_than,
        )
    )
    return conn.scalar(found.limit(1)) is not None
