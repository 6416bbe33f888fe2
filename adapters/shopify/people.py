"""Turns a Shopify account into a fact, with the permissions its body may carry."""

from __future__ import annotations

import msgspec

from adapters.shopify.consents import evidence_of, old_consent, state_of
from adapters.shopify.payloads import Consent, CustomerBody
from adapters.shopify.reading import Slip, country_of, need_own_id, read_metafields, read_tags
from connector.model import (
    Customer,
    Evidence,
    Kind,
    Purpose,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)
from connector.shop_fields import (
    BadFieldError,
    need_id,
    read_email,
    read_past,
    read_phone,
    read_text,
    read_version,
)


def understand_customer(body: CustomerBody, slip: Slip) -> Understanding:
    """An account as a fact, with evidence where the body tells permissions.

    Webhooks of version 2025-01 and later tell neither tags nor permissions: the wish asks for the
    account as a whole. Raises `BadFieldError` without an id.
    """
    customer_id = need_own_id(body.id, body.admin_graphql_api_id, "Customer")
    country = country_of(body.default_address)
    phone = body.phone or (body.default_address.phone if body.default_address else None)
    customer = Customer(
        shop=slip.shop,
        id=customer_id,
        version=read_version(body.updated_at, body.created_at, slip),
        email=read_email(body.email, slip),
        phone=read_phone(phone, country, slip),
        first_name=read_text(body.first_name),
        last_name=read_text(body.last_name),
        company=read_text(body.default_address.company) if body.default_address else "",
        country=country,
        language=read_text(body.locale) or None,
        created_at=read_past(body.created_at, slip),
        tags=read_tags(body.tags),
        meta=read_metafields(body.metafields),
    )
    asked = () if body.tags is not msgspec.UNSET else (Wish(kind=Kind.CUSTOMER, id=customer_id),)
    said = _permissions(body, customer, slip)
    return Understood(facts=(customer, *said), wishes=asked, flags=tuple(slip.flags))


def _permissions(body: CustomerBody, customer: Customer, slip: Slip) -> list[Evidence]:
    """What the account's body says; a state nobody knows is flagged, and the account still counts.

    Where old bodies tell both, the state is right and ``accepts_marketing`` its shadow.
    """
    mail = body.email_marketing_consent
    if isinstance(mail, msgspec.UnsetType):
        mail = old_consent(
            body.accepts_marketing, body.accepts_marketing_updated_at, body.marketing_opt_in_level
        )
    sms = body.sms_marketing_consent
    number = read_phone(body.phone, customer.country, slip)
    said: list[Evidence] = []
    for consent, contact, purpose in (
        (mail, customer.email, Purpose.EMAIL),
        (None if isinstance(sms, msgspec.UnsetType) else sms, number, Purpose.SMS),
    ):
        try:
            said += evidence_of(
                consent, contact, purpose, customer.id, slip, country=customer.country
            )
        except BadFieldError:
            slip.flag("consent_state_unknown")
    return said


class EmailConsentBody(msgspec.Struct, frozen=True):
    """``customers_email_marketing_consent/update``."""

    customer_id: object
    email_address: object
    email_marketing_consent: Consent | None


class SmsConsentBody(msgspec.Struct, frozen=True):
    """``customers_marketing_consent/update``: here the account's id is called ``id``."""

    id: object
    phone: object
    sms_marketing_consent: Consent | None


def understand_email_consent(body: EmailConsentBody, slip: Slip) -> Understanding:
    """The state of an account's e-mail permission. Without an address, the account is asked for."""
    customer_id = need_id(body.customer_id, "customer_id")
    return _understand_consent(
        body.email_marketing_consent,
        read_email(body.email_address, slip),
        Purpose.EMAIL,
        customer_id,
        slip,
    )


def understand_sms_consent(body: SmsConsentBody, slip: Slip) -> Understanding:
    """The state of an account's SMS permission. Without a number, the account is asked for."""
    customer_id = need_id(body.id, "id")
    number = read_phone(body.phone, None, slip)
    return _understand_consent(body.sms_marketing_consent, number, Purpose.SMS, customer_id, slip)


def _understand_consent(
    consent: Consent | None, contact: str | None, purpose: Purpose, customer_id: str, slip: Slip
) -> Understanding:
    try:
        said = tuple(evidence_of(consent, contact, purpose, customer_id, slip))
    except BadFieldError as bad:
        return Quarantined(
            reason=bad.reason,
            detail=f"{bad.where} is a word that is not known",
            mend="Whoever runs the connector: report the new state; until then it counts as none.",
        )
    unnamed = contact is None and state_of(consent) != ""
    asked = (Wish(kind=Kind.CUSTOMER, id=customer_id),) if unnamed else ()
    return Understood(facts=said, wishes=asked, flags=tuple(slip.flags))
