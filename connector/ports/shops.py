"""What a shop platform must build to join the house, and what it may build besides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from connector.model import (
    Delivery,
    Evidence,
    Quarantined,
    Understanding,
    Wish,
)
from connector.ports.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How a shop's platform knocks: what the receiver must know of it, and nothing more.

    The signature is always base64 of HMAC-SHA256 over the raw body. ``ping`` matches the whole
    body of an unsigned form post that must be answered 200 and is never stored.

    Where one secret serves several shops, ``origin_header`` must be there and say ``origin``
    (letter case apart): with anything else in it a delivery is another shop's, and refused.
    """

    signature_header: str
    topic_header: str
    delivery_header: str
    kept_headers: tuple[str, ...]
    ping: re.Pattern[bytes] | None = None
    origin_header: str | None = None
    origin: str | None = None
    secret_a_topic: bool = False
    """Each webhook has a secret of its own, so an address that names a topic takes only the one
    derived for that topic (`webhooks.signatures.topic_secret`)."""


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


# --- What a shop may build besides: each is asked for with isinstance --------------------------


@runtime_checkable
class CheckableShop(Protocol):
    """A shop that can be examined."""

    def check_up(self, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was. Never raises.

        ``now`` is this machine's own clock, to compare with the shop's.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder:
    """The oldest order of a shop that can be seen."""

    id: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Which shop answers: by what its platform knows it, its ISO 4217 currency, its first order.

    ``url`` is where it says that it is, without what may change of it unnoticed.
    """

    identity: str
    currency: str
    url: str
    first_order: FirstOrder | None = None


@runtime_checkable
class Fingerprinted(Protocol):
    """A shop that says which one it is, so that a copy or another's key is found out."""

    def fingerprint(self) -> Fingerprint:
        """Ask the shop who it is. Raises `TryLater` or `LaneDown`."""


@runtime_checkable
class Situated(Protocol):
    """A shop whose deliveries say from which site they come."""

    def stray(self, delivery: Delivery, known: Fingerprint) -> Quarantined | None:
        """Why a delivery comes from another site than the known shop's; ``None`` if it does not.

        A copy made for staging has the shop's webhooks with their secrets, so its seal is right.
        One that does not say where it comes from is no stray. Pure.
        """


@runtime_checkable
class TakingBack(Protocol):
    """A shop that keeps permissions of its own, and can be told that one was withdrawn."""

    def take_back(
        self,
        withdrawn: Evidence,
        *,
        customer_ids: Sequence[str],
        mark: Mapping[str, str] | None = None,
    ) -> bool:
        """Tell the shop of a withdrawal, with its original time. False: it has no such person.

        ``customer_ids`` are the shop's own ids of the accounts with this address. ``mark`` is the
        shop's own field and the word that says so there, where the platform itself keeps no
        permission. Never grants. Raises `TryLater` or `LaneDown`.
        """


class KeyPage(Protocol):
    """A platform's own page on which the shop's owner grants us a key, then posted to us."""

    def address(self, shop: str, *, callback: str, visitor: str) -> str:
        """Where the owner goes; ``callback`` is an https address of ours, ``visitor`` a secret."""

    def keys_in(self, body: bytes, *, visitor: str) -> Mapping[str, str] | None:
        """The settings in what the shop posted, or ``None`` when it is not meant for us."""
