"""A stretch of a shop's list as it came, with what its headers tell of the whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import httpx

from adapters import line

_LONGEST_TOTAL = 12  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A stretch of a list as it came; ``total`` is how many things the shop says there are.

    ``told_at`` is by the shop's clock, ``ticks`` and ``took`` (seconds) by ours. ``age`` is what a
    cache on the way says of itself: https://www.rfc-editor.org/rfc/rfc9111#field.age.
    """

    body: bytes = field(repr=False)
    total: int | None
    told_at: datetime | None = None
    age: int = 0
    ticks: float = 0.0
    took: float = 0.0

    @classmethod
    def of(cls, body: bytes, headers: httpx.Headers, *, ticks: float, since: float) -> Listed:
        """Read at ``ticks`` what was asked for at ``since``."""
        return cls(
            body=body,
            total=_count_in(headers, "X-WP-Total"),
            told_at=line.date_in(headers),
            age=_count_in(headers, "Age") or 0,
            ticks=ticks,
            took=ticks - since,
        )


class TooMuchError(Exception):
    """More was asked for at once than the shop can give in good time."""


def _count_in(headers: httpx.Headers, name: str) -> int | None:
    text = headers.get(name, "")
    good = text.isascii() and text.isdigit() and len(text) <= _LONGEST_TOTAL
    return int(text) if good else None
