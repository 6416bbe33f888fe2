"""The demo's eyes: looks at the whole world again and again, and shows it as it is.

On a terminal it is a living screen, elsewhere a line now and then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live

from connector.demo import panels, progress
from connector.demo.live import Life
from connector.demo.sight import Sight, see
from connector.demo.world import World
from connector.store import errands
from connector.store.errands import BACKFILL


@dataclass
class Watch:
    """Shows the world. ``every`` is the seconds between lines where there is no terminal."""

    world: World
    console: Console = field(default_factory=Console)
    every: float = 3.0
    life: Life | None = None
    _live: Live | None = None
    _last_line: float = float("-inf")
    _before: frozenset[str] = frozenset()
    _honoured_in: dict[str, float] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _read: set[tuple[str, str]] = field(default_factory=set)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=4, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """A sentence of its own, that stays."""
        self.console.print(text, highlight=False, soft_wrap=True)
        self._last_line = float("-inf")

    def look(self) -> None:
        """Take in the world as it is, and show it."""
        if self._live is None:
            self._tell_what_was_read()
            if time.monotonic() - self._last_line < self.every:
                return
        sight = see(self.world, self.life)
        if self._live is not None:
            self._live.update(panels.screen(sight, self._honoured(sight)))
        else:
            self._last_line = time.monotonic()
            self.console.print(_line(sight), highlight=False, soft_wrap=True)

    def _honoured(self, sight: Sight) -> list[float]:
        """For each who withdrew in a shop, how many seconds later Mailchimp had heard of it."""
        now = time.monotonic()
        withdrawn = self.world.withdrawn()
        if self.life is None:
            self._before = withdrawn
        for email in withdrawn - self._before - (self.life.left.keys() if self.life else set()):
            held = sight.members.get(email)
            since = self._since.setdefault(email, now)
            if email not in self._honoured_in and held and held["status"] == "unsubscribed":
                self._honoured_in[email] = now - since
        return [*self._honoured_in.values()]

    def _tell_what_was_read(self) -> None:
        """A line for each kind of thing of a shop's past, once all of it is read."""
        with self.world.store.read() as conn:
            rows = [row for row in errands.everything(conn) if row.errand == BACKFILL]
        for row in sorted(rows, key=lambda row: row.updated_at):
            if row.finished_at is not None and (row.shop, row.kind) not in self._read:
                self._read.add((row.shop, row.kind))
                self.say(f"  {progress.line(row, rows)}")


def _line(sight: Sight) -> str:
    reading = progress.under_way(sight.readings)
    if reading is not None:
        return f"reading {progress.line(reading, sight.readings)}"
    due = sum(each["due"] for each in sight.books["destinations"].values())
    return (
        f"{sight.happened['orders']:,} orders, {sight.unknown} not known yet | "
        f"{sight.tally['posted']} webhooks, {sight.tally['dropped']} lost | "
        f"{due} due | Mailchimp: {panels.statuses(sight.members)}; {panels.sold(sight)} | "
        f"Meta: {len(sight.items)} items, {sight.audience} people | "
        f"{'books balance' if sight.books['balanced'] else 'BOOKS DO NOT BALANCE'}"
    )
