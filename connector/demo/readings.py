"""What the worker reads of the shops themselves: their past, and afterwards what webhooks lost."""

from __future__ import annotations

import time
from collections import Counter
from typing import cast

from connector.demo import progress
from connector.demo.watch import Watch
from connector.demo.world import World
from connector.flow import reconcile
from connector.ports import Remembering
from connector.store import errands
from connector.store.errands import BACKFILL
from connector.wiring import wall_clock

_GLANCE = 0.1  # seconds between looks


def begin_whole_pass(world: World) -> None:
    """Ask for what changed lately and for every id, as is done by itself once a day."""
    with world.store.write() as conn:
        for name, shop in world.shops.items():
            past = cast("Remembering", shop)
            reconcile.begin(conn, name, past, whole=True, now=wall_clock())


def see_through(world: World, watch: Watch, *, patience: float) -> bool:
    """Watch the worker read until everything is read; whether it was in so many seconds."""
    deadline = time.monotonic() + patience
    while not are_over(world):
        watch.look()
        if time.monotonic() > deadline:
            return False
        time.sleep(_GLANCE)
    return True


def are_over(world: World) -> bool:
    """Whether nothing is left to be read."""
    with world.store.read() as conn:
        return not errands.unfinished(conn)


def summary(world: World) -> str:
    """How much the past was."""
    with world.store.read() as conn:
        rows = [row for row in errands.everything(conn) if row.errand == BACKFILL]
    read: Counter[str] = Counter()
    for row in rows:
        read[row.kind] += row.read
    return ", ".join(progress.counted(number, kind) for kind, number in read.items())
