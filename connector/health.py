"""Whether work can be done: the store can be written, there is room left, and a worker is alive."""

from __future__ import annotations

from datetime import datetime

from connector.errors import StoreUnavailable
from connector.store import lanes
from connector.store.connect import Store
from connector.store.ground import LEAST_FREE, free_bytes, sqlite_file
from webhooks.health import Health

ALIVE_SECONDS = 30
SILENT = f"none has said for {ALIVE_SECONDS} s that it lives: start connector work"


def of_store(store: Store, now: datetime) -> Health:
    """How the house is, in words without personal data."""
    try:
        with store.write() as conn:
            lanes.put(conn, "health", None, now=now)
            beat = lanes.last_beat(conn)
    except StoreUnavailable as problem:
        return Health(
            ok=False, store="unavailable", worker="unknown", detail={"store": str(problem)}
        )
    alive = is_alive(beat, now)
    short = shortage(store)
    detail = {} if alive else {"worker": SILENT}
    return Health(
        ok=alive and short is None,
        store="writable",
        worker="alive" if alive else "silent",
        detail=detail | ({"disk": short} if short else {}),
    )


def is_alive(beat: datetime | None, now: datetime) -> bool:
    """Whether a worker said so lately."""
    return beat is not None and abs((now - beat).total_seconds()) <= ALIVE_SECONDS


def shortage(store: Store) -> str | None:
    """What is to be said of the room left for the store, if there is too little of it."""
    file = sqlite_file(store.engine.url.render_as_string(hide_password=False))
    if file is None:
        return None
    free = free_bytes(file)
    if free >= LEAST_FREE:
        return None
    return f"{free // 2**20} MB are free where the store lies, {LEAST_FREE // 2**20} are needed"
