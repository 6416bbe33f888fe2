"""Which shops are to be reconciled before their time, because something may have been missed.

Whoever watches asks with `hasten`; whoever reconciles looks with `hastened` and says `begun` when
it took the wish up.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connector import moments
from connector.store import lanes


def hasten(conn: Connection, shop: str, *, since: datetime, now: datetime) -> None:
    """Ask for what changed in a shop since a moment to be read soon; the earliest moment stands."""
    asked = hastened(conn, shop)
    earliest = since if asked is None else min(asked, since)
    lanes.put(conn, _cursor(shop), {"since": earliest.isoformat()}, now=now)


def hastened(conn: Connection, shop: str) -> datetime | None:
    """Since when something may have been missed, if it was asked to be read."""
    kept = lanes.get(conn, _cursor(shop))
    return moments.parse_utc(kept["since"]) if kept else None


def begun(conn: Connection, shop: str, *, now: datetime) -> None:
    """It is being read: the wish is fulfilled."""
    lanes.put(conn, _cursor(shop), None, now=now)


def _cursor(shop: str) -> str:
    return f"hastened:{shop}"
