"""What a destination platform must build to join the house, and what it may build besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connector.model import (
    Change,
    Delivery,
    Evidence,
    Outcome,
    Purpose,
    Record,
    Understanding,
    Wish,
)
from connector.ports.findings import Finding


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
    valued: tuple[str, ...] = ()
    """Those of the tags whose people each have a value."""
    sets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Groups of a catalog's items by their name: the field, and what it says of those in it."""
    item_id: str = "{shop}_{variant_id}"
    """The pattern of the ids that sold items have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """What a destination of sales must know of each shop whose sales it holds.

    ``id`` is the shop's id there, ours alone and never changed; ``name`` is what people read,
    ``domain`` where its pages are, ``money`` how amounts are written (``kr``, ``€``).
    """

    shop: str
    id: str
    name: str
    currency: str
    domain: str
    platform: str
    money: str
    timezone: str


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


# --- What a destination may build besides: each is asked for with isinstance -------------------


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


class Seal(Protocol):
    """Says whether a header seals these very bytes under one of the secrets, as of now."""

    def __call__(
        self, body: bytes, header: str | None, secrets: Sequence[bytes], *, now: datetime
    ) -> bool:
        """Never raises, whatever was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackDoor:
    """How a destination's platform knocks: by a secret in the address, and sealed where it can.

    ``is_sealed`` is asked wherever a signing secret is set. ``topic`` stands for the platform's
    own, which are in the bodies.
    """

    seal_header: str
    is_sealed: Seal
    topic: str = "webhook"


@runtime_checkable
class Hearing(Protocol):
    """A destination that tells by webhook what people said there; read as a shop's are."""

    def understand(self, delivery: Delivery) -> Understanding:
        """Translate one delivery into evidence. Never raises for what could be sent."""

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """Ask the platform itself before a grant is believed. Raises `TryLater` or `LaneDown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a destination really holds under one key, in our own words.

    ``changed_at`` is when it was last changed there, by whomever; ``None`` where nothing says so.
    """

    record: Record
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a destination's members said since: evidence, and from where to ask the next time.

    ``held`` is what it really holds of those who were read, by their key.
    """

    evidence: Sequence[Evidence]
    cursor: str
    held: Mapping[str, Held] = field(default_factory=dict)


@runtime_checkable
class Polled(Protocol):
    """A destination of people who speak there too: who withdrew, of everybody or since lately."""

    def said_since(self, cursor: str | None, *, now: datetime) -> Iterator[Said]:
        """What was said after ``cursor``; with ``None`` of everybody who withdrew there.

        Raises `TryLater` or `LaneDown`; what was given until then stands.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page of what a destination really holds; after the last ``cursor`` is ``None``.

    ``held`` is by the name that each has there, which is the key that `Showing.as_shown` gives.
    """

    held: Mapping[str, Held]
    cursor: str | None


@runtime_checkable
class Showing(Protocol):
    """A destination that can be read back, to see whether it holds what it acknowledged."""

    def show(self, cursor: str | None, *, now: datetime) -> Shown:
        """The page at ``cursor``, the first with ``None``; what is not ours may be among it.

        Raises `TryLater` or `LaneDown`; the same page is asked for again then.
        """

    def as_shown(self, record: Record) -> Record:
        """What `show` gives of a record that was taken whole: only what can be compared.

        Its key is the name that the record has there. Fields that are not shown, or not as they
        were sent, are left out. Pure.
        """


@runtime_checkable
class Scheduled(Protocol):
    """A destination that finishes its bulk at times of its own, not whenever nothing is due."""

    def is_waiting(self) -> bool:
        """Whether the last ``flush`` left something for later: it is to be called again."""


@runtime_checkable
class Syncing(Protocol):
    """A destination that must know when the past is brought over, so that it mails nobody of it."""

    def begin_sync(self) -> None:
        """From now on nothing that arrives sets off a mail. Raises `TryLater` or `LaneDown`."""

    def end_sync(self) -> None:
        """The past is over. As often as one likes; it counts only when it returns.

        Raises `TryLater`, also while something that was sent is still being taken, or `LaneDown`.
        """
