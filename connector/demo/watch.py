"""The demo's screen: the shop, the connector and the audience side by side, as it happens."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connector.demo.world import World
from connector.store import segments

_LATEST = 6
_FEW = 3


@dataclass
class Watch:
    """Shows the world; on a terminal as a living screen, elsewhere as a line now and then."""

    world: World
    console: Console = field(default_factory=Console)
    every: float = 3.0
    _live: Live | None = None
    _last_line: float = 0.0
    _withdrawn: dict[str, float | None] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=4, screen=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def look(self) -> None:
        """Take in the world as it is, and show it."""
        members = self.world.audience.members()
        self._follow_withdrawals(members)
        if self._live is not None:
            self._live.update(self._screen(members))
        elif time.monotonic() - self._last_line >= self.every:
            self._last_line = time.monotonic()
            self.console.print(self._line(members), highlight=False, soft_wrap=True)

    def _follow_withdrawals(self, members: Mapping[str, Mapping[str, Any]]) -> None:
        """Note when somebody withdraws in the shop, and when Mailchimp has heard of it."""
        now = time.monotonic()
        for email in self.world.truth().withdrawn:
            held = members.get(email)
            if email not in self._withdrawn:
                self._withdrawn[email] = None
                self._since[email] = now
            if self._withdrawn[email] is None and held and held["status"] == "unsubscribed":
                self._withdrawn[email] = now - self._since[email]

    def _line(self, members: Mapping[str, Mapping[str, Any]]) -> str:
        sold, books = self.world.sold(), self.world.books()
        shops, newsletter = _summed(books), books["destinations"]["newsletter"]
        return (
            f"shops: {sold['orders']} orders, {sold['withdrawals']} withdrawals | "
            f"received {shops['received']}, waiting {shops['waiting']} | "
            f"Mailchimp: {_statuses(members)}, {newsletter['due']} due | "
            f"catalog: {len(self.world.catalog.shown())} items | "
            f"{'books balance' if books['balanced'] else 'BOOKS DO NOT BALANCE'}"
        )

    def _screen(self, members: Mapping[str, Mapping[str, Any]]) -> RenderableType:
        books = self.world.books()
        columns = Columns(
            [
                Panel(self._shop(), title="the shops sell"),
                Panel(self._connector(books), title="the connector understands"),
                Panel(self._segments(), title="segments form"),
            ],
            equal=True,
            expand=True,
        )
        verdict = (
            Text("The books balance.", style="bold green")
            if books["balanced"]
            else Text("THE BOOKS DO NOT BALANCE.", style="bold red")
        )
        return Group(
            columns,
            Panel(self._audience(members), title="Mailchimp receives"),
            Panel(self._catalog(), title="Meta's catalog receives"),
            verdict,
        )

    def _shop(self) -> RenderableType:
        sold = self.world.sold()
        return _pairs(
            {
                "orders": sold["orders"],
                "with the newsletter box ticked": sold["opt_ins"],
                "refunds": sold["refunds"],
                "accounts opened later": sold["registrations"],
                "address changes": sold["email_changes"],
                "withdrawals": sold["withdrawals"],
                "webhooks sent": self.world.tally()["posted"],
            }
        )

    def _connector(self, books: Mapping[str, Any]) -> RenderableType:
        return _pairs(_summed(books))

    def _segments(self) -> RenderableType:
        with self.world.store.read() as conn:
            sizes = segments.sizes(conn)
        return _pairs({name: sizes.get(name, 0) for name in self.world.configured.mapping.segments})

    def _audience(self, members: Mapping[str, Mapping[str, Any]]) -> RenderableType:
        table = Table(expand=True, box=None)
        for column in ("contact", "status", "orders", "spent", "tags"):
            table.add_column(column, justify="right" if column in ("orders", "spent") else "left")
        latest = sorted(members.items(), key=lambda item: item[1]["last_changed"], reverse=True)
        for email, held in latest[:_LATEST]:
            fields = held["fields"]
            table.add_row(
                Text(f"{fields.get('FNAME', '')} {fields.get('LNAME', '')} <{email}>"),
                Text(held["status"], style=_COLOURS.get(held["status"], "")),
                _number(fields.get("ORDERS")),
                _number(fields.get("SPENT")),
                Text(", ".join(held["tags"])),
            )
        honoured = [seconds for seconds in self._withdrawn.values() if seconds is not None]
        calls = sum(self.world.audience.calls.values())
        text = f"{_statuses(members)}; {calls} calls"
        if honoured:
            text += f"; {len(honoured)} withdrawals honoured, each within {max(honoured):.1f} s"
        return Group(table, Text(text))

    def _catalog(self) -> RenderableType:
        items = self.world.catalog.shown()
        table = Table(expand=True, box=None)
        for column in ("item", "title", "price", "availability"):
            table.add_column(column)
        for item_id, item in sorted(items.items())[:_FEW]:
            told = (item.get(name, "") for name in ("title", "price", "availability"))
            table.add_row(item_id, *(Text(str(each)) for each in told))
        calls = sum(self.world.catalog.calls.values())
        return Group(table, Text(f"{len(items)} items; {calls} calls"))


def _summed(books: Mapping[str, Any]) -> dict[str, int]:
    parts = ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
    return {part: sum(book[part] for book in books["shops"].values()) for part in parts}


_COLOURS = {"subscribed": "green", "unsubscribed": "red", "pending": "yellow"}


def _statuses(members: Mapping[str, Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for held in members.values():
        counts[held["status"]] = counts.get(held["status"], 0) + 1
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "empty"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _pairs(figures: Mapping[str, int]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, figure in figures.items():
        table.add_row(name, Text(str(figure), style="bold", justify="right"))
    return table
