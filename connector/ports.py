"""What a guest must build to join the house: one protocol for shops, one for destinations."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connector.errors import ConnectorError, LaneDown
from connector.model import Change, Delivery, Outcome, Purpose, Understanding, Wish


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


OWNER = "the shop's owner"
OPERATOR = "whoever runs the connector"


class Grade(StrEnum):
    """How grave a finding is."""

    FINE = "fine"  # looked at, and right
    NOTE = "note"  # worth knowing; nobody has to act
    WARNING = "warning"  # it works, and a person should look
    ALARM = "alarm"  # it does not work until a person mends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: how it is, why, and who mends it how. No person, no secret.

    ``where`` is filled in by who asked: ``shops.wool``, ``destinations.newsletter``, ``store``.
    """

    what: str
    mend: str = ""
    cause: str = ""
    who: str = ""
    where: str = ""
    grade: Grade = Grade.WARNING

    @classmethod
    def of(cls, what: str, problem: ConnectorError) -> Finding:
        """A finding from what was raised; `LaneDown` says who mends it, before a colon."""
        if isinstance(problem, LaneDown):
            who, colon, mend = problem.mend.partition(": ")
            known = colon and who.casefold() in (OWNER, OPERATOR)
            return cls(
                what=what,
                cause=problem.reason,
                mend=mend if known else problem.mend,
                who=who.casefold() if known else OPERATOR,
                grade=Grade.ALARM,
            )
        return cls(
            what=what,
            cause=str(problem),
            mend="Try again in a few minutes. If it stays so, see whether the other side is up.",
            who=OPERATOR,
        )


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


# --- What a guest may build besides: each is asked for with isinstance --------------------------


@runtime_checkable
class CheckableShop(Protocol):
    """A shop that can be examined."""

    def check_up(self, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was. Never raises.

        ``now`` is this machine's own clock, to compare with the shop's.
        """


@runtime_checkable
class CheckableDestination(Protocol):
    """A destination that can be examined."""

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """As `CheckableShop.check_up`; ``shape`` is what it will be asked to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """Who answers there: the account at the platform, and the time by the platform's clock."""

    account: str
    at: datetime | None = None


@runtime_checkable
class Introducing(Protocol):
    """A destination that says whose account it is, so that nothing goes to another's."""

    def introduce(self) -> Introduction:
        """Ask whose account answers. Raises `TryLater` or `LaneDown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """Where one shop is to deliver: its address, and the secret for each topic.

    An address under ``root`` is ours; everything else is not, and is never touched. ``trusted``
    are the ids of webhooks known to carry the right secret, which no platform shows again.
    """

    root: str
    secret: Callable[[str], str] = field(repr=False)
    trusted: Collection[str] = ()

    def address(self, topic: str) -> str:
        """The address that is bound to a topic."""
        return f"{self.root}/{topic}"

    def is_ours(self, address: str) -> bool:
        """Whether an address is this letterbox or a topic's part of it."""
        return address == self.root or address.startswith(f"{self.root}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A webhook as the shop has it. ``done`` says what was just done to it, if anything."""

    id: str
    topic: str
    status: str
    address: str
    done: str = ""


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
