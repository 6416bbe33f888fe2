"""While a shop's past is brought over, a destination of sales mails nobody because of it.

An order of last year must not set off "thank you for your order". So it is told before the first
record of the past is sent, and told that it is over when all of it is there. What a destination is
sent first, ever, is the past too.
"""

from __future__ import annotations

from datetime import datetime

from connector.flow.rules import Target
from connector.ports import DestinationAdapter, Syncing
from connector.store import errands, lanes, outbox
from connector.store.connect import Store


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
            under_way = any(
                row.errand == errands.BACKFILL and row.shop in target.shops
                for row in errands.unfinished(conn)
            )
            due = outbox.any_due(conn, target.name)
        past = under_way or (due and (kept is None or kept["silent"]))
        if past and not self._told.get(target.name):
            adapter.begin_sync()
        elif not past and (self._told.get(target.name) or (kept or {}).get("silent")):
            adapter.end_sync()
        if kept is None or kept["silent"] != past:
            with self._store.write() as conn:
                lanes.put(conn, _name(target), {"silent": past}, now=now)
        self._told[target.name] = past


def _name(target: Target) -> str:
    return f"hush:{target.name}"
