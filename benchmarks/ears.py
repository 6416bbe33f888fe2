"""Adapters that tell whom they are to add: the real one of Mailchimp, and one without ears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.mailchimp.destination import MailchimpDestination
from connector.model import Change, Outcome, Permission
from connector.ports import DestinationAdapter, Finding, Shape

_ADDING = (Permission.SEND, Permission.CONFIRM)


@dataclass
class Named:
    """Whom an adapter was told to add or to ask."""

    emails: set[str] = field(default_factory=set)

    def note(self, changes: Sequence[Change]) -> None:
        """Keep those whom these changes add."""
        self.emails |= {
            each.after.email or each.key
            for each in changes
            if each.after is not None and each.after.permission in _ADDING
        }


class Watched(MailchimpDestination):
    """The real adapter with all that it can do."""

    named: Named

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Note whom, and do it."""
        self.named.note(changes)
        return super().push(changes, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaf:
    """Writes, and never asks who left: a connector whose destinations are not `Polled`."""

    real: DestinationAdapter
    named: Named

    @property
    def name(self) -> str:
        """The destination's name in the configuration."""
        return self.real.name

    @property
    def batch_size(self) -> int:
        """As the real one's."""
        return self.real.batch_size

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """As the real one."""
        return self.real.prepare(shape)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Note whom, and do it."""
        self.named.note(changes)
        return self.real.push(changes, now=now)

    def flush(self) -> None:
        """As the real one."""
        self.real.flush()
