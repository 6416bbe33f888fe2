"""The stand-in's ad account: its audiences, and the people in them as Meta would know them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from adapters.meta_audiences.sandbox_rules import VALUE, Session

OWN = ("EMAIL", "PHONE")
"""By which a person is known; two rows that share one of them are of the same person."""

Told: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Audience:
    """An audience. ``people`` are rows by the digest that they are known by; ``flagged`` is 471."""

    name: str
    description: str = ""
    valued: bool = False
    flagged: bool = False
    subtype: str = "CUSTOM"
    people: dict[str, Told] = field(default_factory=dict)
    _phones: dict[str, str] = field(default_factory=dict)

    def put_in(self, told: Told) -> None:
        """Put somebody in, in place of whoever is known by the same."""
        self.take_out(told)
        known_by = next(str(told[key]) for key in OWN if key in told)
        self.people[known_by] = told
        if "PHONE" in told:
            self._phones[told["PHONE"]] = known_by

    def take_out(self, told: Told) -> None:
        """Take out whoever is known by one of these."""
        for known_by in (told.get("EMAIL"), self._phones.pop(told.get("PHONE", ""), None)):
            row = self.people.pop(known_by, {}) if known_by else {}
            self._phones.pop(row.get("PHONE", ""), None)


@dataclass(slots=True)
class AdAccount:
    """One ad account. Its callers hold a lock. ``invalid`` are digests that Meta cannot use."""

    id: str
    audiences: dict[str, Audience] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    invalid: set[str] = field(default_factory=set)
    accepted_terms: bool = True
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, audience: Audience) -> str:
        """Keep a new audience; gives its id."""
        audience_id = f"6{next(self._numbers):011d}"
        self.audiences[audience_id] = audience
        return audience_id

    def add(self, audience: Audience, schema: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Put people in; gives how many rows were invalid."""
        invalid = 0
        for row in rows:
            told = {key: value for key, value in zip(schema, row, strict=True) if value != ""}
            if not self._is_valid(told):
                invalid += 1
                continue
            audience.put_in(told)
        return invalid

    def remove(
        self, audiences: Iterable[Audience], schema: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        """Take people out; gives how many rows were invalid."""
        invalid = 0
        everywhere = list(audiences)
        for row in rows:
            told = {key: value for key, value in zip(schema, row, strict=True) if value != ""}
            if not self._is_valid(told):
                invalid += 1
                continue
            for audience in everywhere:
                audience.take_out(told)
        return invalid

    def _is_valid(self, told: Told) -> bool:
        known = {value for key, value in told.items() if key != VALUE}
        return any(key in told for key in OWN) and not known & self.invalid
