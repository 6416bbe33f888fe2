"""Shops and one catalog in memory, for tests of what becomes of things that are for sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connector.flow import deliver, evaluate, ingest
from connector.flow.rules import Holds, Rules, Target
from connector.model import (
    Arrival,
    Change,
    Deleted,
    Delivery,
    Fact,
    Kind,
    Outcome,
    Product,
    Record,
    Settled,
    Understood,
    Variant,
    Version,
)
from connector.ports import Finding, Shape
from connector.store.connect import Store
from connector.store.inbox import Inbox
from connector.store.schema import records
from mappings.load import load_mapping

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = """
version: 1
destinations:
  catalog: {items: {when: "status = 'active'", unpublished: archive}}
  newsletter: {contacts: {policy: everyone}}
"""


@dataclass
class Shelf:
    """A catalog in memory that answers as it was told."""

    name: str = "catalog"
    batch_size: int = 5_000
    held: dict[str, Record] = field(default_factory=dict)
    pushed: list[list[Change]] = field(default_factory=list)
    answer: Outcome = field(default_factory=Settled)

    def prepare(self, _shape: Shape) -> Sequence[Finding]:
        return ()

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        self.pushed.append(list(changes))
        for change in changes if isinstance(self.answer, Settled) else ():
            if change.after is None:
                self.held.pop(change.key, None)
            else:
                self.held[change.key] = change.after
        return {change.key: self.answer for change in changes}

    def flush(self) -> None:
        return


@dataclass
class Town:
    """Shops whose deliveries say what a test tells, and one catalog of the shop wool."""

    store: Store
    rules: Rules
    shelf: Shelf = field(default_factory=Shelf)
    now: datetime = NOON
    said: dict[bytes, tuple[Fact, ...]] = field(default_factory=dict)

    def understand(self, delivery: Delivery) -> Understood:
        return Understood(facts=self.said[delivery.body or b""])

    def tell(self, *facts: Fact) -> None:
        """Let a shop state facts, in one delivery."""
        body = f"{len(self.said)}".encode()
        self.said[body] = facts
        Inbox(self.store).accept(
            Arrival(shop="wool", topic="t", key=body, received_at=self.now, headers={}, body=body)
        )
        shop: Any = self
        ingest.drain(self.store, {"wool": shop}, self.rules, now=self.now, limit=9_999)
        evaluate.drain(self.store, self.rules, now=self.now, limit=99)

    def deliver(self) -> int:
        """Deliver all that is due now; gives how many changes were sent."""
        (target,) = self.rules.holding(Holds.ITEMS)
        sent = 0
        while (
            drained := deliver.drain(self.store, target, self.shelf, self.rules, now=self.now)
        ).taken:
            sent += drained.sent
        return sent

    def statuses(self, destination: str = "catalog") -> dict[str, tuple[str, str | None]]:
        with self.store.read() as conn:
            rows = conn.execute(
                select(records.c.key, records.c.status, records.c.reason).where(
                    records.c.destination == destination
                )
            )
            return {row.key: (row.status, row.reason) for row in rows}


def build_town(store: Store) -> Town:
    """A town with an empty store."""
    mapping = load_mapping(
        MAPPING,
        shops={"wool": "woocommerce", "yarn": "woocommerce"},
        destinations={"catalog": "meta_catalog", "newsletter": "mailchimp"},
    )
    wool = frozenset({"wool"})
    targets = tuple(
        Target(name=name, mapping=mapping.destinations[name], shops=wool, holds=holds)
        for name, holds in (("catalog", Holds.ITEMS), ("newsletter", Holds.PEOPLE))
    )
    platforms = dict.fromkeys(("wool", "yarn"), "woocommerce")
    return Town(
        store,
        Rules(
            mapping=mapping,
            platforms=platforms,
            zone=ZoneInfo("Europe/Oslo"),
            currency="NOK",
            targets=targets,
        ),
    )


def thing(
    number: int, minutes: int = 0, *, shop: str = "wool", status: str = "publish", price: int = 100
) -> Product:
    version = Version(NOON + timedelta(minutes=minutes))
    known = {"shop": shop, "id": str(number), "version": version, "title": f"Thing {number}"}
    variant = Variant(**known, product_id=str(number), currency="NOK", price=price, status=status)
    return Product(**known, status=status, variants=(variant,), all_variants=True)


def gone(number: int, minutes: int) -> Deleted:
    version = Version(NOON + timedelta(minutes=minutes))
    return Deleted(shop="wool", kind=Kind.PRODUCT, id=str(number), version=version)
