"""From a change of ours to Mailchimp's words, and from its words back to what became of it.

Nothing here makes anybody sendable again who left: an existing contact's status is raised only
from "transactional" (never asked), to "pending", which asks the person, or out of an archive that
we put them in ourselves because the shop did not know them any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TypeAlias

from adapters.mailchimp.answers import Member
from adapters.mailchimp.values import field_values, tag_names
from connector.model import (
    Change,
    Claim,
    Evidence,
    Json,
    Outcome,
    Parked,
    Permission,
    Postponed,
    Purpose,
    Record,
    Settled,
)

MARGIN = timedelta(seconds=300)
"""How far Mailchimp's clock and a shop's may disagree before a permission counts as the newer."""

_ASKED = (Permission.SEND, Permission.CONFIRM)
_NOT_MAILED = ("unsubscribed", "cleaned", "archived")


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
        return self.permission in _ASKED and (before is None or before.permission not in _ASKED)

    @property
    def is_own_withdrawal(self) -> bool:
        """Did we unsubscribe this person ourselves: then "unsubscribed" is our own echo."""
        before = self.change.before
        return before is not None and before.permission is Permission.WITHDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """One more call: give this existing contact a status; then ``outcome`` holds."""

    status: str
    outcome: Settled


Judgement: TypeAlias = Outcome | SetStatus


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
            "status_if_new": _status_if_new(after.permission, audience),
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


def _status_if_new(permission: Permission | None, audience: Audience) -> str:
    match permission:
        case Permission.SEND:
            return "pending" if audience.double_optin else "subscribed"
        case Permission.CONFIRM:
            return "pending"
        case Permission.SILENT | None:
            return "transactional"
        case Permission.WITHDRAWN:
            return "unsubscribed"


def must_ask(each: Plan, member: Member) -> bool:
    """Is it needed to know when the person unsubscribed, before the answer can be judged.

    ``last_changed`` cannot tell whether they left before or after their newest permission when our
    own writing may have moved it.
    """
    granted = each.change.granted_at
    if member.status != "unsubscribed" or each.permission not in _ASKED or granted is None:
        return False
    seen = member.last_changed
    return each.is_own_withdrawal or seen is None or granted <= seen + MARGIN


def judge(
    each: Plan,
    member: Member,
    audience: Audience,
    *,
    now: datetime,
    acted_at: datetime | None = None,
) -> Judgement:
    """What an answer means for a change: it is done, or one more call is needed.

    ``acted_at`` is when the person last unsubscribed, if Mailchimp was asked and knew.
    """
    if each.permission is Permission.WITHDRAWN:
        if member.status in _NOT_MAILED:
            return Settled(note=each.note)
        return Postponed(reason=f"Mailchimp still holds this contact as {member.status}")
    match member.status:
        case "unsubscribed":
            return _judge_unsubscribed(each, member, audience, now=now, acted_at=acted_at)
        case "cleaned":
            at = member.last_changed or now
            bounced = _evidence(each, audience, Claim.UNDELIVERABLE, at, now)
            return Settled(evidence=(bounced,), note="Mailchimp could not deliver to this address")
        case "archived":
            return _judge_archived(each, member, audience)
        case "transactional" if each.permission is Permission.SEND or (
            each.permission is Permission.CONFIRM and each.is_raised
        ):
            status = "subscribed"
            if audience.double_optin or each.permission is Permission.CONFIRM:
                status = "pending"
            return SetStatus(status=status, outcome=Settled(note=each.note))
        case "pending" if each.permission is Permission.SEND:
            return Settled(note="waits for the person's confirmation")
        case _:
            return Settled(note=each.note)


def _judge_unsubscribed(
    each: Plan,
    member: Member,
    audience: Audience,
    *,
    now: datetime,
    acted_at: datetime | None,
) -> Judgement:
    granted = each.change.granted_at if each.permission in _ASKED else None
    left = acted_at or (None if each.is_own_withdrawal else member.last_changed or now)
    told = () if left is None else (_evidence(each, audience, Claim.WITHDRAW, left, now),)
    if granted is None or (left is not None and granted <= left + MARGIN):
        return Settled(evidence=told, note="is unsubscribed in Mailchimp")
    if each.is_raised:
        note = "left Mailchimp before the newest permission: asked to confirm"
        return SetStatus(status="pending", outcome=Settled(evidence=told, note=note))
    # Held as sendable already: a second confirmation mail for one permission could follow.
    return Parked(
        reason="unsubscribed_there",
        mend="This person left in Mailchimp and allowed mail again in a shop since. Let them "
        "use a Mailchimp sign-up form.",
        evidence=told,
    )


def _judge_archived(each: Plan, member: Member, audience: Audience) -> Judgement:
    if each.permission is not None and is_own_archive(each, member):
        status = _status_if_new(each.permission, audience)
        return SetStatus(status=status, outcome=Settled(note=each.note))
    if not each.is_raised:
        return Settled(note="is archived in Mailchimp and stays so")
    granted, archived = each.change.granted_at, member.last_changed
    if granted is not None and archived is not None and granted > archived + MARGIN:
        note = "was archived before the newest permission: asked to confirm"
        return SetStatus(status="pending", outcome=Settled(note=note))
    return Parked(
        reason="archived",
        mend="This contact is archived in Mailchimp. Unarchive it there if it should get mail.",
    )


def is_own_archive(each: Plan, member: Member) -> bool:
    """Was it we who archived this contact, and has nobody touched it since.

    ``member`` is as it was before this step: our own writing moves ``last_changed``.
    """
    removed, archived = each.change.removed_at, member.last_changed
    return removed is not None and archived is not None and abs(archived - removed) <= MARGIN


def opted_out(each: Plan, audience: Audience, *, left: datetime, now: datetime) -> Settled:
    """What "compliance state" means: somebody left whom a shop still thinks subscribed."""
    if each.permission in (Permission.WITHDRAWN, None):
        return Settled(note="Mailchimp does not mail this contact")
    told = _evidence(each, audience, Claim.WITHDRAW, left, now)
    return Settled(evidence=(told,), note="Mailchimp may not mail this contact any more")


def _evidence(
    each: Plan, audience: Audience, claim: Claim, at: datetime, now: datetime
) -> Evidence:
    return Evidence(
        contact=each.email,
        purpose=audience.purpose,
        claim=claim,
        source=audience.source,
        at=at,
        received_at=now,
        method="api_state",
    )
