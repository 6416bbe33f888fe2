"""How far a reading has come, as one line that moves on a terminal and as plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence

import click

from connector import screen
from connector.store.errands import Errand

_LINE_EVERY = 10.0  # seconds between lines where there is no terminal
_MOVE_EVERY = 0.2  # seconds between changes of the line on one
_WINDOW = 60  # looks that the rate is taken over
_WIDTH = 100


class Progress:
    """Says on standard error how a shop's errand goes, unless it is to be ``silent``."""

    def __init__(self, shop: str, *, silent: bool) -> None:
        self._shop = shop
        self._silent = silent
        self._moves = sys.stderr.isatty()
        self._looks: deque[tuple[float, int]] = deque(maxlen=_WINDOW)
        self._said_at = float("-inf")
        self._said: object = None

    def say(self, text: str) -> None:
        """A sentence of its own."""
        if not self._silent:
            click.echo(f"{self._clear()}{screen.safe(text)}", err=True)

    def show(self, rows: Sequence[Errand]) -> None:
        """Where it is now. Says nothing as long as there is little new."""
        now = time.monotonic()
        every = _MOVE_EVERY if self._moves else _LINE_EVERY
        open_ = next((row for row in rows if row.finished_at is None), None)
        news = (open_ and open_.kind, open_ and open_.problem)
        if self._silent or open_ is None or (now < self._said_at + every and news == self._said):
            return
        self._looks.append((now, sum(row.read for row in rows)))
        self._said = news
        self._write(line(self._shop, open_, self._rate()), now)

    def tell(self, text: str) -> None:
        """The same in other words."""
        now = time.monotonic()
        every = _MOVE_EVERY if self._moves else _LINE_EVERY
        if self._silent or now < self._said_at + every:
            return
        self._write(text, now)

    def _write(self, text: str, now: float) -> None:
        self._said_at = now
        if self._moves:
            click.echo(f"{self._clear()}{screen.safe(text)[:_WIDTH]}", nl=False, err=True)
        else:
            click.echo(screen.safe(text), err=True)

    def _rate(self) -> float | None:
        """Things a second, over the last looks."""
        (began, before), (ended, after) = self._looks[0], self._looks[-1]
        return (after - before) / (ended - began) if ended > began and after > before else None

    def _clear(self) -> str:
        return "\r\x1b[K" if self._moves else ""


def line(shop: str, row: Errand, rate: float | None) -> str:
    """``wool order: 12,400 of 50,000 read, 3,100/s, 12 s left``, and what is in the way."""
    of = "" if row.total is None else f" of {row.total:,}"
    text = f"{shop} {row.kind}: {row.read:,}{of} read"
    if rate:
        text += f", {rate:,.0f}/s"
        if row.total is not None and row.total > row.read:
            text += f", {lasts((row.total - row.read) / rate)} left"
    return f"{text}; waiting: {row.problem}" if row.problem else text


def lasts(seconds: float) -> str:
    """``119 s``, ``2 min``, ``3 h``."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
