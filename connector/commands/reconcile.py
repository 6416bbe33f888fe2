"""``connector reconcile``: what webhooks may have lost is looked for now, not at its time."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from connector import screen, wiring
from connector.commands import reconciled_shops
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
    help="With --whole and NAME: what is gone is gone, however much it is.",
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

    A worker that runs does it; where none runs, it is done here.
    """
    if believe and (name is None or not whole):
        raise click.UsageError("--believe goes with --whole and the NAME of one shop.")
    configured = wiring.configure(config, mapping)
    wiring.speak_in_lines()
    shops = _shops(configured, name)
    store = wiring.open_store(configured.settings)
    try:
        told = reconciled_shops.carry_out(
            configured, store, shops, whole=whole, believed=believe, silent=as_json
        )
    except KeyboardInterrupt:
        click.echo("\nStopped. What was mended stays; a worker goes on with the rest.", err=True)
        sys.exit(130)
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps(told, indent=1))
    else:
        click.echo("\n".join(_lines(shop, each) for shop, each in told["shops"].items()))
    sys.exit(1 if any(each["needs_a_person"] for each in told["shops"].values()) else 0)


def _shops(configured: Configured, name: str | None) -> Sequence[str]:
    """Which shops are meant."""
    known = configured.settings.shops
    if name is None:
        return tuple(known)
    if name not in known:
        raise click.UsageError(f"There is no shop {name}. There are: {', '.join(known)}.")
    return (name,)


def _lines(shop: str, told: reconciled_shops.Told) -> str:
    return "\n".join(
        screen.safe(line)
        for line in (
            f"{shop}: {screen.agreement(told['agreement'])}" if told["agreement"] else shop,
            *(f"  {kind}: {text}" for kind, text in _kinds(told)),
        )
    )


def _kinds(told: reconciled_shops.Told) -> list[tuple[str, str]]:
    """One line for each kind of thing of which something is to be said."""
    kinds = told["agreement"]["kinds"] if told["agreement"] else {}
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
