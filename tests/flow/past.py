"""A small shop with a past: what it has is in lists, and it fails when it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.model import (
    Customer,
    Delivery,
    Ignored,
    Kind,
    Order,
    Product,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)
from connector.ports import Door, Haul, Recalled, ShopFacts


@dataclass
class PastShop:
    """Gives what it has in pages; the cursor is how many were given."""

    name: str = "wool"
    page: int = 3
    things: Mapping[Kind, Sequence[Recalled]] = field(default_factory=dict)
    trouble: dict[int, Exception] = field(default_factory=dict)
    """What is raised, once, instead of the page that begins at a place."""
    asked: list[tuple[Kind, datetime | None, str | None]] = field(default_factory=list)
    pages: int = 0
    door: Door = field(
        default_factory=lambda: Door(
            signature_header="S", topic_header="T", delivery_header="D", kept_headers=()
        )
    )

    @property
    def kinds(self) -> Sequence[Kind]:
        return (Kind.CUSTOMER, Kind.ORDER, Kind.PRODUCT)

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        self.asked.append((kind, since, cursor))
        there = self.things.get(kind, ())
        for place in range(int(cursor or 0), len(there), self.page):
            if place in self.trouble:
                raise self.trouble.pop(place)
            self.pages += 1
            found = [thing for thing in there[place : place + self.page] if _is_new(thing, since)]
            yield Haul(found=found, cursor=str(place + self.page), total=len(there))

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        yield [thing.id for thing in self.things.get(kind, ())]

    def understand(self, delivery: Delivery) -> Understanding:
        if delivery.topic != "order.updated":
            return Ignored(reason="topic not used")
        return Quarantined(reason="odd", mend="Kari")

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        raise AssertionError("nothing is asked for")

    def describe(self) -> ShopFacts:
        return ShopFacts(timezone="Europe/Oslo", currency="NOK")


def recalled(fact: Customer | Order | Product, body: bytes = b"") -> Recalled:
    """A thing that was understood."""
    return Recalled(id=fact.id, understanding=Understood(facts=(fact,)), body=body)


def odd(number: int, body: bytes = b'{"odd": 1}', topic: str = "order.updated") -> Recalled:
    """A thing that was not."""
    return Recalled(
        id=str(number),
        understanding=Quarantined(reason="odd", detail="an odd one", mend="Kari"),
        body=body,
        topic=topic,
    )


def _is_new(thing: Recalled, since: datetime | None) -> bool:
    if since is None or not isinstance(thing.understanding, Understood):
        return True
    [fact] = thing.understanding.facts
    return not hasattr(fact, "version") or fact.version.at >= since
