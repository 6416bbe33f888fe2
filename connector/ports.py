"""What a guest must build to join the house: one protocol for shops, one for destinations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connector.model import Change, Delivery, Outcome, Purpose, Understanding, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How a shop's platform knocks: what the receiver must know of it, and nothing more.

    The signature is always base64 of HMAC-SHA256 over the raw body. ``ping`` matches the whole
    body of an unsigned form post that must be answered 200 and is never stored.
    """

    signature_header: str
    topic_header: str
    delivery_header: str
    kept_headers: tuple[str, ...]
    ping: re.Pattern[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFacts:
    """What the shop says of itself: IANA time zone and ISO 4217 currency."""

    timezone: str
    currency: str


class ShopAdapter(Protocol):
    """A shop platform. ``understand`` is pure; ``look_up`` and ``describe`` use the network."""

    @property
    def name(self) -> str:
        """The shop's name in the configuration."""

    @property
    def door(self) -> Door:
        """How its webhooks arrive."""

    def understand(self, delivery: Delivery) -> Understanding:
        """Translate one delivery into facts. Never raises for what a shop could send."""

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Ask the shop for what the delivery lacks.

        Raises `TryLater` when the shop cannot answer now, `LaneDown` when it refuses our key.
        """

    def describe(self) -> ShopFacts:
        """Ask the shop for its time zone and currency. Raises as `look_up`."""


class FieldType(StrEnum):
    """The type of a destination field, from the attribute mapped to it."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a destination will be asked to hold: its fields with their types and every own tag."""

    fields: Mapping[str, FieldType]
    tags: tuple[str, ...] = ()
    purpose: Purpose = Purpose.EMAIL
    tables: tuple[str, ...] = ()
    existing_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What ``prepare`` found wrong with the destination that does not stop it: and who mends it."""

    what: str
    mend: str


class DestinationAdapter(Protocol):
    """A destination platform. It is called from one thread at a time."""

    @property
    def name(self) -> str:
        """The destination's name in the configuration."""

    @property
    def batch_size(self) -> int:
        """How many changes one ``push`` takes at most."""

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Check and create what is ours (fields), once at start and when the mapping changes.

        Raises `LaneDown` or `TryLater`.
        """

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Send the changes; one outcome for every key, the good ones unharmed by the bad.

        Raises `TryLater` (nothing is known to be taken) or `LaneDown`.
        """

    def flush(self) -> None:
        """Called when nothing more is due: finish what is written in bulk, such as files."""
