"""What follows from an answer about one contact: it is settled, or one more call is made."""

from __future__ import annotations

from datetime import datetime

from adapters.mailchimp.answers import Member
from adapters.mailchimp.audience_client import MailchimpClient
from adapters.mailchimp.judging import SetStatus, judge, must_ask, opted_out
from adapters.mailchimp.planning import Audience, Plan
from adapters.mailchimp.refusals import Complaint, Meaning, Refused, meaning, parked
from connector.model import Outcome, Permission, Settled


class Following:
    """The answers of one push, made outcomes. Every method raises `TryLater` or `LaneDown`."""

    def __init__(self, client: MailchimpClient, audience: Audience, now: datetime) -> None:
        self._client = client
        self._audience = audience
        self._now = now

    def follow(self, each: Plan, member: Member) -> Outcome:
        """What an answer about a contact means, after the one more call it may ask for."""
        acted_at = self._client.unsubscribed_at(each.email) if must_ask(each, member) else None
        verdict = judge(each, member, self._audience, now=self._now, acted_at=acted_at)
        if not isinstance(verdict, SetStatus):
            return verdict
        try:
            self._client.put(each.email, {"status": verdict.status})
        except Refused as refused:
            if meaning(refused.complaint) is Meaning.OPTED_OUT:
                return self._opted_out(each, Member.read(self._client.read(each.email) or {}))
            return parked(meaning(refused.complaint), refused.complaint)
        return verdict.outcome

    def _opted_out(self, each: Plan, member: Member | None) -> Outcome:
        left = member.last_changed if member else None
        return opted_out(each, self._audience, left=left or self._now, now=self._now)

    def refused(self, each: Plan, refused: Refused) -> Outcome:
        """What it means that a call about one contact was refused."""
        return self.verdict(each, meaning(refused.complaint), refused.complaint)

    def verdict(self, each: Plan, what: Meaning, complaint: Complaint) -> Outcome:
        """What it means that a contact was complained of."""
        withdrawn = each.permission in (Permission.WITHDRAWN, None)
        if withdrawn and what in (Meaning.OPTED_OUT, Meaning.FORGOTTEN, Meaning.BAD_ADDRESS):
            return Settled(note="Mailchimp does not mail this address")
        if what is not Meaning.OPTED_OUT:
            return parked(what, complaint)
        member = Member.read(self._client.read(each.email) or {})
        if member is not None and member.status in ("unsubscribed", "cleaned"):
            return self.follow(each, member)
        return self._opted_out(each, member)
