"""The books: what came in and what became of it, per shop and destination. They must balance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from connector import moments
from connector.flow import alarms, shop_pins
from connector.store import agreement, errands, inbox, lanes, readings, requests, watching
from connector.store.schema import deliveries, records

_DELIVERY = ("applied", "unchanged", "ignored", "waiting", "quarantined")
_RECORD = ("settled", "due", "parked")
_READ = ("applied", "unchanged", "ignored", "quarantined")
_LATELY = timedelta(hours=1)
_NOTHING = {
    "received": 0,
    **dict.fromkeys(_DELIVERY, 0),
    "rate_per_minute": 0.0,
    "oldest_waiting_seconds": None,
    "last_received_at": None,
}


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
    of every column shows as an imbalance. ``webhooks`` is what the watch last saw of them, or
    ``None`` before its first look. ``heard`` are the deliveries of a destination, if any,
    ``alarms`` what needs a person now although the books balance.
    """
    told = _deliveries(conn, now)
    read = _errands(conn)
    watched = {name: watching.told(seen) for name, seen in watching.everything(conn).items()}
    shop_books = {
        shop: {
            **told.get(shop, _NOTHING),
            "errands": read.get(shop, {}),
            "agreement": agreement.told(agreement.read(conn, shop)),
            "halted": _halted(conn, shop),
            "webhooks": watched.get(shop),
        }
        for shop in sorted({*shops, *told, *read} - {*destinations})
    }
    destination_books = {
        name: {
            **book,
            "heard": told.get(name),
            "agreement": readings.told(readings.read(conn, name)),
            "webhooks": watched.get(name),
        }
        for name, book in _destinations(conn, destinations, now).items()
    }
    balanced = (
        all(book["received"] == sum(book[part] for part in _DELIVERY) for book in told.values())
        and all(
            book["read"] == sum(book[part] for part in _READ)
            for books in read.values()
            for book in books.values()
        )
        and all(
            book["records"] == sum(book[part] for part in _RECORD)
            for book in destination_books.values()
        )
    )
    return {
        "balanced": balanced,
        "mode": mode,
        "shops": shop_books,
        "destinations": destination_books,
        "requests": requests.summary(conn, now=now),
        "alarms": [
            asdict(alarm)
            for alarm in alarms.raised(
                conn,
                shops=shops,
                destinations=destinations if mode == "live" else (),  # else nothing is to leave
                now=now,
            )
        ],
    }


def _deliveries(conn: Connection, now: datetime) -> dict[str, dict[str, Any]]:
    """What everybody delivered who ever did, shops and destinations that tell what they hear."""
    received: dict[str, int] = dict(
        conn.execute(
            select(deliveries.c.shop, func.count(deliveries.c.id)).group_by(deliveries.c.shop)
        ).all()
    )
    lately: dict[str, int] = dict(
        conn.execute(
            select(deliveries.c.shop, func.count(deliveries.c.id))
            .where(deliveries.c.received_at > now - _LATELY)
            .group_by(deliveries.c.shop)
        ).all()
    )
    parts = inbox.count(conn)
    oldest = inbox.oldest_waiting(conn)
    newest = inbox.last_received(conn)
    return {
        name: {
            "received": number,
            **{part: parts.get(name, {}).get(part, 0) for part in _DELIVERY},
            "rate_per_minute": _per_minute(lately.get(name, 0)),
            "oldest_waiting_seconds": _age(oldest.get(name), now),
            "last_received_at": _text(newest.get(name)),
        }
        for name, number in received.items()
    }


def _halted(conn: Connection, shop: str) -> dict[str, str] | None:
    """Why what the shop says is not used, and what to do about it."""
    trouble = shop_pins.halted(conn, shop)
    return {"reason": trouble.reason, "mend": trouble.mend} if trouble else None


def _errands(conn: Connection) -> dict[str, dict[str, Any]]:
    """How far the reading of each shop's past has come, by kind of thing.

    Kinds of any other errand than a backfill are named with it. ``rate`` is things a second from
    the beginning to the last that was written down, pauses included.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in errands.everything(conn):
        name = row.kind.value if row.errand == errands.BACKFILL else f"{row.errand} {row.kind}"
        seconds = (row.updated_at - row.started_at).total_seconds()
        found.setdefault(row.shop, {})[name] = {
            "read": row.read,
            "applied": row.applied,
            "unchanged": row.unchanged,
            "ignored": row.ignored,
            "quarantined": row.quarantined,
            "total": row.total,
            "rate": round(row.read / seconds, 1) if seconds > 0 else None,
            "since": _text(row.since),
            "started_at": _text(row.started_at),
            "finished_at": _text(row.finished_at),
            "problem": row.problem,
            "mend": row.mend,
        }
    return found


def _destinations(conn: Connection, names: Collection[str], now: datetime) -> dict[str, Any]:
    totals: dict[str, int] = dict(
        conn.execute(
            select(records.c.destination, func.count(records.c.key)).group_by(records.c.destination)
        ).all()
    )
    parts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    taken: dict[str, int] = {}
    for row in conn.execute(
        select(
            records.c.destination,
            records.c.status,
            func.count().label("number"),
            func.min(records.c.due_since).label("oldest"),
            func.count(case((records.c.acknowledged_at > now - _LATELY, 1))).label("lately"),
        ).group_by(records.c.destination, records.c.status)
    ):
        parts.setdefault(row.destination, {})[row.status] = row.number
        taken[row.destination] = taken.get(row.destination, 0) + row.lately
        if row.status == "due":
            oldest[row.destination] = row.oldest
    books = {}
    for name in sorted({*names, *totals}):
        lane = lanes.read(conn, name)
        books[name] = {
            "records": totals.get(name, 0),
            **{part: parts.get(name, {}).get(part, 0) for part in _RECORD},
            "rate_per_minute": _per_minute(taken.get(name, 0)),
            "oldest_due_seconds": _age(oldest.get(name), now),
            "paused_until": _text(lane.paused_until),
            "last_success_at": _text(lane.last_success_at),
            "last_problem": lane.last_problem,
            "mend": lane.mend,
        }
    return books


def _per_minute(number: int) -> float:
    """What the last hour brought, a minute."""
    return round(number / (_LATELY / timedelta(minutes=1)), 2)


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, round((now - since).total_seconds(), 3))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moments.to_text(moment)
