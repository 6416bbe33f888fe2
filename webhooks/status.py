"""What the door has seen, and everything that Prometheus is told."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhooks import figures
from webhooks.exposition import Metric, counter, histogram, render

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REFUSED = 400  # HTTP's own border between taken and refused


class Counters:
    """What the door has seen since the process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._seconds = [0] * (len(_BUCKETS) + 1)
        self._total = 0.0

    def count(self, outcome: str, status: int, seconds: float) -> None:
        """Note one answer: what became of the request and how long it took."""
        with self._lock:
            self._answers[outcome, status] += 1
            self._seconds[bisect_left(_BUCKETS, seconds)] += 1
            self._total += seconds

    def rejected(self) -> dict[str, int]:
        """How many requests were refused, for each reason."""
        with self._lock:
            return {
                reason: n for (reason, status), n in self._answers.items() if status >= _REFUSED
            }

    def collect(self) -> Iterator[Metric]:
        """The figures, in the form that Prometheus wants."""
        with self._lock:
            answers = dict(self._answers)
            seconds = list(self._seconds)
            total = self._total
        yield counter(
            "connector_requests",
            "Webhook requests, by outcome and status.",
            ["outcome", "status"],
            (([outcome, str(status)], number) for (outcome, status), number in answers.items()),
        )
        yield counter(
            "connector_rejected",
            "Webhook requests refused, by reason.",
            ["reason"],
            (
                ([outcome], number)
                for (outcome, status), number in answers.items()
                if status >= _REFUSED
            ),
        )
        yield histogram(
            "connector_request_duration_seconds",
            "From the first byte of the body to the answer.",
            list(_cumulated(seconds)),
            total=total,
        )


def _cumulated(counts: Iterable[int]) -> Iterator[tuple[str, float]]:
    so_far = 0
    for bound, number in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
        so_far += number
        yield bound, so_far


def render_metrics(
    books: Mapping[str, Any], counters: Counters, *, accepted: int = 0, duplicates: int = 0
) -> bytes:
    """Everything in Prometheus' text format.

    ``books`` is what ``connector status --json`` prints; ``accepted`` and ``duplicates`` are what
    this process's inbox counted.
    """

    def told() -> Iterator[Metric]:
        yield from figures.of_books(books)
        yield counter(
            "connector_accepted", "Deliveries written by this process.", (), [((), accepted)]
        )
        yield counter(
            "connector_duplicates",
            "Deliveries this process was sent again.",
            (),
            [((), duplicates)],
        )
        yield from counters.collect()

    return render(told)
