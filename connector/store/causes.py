"""What made a change: a delivery, by its number, or something that was read from a shop's past.

The latter is counted from -1 downwards within one reading. It is told apart as long as a
transaction lasts, and written down nowhere: who looks later finds no delivery, because there was
none.
"""

from __future__ import annotations

from typing import TypeAlias

Cause: TypeAlias = int


def read_at(place: int) -> Cause:
    """The cause that something is which was read; ``place`` counts from 0."""
    return -1 - place


def place_of(cause: Cause) -> int:
    """The place of what was read, counted from 0: the reverse of `read_at`."""
    return -1 - cause


def delivery_of(cause: Cause | None) -> int | None:
    """The number of the delivery, if it was one."""
    return cause if cause is not None and cause >= 0 else None
