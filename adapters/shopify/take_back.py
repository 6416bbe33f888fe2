"""Tells the shop that somebody withdrew a permission elsewhere, as of when they did.

The two mutations can say nothing but UNSUBSCRIBED. Shopify keeps the statement with the newest date
(https://shopify.dev/docs/api/admin-graphql/2026-10/objects/CustomerEmailMarketingConsentState), so
that with its own date a withdrawal takes nothing from who subscribed anew since; and what Shopify
tells of it afterwards is the same withdrawal at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.shopify.asking import Ask
from adapters.shopify.reading import members
from connector.errors import LaneDown, TryLater
from connector.identity import normal_email, normal_phone
from connector.model import Claim, Evidence, Purpose
from connector.moments import to_text

SCOPE = "write_customers"
_LEVELS = frozenset({"SINGLE_OPT_IN", "CONFIRMED_OPT_IN", "UNKNOWN"})
_WITHDRAWN = "UNSUBSCRIBED"
_SHOWN = 60
_NOBODY = frozenset({"REDACTED", "INVALID"})
_MEND = f"The shop's owner: give the app the scope {SCOPE}, and install it again."


@dataclass(frozen=True, slots=True)
class _Way:
    """How one kind of permission is taken back, and where an account shows it."""

    query: str
    field: str
    shown: Callable[[Mapping[str, Any]], tuple[str | None, object, object]]
    """The contact point, the state and the level in an account."""


def _email_in(account: Mapping[str, Any]) -> tuple[str | None, object, object]:
    shown = account.get("defaultEmailAddress")
    mail = shown if isinstance(shown, dict) else {}
    address = normal_email(mail.get("emailAddress"))
    return address, mail.get("marketingState"), mail.get("marketingOptInLevel")


def _number_in(account: Mapping[str, Any]) -> tuple[str | None, object, object]:
    shown = account.get("defaultPhoneNumber")
    phone = shown if isinstance(shown, dict) else {}
    told = phone.get("smsMarketingConsent")
    consent = told if isinstance(told, dict) else {}
    number = phone.get("phoneNumber")
    read = normal_phone(number, None) if isinstance(number, str) else None
    return read, consent.get("state"), consent.get("optInLevel")


_WAYS: Mapping[Purpose, _Way] = {
    Purpose.EMAIL: _Way("take_back_email", "customerEmailMarketingConsentUpdate", _email_in),
    Purpose.SMS: _Way("take_back_sms", "customerSmsMarketingConsentUpdate", _number_in),
}


def take_back(ask: Ask, withdrawn: Evidence, customer_ids: Sequence[str]) -> bool:
    """See `connector.ports.TakingBack.take_back`. Shopify keeps no permission for ads.

    An account that goes by another address by now is left alone: what is changed is the account's.
    Raises `ValueError` for a statement that is no withdrawal.
    """
    if withdrawn.claim is not Claim.WITHDRAW:
        raise ValueError(f"{withdrawn.claim} takes nothing back")
    way = _WAYS.get(withdrawn.purpose)
    if way is None:
        return False
    told = [_tell(ask, way, withdrawn, number) for number in customer_ids]
    return any(told)


def _tell(ask: Ask, way: _Way, withdrawn: Evidence, number: str) -> bool:
    """One account: whether it is, or had been, told. What it refuses is looked at once more."""
    gid = f"gid://shopify/Customer/{number}"
    contact, state, level = _shown(ask, way, gid)
    if contact != withdrawn.contact or state in _NOBODY:
        return False
    if state == _WITHDRAWN:
        return True
    at = to_text(withdrawn.at or withdrawn.received_at)
    variables = {"id": gid, "at": at, "level": level if level in _LEVELS else None}
    refusal = _change(ask, way, variables)
    if not refusal:
        return True
    if _shown(ask, way, gid)[0] != withdrawn.contact:
        return False
    raise TryLater(f"the shop did not take a withdrawal: {refusal}")


def _shown(ask: Ask, way: _Way, gid: str) -> tuple[str | None, object, object]:
    account = ask("permissions", {"id": gid}).data.get("customer")
    return way.shown(account if isinstance(account, dict) else {})


def _change(ask: Ask, way: _Way, variables: Mapping[str, str | None]) -> str:
    """Change it, and give the codes of what was refused."""
    try:
        payload = ask(way.query, variables).data.get(way.field)
    except LaneDown as refused:
        if SCOPE in refused.reason or "access denied" not in refused.reason:
            raise
        raise LaneDown(f"{refused.reason}, {SCOPE} is needed", mend=_MEND) from None
    if not isinstance(payload, dict):
        raise TryLater("the shop does not say whether it took a withdrawal")
    codes = {str(error.get("code")) for error in members(payload.get("userErrors"))}
    return ", ".join(sorted(codes))[:_SHOWN]
