"""What can go wrong at the stand-in shop beside what goes wrong anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.town import mischief

ANSWERS = (
    *("401", "402", "403", "423", "429", "430", "500", "503", "html", "internal"),
    *("throttled", "torn", "dropped", "slow"),
)
"""How an answer can fail: token not taken; shop frozen; no approval; shop locked; too many
requests; held for an attack; a web page of an error, of maintenance, in JSON's place; an error in
JSON with status 200; no points left; half an answer; none at all; a late one."""


@dataclass(slots=True, kw_only=True)
class Mischief(mischief.Mischief):
    """What shall go wrong, with the answers of the Admin API."""

    answers: tuple[str, ...] = ANSWERS
    hides: bool = False

    def plan(self, *, hides: bool | None = None, **more: Any) -> None:
        """As anywhere; ``hides`` withholds people's data, as from an app without approval."""
        mischief.Mischief.plan(self, **more)
        if hides is not None:
            self.hides = hides

    def as_json(self) -> Mapping[str, Any]:
        """What is planned, for the control page."""
        return {**mischief.Mischief.as_json(self), "hides": self.hides}
