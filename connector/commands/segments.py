"""``connector segments``: how many people are in each segment, and who came and left since a week.

Nobody is named: `connector explain` tells of one person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from connector import moments, screen, wiring
from connector.commands.options import WITH_JSON, with_files
from connector.store import segments as kept

_LATELY = timedelta(days=7)


@click.command()
@with_files
@WITH_JSON
def segments(config: Path, mapping: str | None, *, as_json: bool) -> None:
    """Count who is in each segment, and who came and left since last week."""
    configured = wiring.configure(config, mapping)
    since = wiring.clock_of(configured.settings)() - _LATELY
    store = wiring.open_store(configured.settings)
    try:
        with store.read() as conn:
            sizes, moved = kept.sizes(conn), kept.moved(conn, since=since)
    finally:
        store.close()
    told = {
        name: {
            "tag": segment.label,
            "members": sizes.get(name, 0),
            "came": moved.get(name, kept.NOBODY).came,
            "left": moved.get(name, kept.NOBODY).left,
        }
        for name, segment in configured.mapping.segments.items()
    }
    if as_json:
        click.echo(json.dumps({"since": moments.to_text(since), "segments": told}, indent=1))
    else:
        click.echo(_shown(told))


def _shown(told: Mapping[str, Mapping[str, Any]]) -> str:
    if not told:
        return "The mapping has no segments."
    rows = [[name, each["members"], each["came"], each["left"]] for name, each in told.items()]
    return "\n".join(screen.table(["segment", "members", "came in 7 days", "left in 7 days"], rows))
