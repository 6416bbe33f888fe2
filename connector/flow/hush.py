"""While a shop's past is brought over, a destination of sales mails nobody because of it.

An order of last year must not set off "thank you for your order". So it is told before the first
record of the past is sent, and told that it is over when all of it is there. What a destination is
sent first, ever, is the past too, and so is an old order that comes late: its buyer allowed it
only now, or it was parked, or found missing. What comes in meanwhile, and what cannot be taken yet,
keeps nobody silent: a busy shop is never without something due.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from connector import moments
from connector.flow.rules import Target
from connector.flow.sales_due import WAITS
from connector.ports import DestinationAdapter, Syncing
from connector.store import errands, lanes, past
from connector.store.connect import Store
from connector.store.schema import cursors

_PREFIX = "hush:"
OLD = timedelta(days=3)
"""How long ago an order was placed that is no news any more: longer than most outages."""
_SOON = timedelta(minutes=5)  # what is tried again within it is waited for in silence
_BUYERS = timedelta(days=1)  # and so long are those that wait until their buyer is there


class Hush:
    """What each destination was told last by this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, bool] = {}

    def tell(self, target: Target, adapter: DestinationAdapter, *, now: datetime) -> None:
        """Tell a destination, before anything is sent there, if it has to hear anything.

        Raises `TryLater` or `LaneDown`; what it was not told yet it is told the next time.
        """
        if not isinstance(adapter, Syncing):
            return
        with self._store.read() as conn:
            kept = lanes.get(conn, _name(target))
            # What is due already at the very first look is all of the past.
            first = now if kept is None else moments.parse_utc(kept.get("first"))
            silent = _is_past(conn, target, first, now)
        if silent and not self._told.get(target.name):
            adapter.begin_sync()
        elif not silent and (self._told.get(target.name) or (kept or {}).get("silent")):
            adapter.end_sync()
        if kept is None or kept["silent"] != silent:
            told = {"silent": silent, "first": first.isoformat() if first else None}
            with self._store.write() as conn:
                lanes.put(conn, _name(target), told, now=now)
        self._told[target.name] = silent


def left_silent(conn: Connection, told: Collection[str]) -> list[str]:
    """Destinations that were made silent, and are none of those that are still ``told`` anything.

    Whoever took one out of the mapping in the middle of a past left its automations off there.
    """
    query = select(cursors.c.name, cursors.c.value).where(
        cursors.c.name.startswith(_PREFIX, autoescape=True)
    )
    silent = (row.name for row in conn.execute(query) if row.value and row.value["silent"])
    return sorted({name.removeprefix(_PREFIX) for name in silent} - {*told})


def _is_past(conn: Connection, target: Target, first: datetime | None, now: datetime) -> bool:
    """Whether a shop's past is being read, or something of it is to be sent now."""
    if any(
        row.errand == errands.BACKFILL and row.shop in target.shops
        for row in errands.unfinished(conn)
    ):
        return True
    ends = [each for each in (first, past.read_until(conn, target.shops)) if each is not None]
    return past.is_due(
        conn,
        target.name,
        target.shops,
        up_to=max(ends, default=None),
        older_than=now - OLD,
        soon=now + _SOON,
        waits=WAITS,
        waits_since=now - _BUYERS,
    )


def _name(target: Target) -> str:
    return _PREFIX + target.name
