"""A house to be harmed: a shop that says what happened, a destination to switch off, a clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.engine import Engine
from connector.errors import TryLater
from connector.house import House
from connector.model import (
    Arrival,
    Change,
    Claim,
    Delivery,
    Evidence,
    Order,
    Outcome,
    Permission,
    Purpose,
    Record,
    Settled,
    Understanding,
    Understood,
    Version,
    Wish,
)
from connector.ports import Door, Finding, Shape, ShopFacts
from connector.store import inbox, lanes
from connector.store.connect import Store
from connector.store.inbox import Inbox
from tests.one_destination import rules_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = """
version: 1
destinations:
  newsletter: {fields: {ORDERS: number_of_orders}}
"""
_CLAIMS = {"grant": Claim.GRANT, "withdraw": Claim.WITHDRAW}


@dataclass
class PlainShop:
    """A shop whose deliveries are our own words; every order is one delivery."""

    name: str = "wool"
    door: Door = field(
        default_factory=lambda: Door(
            signature_header="S", topic_header="T", delivery_header="D", kept_headers=()
        )
    )

    def understand(self, delivery: Delivery) -> Understanding:
        told = json.loads(delivery.body)
        at = datetime.fromisoformat(told["at"])
        email = f"p{told['person']}@x.example"
        facts: list[Order | Evidence] = []
        if told["order"] is not None:
            facts.append(
                Order(
                    shop="wool",
                    id=f"{told['person']}-{told['order']}",
                    version=Version(at),
                    number=str(told["order"]),
                    status="processing",
                    currency="NOK",
                    total=100,
                    placed_at=at,
                    email=email,
                )
            )
        if told["says"] is not None:
            facts.append(
                Evidence(
                    contact=email,
                    purpose=Purpose.EMAIL,
                    claim=_CLAIMS[told["says"]],
                    source="wool",
                    at=at,
                    received_at=delivery.received_at,
                )
            )
        return Understood(facts=tuple(facts))

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        raise AssertionError("nothing is asked")

    def describe(self) -> ShopFacts:
        return ShopFacts(timezone="Europe/Oslo", currency="NOK")


@dataclass
class Audience:
    """A destination that holds contacts, keeps a diary, and can be down."""

    name: str = "newsletter"
    batch_size: int = 50
    down: bool = False
    calls: int = 0
    holds: dict[str, Record] = field(default_factory=dict)
    diary: list[Change] = field(default_factory=list)

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        return ()

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        self.calls += 1
        if self.down:
            raise TryLater("answered 503")
        for change in changes:
            self.diary.append(change)
            if change.after is None or change.erased:
                self.holds.pop(change.key, None)
            else:
                self.holds[change.key] = change.after
        return {change.key: Settled() for change in changes}

    def flush(self) -> None:
        """Nothing is kept back."""


def takes_away(change: Change) -> bool:
    """Whether a change makes somebody unreachable: a withdrawal or an erasure."""
    return change.erased or change.after is None or change.after.permission is Permission.WITHDRAWN


@dataclass
class Premises:
    """An engine with the shop and the audience around it, and a clock to turn."""

    store: Store
    audience: Audience = field(default_factory=Audience)
    now: datetime = NOON
    arrived: int = 0

    def __post_init__(self) -> None:
        self.house = House(
            store=self.store,
            shops={"wool": PlainShop()},
            destinations={"newsletter": self.audience},
            rules=rules_of(MAPPING),
            now=lambda: self.now,
        )
        self.inbox = Inbox(self.store)
        self.restart()

    def restart(self) -> None:
        """A new worker on the same store: the old one's memory is gone."""
        self.engine = Engine(self.house)

    def arrive(
        self,
        person: int,
        order: int | None = None,
        says: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """A delivery about a person: an order by its number, a word about permission, or both."""
        self.arrived += 1
        moment = at or self.now
        told = {"person": person, "order": order, "says": says, "at": moment.isoformat()}
        self.inbox.accept(
            Arrival(
                shop="wool",
                topic="t",
                key=self.arrived.to_bytes(32),
                received_at=self.now,
                headers={},
                body=json.dumps(told).encode(),
            )
        )

    def counts(self) -> dict[str, int]:
        """Deliveries by status."""
        with self.store.read() as conn:
            return inbox.count(conn).get("wool", {})

    def lane(self) -> lanes.LaneState:
        """How the lane to the audience is."""
        with self.store.read() as conn:
            return lanes.read(conn, "newsletter")


def contact(person: int) -> str:
    """A person's address."""
    return f"p{person}@x.example"
