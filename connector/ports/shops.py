"""What a shop platform must build to join the house, and what it may build besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from connector.model import (
    Cart,
    Customer,
    Delivery,
    Evidence,
    Kind,
    Order,
    Quarantined,
    Understanding,
    Understood,
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
class Recalled:
    """One thing of a shop's past: its own JSON, and what it was understood to be.

    ``body`` is the thing as the shop shows it, kept only where it was not understood, or where it
    is about a person whose address could not be read: an erased one may hide behind it. ``topic``
    is that of the shop's webhooks whose deliveries have such bodies, for reading it once more.
    """

    id: str
    understanding: Understanding
    body: bytes = field(default=b"", repr=False)
    topic: str = ""


def keeps_body(understanding: Understanding) -> bool:
    """Whether a `Recalled` keeps its body beside this."""
    return isinstance(understanding, Quarantined) or (
        isinstance(understanding, Understood)
        and any(
            isinstance(fact, Customer | Order | Cart) and fact.email is None
            for fact in understanding.facts
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """One stretch of a shop's past, whole: what was found, and from where to go on after it.

    ``total`` is how many things there are in all, where the shop says so. ``cursor`` is the
    adapter's own and opaque to everybody else; it stays good after the process has died.
    """

    found: Sequence[Recalled]
    cursor: str
    total: int | None = None


@runtime_checkable
class Remembering(Protocol):
    """A shop whose past can be read: everything there is, or everything changed since."""

    @property
    def kinds(self) -> Sequence[Kind]:
        """What can be read, in the order in which it is best read."""

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """Read on after ``cursor`` (``None``: from the beginning), oldest first, to the end.

        ``since`` asks only for what changed at that moment or after it; where the platform has no
        such filter, everything is read. What a thing lacks is fetched, so that no understanding
        has wishes. Things that come or go meanwhile never hide another: nothing that was there
        from beginning to end is passed over. ``now`` is when the reading began.

        Raises `TryLater` or `LaneDown`; the hauls given until then stand.
        """

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        """Every id of a kind that the shop shows today, in pages. Raises as `history`."""


@runtime_checkable
class Limited(Protocol):
    """A shop with a past that does not show all that one would ask it for."""

    @property
    def unfiltered(self) -> Collection[Kind]:
        """Kinds that cannot be asked for by the moment of their change."""

    @property
    def hides_old(self) -> Collection[Kind]:
        """Kinds of which it may not show the oldest: one it does not show may still be there."""

    @property
    def told_at(self) -> datetime | None:
        """The time by the shop's own clock when it last answered, if it said."""

    def latest(self, kind: Kind, *, now: datetime) -> Iterator[Haul]:
        """The newest of an unfiltered kind, at most a page of them. Raises as `history`."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """Where one shop is to deliver: its address, and the secret for each topic.

    An address under ``root`` is ours; everything else is not, and is never touched. ``trusted``
    are the ids of webhooks known to carry the right secret, which no platform shows again.
    Webhooks for the topics that are ``left`` are not touched either: a person has to look first.
    """

    root: str
    secret: Callable[[str], str] = field(repr=False)
    trusted: Collection[str] = ()
    left: Collection[str] = ()

    def address(self, topic: str) -> str:
        """The address that is bound to a topic."""
        return f"{self.root}/{topic}"

    def is_ours(self, address: str) -> bool:
        """Whether an address is this letterbox or a topic's part of it."""
        return address == self.root or address.startswith(f"{self.root}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A webhook as the shop has it. ``done`` says what was just done to it, if anything.

    ``version`` is that of the platform's API in which it comes, where the platform says so.
    """

    id: str
    topic: str
    status: str
    address: str
    done: str = ""
    version: str = ""


@runtime_checkable
class Subscribing(Protocol):
    """A shop whose webhooks can be listed and set up by its API."""

    def list_webhooks(self) -> Sequence[Subscription]:
        """Every webhook of the shop, others' as well. Raises `TryLater` or `LaneDown`."""

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        """Make, mend and leave webhooks until each wanted topic has one that is right.

        Gives those that are ours, each with what was ``done``. Raises as `list_webhooks`; what was
        done until then stays, and a second call does the rest.
        """

    def check_webhooks(self, letterbox: Letterbox) -> Sequence[Finding]:
        """Say which are missing, switched off or wrong, and what keeps the shop from calling."""


class KeyPage(Protocol):
    """A platform's own page on which the shop's owner grants us a key, then posted to us."""

    def address(self, shop: str, *, callback: str, visitor: str) -> str:
        """Where the owner goes; ``callback`` is an https address of ours, ``visitor`` a secret."""

    def keys_in(self, body: bytes, *, visitor: str) -> Mapping[str, str] | None:
        """The settings in what the shop posted, or ``None`` when it is not meant for us."""
