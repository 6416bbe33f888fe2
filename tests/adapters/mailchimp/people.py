"""The people of these tests, and the changes that happen to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from adapters.mailchimp.destination import MailchimpDestination
from connector.model import Change, Json, Outcome, Permission, Record
from connector.ports import FieldType, Shape

SHAPE = Shape(
    fields={"FNAME": FieldType.TEXT, "ORDERS": FieldType.NUMBER, "LASTORDER": FieldType.DATE},
    tags=("Returning", "VIP"),
)
NOW = datetime.now(UTC).replace(microsecond=0)
KARI = "kari@shop.example"
OLA = "ola@shop.example"


def ago(**parts: float) -> datetime:
    """A moment before now."""
    return NOW - timedelta(**parts)


def person(
    email: str = KARI,
    permission: Permission = Permission.SEND,
    tags: Iterable[str] = (),
    **fields: Json,
) -> Record:
    """A record of one person."""
    return Record(
        key=email, email=email, permission=permission, fields=dict(fields), tags=tuple(tags)
    )


def withdrawn(email: str = KARI) -> Record:
    """The record of a person who withdrew."""
    return person(email, Permission.WITHDRAWN)


def step(before: Record | None, after: Record | None, granted_at: datetime | None = None) -> Change:
    """The change between two records of one person."""
    key = (after or before or person()).key
    return Change(key=key, before=before, after=after, granted_at=granted_at)


def push(destination: MailchimpDestination, *changes: Change) -> Mapping[str, Outcome]:
    """Push changes now."""
    return destination.push(changes, now=NOW)


def push_one(
    destination: MailchimpDestination,
    before: Record | None,
    after: Record | None,
    granted_at: datetime | None = None,
) -> Outcome:
    """Push one change; gives its outcome."""
    change = step(before, after, granted_at)
    outcomes = push(destination, change)
    assert [change.key] == list(outcomes)
    return outcomes[change.key]
