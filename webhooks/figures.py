"""The books of ``connector status --json`` as figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from connector import moments
from webhooks.exposition import Metric, Samples, counter, gauge

_Rows: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The book of each shop or destination, by its name."""

_SHOP_COUNTS = ("applied", "unchanged", "ignored", "waiting", "quarantined")
_RECORD_COUNTS = ("settled", "due", "parked")
_ALARMS = (
    *("demand", "destination", "difference", "disappearance", "mapping", "reading"),
    *("shop", "silence", "webhook", "withdrawal"),
)


def of_books(books: Mapping[str, Any]) -> Iterator[Metric]:
    """Every figure that the books hold."""
    destinations: _Rows = books["destinations"]
    heard = {name: book["heard"] for name, book in destinations.items() if book.get("heard")}
    shops: _Rows = books["shops"] | heard
    yield gauge(
        "connector_balanced",
        "1 when received = applied + unchanged + ignored + waiting + quarantined everywhere.",
        (),
        [((), float(books["balanced"]))],
    )
    yield from _counts(shops, destinations)
    yield _of(
        "connector_shop_halted",
        "1 when another shop answers than the one known: what it delivers waits.",
        "shop",
        books["shops"],
        lambda book: float(bool(book.get("halted"))),
    )
    yield from _watched(books["shops"] | destinations)
    yield from _errands(books["shops"])
    yield from _agreements(books["shops"], destinations)
    yield from _for_people(books)
    yield from _paces(shops, destinations)


def _counts(shops: _Rows, destinations: _Rows) -> Iterator[Metric]:
    for name, text, label, rows, statuses in (
        ("connector_deliveries", "Deliveries.", "shop", shops, _SHOP_COUNTS),
        ("connector_records", "Records.", "destination", destinations, _RECORD_COUNTS),
    ):
        yield gauge(
            name,
            text,
            [label, "status"],
            (
                ([owner, status], counts.get(status, 0))
                for owner, counts in rows.items()
                for status in statuses
            ),
        )


def _watched(rows: _Rows) -> Iterator[Metric]:
    """What the watch over the webhooks saw; who was never looked at has no sample."""
    seen = {name: book["webhooks"] for name, book in rows.items() if book.get("webhooks")}
    yield _of(
        "connector_webhooks_ok",
        "1 when the last look at the webhooks left nothing undone.",
        "shop",
        seen,
        lambda look: float(look["ok"]),
    )
    yield _of(
        "connector_webhook_problems",
        "What the last look found that was not mended.",
        "shop",
        seen,
        lambda look: sum(each["done"] != "mended" for each in look["findings"]),
    )
    yield _of(
        "connector_silent",
        "1 when the shop is silent in a way that is unlike it.",
        "shop",
        seen,
        lambda look: float(look["silent_since"] is not None),
    )


def _errands(shops: _Rows) -> Iterator[Metric]:
    """How far each reading of a shop has come; one that was never asked for has no sample."""
    rows = [
        ([shop, errand or "backfill", kind], row)
        for shop, book in shops.items()
        for errand, _, kind, row in (
            (*name.rpartition(" "), row) for name, row in book.get("errands", {}).items()
        )
    ]
    figures: tuple[tuple[str, str, Callable[[Mapping[str, Any]], float | None]], ...] = (
        ("read", "Things read by the newest reading of this kind.", lambda row: row["read"]),
        (
            "total",
            "Things there are to read, as far as the shop says.",
            lambda row: row["total"],
        ),
        ("applied", "Things read that changed something.", lambda row: row["applied"]),
        (
            "problem",
            "1 when something is in the way of it now.",
            lambda row: int(row["problem"] is not None),
        ),
        (
            "started_timestamp_seconds",
            "When it was begun.",
            lambda row: _unix(row["started_at"]),
        ),
        (
            "finished_timestamp_seconds",
            "When it was finished.",
            lambda row: _unix(row["finished_at"]),
        ),
    )
    for name, text, figure in figures:
        yield gauge(
            f"connector_errand_{name}",
            text,
            ["shop", "errand", "kind"],
            _known((place, figure(row)) for place, row in rows),
        )


def _agreements(shops: _Rows, destinations: _Rows) -> Iterator[Metric]:
    """How far the store agrees with each; none before the first pass has ended."""
    told = {name: book["agreement"] for name, book in shops.items() if book.get("agreement")}
    yield _of(
        "connector_agreement_ratio",
        "Share of what is known that was as the shop has it, since the last whole pass began.",
        "shop",
        told,
        lambda agreement: agreement["ratio"],
    )
    yield counter(
        "connector_repaired_by_reconcile",
        "Things that no webhook had told of, found and mended.",
        ["shop"],
        (([name], agreement["repaired_by_reconcile"]) for name, agreement in told.items()),
    )
    yield _of(
        "connector_held_ratio",
        "Share of what was read at the destination lately that was as acknowledged.",
        "destination",
        destinations,
        lambda book: book["agreement"]["ratio"] if book.get("agreement") else None,
    )


def _for_people(books: Mapping[str, Any]) -> Iterator[Metric]:
    """What waits for a person."""
    demands: Mapping[str, int] = books.get("requests", {})
    yield gauge(
        "connector_demands",
        "What people demand through a shop: open, of these near or at the end of their time.",
        ["state"],
        (([state], demands.get(state, 0)) for state in ("open", "warn", "alarm")),
    )
    raised = Counter(each["kind"] for each in books.get("alarms", ()))
    yield gauge(
        "connector_alarms",
        "What needs a person now although the books balance, by its kind.",
        ["kind"],
        (([kind], raised[kind]) for kind in sorted({*_ALARMS, *raised})),
    )


def _paces(shops: _Rows, destinations: _Rows) -> Iterator[Metric]:
    """How fast it goes, and how old what waits is; what never happened has no moment."""
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
    yield _of(
        "connector_last_received_timestamp_seconds",
        "When the shop last delivered.",
        "shop",
        shops,
        lambda book: _unix(book.get("last_received_at")),
    )
    yield _of(
        "connector_last_success_timestamp_seconds",
        "When the destination last took something.",
        "destination",
        destinations,
        lambda book: _unix(book.get("last_success_at")),
    )


def _of(
    name: str,
    text: str,
    label: str,
    rows: _Rows,
    figure: Callable[[Mapping[str, Any]], float | None],
) -> Metric:
    """One figure of each; who has none has no sample, which alerts can see."""
    return gauge(name, text, [label], _known(([owner], figure(row)) for owner, row in rows.items()))


def _plain(name: str, text: str, label: str, rows: _Rows, key: str) -> Metric:
    """One figure of each, 0 for who has none."""
    return _of(name, text, label, rows, lambda book: book.get(key) or 0)


def _known(samples: Iterable[tuple[list[str], float | None]]) -> Samples:
    return ((labels, value) for labels, value in samples if value is not None)


def _unix(text: str | None) -> float | None:
    moment = moments.parse_utc(text)
    return None if moment is None else moment.timestamp()
