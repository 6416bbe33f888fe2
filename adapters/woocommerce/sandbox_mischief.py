"""What can go wrong at the stand-in shop beside what goes wrong anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.town import mischief

LISTS = ("stale", "frozen", "halved", "reversed", "other", "shifting")
"""How a list can be wrong: as a cache had it so many seconds ago, which its headers tell, or do
not; half of what it should show; in the wrong order; JSON of another shape; right, but with its
first thing gone for good just now, so that all others moved to the left."""
ANSWERS = ("500", "429", "503", "html", "torn", "dropped", "slow", *LISTS)
"""How an answer of the REST API can fail: a critical error; too many requests; maintenance; a page
instead of JSON; half an answer; none at all; a late one; or a wrong list."""


@dataclass(slots=True, kw_only=True)
class Mischief(mischief.Mischief):
    """What shall go wrong, with the answers of the REST API."""

    answers: tuple[str, ...] = ANSWERS
    owner_lost: bool = False

    def plan(self, *, owner_lost: bool | None = None, **more: Any) -> None:
        """As anywhere; ``owner_lost`` makes every payload an error.

        That is what a webhook sends when its owner may no longer see the shop.
        """
        mischief.Mischief.plan(self, **more)
        if owner_lost is not None:
            self.owner_lost = owner_lost

    def as_json(self) -> Mapping[str, Any]:
        """What is planned, for the control page."""
        return {**mischief.Mischief.as_json(self), "owner_lost": self.owner_lost}
