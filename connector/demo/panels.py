"""How the demo's screen is drawn: the shops, the connector and the destinations, top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from connector.demo import progress
from connector.demo.sight import Sight
from connector.store.errands import BACKFILL

_LATEST = 4
_COLOURS = {"subscribed": "green", "unsubscribed": "red", "pending": "yellow"}
_IN_STORES = ("orders", "products", "baskets", "promotions")
_PARTS = ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")


def screen(sight: Sight, honoured: Sequence[float]) -> RenderableType:
    """All of it, in 24 lines of 80 signs."""
    columns = Table.grid(padding=(0, 3), expand=True)
    columns.add_row(
        _titled("the shops", _shops(sight)),
        _titled("the connector", _connector(sight)),
        _titled("segments", sight.segments),
    )
    verdict = (
        Text("The books balance.", style="bold green")
        if sight.books["balanced"]
        else Text("THE BOOKS DO NOT BALANCE.", style="bold red")
    )
    return Group(
        columns,
        _rule("their past"),
        *_past(sight),
        _rule("Mailchimp"),
        _contacts(sight.members),
        Text(_mailchimp(sight, honoured)),
        Text(sold(sight)),
        _rule("Meta"),
        Text(
            f"catalog: {len(sight.items)} items; audience: {sight.audience} people who allowed "
            "advertisements"
        ),
        verdict,
    )


def statuses(members: Mapping[str, Mapping[str, Any]]) -> str:
    """``12 subscribed, 1 unsubscribed``."""
    counts: dict[str, int] = {}
    for held in members.values():
        counts[held["status"]] = counts.get(held["status"], 0) + 1
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "empty"


def sold(sight: Sight) -> str:
    """What lies in the stores, and what it set off."""
    held = sight.in_stores
    text = ", ".join(f"{kind} {held[kind]:,}" for kind in _IN_STORES)
    return f"stores: {text}; {'silent' if sight.syncing else f'{sight.mails} mails set off'}"


def _shops(sight: Sight) -> Mapping[str, int]:
    happened = sight.happened
    return {
        "orders": happened["orders"],
        "newsletter ticked": happened["opt_ins"],
        "refunds": happened["refunds"],
        "withdrawals": happened["withdrawals"],
        "address changes": happened["email_changes"],
        "webhooks sent": sight.tally["posted"],
        "webhooks lost": sight.tally["dropped"],
        "not known yet": sight.unknown,
    }


def _connector(sight: Sight) -> Mapping[str, int]:
    shops, lanes = sight.books["shops"].values(), sight.books["destinations"].values()
    return {
        **{part: sum(book[part] for book in shops) for part in _PARTS},
        "records due": sum(lane["due"] for lane in lanes),
        "settled": sum(lane["settled"] for lane in lanes),
    }


def _past(sight: Sight) -> list[RenderableType]:
    """How far each shop's past is read; in the end, how much it was."""
    lines: list[RenderableType] = []
    for shop in dict.fromkeys(row.shop for row in sight.readings):
        rows = [row for row in sight.readings if row.shop == shop and row.errand == BACKFILL]
        open_ = progress.under_way(rows)
        done = ", ".join(
            progress.done(row, sight.readings) for row in rows if row.finished_at is not None
        )
        lines.append(Text(progress.line(open_, rows) if open_ else f"{shop}: {done} read"))
    return lines


def _mailchimp(sight: Sight, honoured: Sequence[float]) -> str:
    text = f"{statuses(sight.members)}; {sight.left} left here"
    return f"{text}; withdrawals honoured within {max(honoured):.1f} s" if honoured else text


def _contacts(members: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0))
    table.add_column("contact", no_wrap=True, ratio=4)
    table.add_column("status", no_wrap=True)
    table.add_column("orders", justify="right")
    table.add_column("spent", justify="right")
    table.add_column("tags", no_wrap=True, ratio=3)
    latest = sorted(members.items(), key=lambda item: item[1]["last_changed"], reverse=True)
    for email, held in latest[:_LATEST]:
        fields = held["fields"]
        table.add_row(
            Text(email),
            Text(held["status"], style=_COLOURS.get(held["status"], "")),
            _number(fields.get("ORDERS")),
            _number(fields.get("SPENT")),
            Text(", ".join(held["tags"])),
        )
    return table


def _titled(title: str, figures: Mapping[str, int]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_row(Text(title, style="bold cyan"))
    for name, figure in figures.items():
        table.add_row(name, Text(f"{figure:,}", style="bold"))
    return table


def _rule(title: str) -> Rule:
    return Rule(Text(title, style="bold cyan"), align="left", style="dim")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
