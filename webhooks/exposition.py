"""Figures in the text that Prometheus reads.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

__all__ = ["CONTENT_TYPE", "Metric", "Samples", "counter", "gauge", "histogram", "render"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples: TypeAlias = Iterable[tuple[Sequence[str], float]]
"""The value for each set of labels."""


def gauge(name: str, text: str, labels: Sequence[str], samples: Samples) -> Metric:
    """What can rise and fall; ``text`` says what it is."""
    return _filled(GaugeMetricFamily(name, text, labels=labels), samples)


def counter(name: str, text: str, labels: Sequence[str], samples: Samples) -> Metric:
    """What only rises."""
    return _filled(CounterMetricFamily(name, text, labels=labels), samples)


def histogram(
    name: str, text: str, buckets: Sequence[tuple[str, float]], *, total: float
) -> Metric:
    """How often a value was at most each bound, and what all values add up to."""
    return HistogramMetricFamily(name, text, buckets=list(buckets), sum_value=total)


def render(figures: Callable[[], Iterator[Metric]]) -> bytes:
    """All figures as one text."""
    registry = CollectorRegistry()
    registry.register(_Once(figures))
    return generate_latest(registry)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Samples) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


@dataclass(frozen=True, slots=True)
class _Once:
    """What Prometheus' registry takes: somebody to ask for figures."""

    figures: Callable[[], Iterator[Metric]]

    def collect(self) -> Iterator[Metric]:
        return self.figures()
