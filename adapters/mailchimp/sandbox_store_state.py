"""What the stand-in remembers of its stores, of batches, and of the mails they would have sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

_REMEMBERED = 2_000


class Refusal(Exception):
    """An answer that is a no, in the form of RFC 7807."""

    def __init__(
        self,
        detail: str,
        *,
        status: int = 400,
        title: str = "Bad Request",
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body: Row = {
            "type": "https://mailchimp.com/developer/marketing/docs/errors/",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": "stand-in",
            **({"errors": list(errors)} if errors else {}),
        }


def missing() -> Refusal:
    """Nothing is there."""
    detail = "The requested resource could not be found."
    return Refusal(detail, status=404, title="Resource Not Found")


@dataclass(slots=True)
class Store:
    """One store: its own words, and what it holds, each by its id."""

    words: Row
    products: dict[str, Row] = field(default_factory=dict)
    customers: dict[str, Row] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    carts: dict[str, Row] = field(default_factory=dict)
    rules: dict[str, Row] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)  # the customer of each address

    @property
    def is_syncing(self) -> bool:
        """Are its automations silent."""
        return bool(self.words.get("is_syncing"))


@dataclass(slots=True)
class Batch:
    """A batch: its operations until they are worked on, its results after that."""

    id: str
    operations: list[Row]
    polls: int
    submitted_at: datetime
    results: list[Row] | None = None
    status: str = "pending"


@dataclass(slots=True)
class Sales:
    """The stores of the account, its batches, and what a test may ask for.

    ``fired`` are the automations that mailed somebody: store, order or cart, and for what.
    ``opt_ins`` are the customers for whom a call claimed a permission. ``refused`` answers what
    has such an id with these words and this status; of what has an id that is ``forgotten`` every
    change is answered as taken, and nothing of it is kept. ``polls`` is how often a batch must be
    looked at until it is finished. ``bodies`` are the last ones sent, those inside batches too.
    """

    stores: dict[str, Store] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    archives: dict[str, tuple[datetime, bytes]] = field(default_factory=dict)
    fired: list[tuple[str, str, str]] = field(default_factory=list)
    opt_ins: list[str] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    polls: int = 2
    bodies: deque[tuple[str, Any]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
