"""The small parts that GraphQL's views are made of: names, money, addresses, permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.shopify.sandbox_pages import connection
from adapters.shopify.sandbox_words import gid, zulu
from adapters.town.books import Body

_ADDRESS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "name": "name",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "provinceCode": "province_code",
    "zip": "zip",
    "country": "country",
    "countryCodeV2": "country_code",
    "phone": "phone",
}
_SMS_STATES = {"NOT_SUBSCRIBED": "NEVER_SUBSCRIBED"}


class DeniedError(Exception):
    """Our app was not given the scope for a field: GraphQL says null, and why."""

    def __init__(self, field: str, scope: str) -> None:
        needed = f"`{scope}` access scope."
        self.extensions = {
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
            "requiredAccess": needed,
        }
        super().__init__(f"Access denied for {field} field. Required access: {needed}")


def need(scopes: frozenset[str], field: str, scope: str) -> None:
    """Raises `DeniedError` without the scope."""
    if scope not in scopes:
        raise DeniedError(field, scope)


def named(kind: str, number: int) -> Body:
    """GraphQL's name of a thing, and REST's."""
    return {"id": gid(kind, number), "legacyResourceId": str(number)}


def bag(told: Mapping[str, Any]) -> Body:
    """An amount in both currencies."""
    return {
        "shopMoney": _money(told["shop_money"]),
        "presentmentMoney": _money(told["presentment_money"]),
    }


def address(told: Mapping[str, Any] | None, owner: int) -> Body | None:
    """An address; one of an order has no number of its own, so it bears its ``owner``'s."""
    if told is None:
        return None
    fields = {name: told.get(word) for name, word in _ADDRESS.items()}
    return {"id": gid("MailingAddress", told.get("id", owner)), **fields}


def email_of(record: Body) -> Body | None:
    """The address of a customer with what they permit."""
    consent = record["email_consent"]
    if not record["rest"]["email"]:
        return None
    return {
        "emailAddress": record["rest"]["email"],
        "marketingState": consent["state"].upper(),
        "marketingOptInLevel": _upper(consent["opt_in_level"]),
        "marketingUpdatedAt": zulu(consent["consent_updated_at"]),
        "validFormat": True,
    }


def phone_of(record: Body) -> Body | None:
    """The number of a customer with what they permit."""
    consent = record["sms_consent"] or {"state": "not_subscribed"}
    if not record["rest"]["phone"]:
        return None
    state = consent["state"].upper()
    return {
        "phoneNumber": record["rest"]["phone"],
        "smsMarketingConsent": {
            "state": _SMS_STATES.get(state, state),
            "optInLevel": _upper(consent.get("opt_in_level")),
            "updatedAt": zulu(consent.get("consent_updated_at")),
            "collectedFrom": _upper(consent.get("consent_collected_from")),
        },
    }


def metafields(kept: Sequence[Mapping[str, Any]], owner: Mapping[str, Any]) -> Body:
    """The two fields by which metafields are asked for: ``namespace``, ``key``, ``value``."""
    at = {"createdAt": zulu(owner["created_at"]), "updatedAt": zulu(owner["updated_at"])}
    told = [
        {
            "id": gid("Metafield", owner["id"] + place),
            "type": "single_line_text_field",
            **each,
            **at,
        }
        for place, each in enumerate(kept)
    ]

    def one(_: Any, **given: Any) -> Body | None:
        space = given.get("namespace")
        return next((m for m in told if m["key"] == given["key"] and m["namespace"] == space), None)

    def many(_: Any, **given: Any) -> Body:
        space = given.get("namespace")
        return connection([m for m in told if space is None or m["namespace"] == space], given)

    return {"metafield": one, "metafields": many}


def taxes(lines: Sequence[Mapping[str, Any]]) -> list[Body]:
    """Tax lines."""
    return [
        {"title": each["title"], "rate": each["rate"], "priceSet": bag(each["price_set"])}
        for each in lines
    ]


def _money(told: Mapping[str, Any]) -> Body:
    return {"amount": told["amount"], "currencyCode": told["currency_code"]}


def _upper(word: str | None) -> str | None:
    return word.upper() if word else None
