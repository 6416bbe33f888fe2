"""How the connector is: alive, ready, and its books as figures for Prometheus."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from connector import moments

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SHOP_COUNTS = ("applied", "unchanged", "ignored", "waiting", "quarantined")
_RECORD_COUNTS = ("settled", "due", "parked")
_ALARMS = ("demand", "disappearance", "mapping", "silence", "webhook")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether work can be done: the store can be written and a worker is alive.

    ``store``, ``worker`` and each value of ``detail`` are words for people, without personal data.
    """

    ok: bool
    store: str
    worker: str
    detail: Mapping[str, str] = field(default_factory=dict)


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
            return {reason: n for (reason, status), n in self._answers.items() if status >= 400}  # noqa: PLR2004 - HTTP's own border between taken and refused

    def collect(self) -> Iterator[Metric]:
        """The figures, in the form that Prometheus wants."""
        with self._lock:
            answers = dict(self._answers)
            seconds = list(self._seconds)
            total = self._total
        requests = CounterMetricFamily(
            "connector_requests", "Webhook requests, by outcome and status.", labels=_OUTCOME
        )
        rejected = CounterMetricFamily(
            "connector_rejected", "Webhook requests refused, by reason.", labels=["reason"]
        )
        for (outcome, status), number in answers.items():
            requests.add_metric([outcome, str(status)], number)
            if status >= 400:  # noqa: PLR2004 - as above
                rejected.add_metric([outcome], number)
        yield requests
        yield rejected
        yield HistogramMetricFamily(
            "connector_request_duration_seconds",
            "From the first byte of the body to the answer.",
            buckets=list(_cumulated(seconds)),
            sum_value=total,
        )


_OUTCOME = ["outcome", "status"]


def _cumulated(counts: Iterable[int]) -> Iterator[tuple[str, float]]:
    so_far = 0
    for bound, number in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
        so_far += number
        yield bound, so_far


class _Books:
    """The books of ``connector status --json`` as gauges."""

    def __init__(self, books: Mapping[str, Any]) -> None:
        self._books = books

    def collect(self) -> Iterator[Metric]:
        destinations: Mapping[str, Mapping[str, Any]] = self._books["destinations"]
        heard = {name: book["heard"] for name, book in destinations.items() if book.get("heard")}
        shops: Mapping[str, Mapping[str, Any]] = self._books["shops"] | heard
        yield GaugeMetricFamily(
            "connector_balanced",
            "1 when received = applied + unchanged + ignored + waiting + quarantined everywhere.",
            value=float(self._books["balanced"]),
        )
        yield _by_status("connector_deliveries", "Deliveries.", "shop", shops, _SHOP_COUNTS)
        yield _by_status(
            "connector_records", "Records.", "destination", destinations, _RECORD_COUNTS
        )
        halted = GaugeMetricFamily(
            "connector_shop_halted",
            "1 when another shop answers than the one known: what it delivers waits.",
            labels=["shop"],
        )
        for name, book in self._books["shops"].items():
            halted.add_metric([name], float(bool(book.get("halted"))))
        yield halted
        yield from _watched(self._books["shops"] | destinations)
        yield from _errands(self._books["shops"])
        yield from _agreements(self._books["shops"])
        held = GaugeMetricFamily(
            "connector_held_ratio",
            "Share of what was read at the destination last that was as acknowledged.",
            labels=["destination"],
        )
        for name, book in destinations.items():
            if told := book.get("agreement"):
                held.add_metric([name], told["ratio"])
        yield held
        demands: Mapping[str, int] = self._books.get("requests", {})
        gauge = GaugeMetricFamily(
            "connector_demands",
            "What people demand through a shop: open, of these near or at the end of their time.",
            labels=["state"],
        )
        for state in ("open", "warn", "alarm"):
            gauge.add_metric([state], demands.get(state, 0))
        yield gauge
        alarms = GaugeMetricFamily(
            "connector_alarms",
            "What needs a person now although the books balance, by its kind.",
            labels=["kind"],
        )
        raised = Counter(each["kind"] for each in self._books.get("alarms", ()))
        for kind in sorted({*_ALARMS, *raised}):
            alarms.add_metric([kind], raised[kind])
        yield alarms
        for label, rows in (("shop", shops), ("destination", destinations)):
            text = "What the last hour brought, a minute."
            yield _plain(f"connector_{label}_rate_per_minute", text, label, rows, "rate_per_minute")
        yield _plain("connector_received", "Deliveries ever written.", "shop", shops, "received")
        yield _plain(
            "connector_oldest_waiting_seconds",
            "Age of the oldest delivery that waits.",
            "shop",
            shops,
            "oldest_waiting_seconds",
        )
        yield _plain(
            "connector_oldest_due_seconds",
            "Age of the oldest record that is due.",
            "destination",
            destinations,
            "oldest_due_seconds",
        )
        yield _moment(
            "connector_last_received_timestamp_seconds",
            "When the shop last delivered.",
            "shop",
            shops,
            "last_received_at",
        )
        yield _moment(
            "connector_last_success_timestamp_seconds",
            "When the destination last took something.",
            "destination",
            destinations,
            "last_success_at",
        )


