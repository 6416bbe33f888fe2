"""From a change of ours to Mailchimp's words: the call it begins with, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from adapters.mailchimp.values import field_values, tag_names
from connector.model import Change, Json, Permission, Purpose, Record

ASKED = (Permission.SEND, Permission.CONFIRM)
"""Permissions that a person gave; who has one of them may be mailed, or asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """What must be known of the audience to speak to it."""

    source: str
    """The name under which what it says is kept as evidence."""
    purpose: Purpose = Purpose.EMAIL
    double_optin: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    existing_only: bool = False


class Action(Enum):
    """Which call a change begins with."""

    NOTHING = auto()
    WRITE = auto()  # in the batch
    UNSUBSCRIBE = auto()  # alone, so that nobody is created only to be unsubscribed
    ARCHIVE = auto()  # alone, Mailchimp has no batch for it
    ERASE = auto()  # alone, for good: only the person themselves can come back


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do for one change. ``leaves`` are tags to take away, ``note`` what was left out."""

    change: Change
    action: Action
    email: str = ""
    item: Mapping[str, Json] = field(default_factory=dict)
    leaves: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def permission(self) -> Permission | None:
        """What the person allows now; ``None`` when they should not be held."""
        return self.change.after.permission if self.change.after else None

    @property
    def is_raised(self) -> bool:
        """Does this very step bring a permission that was not there before."""
        before = self.change.before
        return self.permission in ASKED and (before is None or before.permission not in ASKED)

    @property
    def is_own_withdrawal(self) -> bool:
        """Did we unsubscribe this person ourselves: then "unsubscribed" is our own echo."""
        before = self.change.before
        return before is not None and before.permission is Permission.WITHDRAWN


def plan(change: Change, audience: Audience) -> Plan:
    """What to do for a change; nothing at all when the audience holds it already."""
    before, after = change.before, change.after
    if change.erased:
        email = (before and before.email) or (change.key if "@" in change.key else "")
        return Plan(change=change, action=Action.ERASE if email else Action.NOTHING, email=email)
    if after is None:
        if before is None or not before.email:
            return Plan(change=change, action=Action.NOTHING)
        leaves = tag_names(before.tags)
        return Plan(change=change, action=Action.ARCHIVE, email=before.email, leaves=leaves)
    if not after.email:
        return Plan(change=change, action=Action.NOTHING, note="no e-mail address")
    if after.permission is Permission.WITHDRAWN:
        return _plan_withdrawal(change, before, after.email)
    return _plan_writing(change, after, after.email, audience)


def _plan_withdrawal(change: Change, before: Record | None, email: str) -> Plan:
    if before is None:
        return Plan(change=change, action=Action.UNSUBSCRIBE, email=email)
    leaves = tag_names(before.tags)
    if before.permission is Permission.WITHDRAWN:
        return Plan(change=change, action=Action.NOTHING, email=email, leaves=leaves)
    return Plan(
        change=change,
        action=Action.WRITE,
        email=email,
        item={"email_address": email, "status": "unsubscribed"},
        leaves=leaves,
    )


def _plan_writing(change: Change, after: Record, email: str, audience: Audience) -> Plan:
    before = change.before
    fields, left_out = field_values(_changed(before, after), audience.types)
    held, wanted = tag_names(before.tags if before else ()), tag_names(after.tags)
    joins = [name for form, name in wanted.items() if form not in held]
    leaves = {form: name for form, name in held.items() if form not in wanted}
    draft = Plan(
        change=change,
        action=Action.WRITE,
        email=email,
        item={
            "email_address": email,
            "status_if_new": first_status(after.permission, audience),
            **({"merge_fields": fields} if fields else {}),
            **({"tags": joins} if joins else {}),
        },
        leaves=leaves,
        note=f"left out: {', '.join(left_out)}" if left_out else "",
    )
    if before is None or fields or joins or draft.is_raised:
        return draft
    return Plan(change=change, action=Action.NOTHING, email=email, leaves=leaves, note=draft.note)


def _changed(before: Record | None, after: Record) -> dict[str, Json]:
    """The fields that differ; one that is mapped no longer is cleared.

    A person we never wrote may have told Mailchimp themselves what we do not know.
    """
    if before is None:
        return {name: value for name, value in after.fields.items() if value not in (None, "")}
    gone = dict.fromkeys(name for name in before.fields if name not in after.fields)
    return gone | {
        name: value
        for name, value in after.fields.items()
        if name not in before.fields or before.fields[name] != value
    }


def first_status(permission: Permission | None, audience: Audience) -> str:
    """The status in which a contact comes into the audience."""
    match permission:
        case Permission.SEND:
            return "pending" if audience.double_optin else "subscribed"
        case Permission.CONFIRM:
            return "pending"
        case Permission.SILENT | None:
            return "transactional"
        case Permission.WITHDRAWN:
            return "unsubscribed"
