"""Webhooks that can be watched: what is not right with them, said so that a program can act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connector.ports.subscribing import Letterbox, Subscription


class FlawKind(StrEnum):
    """In which way a webhook is not right."""

    MISSING = "missing"  # there is none for a topic: never made, or deleted
    OFF = "off"  # it is there, and the platform does not use it
    ADDRESS = "address"  # it leads to another place than the topic's
    SECRET = "secret"  # nobody here set its secret  # noqa: S105 - a word for a flaw
    INCOMPLETE = "incomplete"  # it tells less, or more, than it should
    TWICE = "twice"  # there is a second one for the topic
    VERSION = "version"  # it comes in another version of the API; registering cannot mend that


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is not right with the webhooks of ours for a topic; ``what`` is a sentence."""

    topic: str
    kind: FlawKind
    what: str


@runtime_checkable
class Watchable(Protocol):
    """A shop or destination that says exactly what `register_webhooks` would mend."""

    def look_at_webhooks(self, letterbox: Letterbox) -> Sequence[Flaw]:
        """Everything that is not right with ours; nothing is changed.

        Raises `TryLater` or `LaneDown`.
        """

    def register_webhooks(self, letterbox: Letterbox) -> Sequence[Subscription]:
        """As `connector.ports.Subscribing.register_webhooks`."""
