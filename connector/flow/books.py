"""The books: what came in and what became of it, per shop and destination. They must balance."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from connector import moments
from connector.store import inbox, lanes, requests
from connector.store.schema import deliveries, records

_DELIVERY = ("applied", "unchanged", "ignored", "waiting", "quarantined")
_RECORD = ("settled", "due", "parked")


def draw_up(
    conn: Connection,
    *,
    shops: Collection[str],
    destinations: Collection[str],
    mode: str,
    now: datetime,
) -> dict[str, Any]:
    """The books as ``connector status --json`` prints them.

    ``received`` and ``records`` are counted apart from their parts, so that a row which fell out
    of every column shows as an imbalance.
    """
    shop_books = _shops(conn, shops, now)
    destination_books = _destinations(conn, destinations, now)
    balanced = all(
        book["received"] == sum(book[part] for part in _DELIVERY) for book in shop_books.values()
    ) and all(
        book["records"] == sum(book[part] for part in _RECORD)
        for book in destination_books.values()
    )
    return {
        "balanced": balanced,
        "mode": mode,
        "shops": shop_books,
        "destinations": destination_books,
        "requests": requests.summary(conn, now=now),
    }


def _shops(conn: Connection, shops: Collection[str], now: datetime) -> dict[str, Any]:
    received: dict[str, int] = dict(
        conn.execute(
            select(deliveries.c.shop, func.count(deliveries.c.id)).group_by(deliveries.c.shop)
        ).all()
    )
    parts = inbox.count(conn)
    oldest = inbox.oldest_waiting(conn)
    newest = inbox.last_received(conn)
    return {
        shop: {
            "received": received.get(shop, 0),
            **{part: parts.get(shop, {}).get(part, 0) for part in _DELIVERY},
            "oldest_waiting_seconds": _age(oldest.get(shop), now),
            "last_received_at": _text(newest.get(shop)),
        }
        for shop in sorted({*shops, *received})
    }


def _destinations(conn: Connection, names: Collection[str], now: datetime) -> dict[str, Any]:
    totals: dict[str, int] = dict(
        conn.execute(
            select(records.c.destination, func.count(records.c.key)).group_by(records.c.destination)
        ).all()
    )
    parts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    for row in conn.execute(
        select(
            records.c.destination,
            records.c.status,
            func.count().label("number"),
            func.min(records.c.due_since).label("oldest"),
        ).group_by(records.c.destination, records.c.status)
    ):
        parts.setdefault(row.destination, {})[row.status] = row.number
        if row.status == "due":
            oldest[row.destination] = row.oldest
    books = {}
    for name in sorted({*names, *totals}):
        lane = lanes.read(conn, name)
        books[name] = {
            "records": totals.get(name, 0),
            **{part: parts.get(name, {}).get(part, 0) for part in _RECORD},
            "oldest_due_seconds": _age(oldest.get(name), now),
            "paused_until": _text(lane.paused_until),
            "last_success_at": _text(lane.last_success_at),
            "last_problem": lane.last_problem,
            "mend": lane.mend,
        }
    return books


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, round((now - since).total_seconds(), 3))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moments.to_text(moment)
