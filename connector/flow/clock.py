"""What changes merely because time passes: segments with relative dates flip when due."""

from __future__ import annotations

from datetime import datetime

from connector.store import changes
from connector.store.connect import Store


def drain(store: Store, *, now: datetime) -> int:
    """Mark everybody whose segments change by now. Gives how many. Raises `StoreUnavailable`."""
    with store.read() as conn:
        if not changes.any_flipping(conn, now=now):
            return 0
    with store.write() as conn:
        return changes.mark_flipping(conn, now=now)
