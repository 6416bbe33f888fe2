"""What arrives: one webhook at the door, and the same once it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One webhook at the door, its signature already proven; `Delivery` once it is written down.

    ``key`` is a digest: two arrivals with one key are one delivery that was sent twice.
    ``body_sha256`` spares a second digest where the first is at hand.
    """

    shop: str
    topic: str
    key: bytes
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes
    body_sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook as it came: a claim, written down before it is understood."""

    id: int
    shop: str
    topic: str
    received_at: datetime
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
