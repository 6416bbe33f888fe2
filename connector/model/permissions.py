"""What people allow: each piece of evidence, what it adds up to, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a permission is for. None is ever inherited from another."""

    EMAIL = "email"
    SMS = "sms"
    ADS = "ads"


class Claim(StrEnum):
    """What one piece of evidence says about a permission."""

    GRANT_CONFIRMED = "grant2"  # a double opt-in, confirmed by the person
    GRANT = "grant1"  # the person acted, once: a ticked box, a form
    GRANT_STATE = "grantS"  # a platform says "subscribed" with a valid date; who acted is unknown
    GRANT_UNDATED = "grantU"  # "subscribed" without a believable date
    PENDING = "pending"  # asked, not confirmed
    SOFT = "soft"  # bought, opt-out offered: soft opt-in where the law has it
    NEUTRAL = "neutral"  # nothing said
    WITHDRAW = "withdraw"
    ERASE = "erase"
    UNDELIVERABLE = "undeliverable"  # the address bounces: no statement about consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One statement about one permission of one contact point. Never changed, never removed.

    ``source`` is the name of the shop or destination that said it. ``at`` is when the person acted
    by that source's clock (``None`` when the source gave no believable time); ``received_at`` is
    when the delivery that carried it reached us, the same at every replay.
    """

    contact: str
    purpose: Purpose
    claim: Claim
    source: str
    received_at: datetime
    at: datetime | None = None
    method: str = ""
    reference: str = ""
    wording: str | None = None
    wording_sha256: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """A destination was told that a contact goes by another address now.

    Nothing given moves along; what was taken back at one of them is taken back at both.
    """

    source: str
    old: str
    new: str


class ConsentState(StrEnum):
    """What the evidence for one purpose and contact point adds up to."""

    GRANTED_CONFIRMED = "granted_confirmed"
    GRANTED = "granted"
    GRANTED_UNDATED = "granted_undated"
    SOFT_OPTIN = "soft_optin"
    PENDING = "pending"
    UNPROVEN = "unproven"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"


class Permission(StrEnum):
    """What a destination may do with a contact, already decided from the consent."""

    SEND = "send"  # may be mailed: subscribe when new
    CONFIRM = "confirm"  # a first-hand grant that still needs the person's confirmation
    SILENT = "silent"  # hold without permission to mail: transactional
    WITHDRAWN = "withdrawn"  # must not be mailed: unsubscribe wherever held
