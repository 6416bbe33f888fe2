"""Reads permissions out of a shop's orders and customers, by the sources that the mapping names.

What each value says follows one table: a ticked box on an order is a grant at the moment the order
was placed; a customer's field has no date, so its yes is undated; a missing or unticked box says
nothing; only the values named for it take a permission back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from connector.identity import normal_email, normal_phone
from connector.model import Claim, Customer, Evidence, Order, Purpose
from connector.moments import EPOCH
from mappings import fields
from mappings.grammar import ConsentRules, ConsentSource

CLOCK_SKEW = timedelta(seconds=300)
"""How far a shop's clock may be ahead of ours before its time is not believed."""

# A basket that the checkout saves while it is filled in: nobody has agreed to anything yet.
# https://developer.woocommerce.com/docs/features/orders/ (checkout-draft)
_NOT_PLACED = frozenset({"checkout-draft", "auto-draft"})
_UNDATED_BEFORE = EPOCH + timedelta(days=1)  # systems without a date write 1970-01-01


def evidence_of(
    fact: Order | Customer, rules: ConsentRules, *, received_at: datetime, platform: str
) -> tuple[Evidence, ...]:
    """The evidence in one fact. ``received_at`` is when the delivery reached us, at every replay.

    The platform's own consent (``from: shopify``) is not read here: its adapter tells it.
    """
    found = [
        evidence
        for source in rules.sources
        if source.shop in {None, fact.shop} and source.path != fields.PLATFORM_CONSENT
        for evidence in _from_source(fact, source, rules, received_at)
    ]
    if isinstance(fact, Order):
        found += _from_sale(fact, rules, received_at, platform)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=256)
def wording_sha256(text: str) -> str:
    """The digest that proves which text a person read."""
    return hashlib.sha256(text.encode()).hexdigest()


def _from_source(
    fact: Order | Customer, source: ConsentSource, rules: ConsentRules, received_at: datetime
) -> Iterator[Evidence]:
    value = fields.text_of(fields.read(source.path, fact))
    contact = _contact(fact, source.purpose)
    if value is None or contact is None or _is_unplaced(fact):
        return
    said = value.casefold()
    if said in source.withdrawn:
        # A time that is not believed works against sending: it is as late as it can be.
        at = _believed(_acted_at(fact) or fact.version.at, received_at) or received_at
        yield _evidence(fact, source, contact, received_at, Claim.WITHDRAW, at)
    elif said in source.granted:
        granted_at = _believed(_acted_at(fact), received_at)
        claim = Claim.GRANT if granted_at else Claim.GRANT_UNDATED
        text = rules.wordings.get(source.wording or "")
        yield _evidence(fact, source, contact, received_at, claim, granted_at, text=text)


def _evidence(
    fact: Order | Customer,
    source: ConsentSource,
    contact: str,
    received_at: datetime,
    claim: Claim,
    at: datetime | None,
    *,
    text: str | None = None,
) -> Evidence:
    is_order = isinstance(fact, Order)
    is_grant = claim is not Claim.WITHDRAW
    return Evidence(
        contact=contact,
        purpose=source.purpose,
        claim=claim,
        source=fact.shop,
        received_at=received_at,
        at=at,
        method="checkout_tick" if is_order else "api_state",
        reference=f"order:{fact.id}" if is_order else f"customer:{fact.id}",
        wording=source.wording if is_grant else None,
        wording_sha256=None if text is None else wording_sha256(text),
        country=_country(fact),
    )


def _from_sale(
    order: Order, rules: ConsentRules, received_at: datetime, platform: str
) -> Iterator[Evidence]:
    """Soft opt-in: only where the law of every country of the order has it."""
    allowed = bool(order.countries) and rules.soft_opt_in.issuperset(order.countries)
    if not allowed or order.status not in rules.counting.get(platform, frozenset()):
        return
    contact = normal_email(order.email)
    at = _believed(order.placed_at, received_at)
    if contact is None or at is None:
        return
    wording = rules.soft_wordings.get(order.countries[0])
    text = rules.wordings.get(wording or "")
    if text is None:
        return
    yield Evidence(
        contact=contact,
        purpose=Purpose.EMAIL,
        claim=Claim.SOFT,
        source=order.shop,
        received_at=received_at,
        at=at,
        method="sale",
        reference=f"order:{order.id}",
        wording=wording,
        wording_sha256=wording_sha256(text),
        country=order.countries[0],
    )


def _contact(fact: Order | Customer, purpose: Purpose) -> str | None:
    if purpose is Purpose.SMS:
        return normal_phone(fact.phone, _country(fact))
    return normal_email(fact.email)


def _country(fact: Order | Customer) -> str | None:
    if isinstance(fact, Order):
        return fact.countries[0] if fact.countries else None
    return fact.country


def _is_unplaced(fact: Order | Customer) -> bool:
    return isinstance(fact, Order) and fact.status in _NOT_PLACED


def _acted_at(fact: Order | Customer) -> datetime | None:
    """When the person acted: at an order when it was placed; an account does not tell."""
    return fact.placed_at if isinstance(fact, Order) else None


def _believed(at: datetime | None, received_at: datetime) -> datetime | None:
    """The moment itself, unless it lies in the future or is where systems put no date at all."""
    if at is None or not _UNDATED_BEFORE <= at <= received_at + CLOCK_SKEW:
        return None
    return at
