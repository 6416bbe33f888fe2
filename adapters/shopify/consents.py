"""What Shopify itself holds about a permission, said as evidence.

===================================================  ==============================================
``subscribed``, ``confirmed_opt_in``, a valid date   confirmed by the person
``subscribed``, ``single_opt_in``, a valid date      a state: it may be staff's or an import's work
``subscribed`` otherwise                             undated: Shopify stamps *now* on date-less ones
``pending``                                          asked, not confirmed
``unsubscribed``                                     withdrawn
``not_subscribed``, nothing                          says nothing: neither a yes nor a no
``invalid``                                          the address bounces: no statement
``redacted``                                         erased
===================================================  ==============================================

https://shopify.dev/docs/api/admin-graphql/2026-10/objects/CustomerEmailMarketingConsentState
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from adapters.shopify.payloads import Consent
from adapters.shopify.reading import Slip, read_believed
from connector.model import Claim, Evidence, Purpose
from connector.shop_fields import BadFieldError, read_text

_SUBSCRIBED = "subscribed"
_CLAIMS = {
    "pending": Claim.PENDING,
    "unsubscribed": Claim.WITHDRAW,
    "invalid": Claim.UNDELIVERABLE,
    "redacted": Claim.ERASE,
}
_NEUTRAL = frozenset({"", "not_subscribed", "never_subscribed"})
_LEVELS = {"confirmed_opt_in": Claim.GRANT_CONFIRMED, "single_opt_in": Claim.GRANT_STATE}
_TAKES_BACK = frozenset({"unsubscribed", "redacted"})


def state_of(consent: Consent | None) -> str:
    """The state's word in small letters (webhooks and GraphQL differ); nothing if there is none."""
    return read_text(consent.state).strip().lower() if consent is not None else ""


def takes_back(state: str) -> bool:
    """Whether the state is a no."""
    return state in _TAKES_BACK


def evidence_of(
    consent: Consent | None,
    contact: str | None,
    purpose: Purpose,
    customer_id: str,
    slip: Slip,
    *,
    country: str | None = None,
) -> Iterator[Evidence]:
    """The evidence in one state; none when it says nothing or there is nobody to say it of.

    A grant is dated by the body alone. The header's time is not signed, so it dates what takes
    away and never what gives: replayed under another header, an old yes stays old. Raises
    `BadFieldError` for a state nobody knows.
    """
    if consent is None or state_of(consent) in _NEUTRAL:
        return
    claim, at = _claim(consent, purpose, slip)
    if contact is None:
        return
    known_at = slip.received_at if at or slip.known_at is None else slip.known_at
    yield Evidence(
        contact=contact,
        purpose=purpose,
        claim=claim,
        source=slip.shop,
        received_at=min(known_at, slip.received_at),
        at=at,
        method="api_state",
        reference=f"customer:{customer_id}",
        country=country,
    )


def _claim(consent: Consent, purpose: Purpose, slip: Slip) -> tuple[Claim, datetime | None]:
    state = state_of(consent)
    dated = read_believed(consent.consent_updated_at, slip.received_at)
    if state == _SUBSCRIBED:
        level = read_text(consent.opt_in_level).strip().lower()
        claim = _LEVELS.get(level, Claim.GRANT_UNDATED) if dated else Claim.GRANT_UNDATED
        return claim, None if claim is Claim.GRANT_UNDATED else dated
    if state not in _CLAIMS:
        raise BadFieldError("consent_state", f"{purpose}_marketing_consent.state")
    return _CLAIMS[state], dated or slip.triggered_at


def old_consent(accepts: object, updated_at: object, level: object) -> Consent | None:
    """``accepts_marketing``, as accounts had it before 2022: ``false`` does not say why."""
    if accepts is not True:
        return None
    return Consent(state=_SUBSCRIBED, opt_in_level=level, consent_updated_at=updated_at)
