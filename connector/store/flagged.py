"""Deliveries that were flagged: those that are an alarm, and those of another version."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Text, cast, func, select

from connector.model import Delivery
from connector.store.schema import deliveries

ALARM = "alarm"
"""The flag of a delivery in quarantine that is an alarm of its own."""


def alarming(conn: Connection) -> dict[str, int]:
    """How many deliveries in quarantine are an alarm of their own, for each shop with any."""
    rows = conn.execute(
        select(deliveries.c.shop, func.count())
        .where(deliveries.c.status == "quarantined", _has(ALARM))
        .group_by(deliveries.c.shop)
        .order_by(deliveries.c.shop)
    )
    return {shop: number for shop, number in rows}  # noqa: C416 - rows are no plain tuples


def newest_flagged(conn: Connection, shop: str, flag: str) -> list[Delivery]:
    """The newest delivery of each topic of a shop, where that one bears the flag; no bodies."""
    newest = (
        select(func.max(deliveries.c.id))
        .where(deliveries.c.shop == shop, deliveries.c.status != "waiting")
        .group_by(deliveries.c.topic)
    )
    return [
        Delivery(
            id=row.id,
            shop=row.shop,
            topic=row.topic,
            received_at=row.received_at,
            body=b"",
            headers=row.headers,
            attempts=row.attempts,
        )
        for row in conn.execute(
            select(
                *(deliveries.c[name] for name in ("id", "shop", "topic", "received_at")),
                *(deliveries.c[name] for name in ("headers", "attempts")),
            )
            .where(deliveries.c.id.in_(newest), _has(flag))
            .order_by(deliveries.c.topic)
        )
    ]


def _has(flag: str) -> ColumnElement[bool]:
    return cast(deliveries.c.flags, Text).contains(f'"{flag}"', autoescape=True)
