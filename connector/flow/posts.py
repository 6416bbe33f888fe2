"""The shops and destinations whose webhooks are watched, and why some are not mended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.ports import OPERATOR, Finding, FlawKind, Letterbox, Subscription, Watchable
from connector.store.connect import Store

DOWN = (FlawKind.OFF, FlawKind.MISSING)
"""Flaws of a webhook that tells of nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One shop or destination to be watched, and what mending its webhooks needs.

    Without ``guest`` or ``letterbox`` only a shop's silence is listened for. ``holds_back`` is why
    nothing may be mended, with what a person does then; ``entrance`` looks at our public address.
    """

    name: str
    is_shop: bool
    entrance: Callable[[], Finding]
    remember: Callable[[Store, Letterbox, Sequence[Subscription], datetime], None]
    guest: Watchable | None = None
    letterbox: Callable[[Store], Letterbox] | None = None
    holds_back: HoldsBack | None = None

    @property
    def where(self) -> str:
        """``shops.wool``."""
        return f"{'shops' if self.is_shop else 'destinations'}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldsBack:
    """Why nothing is mended; ``alarming`` are the flaws that a person has to mend at once."""

    why: str
    mend: str = ""
    who: str = ""
    alarming: Collection[FlawKind] = ()


TEST = HoldsBack(why="mode test: it would be mended")


def tell_only(name: str) -> HoldsBack:
    """What ``watch: tell`` says."""
    return HoldsBack(
        why="not mended: this shop is only told of (watch: tell)",
        mend=register(name),
        who=OPERATOR,
        alarming=DOWN,
    )


def register(name: str) -> str:
    """What an operator types to set the webhooks of a shop or destination right."""
    return f"Run `connector webhooks register {name}`."
