"""The options that many commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

WITH_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def with_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--config`` and ``--mapping``."""
    for option in (
        click.option("--mapping", help="The mapping, instead of the one the configuration names."),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            default=Path("connector.yaml"),
            show_default=True,
            help="Where things are.",
        ),
    ):
        command = option(command)
    return command
