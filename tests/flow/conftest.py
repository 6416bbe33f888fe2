"""A small house without platforms: rules from YAML, facts by hand, a destination in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.flow import deliver, evaluate
from connector.flow.rules import Rules
from connector.model import (
    Change,
    Claim,
    Evidence,
    Order,
    Outcome,
    Purpose,
    Record,
    Settled,
    Version,
)
from connector.ports import Finding, Shape
from connector.store import evidence, facts
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.facts import Stated, Thing
from tests.one_destination import rules_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

MAPPING = """
version: 1
segments:
  first-time: {when: "number_of_orders = 1", tag: First-time buyer}
  returning: {when: "number_of_orders >= 2", tag: Returning}
  lapsed: {when: "number_of_orders >= 1 AND last_order_date < -365d", tag: Lapsed}
  big-returning: {when: "in_segment('returning') AND amount_spent > 500", tag: Big}
destinations:
  newsletter:
    fields: {FNAME: first_name, ORDERS: number_of_orders, SPENT: amount_spent}
"""


@dataclass
class Memory:
    """A destination that holds records in a dictionary and answers as it was told."""

    name: str = "newsletter"
    batch_size: int = 500
    held: dict[str, Record] = field(default_factory=dict)
    pushed: list[list[Change]] = field(default_factory=list)
    answers: dict[str, Outcome | Exception] = field(default_factory=dict)

    def prepare(self, _shape: Shape) -> Sequence[Finding]:
        return ()

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        self.pushed.append(list(changes))
        if "*" in self.answers and isinstance(self.answers["*"], Exception):
            raise self.answers["*"]
        outcomes: dict[str, Outcome] = {}
        for change in changes:
            answer = self.answers.get(change.key, Settled())
            assert not isinstance(answer, Exception)
            outcomes[change.key] = answer
            if isinstance(answer, Settled):
                if change.after is None:
                    self.held.pop(change.key, None)
                else:
                    self.held[change.key] = change.after
        return outcomes

    def flush(self) -> None:
        return


@dataclass
class World:
    """One shop's facts on their way to one destination."""

    store: Store
    rules: Rules
    destination: Memory = field(default_factory=Memory)
    now: datetime = NOON
    deliveries: int = 0

    def tell(self, *things: Thing | Evidence) -> None:
        """State facts and evidence, as one delivery."""
        self.deliveries += 1
        with self.store.write() as conn:
            settled = facts.settle(
                conn,
                [
                    Stated(fact, self.deliveries)
                    for fact in things
                    if not isinstance(fact, Evidence)
                ],
            )
            said = [(item, self.deliveries) for item in things if isinstance(item, Evidence)]
            settled.dirty.update(evidence.append(conn, said).contacts)
            mark_dirty(conn, settled.dirty, now=self.now)

    def evaluate(self) -> int:
        done = 0
        while taken := evaluate.drain(self.store, self.rules, now=self.now, limit=50):
            done += taken
        return done

    def deliver(self) -> int:
        target = self.rules.targets[0]
        sent = 0
        while (
            drained := deliver.drain(self.store, target, self.destination, self.rules, now=self.now)
        ).taken:
            sent += drained.sent
        return sent

    def settle(self) -> int:
        """Evaluate and deliver everything; gives how many changes were sent."""
        self.evaluate()
        return self.deliver()

    def grant(self, email: str, minutes: int = 0, source: str = "wool") -> Evidence:
        return self.said(Claim.GRANT, email, minutes, source)

    def withdraw(self, email: str, minutes: int = 0, source: str = "wool") -> Evidence:
        return self.said(Claim.WITHDRAW, email, minutes, source)

    def said(self, claim: Claim, email: str, minutes: int, source: str) -> Evidence:
        at = NOON + timedelta(minutes=minutes)
        return Evidence(
            contact=email,
            purpose=Purpose.EMAIL,
            claim=claim,
            source=source,
            at=at,
            received_at=at,
        )

    def order(self, number: int, email: str | None, minutes: int = 0, **more: Any) -> Order:
        return Order(
            **{
                "shop": "wool",
                "id": str(number),
                "version": Version(NOON + timedelta(minutes=minutes)),
                "number": str(number),
                "status": "processing",
                "currency": "NOK",
                "total": 30_000,
                "placed_at": NOON + timedelta(minutes=minutes),
                "email": email,
                "first_name": "Kari",
                **more,
            }
        )


@pytest.fixture
def make_world(store: Store) -> Callable[..., World]:
    """Build a world on the store of this test, with another mapping if given."""

    def make(text: str = MAPPING) -> World:
        return World(store, rules_of(text))

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A world with the mapping above."""
    return make_world()


@pytest.fixture
def open_town(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a town of a platform: a shop, and two houses of which one loses deliveries."""
    from tests.flow.lossy import opened

    with ExitStack() as leaving:
        yield lambda platform, seed=1, **more: leaving.enter_context(
            opened(platform, tmp_path, seed, **more)
        )
