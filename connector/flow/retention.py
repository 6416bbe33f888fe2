"""How long words are kept: what shops delivered is forgotten in the end, what it meant is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connector import moments
from connector.moments import EPOCH
from connector.store import bodies, lanes
from connector.store.connect import Store

_CURSOR = "bodies"
_EVERY = timedelta(hours=1)
_WHOLLY = timedelta(days=1)
"""How often all that is old is looked through, for what was done with late."""
_AT_ONCE = 20_000
_BATCH = 500  # in one transaction: a webhook waits for its end


def drain(store: Store, *, keep: timedelta, now: datetime) -> int:
    """Forget bodies that were kept long enough; how many. Looks once an hour.

    Raises `StoreUnavailable`.
    """
    with store.read() as conn:
        state = lanes.get(conn, _CURSOR) or {}
    if _lately(state, "looked_at", now, _EVERY):
        return 0
    wholly = not _lately(state, "wholly_at", now, _WHOLLY)
    since = EPOCH if wholly else moments.parse_utc(state.get("up_to")) or EPOCH
    before = now - keep
    with store.read() as conn:
        ids = bodies.old(conn, since=since, before=before, limit=_AT_ONCE)
    forgotten = 0
    for start in range(0, len(ids), _BATCH):
        with store.write() as conn:
            forgotten += bodies.let_go(conn, ids[start : start + _BATCH])
    if len(ids) < _AT_ONCE:  # else there is more: the next step goes on
        wholly_at = moments.to_text(now) if wholly else state.get("wholly_at")
        told = {"looked_at": moments.to_text(now), "up_to": moments.to_text(before)}
        with store.write() as conn:
            lanes.put(conn, _CURSOR, {**told, "wholly_at": wholly_at}, now=now)
    if forgotten:
        store.untidy.set()
    return forgotten


def _lately(state: dict[str, Any], name: str, now: datetime, within: timedelta) -> bool:
    """Whether that was less than so long ago; not if a clock that was ahead said when."""
    at = moments.parse_utc(state.get(name))
    return at is not None and timedelta(0) <= now - at < within
