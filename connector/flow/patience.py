"""Trying again without a crowd: every row its own, repeatable share of the spread."""

from __future__ import annotations

from datetime import datetime
from zlib import crc32

from connector.errors import TryLater
from connector.model import Parked, Postponed
from connector.policy import retry


def try_again(
    key: str, attempts: int, trouble: Postponed | TryLater, *, now: datetime
) -> datetime | Parked:
    """When to try a row again that met trouble, or what to park it with.

    ``attempts`` are those before this one. The spread comes from the row itself instead of a die,
    so a rehearsal at the same clock does the same.
    """
    fraction = crc32(f"{key}/{attempts}".encode()) / 0xFFFFFFFF
    return retry.decide(attempts=attempts + 1, trouble=trouble, now=now, fraction=fraction)
