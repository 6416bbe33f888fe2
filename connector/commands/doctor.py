"""``connector doctor``: is everything as it must be, and who mends what is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from connector.commands.options import WITH_JSON, with_files


@click.command()
@with_files
@WITH_JSON
@click.option(
    "--accept",
    metavar="NAME",
    help="Confirm that this shop, or this destination's account, may be another than before.",
)
def doctor(config: Path, mapping: str | None, accept: str | None, *, as_json: bool) -> None:
    """Look at settings, store, worker, receiver, shops and destinations.

    Each finding says who mends it how. Exit code 1 when one of them needs a person.
    """
    from connector.doctor import examine, report

    found = examine(config, mapping, accept=accept)
    told = report.as_json(found)
    click.echo(json.dumps(told, indent=1) if as_json else report.as_text(found))
    sys.exit(found.exit_code)
