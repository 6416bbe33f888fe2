"""The end of the demo: is held there what the shops themselves believe? Nothing else counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.town.totals import Totals

_CENTS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared, and how it came out."""

    holds: bool
    what: str


def judge(  # noqa: PLR0913 - each is one thing that is held against another
    *,
    truth: Totals,
    accepted: int,
    duplicates: int,
    books: Mapping[str, Any],
    members: Mapping[str, Mapping[str, Any]],
    moved: frozenset[str],
    items: Mapping[str, Mapping[str, Any]],
    offers: int,
    exports: Path,
) -> list[Finding]:
    """Hold the connector's end state against the shops' own.

    ``accepted`` are deliveries the shops saw answered 200, ``duplicates`` those the receiver had
    already; ``offers`` is how many things are for sale; ``moved`` are addresses that an account
    has left or come to: their permission was given for another address.
    """
    shop = {
        part: sum(book[part] for book in books["shops"].values())
        for part in ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
    }
    newsletter, catalog = books["destinations"]["newsletter"], books["destinations"]["catalog"]
    subscribed = {email for email, held in members.items() if held["status"] == "subscribed"}
    wrong = sorted(
        email
        for email in subscribed & truth.people
        if not _agrees(members[email]["fields"], email, truth)
    )
    missing = truth.mailable - subscribed
    return [
        Finding(books["balanced"], "the books balance"),
        Finding(
            accepted == shop["received"] + duplicates,
            f"every delivery that the shops saw accepted is in the books: {shop['received']}, and "
            f"{duplicates} that were the same again",
        ),
        Finding(
            not shop["waiting"] and not shop["quarantined"],
            f"each is accounted for: {shop['applied']} applied, {shop['unchanged']} unchanged, "
            f"{shop['ignored']} ignored with a reason, {shop['quarantined']} in quarantine",
        ),
        Finding(
            not newsletter["due"] and not newsletter["parked"],
            f"nothing is left to send: {newsletter['settled']} records settled",
        ),
        Finding(
            not truth.withdrawn & subscribed,
            f"none of the {len(truth.withdrawn)} who withdrew is subscribed",
        ),
        Finding(
            subscribed <= truth.opted_in,
            f"each of the {len(subscribed)} subscribed ticked the box",
        ),
        Finding(
            missing <= moved,
            f"everybody who may be written to is there ({len(missing)} changed their address "
            "since, and are asked again)",
        ),
        Finding(
            not wrong,
            f"number and sum of orders agree with the shops for all {len(subscribed)}",
        ),
        Finding(
            len(items) == offers and not catalog["due"] and not catalog["parked"],
            f"the catalog shows all {offers} things that are for sale, and nothing else",
        ),
        _exported(exports, len(truth.people) + truth.orders_without_address),
    ]


def _agrees(fields: Mapping[str, Any], email: str, truth: Totals) -> bool:
    spent = round(fields.get("SPENT", 0) * _CENTS)
    bought = fields.get("ORDERS", 0)
    return bool(bought == truth.purchases.get(email, 0) and spent == truth.revenue.get(email, 0))


def _exported(database: Path, people: int) -> Finding:
    with closing(sqlite3.connect(database)) as conn:
        (found,) = conn.execute("SELECT count(*) FROM customers").fetchone()
    return Finding(found == people, f"the export holds all {people} customers")
