"""What a changed mapping would do to the segments, worked out before any of it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from connector.flow import evaluate
from connector.flow.rules import Rules
from connector.store import shadow
from connector.store.connect import Store
from mappings.digest import digest_of

FEWEST = 50
"""Of fewer people nothing is held: a single order would already be too large a change."""
_BATCH = 500
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How a segment would change: its size before and after, who comes in and who leaves."""

    segment: str
    before: int
    after: int
    gains: int
    losses: int

    def too_large(self, people: int) -> str | None:
        """Why a person must confirm it, if so."""
        if people >= FEWEST and self.after == people and self.gains:
            return f"segment {self.segment} would hold everybody ({people})"
        if self.before >= FEWEST and 2 * (self.gains + self.losses) > self.before:
            return (
                f"segment {self.segment} would change by more than half: of {self.before} members "
                f"{self.losses} leave and {self.gains} come"
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """How every segment would change, among so many people."""

    people: int
    shifts: tuple[Shift, ...]

    @property
    def too_large(self) -> list[str]:
        """What a person must confirm."""
        return [why for shift in self.shifts if (why := shift.too_large(self.people))]


def profile_digest(rules: Rules) -> str:
    """What profiles follow from, beside the facts."""
    mapping = rules.mapping
    return digest_of((mapping.counting, mapping.attributes, rules.consent_policy))


@contextmanager
def as_if_taken(
    store: Store, rules: Rules, *, now: datetime, profiles_too: bool
) -> Iterator[tuple[Connection, Weighed]]:
    """A connection on which the rules are taken already, and what that does to the segments.

    ``profiles_too``: what profiles follow from has changed as well. Nothing is kept of it.
    """
    people = shadow.everybody(store)
    with shadow.shadow(store, profiles_too=profiles_too) as conn:
        if profiles_too:
            for batch in batches(people):
                evaluate.rework(conn, batch, rules, now=now)
        evaluate.enroll(conn, rules, now=now)
        shadow.keep_since(conn)
        shifts = [
            Shift(
                segment=name,
                before=before,
                after=after,
                gains=after - stayed,
                losses=before - stayed,
            )
            for name, (before, after, stayed) in shadow.sizes(conn).items()
        ]
        yield conn, Weighed(people=len(people), shifts=tuple(shifts))


def batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """So many at a time."""
    whole = list(items)
    for start in range(0, len(whole), _BATCH):
        yield whole[start : start + _BATCH]
