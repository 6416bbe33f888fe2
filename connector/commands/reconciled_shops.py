"""Sees a pass over shops through: by the worker that runs, or here where none does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from connector import wiring
from connector.commands import who_works
from connector.commands.progress import Progress
from connector.commands.who_works import is_ours
from connector.engine import Engine
from connector.errors import ConnectorError, LaneDown
from connector.flow import newcomers
from connector.flow import reconcile as passes
from connector.ports import Remembering, Scoped, ShopAdapter
from connector.store import agreement, changes, errands
from connector.store.connect import Store
from connector.store.errands import RECONCILE, REREAD, SWEEP, Errand
from connector.wiring import Configured

Told: TypeAlias = dict[str, Any]

_PASS = (RECONCILE, REREAD, SWEEP)


@dataclass(slots=True)
class _Task:
    """Which shops are to be seen through, and where."""

    configured: Configured
    store: Store
    shops: Sequence[str]
    progress: dict[str, Progress]

    def now(self) -> datetime:
        return wiring.clock_of(self.configured.settings)()

    def rows(self) -> list[Errand]:
        """What a pass consists of, as far as it has come."""
        with self.store.read() as conn:
            found = errands.everything(conn)
        return [row for row in found if row.shop in self.shops and row.errand in _PASS]

    def is_open(self) -> bool:
        """Whether something is left to do; shows it. Raises `LaneDown` for what a person mends."""
        rows = [row for row in self.rows() if row.finished_at is None]
        for shop in self.shops:
            self.progress[shop].show([row for row in rows if row.shop == shop])
        for row in rows:
            if row.problem and row.mend:
                raise LaneDown(f"shop {row.shop}: {row.problem}", mend=row.mend)
        return bool(rows)


def carry_out(
    configured: Configured,
    store: Store,
    shops: Sequence[str],
    *,
    whole: bool,
    believed: bool,
    silent: bool,
) -> Told:
    """Begin a pass over these shops, see it through, and say what came of it.

    Raises `ConnectorError` if a shop's past cannot be read or a person has to act first.
    """
    task = _Task(configured, store, shops, {name: Progress(name, silent=silent) for name in shops})
    opened = {name: _remembering(configured, name) for name in shops}
    with store.write() as conn:
        for name, shop in opened.items():
            passes.begin(conn, name, shop, whole=whole, believed=believed, now=task.now())
    while task.is_open():
        with ExitStack() as lock:
            if is_ours(store, lock, now=task.now()):
                _do(task)
            else:
                time.sleep(who_works.LOOK)
    with store.read() as conn:
        found = {name: agreement.read(conn, name) for name in shops}
    rows = task.rows()
    return {
        "shops": {
            name: {
                "agreement": agreement.told(known),
                "read": sum(row.read for row in rows if row.shop == name),
                "needs_a_person": any(each.held_back for each in known.kinds.values())
                or any(row.quarantined for row in rows if row.shop == name),
            }
            for name, known in found.items()
        }
    }


def _remembering(configured: Configured, name: str) -> Remembering:
    section = configured.settings.shops[name]
    shop: ShopAdapter = wiring.open_shop(name, section)
    if not isinstance(shop, Remembering):
        raise ConnectorError(
            f"{name} cannot be reconciled: this version knows no way for {section.platform}."
        )
    if isinstance(shop, Scoped):
        shop.learn_kinds()
    return shop


def _do(task: _Task) -> None:
    """Read, compare and mend, and work out what follows from it."""
    house = wiring.build_house(task.configured, task.store)
    engine = Engine(house)
    newcomers.meet(task.store, house.rules, now=task.now())
    try:
        while task.is_open():
            if not engine.errand():
                time.sleep(who_works.LOOK)
            engine.evaluate()
        _until_nothing_is_left(engine.evaluate)
    finally:
        engine.reader.rest()
        engine.reconciler.rest()
        with task.store.write() as conn:
            changes.let_go(conn, now=task.now())


def _until_nothing_is_left(step: Callable[[], int]) -> None:
    while step():
        pass
