"""What a shop builds whose past can be read, and what was read of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from connector.model import (
    Cart,
    Customer,
    Kind,
    Order,
    Quarantined,
    Understanding,
    Understood,
)


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
class Scoped(Protocol):
    """A shop with a past that shows more or less of it, as its owner allowed."""

    def learn_kinds(self) -> None:
        """Ask the shop what `Remembering.kinds` are by now. Never raises.

        Until then, and where the shop cannot say, they are what they were; a kind that it does not
        show is then read to an end at once, without anything in it.
        """


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
