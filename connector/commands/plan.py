"""``connector plan`` and ``connector apply``: an edited mapping, looked at first and then taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from connector import health, screen, wiring
from connector.commands.options import WITH_JSON, with_files
from connector.errors import ConnectorError
from connector.flow import plan as planning
from connector.flow.rules import Rules
from connector.store import lanes
from connector.store.connect import Store

_EXAMPLES = 10


@click.command()
@with_files
@WITH_JSON
@click.option("--verbose", is_flag=True, help=f"Name up to {_EXAMPLES} of those concerned.")
def plan(config: Path, mapping: str | None, *, as_json: bool, verbose: bool) -> None:
    """Show what the edited mapping would change: who gains and loses what. Nothing is changed."""
    with _at_work(config, mapping) as (store, rules, now):
        told = planning.draw_up(store, rules, now=now, examples=_EXAMPLES if verbose else 0)
        planning.remember(store, told, now=now)
    click.echo(json.dumps(told, indent=1, ensure_ascii=False) if as_json else _as_text(told))


@click.command()
@with_files
@WITH_JSON
@click.option("--confirm", is_flag=True, help="The change is large, and it is meant.")
def apply(config: Path, mapping: str | None, *, as_json: bool, confirm: bool) -> None:
    """Let the worker take the edited mapping, as it was planned."""
    with _at_work(config, mapping) as (store, rules, now):
        told = planning.draw_up(store, rules, now=now)
        known = planning.remembered(store)
        if known is None:
            raise ConnectorError("There is no plan: look at one first with `connector plan`.")
        if known["mapping"] != told["mapping"]:
            raise ConnectorError(
                "The mapping was edited since the plan: look at it again with `connector plan`."
            )
        if known["token"] != planning.token_of(told):
            raise ConnectorError(
                "The state moved since the plan: look at it again with `connector plan`."
            )
        if told["confirm"] and not confirm:
            raise ConnectorError(
                "The change is large: "
                + "; ".join(told["confirm"])
                + ". If that is meant: `connector apply --confirm`."
            )
        if told["changed"]:
            planning.confirm(store, told, now=now)
        with store.read() as conn:
            alive = health.is_alive(lanes.last_beat(conn), now)
    done = _what_follows(changed=told["changed"], alive=alive)
    click.echo(json.dumps({**told, "done": done}, indent=1) if as_json else done)


@contextmanager
def _at_work(config: Path, mapping: str | None) -> Iterator[tuple[Store, Rules, datetime]]:
    configured = wiring.configure(config, mapping)
    store = wiring.open_store(configured.settings)
    try:
        with store.read() as conn:
            rules = wiring.offline_rules(configured, conn)
        yield store, rules, wiring.clock_of(configured.settings)()
    finally:
        store.close()


def _what_follows(*, changed: bool, alive: bool) -> str:
    if not changed:
        return "The mapping in force is this one already: there is nothing to apply."
    if alive:
        return (
            "Confirmed. A worker that held this mapping takes it now; one that began with the "
            "former one works by that until it is started again."
        )
    return "Confirmed. The worker takes it when it starts, and evaluates everybody anew."


def _as_text(told: Mapping[str, Any]) -> str:
    lines = [
        f"{told['people']} people; the mapping is "
        + ("another than the one in force" if told["changed"] else "the one in force"),
        "",
        *screen.table(
            ["segment", "before", "after", "come", "leave"],
            [
                [name, *(each[part] for part in ("before", "after", "gains", "losses"))]
                for name, each in told["segments"].items()
            ],
        ),
    ]
    for name, each in told["segments"].items():
        lines += [
            f"  {name}: {word}: {', '.join(each[word])}"
            for word in ("come", "leave")
            if each.get(word)
        ]
    for name, each in told["destinations"].items():
        lines += [
            "",
            f"destination {name}: {each['changed']} of {each['compared']} records change"
            + (f", {each['waiting']} wait to be sent anyway" if each["waiting"] else ""),
        ]
        for kind, counts in each.items():
            if isinstance(counts, dict) and kind != "examples":
                lines += [f"  {kind}: {what}: {number}" for what, number in counts.items()]
        for kind, found in each.get("examples", {}).items():
            lines += [f"  {kind}: {what}: {', '.join(keys)}" for what, keys in found.items()]
    lines += ["", *(f"large: {why}" for why in told["confirm"])]
    last = (
        "To take it: `connector apply --confirm`."
        if told["confirm"]
        else "To take it: `connector apply`."
        if told["changed"]
        else "There is nothing to take."
    )
    return screen.safe("\n".join([*lines, last]))
