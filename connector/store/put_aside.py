"""What was read of a shop's past and not understood: kept in quarantine, beside the deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection

from connector.model import Quarantined
from connector.spellings import addresses_in
from connector.store import suppressions
from connector.store.bodies import ERASED
from connector.store.schema import deliveries
from connector.store.sql import insert_missing

_READ = {"X-Connector-Read": "past"}
"""The headers of what nobody delivered; the door lets no such header in."""


def was_delivered() -> ColumnElement[bool]:
    """Whether a row came as a webhook: what was read does not show that a shop still calls."""
    return deliveries.c.headers != _READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A thing as a shop showed it, under the topic by which it may be read once more, and why not.

    The same thing with the same words is one row, however often it is read.
    """

    shop: str
    topic: str
    id: str
    body: bytes
    verdict: Quarantined

    @property
    def key(self) -> bytes:
        """A digest that is the same for the same words, and no webhook's."""
        digest = hashlib.sha256(repr((self.shop, self.topic, self.id)).encode())
        digest.update(self.body)
        return digest.digest()


def keep(conn: Connection, things: Sequence[Aside], *, now: datetime) -> int:
    """Put them in quarantine. Gives how many were not, because they name somebody erased.

    Of those the books keep that they came, and nothing of what they said.
    """
    if not things:
        return 0
    named = [addresses_in(thing.body) for thing in things]
    erased = suppressions.find(conn, frozenset().union(*named)).keys()
    rows: dict[bytes, dict[str, Any]] = {
        thing.key: {
            "key": thing.key,
            "shop": thing.shop,
            "topic": thing.topic,
            "received_at": now,
            "headers": _READ,
            "body": None if names & erased else thing.body,
            "body_sha256": hashlib.sha256(thing.body).digest(),
            "status": "ignored" if names & erased else "quarantined",
            "reason": ERASED if names & erased else thing.verdict.reason,
            "detail": None if names & erased else thing.verdict.detail,
            "mend": None if names & erased else thing.verdict.mend,
            "attempts": 1,
            "finished_at": now,
        }
        for thing, names in zip(things, named, strict=True)
    }
    conn.execute(insert_missing(conn, deliveries), list(rows.values()))
    return sum(1 for names in named if names & erased)
