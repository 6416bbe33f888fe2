"""Sees the reading of a destination through: by the worker that runs, or here where none does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from connector import wiring
from connector.commands import who_works
from connector.commands.progress import Progress
from connector.commands.who_works import is_ours
from connector.engine import Engine
from connector.errors import ConnectorError, LaneDown
from connector.flow import newcomers, rounds
from connector.flow.rules import Target
from connector.house import House
from connector.ports import Showing
from connector.store import lanes, readings
from connector.store.connect import Store
from connector.wiring import Configured


def carry_out(
    configured: Configured, store: Store, name: str, *, believed: bool, silent: bool
) -> dict[str, Any]:
    """Read all that a destination holds, mark what differs due, and say what came of it.

    Raises `ConnectorError` if it cannot be read back or a person has to act first.
    """
    house = wiring.build_house(configured, store)
    targets = _targets(house, name)
    with store.write() as conn:
        for target in targets:
            rounds.begin(conn, target.name, believed=believed, now=house.now())
    progress = Progress(name, silent=silent)
    while _is_open(house, targets, progress):
        with ExitStack() as lock:
            if is_ours(store, lock, now=house.now()):
                _do(house, targets, progress)
            else:
                time.sleep(who_works.LOOK)
    with store.read() as conn:
        found = {target.name: readings.read(conn, target.name) for target in targets}
    return {
        "destinations": {
            each: {
                "agreement": readings.told(reading),
                "needs_a_person": bool(reading.held_back or reading.whole.left),
            }
            for each, reading in found.items()
        }
    }


def _targets(house: House, name: str) -> list[Target]:
    """Those of the destination's parts that can be read back: its people, its sales."""
    if not house.sends:
        raise ConnectorError("Nothing leaves in mode test, so there is nothing to compare.")
    targets = [
        target
        for target in house.rules.targets
        if target.name.partition("/")[0] == name
        and isinstance(house.destinations[target.name], Showing)
    ]
    if not targets:
        raise ConnectorError(f"{name} cannot be read back: its platform does not show what it has.")
    return targets


def _is_open(house: House, targets: Sequence[Target], progress: Progress) -> bool:
    """Whether something is left to read; shows it. Raises `ConnectorError` for what is in the way.

    What is in the way is asked for again later by itself, where a worker runs.
    """
    is_open = False
    for target in targets:
        with house.store.read() as conn:
            reading, lane = readings.read(conn, target.name), lanes.read(conn, target.name)
        if reading.round is None:
            continue
        is_open = True
        progress.tell(f"{target.name}: {reading.round.tally.compared:,} compared")
        problem, mend = reading.problem, reading.mend
        if lane.paused_until is not None and lane.paused_until > house.now():
            problem, mend = lane.last_problem, lane.mend
        if problem:
            raise LaneDown(
                f"{target.name} cannot be read back: {problem}",
                mend=mend or "Try again later; a worker that runs does so by itself.",
            )
    return is_open


def _do(house: House, targets: Sequence[Target], progress: Progress) -> None:
    """Read, compare and send what is due then."""
    engine = Engine(house)
    newcomers.meet(house.store, house.rules, now=house.now())
    try:
        while _is_open(house, targets, progress):
            if not sum(engine.deliver(target) for target in targets):
                time.sleep(who_works.LOOK)
        while sum(engine.deliver(target) for target in targets):
            pass
    finally:
        engine.reader.rest()
        engine.reconciler.rest()
