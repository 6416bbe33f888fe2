"""When to try again what a platform could not take, and when to stop and ask a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from connector.errors import TryLater
from connector.model import Parked, Postponed

FIRST_WAIT = 5.0
LONGEST_WAIT = 4 * 3600.0
"""Seconds. No answer, however strange, makes us wait longer."""

MOST_ATTEMPTS = 96
"""With every wait at its shortest, so many attempts still span more than seven days."""

_SECONDS = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?([eE]\d{1,2})?")


def decide(
    *, attempts: int, trouble: Postponed | TryLater, now: datetime, fraction: float
) -> datetime | Parked:
    """The moment of the next attempt, or what to park the record with.

    ``attempts`` counts those made, the one that met ``trouble`` included. ``fraction`` is a random
    number from 0 to 1 that spreads the attempts: a wait lies between half and all of 5 s, 10 s,
    20 s … 4 h, and is never shorter than the answer asked for, unless that is more than 4 h.
    """
    if attempts >= MOST_ATTEMPTS:
        return Parked(
            reason=f"not taken in {attempts} attempts: {trouble.reason}",
            mend="Look at what the destination says about this record, then release it",
        )
    return now + timedelta(seconds=wait(attempts, trouble.retry_after, fraction))


def wait(attempts: int, retry_after: float | None, fraction: float) -> float:
    """Seconds to wait after so many attempts."""
    # Beyond 2**20 the cap holds anyway, and a float of 2**1024 does not exist.
    full = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(max(attempts, 1) - 1, 20))
    spread = full * (0.5 + 0.5 * min(max(fraction, 0.0), 1.0))
    asked = retry_after if retry_after is not None and retry_after > spread else spread
    return min(asked, LONGEST_WAIT)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, from 0 to 4 h; ``None`` for no sense.

    Seconds or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after.
    """
    told = (text or "").strip()
    if _SECONDS.fullmatch(told):
        seconds = float(told)
    else:
        try:
            moment = parsedate_to_datetime(told)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
