"""What a refusal comes to for the thing that was sent, and who mends it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.mailchimp.commerce.operations import Reply
from adapters.mailchimp.refusals import Meaning, Refused, meaning, parked
from connector.model import Outcome, Parked, Postponed, Settled

_OF_PEOPLE = (Meaning.FORGOTTEN, Meaning.BAD_ADDRESS, Meaning.MANY_LISTS)
_LONGEST = 80
_FIELD = re.compile(r"[A-Za-z0-9_.\[\]{}: -]{1,60}")

_SOON = 30.0
_PRODUCT_GONE = "product with the provided"
_STORE_GONE = ("store", "does not exist")

TOO_LARGE = Parked(
    reason="too_large",
    mend="Mailchimp finds this one thing too large. Shorten its texts in the shop.",
)


def settled(replies: Sequence[Reply], what: str, *, note: str = "") -> Outcome:
    """Settled when every operation was taken, else what the first refusal comes to."""
    for reply in replies:
        if reply.refused is not None:
            return refused(reply.refused, what)
    return Settled(note=note)


def gone(reply: Reply, what: str) -> Outcome:
    """The outcome of taking something away: what is not there is away."""
    if reply.is_missing:
        return Settled(note="was not there any more")
    return settled([reply], what)


def refused(refusal: Refused, what: str) -> Outcome:
    """What a refusal means for ``what`` ("order 17"). Mailchimp's own words may hold an address.

    https://mailchimp.com/developer/marketing/docs/errors/
    """
    complaint = refusal.complaint
    words = complaint.words.lower()
    meant = meaning(complaint)
    if meant in _OF_PEOPLE:
        return parked(meant, complaint)
    if _PRODUCT_GONE in words and "does not exist" in words:
        return Postponed(reason=f"a product of {what} went away in Mailchimp", retry_after=_SOON)
    if refusal.status == 404:  # noqa: PLR2004 - the numbers of HTTP are its names
        return Postponed(reason=f"{what} went away in Mailchimp meanwhile", retry_after=_SOON)
    if refusal.status in (401, 403, 408, 409, 429) or refusal.status >= 500:  # noqa: PLR2004
        return Postponed(reason=f"Mailchimp answered {refusal.status} about {what}")
    field = complaint.field if _FIELD.fullmatch(complaint.field) else ""
    of = f" in {field}" if field else ""
    return Parked(
        reason=f"refused: {complaint.code or 'no reason given'}{of}"[:_LONGEST],
        mend=f"Mailchimp does not take {what}{of}. Correct it in the shop, then it is sent again "
        "by itself.",
    )
