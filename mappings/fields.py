"""Which fields of a shop a mapping may name, which attributes of a person, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from connector import moments, money
from connector.model import Customer, Json, Order, Profile, Purpose
from connector.ports import FieldType

PLATFORM_CONSENT = "shopify"
"""The path that stands for the consent state which the platform itself keeps."""

# --- A shop's own fields ----------------------------------------------------------------------

_ORDER: Mapping[str, Callable[[Order], Json]] = {
    "number": lambda order: order.number,
    "status": lambda order: order.status,
    "currency": lambda order: order.currency,
    "total": lambda order: str(money.to_major(order.total, order.currency)),
    "customer_id": lambda order: order.customer_id,
    "email": lambda order: order.email,
    "phone": lambda order: order.phone,
    "first_name": lambda order: order.first_name,
    "last_name": lambda order: order.last_name,
    "company": lambda order: order.company,
    "country": lambda order: order.countries[0] if order.countries else None,
    "placed_at": lambda order: moments.to_text(order.placed_at),
    "paid_at": lambda order: moments.to_text(order.paid_at) if order.paid_at else None,
}
_CUSTOMER: Mapping[str, Callable[[Customer], Json]] = {
    "id": lambda customer: customer.id,
    "email": lambda customer: customer.email,
    "phone": lambda customer: customer.phone,
    "first_name": lambda customer: customer.first_name,
    "last_name": lambda customer: customer.last_name,
    "company": lambda customer: customer.company,
    "country": lambda customer: customer.country,
    "language": lambda customer: customer.language,
    "tags": lambda customer: ", ".join(customer.tags),
    "created_at": lambda customer: (
        moments.to_text(customer.created_at) if customer.created_at else None
    ),
}
# Shopify calls a customer's own fields metafields, each with a namespace and a key.
# https://shopify.dev/docs/apps/build/metafields
_OPEN = {
    "order.meta_data": "order.meta_data.KEY",
    "customer.meta_data": "customer.meta_data.KEY",
    "customer.metafields": "customer.metafields.NAMESPACE.KEY",
}
PATHS: tuple[str, ...] = (
    *_OPEN.values(),
    *(f"order.{name}" for name in _ORDER),
    *(f"customer.{name}" for name in _CUSTOMER),
    PLATFORM_CONSENT,
)
"""Every path there is; KEY and NAMESPACE stand for the shop's own names."""


def read(path: str, fact: Order | Customer) -> Json | None:
    """What stands at a path of a fact; ``None`` where it has no such field or nothing in it."""
    root, _, rest = path.partition(".")
    kind, _, key = rest.partition(".")
    match root, fact:
        case "order", Order():
            return fact.meta.get(key) if kind == "meta_data" else _value(_ORDER, rest, fact)
        case "customer", Customer():
            if kind in {"meta_data", "metafields"}:
                return fact.meta.get(key)
            return _value(_CUSTOMER, rest, fact)
        case _:
            return None


def is_known(path: str) -> bool:
    """Whether there is such a path. The key of an own field is free: any text, dots included."""
    root, _, rest = path.partition(".")
    kind, _, key = rest.partition(".")
    if f"{root}.{kind}" in _OPEN:
        namespace, dot, name = key.partition(".")
        return bool(namespace and dot and name) if kind == "metafields" else bool(key)
    return path in PATHS


def candidates(path: str) -> tuple[str, ...]:
    """The paths that a wrong one may have been meant to be, with its own key kept in them."""
    if path.startswith("customer.metafields"):
        return (_OPEN["customer.metafields"],)
    key = ".".join(path.split(".")[2:])
    opened = [f"{head}.{key}" for head in _OPEN]
    return tuple(candidate for candidate in (*opened, *PATHS) if is_known(candidate))


def platform_of(path: str) -> str | None:
    """The only platform that has such a path; ``None`` when several may."""
    return "shopify" if path == PLATFORM_CONSENT or path.startswith("customer.metafields") else None


def key_of(path: str) -> str:
    """What makes two paths the same box on a form: the own field's key, else the path itself."""
    head = ".".join(path.split(".")[:2])
    return path[len(head) + 1 :] if head in _OPEN else path


