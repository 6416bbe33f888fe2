"""``connector backfill``: a shop's whole past is read, by us or by the worker that runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from connector import log_lines, screen, wiring
from connector.commands import who_works
from connector.commands.moment import Moment
from connector.commands.options import WITH_JSON, with_files
from connector.commands.progress import Progress
from connector.commands.who_works import is_ours, is_silent
from connector.engine import Engine
from connector.errors import ConnectorError, LaneDown
from connector.flow import newcomers
from connector.garbage import collecting_seldom
from connector.house import House
from connector.model import Kind
from connector.moments import to_text
from connector.ports import Remembering, Scoped
from connector.store import changes, errands
from connector.store.connect import Store
from connector.store.errands import BACKFILL, Errand
from connector.wiring import Configured


@dataclass(frozen=True, slots=True)
class _Task:
    """What was asked for, and where."""

    configured: Configured
    store: Store
    shop: str
    kinds: Sequence[Kind]
    progress: Progress

    def now(self) -> datetime:
        return wiring.clock_of(self.configured.settings)()

    def rows(self) -> list[Errand]:
        """How far it has come, in the shop's own order of kinds."""
        with self.store.read() as conn:
            found = {row.kind: row for row in errands.of_shop(conn, self.shop, BACKFILL)}
        return [found[kind] for kind in self.kinds if kind in found]


@click.command()
@with_files
@WITH_JSON
@click.argument("shop")
@click.option("--since", type=Moment(), help="Only what changed at this moment or later.")
@click.option("--kinds", help="Only these, with commas between: customer,order,product,promotion.")
@click.option("--restart", is_flag=True, help="Begin anew, also what is not finished.")
def backfill(
    config: Path,
    mapping: str | None,
    shop: str,
    since: datetime | None,
    kinds: str | None,
    *,
    restart: bool,
    as_json: bool,
) -> None:
    """Read all that SHOP has: customers, products, promotions, orders. Goes on where it stopped.

    A worker that runs does it, webhooks first, and this shows how far it is. Where none runs, it
    is done here.
    """
    configured = wiring.configure(config, mapping)
    log_lines.speak_in_lines()
    wanted = _kinds(configured, shop, kinds)
    store = wiring.open_store(configured.settings)
    try:
        task = _Task(configured, store, shop, wanted, Progress(shop, silent=as_json))
        with store.write() as conn:
            resumed = errands.begin(
                conn, shop, BACKFILL, wanted, since=since, now=task.now(), restart=restart
            )
        if resumed:
            task.progress.say("Going on where it was interrupted.")
        _see_through(task)
        rows = task.rows()
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped. What was read is kept; to go on: connector backfill {shop}", err=True
        )
        sys.exit(130)
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"shop": shop, "kinds": [_told(row) for row in rows]}, indent=1))
    else:
        click.echo(_summary(rows))
    sys.exit(1 if any(row.quarantined for row in rows) else 0)


def _see_through(task: _Task) -> None:
    """Have it done, by a worker or here. Raises `LaneDown` when a person has to act first."""
    while any(row.finished_at is None for row in task.rows()):
        with ExitStack() as lock:
            if is_ours(task.store, lock, now=task.now()):
                _carry_out(task)
            else:
                _watch(task)


def _carry_out(task: _Task) -> None:
    """Read, and evaluate whom it concerns."""
    house = wiring.build_house(task.configured, task.store)
    with collecting_seldom():
        _read(task, house)


def _read(task: _Task, house: House) -> None:
    engine = Engine(house)
    newcomers.meet(task.store, house.rules, now=task.now())
    try:
        while True:
            done = engine.errand()
            rows = task.rows()
            task.progress.show(rows)
            _stop_if_down(task.shop, rows)
            if all(row.finished_at for row in rows):
                break
            if task.store.has_worker():  # it waits for us, and goes on where we are
                return
            if not done:
                time.sleep(min(who_works.LOOK, engine.reader.wait(task.shop) or who_works.LOOK))
            engine.evaluate()
        task.progress.say("Everything is read; working out what follows from it.")
        _until_nothing_is_left(engine.evaluate)
        _until_nothing_is_left(lambda: newcomers.drain(task.store, house.rules, now=task.now()))
    finally:
        engine.reader.rest()
        with task.store.write() as conn:
            changes.let_go(conn, now=task.now())


def _until_nothing_is_left(step: Callable[[], int]) -> None:
    while step():
        pass


def _watch(task: _Task) -> None:
    """Show what the worker does, until it is done or no worker is left."""
    task.progress.say("A worker runs and does it; this shows how far it is.")
    while True:
        rows = task.rows()
        task.progress.show(rows)
        _stop_if_down(task.shop, rows)
        if all(row.finished_at for row in rows):
            return
        time.sleep(who_works.LOOK)
        with ExitStack() as lock:
            if is_silent(task.store, now=task.now()) and is_ours(task.store, lock, now=task.now()):
                return


def _stop_if_down(shop: str, rows: Sequence[Errand]) -> None:
    for row in rows:
        if row.problem and row.mend:
            again = f"Then go on: connector backfill {shop}"
            raise LaneDown(f"shop {shop}: {row.problem}", mend=f"{row.mend} {again}")


def _kinds(configured: Configured, shop: str, chosen: str | None) -> Sequence[Kind]:
    section = configured.settings.shops.get(shop)
    if section is None:
        known = ", ".join(configured.settings.shops)
        raise click.UsageError(f"There is no shop {shop}. There are: {known}.")
    adapter = wiring.open_shop(shop, section)
    if not isinstance(adapter, Remembering):
        raise ConnectorError(
            f"The past of {shop} cannot be read: this version knows no way for {section.platform}."
        )
    if isinstance(adapter, Scoped):
        adapter.learn_kinds()
    if chosen is None:
        return tuple(adapter.kinds)
    words = [word.strip() for word in chosen.split(",")]
    known = ", ".join(adapter.kinds)
    if unknown := [word for word in words if word not in set(adapter.kinds)]:
        raise click.UsageError(
            f"--kinds: {unknown[0]!r} cannot be read of {shop}. There are: {known}."
        )
    return tuple(kind for kind in adapter.kinds if kind in words)


def _told(row: Errand) -> dict[str, Any]:
    moments = ("since", "started_at", "updated_at", "finished_at")
    return {
        name: to_text(value) if name in moments and value is not None else value
        for name, value in asdict(row).items()
        if name not in ("shop", "errand", "cursor")
    }


def _summary(rows: Sequence[Errand]) -> str:
    parts = ("read", "applied", "unchanged", "ignored", "quarantined")
    lines = screen.table(
        ["kind", *parts], [[row.kind, *(getattr(row, part) for part in parts)] for row in rows]
    )
    if any(row.quarantined for row in rows):
        lines.append("Some things were not understood. To see them: connector parked")
    return "\n".join(lines)
