"""From Mailchimp's words back to what became of a change.

Nothing here makes anybody sendable again who left: an existing contact's status is raised only
from "transactional" (never asked), to "pending", which asks the person, or out of an archive that
we put them in ourselves because the shop did not know them any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from adapters.mailchimp.answers import Member
from adapters.mailchimp.planning import ASKED, Audience, Plan, first_status
from connector.model import Claim, Evidence, Outcome, Parked, Permission, Postponed, Settled

MARGIN = timedelta(seconds=300)
"""How far Mailchimp's clock and a shop's may disagree before a permission counts as the newer."""
_NOT_MAILED = ("unsubscribed", "cleaned", "archived")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """One more call: give this existing contact a status; then ``outcome`` holds."""

    status: str
    outcome: Settled


Judgement: TypeAlias = Outcome | SetStatus


def must_ask(each: Plan, member: Member) -> bool:
    """Is it needed to know when the person unsubscribed, before the answer can be judged.

    ``last_changed`` cannot tell whether they left before or after their newest permission when our
    own writing may have moved it.
    """
    granted = each.change.granted_at
    if member.status != "unsubscribed" or each.permission not in ASKED or granted is None:
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
    granted = each.change.granted_at if each.permission in ASKED else None
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
        status = first_status(each.permission, audience)
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
