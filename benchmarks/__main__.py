"""Measures everything, or the sections named; prints the figures and keeps them in RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import inspect
import logging
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from benchmarks import Figure, Row, show

SECTIONS = (
    *("receiver", "end_to_end", "mailchimp_calls", "catalog", "retail"),
    *("backfill", "brought_over", "shopify_past", "first_fill"),
    *("reconcile", "opt_outs"),
)
CRASHES = ("crash", "wreck", "power")
"""Sections that take long and are no figures of speed: only when named."""
_RESULTS = Path(__file__).with_name("RESULTS.md")
_HEAD = """\
# Figures

Written by `make bench` and `make crash`; each section is its newest whole run. Ratios (x) compare
two things of the same run on the same machine, so they mean more elsewhere than the figures beside
them.
"""


def main() -> int:
    """Run the sections. Gives 1 when a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="SECTION", help=", ".join([*SECTIONS, *CRASHES])
    )
    parser.add_argument("--quick", action="store_true", help="smaller, and not kept")
    parser.add_argument("--kills", type=int, help="of the receiver, in crash")
    parser.add_argument("--pairs", type=int, help="kills of receiver and worker, in wreck")
    parser.add_argument("--cuts", type=int, help="of the power, in power")
    told = parser.parse_args()
    if unknown := sorted(set(told.names) - {*SECTIONS, *CRASHES}):
        parser.error(f"there is no section {unknown[0]}; there are: {', '.join(SECTIONS)}")
    wished = {"quick": told.quick, "kills": told.kills, "pairs": told.pairs, "cuts": told.cuts}
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console(soft_wrap=True)
    kept = True
    for name in told.names or SECTIONS:
        began = datetime.now(UTC)
        title, rows = _run(name, wished)
        console.print(_table(title, rows))
        kept &= all(row.met is not False for row in rows)
        if not told.quick:
            _keep(name, _section(title, rows, began))
    return 0 if kept else 1


def _run(name: str, wished: Mapping[str, Any]) -> tuple[str, list[Row]]:
    module = importlib.import_module(f"benchmarks.{name}")
    title = (module.__doc__ or name).splitlines()[0].rstrip(".")
    takes = inspect.signature(module.main).parameters
    given = {key: wish for key, wish in wished.items() if key in takes and wish is not None}
    figures = module.main(**given)
    return title, [_row(figure) for figure in figures]


def _row(figure: Figure) -> Row:
    if isinstance(figure, Row):
        return figure
    name, value, target, met = figure
    return Row(name=name, value=value, target=target, met=met)


def _words(row: Row) -> tuple[str, str, str, str]:
    verdict = {True: "yes", False: "NO", None: ""}[row.met]
    return row.name, f"{show(row.value)} {row.unit}".strip(), row.target, verdict


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("figure", "value", "target", "met"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for row in rows:
        table.add_row(*_words(row), style="bold red" if row.met is False else "")
    return table


def _section(title: str, rows: Sequence[Row], began: datetime) -> str:
    lines = [
        f"{title}. {began:%Y-%m-%d %H:%M} UTC, {_machine()}.",
        "",
        "| figure | value | target | met |",
        "|---|---:|---|---|",
        *(f"| {' | '.join(_words(row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    """What was measured on: figures without it say nothing."""
    cpu = re.search(
        r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"{pages / 2**30:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def _keep(name: str, text: str) -> None:
    """Put a section in its place in the file; the others stay as they are."""
    old = _RESULTS.read_text("utf-8") if _RESULTS.exists() else _HEAD
    found = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", old, re.MULTILINE | re.DOTALL))
    found[name] = text
    order = [*SECTIONS, *sorted(found.keys() - set(SECTIONS))]
    whole = [f"## {each}\n\n{found[each].strip()}\n" for each in order if each in found]
    _RESULTS.write_text("\n".join([_HEAD, *whole]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
