"""The end of the demo: is held there what the shops themselves believe? Nothing else counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.town.totals import Totals
from connector.demo.scene import Scene

_CENTS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared, and how it came out."""

    holds: bool
    what: str


def judge_deliveries(scene: Scene) -> Iterator[Finding]:
    """What came in, and what became of it."""
    books = scene.books
    shop = {
        part: sum(book[part] for book in books["shops"].values())
        for part in ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
    }
    lanes = books["destinations"].values()
    yield Finding(books["balanced"], "the books balance")
    yield Finding(
        scene.accepted == shop["received"] + scene.duplicates,
        f"every webhook that they saw accepted is in the books: {shop['received']}, and "
        f"{scene.duplicates} the same again",
    )
    yield Finding(
        not shop["waiting"] and not shop["quarantined"],
        f"each is accounted for: {shop['applied']} applied, {shop['unchanged']} unchanged, "
        f"{shop['ignored']} ignored, {shop['quarantined']} in quarantine",
    )
    yield Finding(
        not any(lane["due"] or lane["parked"] for lane in lanes),
        f"nothing is left to send: {sum(lane['settled'] for lane in lanes)} records settled",
    )


def judge_contacts(scene: Scene) -> Iterator[Finding]:
    """Whether Mailchimp's contacts are those who may be written to, with the right figures."""
    truth, subscribed = scene.ledger.totals, scene.subscribed
    withdrawn = truth.withdrawn | frozenset(scene.left)
    yield Finding(
        not withdrawn & subscribed,
        f"none of the {len(withdrawn)} who withdrew is subscribed",
    )
    yield Finding(
        subscribed <= scene.ledger.permitted,
        f"each of the {len(subscribed)} subscribed ticked the box",
    )
    missing = truth.mailable - withdrawn - subscribed
    yield Finding(
        not missing & scene.ledger.ticked,
        "everybody who may be is subscribed "
        f"({len(missing - scene.unseen)} allowed it for another address)",
    )
    yield Finding(
        all(_agrees(scene.members[email]["fields"], email, truth) for email in subscribed),
        f"number and sum of orders agree with the shops for all {len(subscribed)}",
    )
    yield Finding(
        all(scene.members[email]["status"] != "subscribed" for email in scene.left)
        and set(scene.told) == set(scene.left),
        f"{len(scene.left)} unsubscribed in Mailchimp: they stay so, and their shops know",
    )


def judge_exports(scene: Scene) -> Iterator[Finding]:
    """Whether the catalog and the files are whole."""
    truth = scene.ledger.totals
    yield Finding(
        len(scene.items) == scene.offers,
        f"the catalog shows all {scene.offers} things that are for sale, and nothing else",
    )
    people = len(truth.people - scene.unseen) + truth.orders_without_address
    yield Finding(_exported(scene.exports) == people, f"the export holds all {people} customers")


def _agrees(fields: Mapping[str, Any], email: str, truth: Totals) -> bool:
    spent = round(fields.get("SPENT", 0) * _CENTS)
    bought = fields.get("ORDERS", 0)
    return bool(bought == truth.purchases.get(email, 0) and spent == truth.revenue.get(email, 0))


def _exported(database: Path) -> int:
    with closing(sqlite3.connect(database)) as conn:
        (found,) = conn.execute("SELECT count(*) FROM customers").fetchone()
    return int(found)
