"""Reads what people said in Mailchimp from the contacts themselves, where no webhook told of it.

https://mailchimp.com/developer/marketing/api/list-members/list-members-info/. The filter by time
reads UTC whatever offset is written, so only UTC is written
(https://github.com/mailchimp/mailchimp-client-lib-codegen/issues/241).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from adapters.mailchimp.audience_client import MailchimpClient
from adapters.mailchimp.confirming import weigh
from adapters.mailchimp.hearing import Listener
from adapters.mailchimp.showing import held
from connector import moments
from connector.identity import normal_email
from connector.model import Claim, Evidence, Json, Understood
from connector.ports import Said

_OVERLAP = timedelta(minutes=5)  # for clocks that differ, and for what shows a little late
_LEFT: Mapping[str, Claim] = {
    "unsubscribed": Claim.WITHDRAW,
    "cleaned": Claim.UNDELIVERABLE,
}
_FIRST_HAND = (Claim.GRANT, Claim.GRANT_CONFIRMED)


def said_since(
    client: MailchimpClient,
    listener: Listener,
    cursor: str | None,
    *,
    double_optin: bool,
    types: Mapping[str, str],
    now: datetime,
) -> Iterator[Said]:
    """See `connector.ports.Polled.said_since`. Only what a person did themselves is told.

    The first time everybody is read who left; afterwards whoever changed.
    """
    since, began = moments.parse_utc(cursor), now
    # By whichever clock is behind: what is read twice is no news, what is passed over is lost.
    queries: list[Mapping[str, str]] = [{"status": status} for status in _LEFT]
    if since is not None:
        queries = [{"since_last_changed": _utc(since - _OVERLAP)}]
    for query in queries:
        for page in client.members(query):
            began = min(began, client.told_at or now)
            told = _evidence(page, listener, double_optin=double_optin, now=now)
            shown = {each.record.key: each for row in page if (each := held(row, types))}
            yield Said(evidence=tuple(told), cursor=cursor or "", held=shown)
    yield Said(evidence=(), cursor=began.isoformat())


def _evidence(
    page: Iterable[Mapping[str, Json]], listener: Listener, *, double_optin: bool, now: datetime
) -> Iterator[Evidence]:
    for member in page:
        contact = normal_email(member.get("email_address"))
        if contact is None:
            continue
        if claim := _LEFT.get(str(member.get("status"))):
            yield Evidence(
                contact=contact,
                purpose=listener.purpose,
                claim=claim,
                source=listener.source,
                at=moments.parse_utc(member.get("last_changed")),
                received_at=now,
                method="api_state",
                reference=f"audience:{listener.audience}",
            )
            continue
        told = weigh(contact, member, listener, double_optin=double_optin, received_at=now)
        if isinstance(told, Understood):
            yield from (
                fact
                for fact in told.facts
                if isinstance(fact, Evidence) and fact.claim in _FIRST_HAND
            )


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
