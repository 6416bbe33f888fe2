"""``connector reconcile``: what may have been lost on the way is looked for now."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from connector import log_lines, screen, wiring
from connector.commands import reconciled_destinations, reconciled_shops
from connector.commands.options import WITH_JSON, with_files
from connector.wiring import Configured


@click.command()
@with_files
@WITH_JSON
@click.argument("name", required=False)
@click.option("--whole", is_flag=True, help="Compare every id as well, as it is done once a day.")
@click.option(
    "--believe",
    is_flag=True,
    help="With --whole and a shop: what is gone is gone. With a destination: what differs is put "
    "right. However much it is.",
)
def reconcile(
    config: Path,
    mapping: str | None,
    name: str | None,
    *,
    whole: bool,
    believe: bool,
    as_json: bool,
) -> None:
    """Ask the shop NAME, or all shops, what changed lately, and mend what differs.

    With the NAME of a destination all that it holds is read back, compared with what it took, and
    put right. A worker that runs does it; where none runs, it is done here.
    """
    configured = wiring.configure(config, mapping)
    is_destination = name in configured.settings.destinations
    if believe and not is_destination and (name is None or not whole):
        raise click.UsageError("--believe goes with a destination, or with --whole and one shop.")
    log_lines.speak_in_lines()
    shops = () if is_destination else _shops(configured, name)
    store = wiring.open_store(configured.settings)
    try:
        if name is not None and is_destination:
            told = reconciled_destinations.carry_out(
                configured, store, name, believed=believe, silent=as_json
            )
        else:
            told = reconciled_shops.carry_out(
                configured, store, shops, whole=whole, believed=believe, silent=as_json
            )
    except KeyboardInterrupt:
        click.echo("\nStopped. What was mended stays; a worker goes on with the rest.", err=True)
        sys.exit(130)
    finally:
        store.close()
    [found] = told.values()
    if as_json:
        click.echo(json.dumps(told, indent=1))
    else:
        click.echo("\n".join(_lines(which, each) for which, each in found.items()))
    sys.exit(1 if any(each["needs_a_person"] for each in found.values()) else 0)


def _shops(configured: Configured, name: str | None) -> Sequence[str]:
    """Which shops are meant."""
    known = configured.settings.shops
    if name is None:
        return tuple(known)
    if name not in known:
        names = ", ".join([*known, *configured.settings.destinations])
        raise click.UsageError(f"There is no shop and no destination {name}. There are: {names}.")
    return (name,)


def _lines(name: str, told: reconciled_shops.Told) -> str:
    return "\n".join(
        screen.safe(line)
        for line in (
            f"{name}: {_agreement(told['agreement'])}" if told["agreement"] else name,
            *(f"  {kind}: {text}" for kind, text in _kinds(told)),
        )
    )


def _agreement(told: Mapping[str, Any]) -> str:
    if told["compared"] or "kinds" in told:
        return screen.agreement(told)
    return "nothing to compare; what was sent in the last five minutes is not judged yet"


def _kinds(told: reconciled_shops.Told) -> list[tuple[str, str]]:
    """One line for each kind of thing of which something is to be said."""
    kinds = (told["agreement"] or {}).get("kinds", {})
    words = {
        "changed": "changed unnoticed",
        "missing": "were missing",
        "gone": "were gone",
        "unread": "shown and not held",
        "held_back": "not shown any more, which is not believed: see connector status",
    }
    return [
        (kind, ", ".join(f"{each[what]:,} {word}" for what, word in words.items() if each[what]))
        for kind, each in kinds.items()
        if any(each[what] for what in words)
    ]
