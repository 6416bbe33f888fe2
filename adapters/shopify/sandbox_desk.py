"""What every part of the stand-in shop shares: its books, its clock, and whom to tell."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from adapters.shopify.sandbox_words import LONG, Site, rails_json
from adapters.town.books import Body, Books, Columns

_COLUMNS: Columns = {
    "customers": {"email": str, "opted_in": int, "withdrawn": int},
    "orders": {
        "status": str,
        "customer_id": int,
        "email": str,
        "total": int,
        "refunded": int,
        "opted_in": int,
        "test": int,
    },
    "products": {"kind": str},
    "variants": {"product_id": int, "item_id": int},
    "discounts": {"code": str},
    "subscriptions": {"topic": str, "url": str, "by_app": int},
}
_INDEXES = {"customers": "email", "orders": "customer_id", "variants": "product_id"}
_SERIES = ("customers", "orders", "products", "variants", "items", "lines", "refunds", "others")

# What an app without approval for protected customer data is not told.
# https://shopify.dev/docs/apps/launch/protected-customer-data
_PROTECTED = frozenset(
    [
        *("email", "phone", "first_name", "last_name", "contact_email", "default_address"),
        *("billing_address", "shipping_address", "email_address", "browser_ip"),
    ]
)


class Missing(Exception):
    """There is no such thing in the shop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something to be told, as it is now: whoever queues it writes it down at once."""

    topic: str
    payload: Body
    moment: datetime
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that somebody does. All that is told of it shares the ``event``."""

    moment: datetime
    event: str
    hides: bool
    announce: Callable[[Announcement], None]

    def tell(self, topic: str, payload: Body) -> None:
        """Announce it; without approval, people's data is left empty."""
        told = _redacted(payload) if self.hides else payload
        self.tell_all(topic, told)

    def tell_all(self, topic: str, payload: Body) -> None:
        """Announce it with people's data whatever was approved, as the law demands it."""
        self.announce(
            Announcement(
                topic=topic,
                payload=payload,
                moment=self.moment,
                event=self.event,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The shared things. ``hides`` says whether people's data is withheld from our app now."""

    site: Site
    books: Books
    clock: Callable[[], datetime]
    chance: random.Random
    announce: Callable[[Announcement], None]
    hides: Callable[[], bool]

    @contextmanager
    def act(self, now: datetime | None) -> Iterator[Act]:
        """Do one thing, at the given moment or now, with nobody else at the books."""
        with self.books.turn():
            yield Act(
                moment=now or self.clock(),
                event=self.name(),
                hides=self.hides(),
                announce=self.announce,
            )

    def name(self) -> str:
        """A new UUID, by the shop's own seeded chance."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def number(self, series: str) -> int:
        """A new number, which no other thing of the shop has."""
        return LONG + self.books.number(series) * len(_SERIES) + _SERIES.index(series)


def open_books(path: str | None) -> Books:
    """The shop's books, in a file when there is a ``path``."""
    return Books(_COLUMNS, rails_json, path=path, indexes=_INDEXES)


def _redacted(payload: Body) -> Body:
    told: Body = {}
    for key, value in payload.items():
        if key in _PROTECTED or key == "addresses":
            told[key] = [] if isinstance(value, list) else None
        else:
            told[key] = _redacted(value) if isinstance(value, dict) else value
    return told