def _watched(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """What the watch over the webhooks saw; who was never looked at has no sample."""
    fine = GaugeMetricFamily(
        "connector_webhooks_ok",
        "1 when the last look at the webhooks left nothing undone.",
        labels=["shop"],
    )
    problems = GaugeMetricFamily(
        "connector_webhook_problems",
        "What the last look found that was not mended.",
        labels=["shop"],
    )
    silent = GaugeMetricFamily(
        "connector_silent", "1 when the shop is silent in a way that is unlike it.", labels=["shop"]
    )
    for name, book in rows.items():
        seen = book.get("webhooks")
        if seen:
            undone = [each for each in seen["findings"] if each["done"] != "mended"]
            fine.add_metric([name], float(seen["ok"]))
            problems.add_metric([name], len(undone))
            silent.add_metric([name], float(seen["silent_since"] is not None))
    yield from (fine, problems, silent)


def _errands(shops: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """How far each reading of a shop has come; one that was never asked for has no sample."""
    labels = ["shop", "errand", "kind"]
    gauges = {
        name: GaugeMetricFamily(f"connector_errand_{name}", text, labels=labels)
        for name, text in (
            ("read", "Things read by the newest reading of this kind."),
            ("total", "Things there are to read, as far as the shop says."),
            ("applied", "Things read that changed something."),
            ("problem", "1 when something is in the way of it now."),
            ("started_timestamp_seconds", "When it was begun."),
            ("finished_timestamp_seconds", "When it was finished."),
        )
    }
    for shop, book in shops.items():
        for name, row in book.get("errands", {}).items():
            errand, _, kind = name.rpartition(" ")
            place = [shop, errand or "backfill", kind]
            figures = {
                "read": row["read"],
                "total": row["total"],
                "applied": row["applied"],
                "problem": int(row["problem"] is not None),
                "started_timestamp_seconds": _unix(row["started_at"]),
                "finished_timestamp_seconds": _unix(row["finished_at"]),
            }
            for figure, value in figures.items():
                if value is not None:
                    gauges[figure].add_metric(place, value)
    yield from gauges.values()


def _agreements(shops: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """How far the store agrees with each shop; none before the first pass has ended."""
    ratio = GaugeMetricFamily(
        "connector_agreement_ratio",
        "Share of what is known that was as the shop has it, since the last whole pass began.",
        labels=["shop"],
    )
    repaired = CounterMetricFamily(
        "connector_repaired_by_reconcile",
        "Things that no webhook had told of, found and mended.",
        labels=["shop"],
    )
    for shop, book in shops.items():
        if told := book.get("agreement"):
            ratio.add_metric([shop], told["ratio"])
            repaired.add_metric([shop], told["repaired_by_reconcile"])
    yield from (ratio, repaired)


def _unix(text: str | None) -> float | None:
    moment = moments.parse_utc(text)
    return None if moment is None else moment.timestamp()


def _by_status(
    name: str,
    text: str,
    label: str,
    rows: Mapping[str, Mapping[str, Any]],
    statuses: Iterable[str],
) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label, "status"])
    for owner, counts in rows.items():
        for status in statuses:
            gauge.add_metric([owner, status], counts.get(status, 0))
    return gauge


def _plain(
    name: str, text: str, label: str, rows: Mapping[str, Mapping[str, Any]], key: str
) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for owner, figures in rows.items():
        gauge.add_metric([owner], figures.get(key) or 0)
    return gauge


def _moment(
    name: str, text: str, label: str, rows: Mapping[str, Mapping[str, Any]], key: str
) -> Metric:
    """Unix seconds; an owner for whom it never happened has no sample, which alerts can see."""
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for owner, figures in rows.items():
        moment = moments.parse_utc(figures.get(key))
        if moment is not None:
            gauge.add_metric([owner], moment.timestamp())
    return gauge


class _Totals:
    def __init__(self, accepted: int, duplicates: int) -> None:
        self._accepted = accepted
        self._duplicates = duplicates

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "connector_accepted", "Deliveries written by this process.", value=self._accepted
        )
        yield CounterMetricFamily(
            "connector_duplicates",
            "Deliveries this process was sent again.",
            value=self._duplicates,
        )


def render_metrics(
    books: Mapping[str, Any], counters: Counters, *, accepted: int = 0, duplicates: int = 0
) -> bytes:
    """Everything in Prometheus' text format.

    ``books`` is what ``connector status --json`` prints; ``accepted`` and ``duplicates`` are what
    this process's inbox counted.
    """
    registry = CollectorRegistry()
    for collector in (_Books(books), _Totals(accepted, duplicates), counters):
        registry.register(collector)
    return generate_latest(registry)
