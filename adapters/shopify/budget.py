"""How much a shop lets us ask: a bucket of points that fills by itself, as each answer tells it.

Nothing is assumed: Shopify's plans differ, and their figures change. What a query costs is known
once it was asked. https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What was there at a moment of our clock, and how fast more comes."""

    most: float
    available: float
    per_second: float
    at: float


class Budget:
    """One shop's points. Safe to share between threads. ``ticks`` are seconds of any clock."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._mutex = threading.Lock()
        self._bucket: _Bucket | None = None
        self._costs: dict[str, float] = {}

    def take(self, query: str, *, most: float) -> float:
        """Seconds until the query fits. Its cost is taken at once, if that is not over ``most``."""
        with self._mutex:
            bucket, cost = self._bucket, self._costs.get(query, 0.0)
            if bucket is None:
                return 0.0
            now = self._ticks()
            available = min(bucket.most, bucket.available + (now - bucket.at) * bucket.per_second)
            lacking = min(cost, bucket.most) - available
            wait = max(0.0, lacking / bucket.per_second)
            if wait <= most:
                self._bucket = _Bucket(bucket.most, available - cost, bucket.per_second, now)
            return wait

    def told(self, query: str, answer: Mapping[str, Any]) -> None:
        """Believe what an answer says of cost and points: its ``extensions.cost``."""
        extensions = answer.get("extensions")
        cost = extensions.get("cost") if isinstance(extensions, dict) else None
        if not isinstance(cost, dict):
            return
        status = cost.get("throttleStatus")
        figures = (
            [status.get(k) for k in ("maximumAvailable", "currentlyAvailable", "restoreRate")]
            if isinstance(status, dict)
            else []
        )
        numbers = [_number(figure) for figure in figures]
        asked = _number(cost.get("requestedQueryCost"))
        with self._mutex:
            if asked is not None:
                self._costs[query] = asked
            if len(numbers) == len(("most", "available", "rate")) and None not in numbers:
                most, available, rate = (number or 0.0 for number in numbers)
                if rate > 0:
                    self._bucket = _Bucket(most, available, rate, self._ticks())


def _number(figure: object) -> float | None:
    """A figure of points: they are no money, and never exact to the digit."""
    if isinstance(figure, bool) or not isinstance(figure, int | Decimal):
        return None
    return float(figure) if 0 <= figure < 10**9 else None
