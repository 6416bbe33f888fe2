"""How fast a platform may be called: a bucket of tokens that fills again as time passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """``rate`` tokens come back a second, ``burst`` are held at most; ``tokens`` were there ``at``.

    A new bucket is full: ``Bucket(rate=8, burst=8, tokens=8, at=now)``.
    """

    rate: float
    burst: float
    tokens: float
    at: datetime


def full(*, rate: float, burst: float, now: datetime) -> Bucket:
    """A full bucket. ``rate`` and ``burst`` must be above nothing."""
    if rate <= 0 or burst <= 0:
        raise ValueError(f"a bucket needs a rate and a burst above 0, not {rate} and {burst}")
    return Bucket(rate=rate, burst=burst, tokens=burst, at=now)


def take(state: Bucket, now: datetime, cost: float = 1.0) -> tuple[Bucket, float]:
    """The bucket after taking, and 0; or nothing is taken, and the seconds until it may be.

    What costs more than a full bucket takes all of it. A clock that was set back fills nothing and
    stalls nothing.
    """
    passed = max(0.0, (now - state.at).total_seconds())
    tokens = min(state.burst, state.tokens + passed * state.rate)
    price = min(cost, state.burst)
    if tokens >= price:
        return replace(state, tokens=tokens - price, at=now), 0.0
    return replace(state, tokens=tokens, at=now), (price - tokens) / state.rate
