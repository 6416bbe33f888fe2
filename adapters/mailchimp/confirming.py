"""Whether a "subscribe" that Mailchimp told of is a person's own act, judged by the contact itself.

A contact that a form made has ``timestamp_signup``; one that was written by the API has it empty,
and ``timestamp_opt`` is then the moment of that writing, which may have been ours. So only a fresh
sign-up by a form is first-hand; anything else says no more than that Mailchimp holds the contact
as subscribed, which outweighs nothing said elsewhere.
https://mailchimp.com/developer/marketing/api/list-members/get-member-info/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from adapters.mailchimp.hearing import Listener
from connector.identity import normal_email
from connector.model import Claim, Evidence, Ignored, Json, Understanding, Understood
from connector.moments import parse_utc

_AT_ONCE = timedelta(seconds=300)
_CONFIRMED_WITHIN = timedelta(days=7)  # by the link in the mail, where the audience sends one


def weigh(
    contact: str,
    member: Mapping[str, Json] | None,
    listener: Listener,
    *,
    double_optin: bool,
    received_at: datetime,
) -> Understanding:
    """What the audience's own answer about a contact says of its permission."""
    if member is None or normal_email(member.get("email_address")) != contact:
        return Ignored(reason="Mailchimp has no such contact")
    if member.get("status") != "subscribed":
        return Ignored(reason="Mailchimp does not hold the contact as subscribed")
    at = parse_utc(member.get("timestamp_opt"))
    claim = _claim(parse_utc(member.get("timestamp_signup")), at, double_optin=double_optin)
    evidence = Evidence(
        contact=contact,
        purpose=listener.purpose,
        claim=claim,
        source=listener.source,
        received_at=received_at,
        at=at,
        method="form" if claim in (Claim.GRANT, Claim.GRANT_CONFIRMED) else "api_state",
        reference=f"audience:{listener.audience}",
    )
    return Understood(facts=(evidence,))


def _claim(signed_up: datetime | None, opted: datetime | None, *, double_optin: bool) -> Claim:
    if opted is None:
        return Claim.GRANT_UNDATED
    if signed_up is None:
        return Claim.GRANT_STATE
    fresh = timedelta(0) <= opted - signed_up <= (_CONFIRMED_WITHIN if double_optin else _AT_ONCE)
    if not fresh:
        return Claim.GRANT_STATE
    return Claim.GRANT_CONFIRMED if double_optin else Claim.GRANT
