"""What can go wrong at the stand-in shop beside what goes wrong anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.town import mischief

ANSWERS = ("500", "429", "503", "html", "torn", "dropped", "slow")
"""How an answer of the REST API can fail: a critical error; too many requests; maintenance; a page
instead of JSON; half an answer; none at all; a late one."""


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
