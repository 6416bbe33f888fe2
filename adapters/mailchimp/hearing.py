"""What Mailchimp tells by webhook: a word that takes away is believed, one that gives is asked for.

Its webhooks are forms, most of them unsigned: whoever knows the address can send one. So a
withdrawal counts at once, and "subscribe" grants nothing: it names whom to look up by the API.
https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from connector.identity import normal_email
from connector.model import (
    AddressChange,
    Claim,
    Evidence,
    Ignored,
    Kind,
    Purpose,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)
from connector.moments import parse_utc

_MOST_FIELDS = 500  # an audience has at most 80 merge fields
_LONGEST_BODY = 256 * 1024
_ABUSE = "abuse"
_MEND = "Whoever runs the connector: look at the webhooks of this audience in Mailchimp."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Whose webhooks are heard: the audience's id, and what its words are kept under."""

    audience: str
    source: str
    purpose: Purpose = Purpose.EMAIL


def hear(body: bytes, listener: Listener, *, received_at: datetime) -> Understanding:
    """What a form means. Never raises, whatever was sent; a reason never quotes it."""
    form = _form(body)
    if isinstance(form, Quarantined):
        return form
    kind = form.get("type", "")
    if kind in _NOT_USED:
        return Ignored(reason=_NOT_USED[kind])
    meaning = _MEANINGS.get(kind)
    if meaning is None:
        return _quarantined("type", "a kind of webhook that is not known")
    if form.get("data[list_id]") != listener.audience:
        return _quarantined("other_audience", "data[list_id] is not this destination's audience")
    return meaning(_Told(form, listener, received_at))


@dataclass(frozen=True, slots=True)
class _Told:
    """One form with what is needed to say what it means."""

    form: Mapping[str, str]
    listener: Listener
    received_at: datetime

    @property
    def at(self) -> datetime:
        """When it happened: as told, in UTC, but never after it came here."""
        told = parse_utc(self.form.get("fired_at"))
        return min(told, self.received_at) if told is not None else self.received_at

    @property
    def is_complaint(self) -> bool:
        """Did the person call a mail spam."""
        return self.form.get("data[reason]") == _ABUSE

    def address(self, field: str = "data[email]") -> str | None:
        """An address in its normal form."""
        return normal_email(self.form.get(field))

    def evidence(self, contact: str, claim: Claim, method: str) -> Evidence:
        """One statement about a contact."""
        return Evidence(
            contact=contact,
            purpose=self.listener.purpose,
            claim=claim,
            source=self.listener.source,
            received_at=self.received_at,
            at=self.at,
            method=method,
            reference=f"audience:{self.listener.audience}",
        )


def _subscribe(told: _Told) -> Understanding:
    contact = told.address()
    if contact is None:
        return _no_address("data[email]")
    return Understood(wishes=(Wish(kind=Kind.CONTACT, id=contact),))


def _unsubscribe(told: _Told) -> Understanding:
    contact = told.address()
    if contact is None:
        return _no_address("data[email]")
    method = "complaint" if told.is_complaint else "unsubscribe_webhook"
    return Understood(facts=(told.evidence(contact, Claim.WITHDRAW, method),))


def _cleaned(told: _Told) -> Understanding:
    """The address bounces, or its owner complained: the first says nothing about permission."""
    contact = told.address()
    if contact is None:
        return _no_address("data[email]")
    bounced = told.evidence(contact, Claim.UNDELIVERABLE, "cleaned_webhook")
    if not told.is_complaint:
        return Understood(facts=(bounced,))
    return Understood(facts=(told.evidence(contact, Claim.WITHDRAW, "complaint"), bounced))


def _upemail(told: _Told) -> Understanding:
    old, new = told.address("data[old_email]"), told.address("data[new_email]")
    if old is None:
        return _no_address("data[old_email]")
    if new is None:
        return _no_address("data[new_email]")
    if old == new:
        return Ignored(reason="the same address in another spelling")
    return Understood(facts=(AddressChange(source=told.listener.source, old=old, new=new),))


_MEANINGS: Mapping[str, Callable[[_Told], Understanding]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "cleaned": _cleaned,
    "upemail": _upemail,
}
_NOT_USED: Mapping[str, str] = {
    "profile": "profiles are the shop's to tell",
    "campaign": "campaigns are not kept",
}


def _form(body: bytes) -> Mapping[str, str] | Quarantined:
    if not body:
        return _quarantined("empty", "the body is empty")
    if len(body) > _LONGEST_BODY:
        return _quarantined("too_large", "the form is larger than any of Mailchimp's")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except UnicodeError:
        return _quarantined("encoding", "the form is not UTF-8")
    except ValueError:
        return _quarantined("not_a_form", "the body is no form")
    form = dict(pairs)
    # Which of two values counts, two readers may see differently: so neither.
    if any(name in _ONCE for name in _repeated(pairs)):
        return _quarantined("duplicate", "a field that matters stands twice")
    return form


_ONCE = frozenset(
    {
        *("type", "fired_at", "data[list_id]", "data[email]", "data[reason]"),
        *("data[old_email]", "data[new_email]"),
    }
)


def _repeated(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            yield name
        seen.add(name)


def _no_address(field: str) -> Quarantined:
    return _quarantined("address", f"{field} is no e-mail address")


def _quarantined(reason: str, detail: str) -> Quarantined:
    return Quarantined(reason=reason, detail=detail, mend=_MEND)
