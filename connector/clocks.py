"""Compares this machine's clock with another's: permissions and days depend on it being right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.ports import OPERATOR, Finding, Grade

_CLOSE = timedelta(minutes=5)
_FAR = timedelta(days=1)


def is_far(told: datetime | None, now: datetime) -> bool:
    """Whether the clocks are more than a day apart: too far to add anybody anywhere."""
    return told is not None and abs(now - told) > _FAR


def compare(told: datetime | None, now: datetime, *, whose: str) -> Iterator[Finding]:
    """How far this machine's clock, ``now``, is from the one that ``told`` the time, if any did."""
    if told is None:
        return
    off = abs(now - told)
    if off <= _CLOSE:
        yield Finding(what=f"this machine's clock and {whose} agree", grade=Grade.FINE)
        return
    yield Finding(
        what=f"this machine's clock and {whose} are {_words(off)} apart",
        cause="Permissions, orders and days are compared by their times.",
        mend="Set the clock, and keep it right with NTP (timedatectl set-ntp true).",
        who=OPERATOR,
        grade=Grade.ALARM if is_far(told, now) else Grade.WARNING,
    )


def _words(off: timedelta) -> str:
    return f"{off.days} days" if off > _FAR else f"{round(off.total_seconds() / 60)} minutes"
