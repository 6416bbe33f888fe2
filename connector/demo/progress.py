"""How far the reading of the shops' past is, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.store.errands import BACKFILL, Errand

_MANY = 100


def under_way(rows: Iterable[Errand]) -> Errand | None:
    """The reading of a past that goes on now, if any."""
    open_ = [row for row in rows if row.errand == BACKFILL and row.finished_at is None]
    return next((row for row in open_ if row.read), open_[0] if open_ else None)


def line(row: Errand, rows: Sequence[Errand]) -> str:
    """``wool order: 400 of 1,200 read, 800/s, 1 s left``."""
    of = "" if row.total is None else f" of {row.total:,}"
    text = f"{row.shop} {row.kind}: {row.read:,}{of} read"
    rate = _rate(row, rows)
    if rate is None:
        return text
    text += f", {rate:,.0f}/s"
    if row.finished_at is None and row.total is not None:
        text += f", {max(row.total - row.read, 0) / rate:.0f} s left"
    return text


def done(row: Errand, rows: Sequence[Errand]) -> str:
    """``1,200 orders at 800/s``; of a few things nobody asks how fast they were read."""
    rate = _rate(row, rows) if row.read >= _MANY else None
    text = counted(row.read, row.kind)
    return text if rate is None else f"{text} at {rate:,.0f}/s"


def counted(number: int, kind: str) -> str:
    """``1 order``, ``1,200 orders``."""
    return f"{number:,} {kind}{'' if number == 1 else 's'}"


def _rate(row: Errand, rows: Sequence[Errand]) -> float | None:
    """Things a second since its turn came: one is read after another.

    When the first one's turn came nobody knows: it was asked for before the worker was there.
    """
    before = [
        other.finished_at
        for other in rows
        if other.errand == BACKFILL and other.finished_at and other.finished_at < row.updated_at
    ]
    seconds = (row.updated_at - max(before)).total_seconds() if before else 0.0
    return row.read / seconds if row.read and seconds else None
