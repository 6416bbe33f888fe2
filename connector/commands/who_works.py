"""Whether a worker runs that does what a command asks for, or the command does it itself."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta

from connector.errors import StoreUnavailable
from connector.store import lanes
from connector.store.connect import Store

LOOK = 0.5
"""Seconds between looks at what a worker does."""
_SILENT = timedelta(seconds=20)  # without a sign of life from any worker: we do it ourselves


def is_ours(store: Store, lock: ExitStack, *, now: datetime) -> bool:
    """Whether no worker is there to do it. On SQLite one that starts waits for ``lock``."""
    if store.dialect == "sqlite":
        if store.has_worker():
            return False
        try:
            lock.enter_context(store.only_worker())
        except StoreUnavailable:
            return False
        return True
    return is_silent(store, now=now)


def is_silent(store: Store, *, now: datetime) -> bool:
    """Whether no worker has said for a while that it lives."""
    with store.read() as conn:
        beat = lanes.last_beat(conn)
    return beat is None or abs(now - beat) > _SILENT