def text_of(value: Json) -> str | None:
    """A single value as trimmed text; ``None`` for nothing, empty text, lists and objects.

    ``True`` is ``true``, and 1.0 is ``1``: plugins change between such spellings.
    """
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case int() | Decimal() | str():
            return str(value).strip() or None
        case _:
            return None


# --- A person's attributes --------------------------------------------------------------------

_Reader: TypeAlias = Callable[[Profile, ZoneInfo], Json]


def _day(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return moments.day_of(moment, zone).isoformat() if moment else None


def _amount(profile: Profile) -> int | float | None:
    if not profile.amount_spent:
        return 0
    if profile.currency is None:
        return None
    amount = money.to_major(profile.amount_spent, profile.currency)
    # JSON has no other number: the sum is made, this only shows it.
    return int(amount) if amount == int(amount) else float(str(amount))


_ATTRIBUTES: Mapping[str, tuple[FieldType, _Reader]] = {
    "email": (FieldType.TEXT, lambda profile, _: profile.email),
    "phone": (FieldType.TEXT, lambda profile, _: profile.phone),
    "first_name": (FieldType.TEXT, lambda profile, _: profile.first_name or None),
    "last_name": (FieldType.TEXT, lambda profile, _: profile.last_name or None),
    "company": (FieldType.TEXT, lambda profile, _: profile.company or None),
    "country": (FieldType.TEXT, lambda profile, _: profile.country),
    "language": (FieldType.TEXT, lambda profile, _: profile.language),
    "currency": (FieldType.TEXT, lambda profile, _: profile.currency),
    "number_of_orders": (FieldType.NUMBER, lambda profile, _: profile.number_of_orders),
    "amount_spent": (FieldType.NUMBER, lambda profile, _: _amount(profile)),
    "first_order_date": (FieldType.DATE, lambda profile, zone: _day(profile.first_order_at, zone)),
    "last_order_date": (FieldType.DATE, lambda profile, zone: _day(profile.last_order_at, zone)),
    "customer_added_date": (FieldType.DATE, lambda profile, zone: _day(profile.added_at, zone)),
}
SUBSCRIPTIONS: Mapping[str, Purpose] = {
    f"{purpose}_subscription_status": purpose for purpose in Purpose
}
"""How a person stands to each purpose: no part of the profile, but of what the evidence says."""
ATTRIBUTES: Mapping[str, FieldType] = {
    **{name: kind for name, (kind, _) in _ATTRIBUTES.items()},
    **dict.fromkeys(SUBSCRIPTIONS, FieldType.TEXT),
}
"""The attributes that every person has, with the type a destination's field needs for them."""

NOT_YET: frozenset[str] = frozenset(
    {
        *("lifecycle_stage", "spend_percentile", "rfm_group", "predicted_spend_tier"),
        *("products_purchased", "orders_placed", "abandoned_checkout_date", "anniversary"),
        *("customer_tags", "customer_countries", "customer_cities", "customer_regions"),
        *("customer_email_domain", "customer_language", "customer_account_status", "companies"),
        *("product_subscription_status", "in_segment"),
        *("created_by_app_id", "store_credit_accounts", "customer_within_distance"),
    }
)
"""Words of the language that this version cannot send as a field."""


def attribute_type(name: str) -> FieldType:
    """The type of an attribute; a mapping's own attributes are text."""
    return ATTRIBUTES.get(name, FieldType.TEXT)


def attribute_value(name: str, profile: Profile, zone: ZoneInfo) -> Json:
    """What a person's attribute is, ready for JSON; ``None`` when it is unknown.

    Dates are days (``2026-01-31``) in ``zone``, the shop's. Amounts are JSON numbers in major
    units. A name that is not in `ATTRIBUTES` is one of the mapping's own.
    """
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name][1](profile, zone)
    return profile.attributes.get(name) or None


def _value(table: Mapping[str, Callable[[Any], Json]], name: str, fact: Any) -> Json:
    return table[name](fact) if name in table else None
