"""People and changes for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from connector.match_keys import digest, email
from connector.model import Change, Record
from connector.ports import Shape
from tests.contract.audiences import AudienceContract

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SHAPE = Shape(fields={}, tags=("Returning", "VIP"))


def person(number: int = 1, tags: Sequence[str] = ("VIP",), **told: Any) -> Record:
    """A person with an address of their own."""
    return AudienceContract().record(f"p{number}@shop.example", tags, **told)


def step(before: Record | None, after: Record | None) -> Change:
    """The step from one to the other."""
    key = (after or before or person()).key
    return Change(key=key, before=before, after=after)


def steps(*people: Record) -> list[Change]:
    """The steps that bring new people."""
    return [step(None, each) for each in people]


def of(number: int = 1) -> str:
    """The digest of a person's address."""
    return digest(email, f"p{number}@shop.example")
