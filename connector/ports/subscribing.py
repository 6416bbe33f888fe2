"""What a guest builds whose webhooks can be set up from here, and where they are to deliver."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from connector.ports.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """Where one shop is to deliver: its address, and the secret for each topic.

    An address under ``root`` is ours; everything else is not, and is never touched. ``trusted``
    are the ids of webhooks known to carry the right secret, which no platform shows again.
    Webhooks for the topics that are ``left`` are not touched either: a person has to look first.
    """

    root: str
    secret: Callable[[str], str] = field(repr=False)
    trusted: Collection[str] = ()
    left: Collection[str] = ()

    def address(self, topic: str) -> str:
        """The address that is bound to a topic."""
        return f"{self.root}/{topic}"

    def is_ours(self, address: str) -> bool:
        """Whether an address is this letterbox or a topic's part of it."""
        return address == self.root or address.startswith(f"{self.root}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A webhook as the shop has it. ``done`` says what was just done to it, if anything.

    ``version`` is that of the platform's API in which it comes, where the platform says so.
    """

    id: str
    topic: str
    status: str
    address: str
    done: str = ""
    version: str = ""


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
