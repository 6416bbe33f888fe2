"""What the law lets a person demand through Shopify: to see what is held, and to be forgotten.

Only these three exact shapes are believed, and only about the shop itself, because what follows
cannot be undone. https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from adapters.shopify.reading import Slip
from connector.identity import normal_email, normal_phone
from connector.model import DataRequest, Quarantined, Redaction, Understanding, Understood
from connector.shop_fields import BadFieldError, need_id, read_id, read_text

_DOMAIN = re.compile(r"[a-z0-9-]{1,63}\.myshopify\.com")
_DAYS = timedelta(days=30)  # what Shopify gives to fulfil a demand
_SHOP = frozenset({"shop_id", "shop_domain"})
_KEYS = {
    "customers/data_request": _SHOP | {"customer", "orders_requested", "data_request"},
    "customers/redact": _SHOP | {"customer", "orders_to_redact"},
    "shop/redact": _SHOP,
}
TOPICS = frozenset(_KEYS)


def understand_demand(
    topic: str, value: Mapping[str, Any], domain: str, slip: Slip
) -> Understanding | None:
    """The demand as a fact; ``None`` if the body is not exactly of its topic's shape.

    Raises `BadFieldError` for ids that cannot be read, or a person who is not named at all.
    """
    if value.keys() != _KEYS[topic] or not isinstance(value["shop_domain"], str):
        return None
    if value["shop_domain"].strip().lower() != domain:
        return other_shop("shop_domain", value["shop_domain"], domain)
    if topic == "shop/redact":
        everybody = Redaction(shop=slip.shop, due_at=slip.received_at + _DAYS, whole_shop=True)
        return Understood(facts=(everybody,), flags=tuple(slip.flags))
    if not isinstance(value["customer"], dict):
        return None
    return Understood(facts=(_READERS[topic](value, slip),), flags=tuple(slip.flags))


def other_shop(where: str, told: str, ours: str) -> Quarantined:
    """A delivery that names another shop, signed all the same: one app's secret signs for all.

    ``where`` it ``told`` another domain than ``ours``.
    """
    shown = told.strip().lower()
    named = shown if _DOMAIN.fullmatch(shown) else "another shop"
    return Quarantined(
        reason="other_shop",
        detail=f"{where} names {named}, and this shop is {ours}",
        mend="Whoever runs the connector: a delivery of another shop came to this one's address, "
        "and nothing was done about it. See where that shop's webhooks and those of its app point.",
    )


def _data_request(value: Mapping[str, Any], slip: Slip) -> DataRequest:
    request = value["data_request"]
    return DataRequest(
        shop=slip.shop,
        request_id=need_id(
            request.get("id") if isinstance(request, dict) else None, "data_request"
        ),
        due_at=slip.received_at + _DAYS,
        orders=_orders(value["orders_requested"], "orders_requested"),
        **_person(value["customer"]),
    )


def _redaction(value: Mapping[str, Any], slip: Slip) -> Redaction:
    return Redaction(
        shop=slip.shop,
        due_at=slip.received_at + _DAYS,
        whole_shop=False,
        orders=_orders(value["orders_to_redact"], "orders_to_redact"),
        **_person(value["customer"]),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any], Slip], DataRequest | Redaction]] = {
    "customers/data_request": _data_request,
    "customers/redact": _redaction,
}


def _person(customer: Mapping[str, Any]) -> dict[str, str | None]:
    """Who is meant. A person known by neither account nor address cannot be found."""
    told_id, told_email = customer.get("id"), customer.get("email")
    customer_id = None if told_id is None else need_id(told_id, "customer.id")
    email = normal_email(told_email)
    if customer_id is None and email is None:
        raise BadFieldError("id", "customer.id")
    phone = normal_phone(read_text(customer.get("phone")), None)
    return {"customer_id": customer_id, "email": email, "phone": phone}


def _orders(ids: object, where: str) -> tuple[str, ...]:
    if ids is None:
        return ()
    if not isinstance(ids, list) or not all(read_id(each) for each in ids):
        raise BadFieldError("id", where)
    return tuple(need_id(each, where) for each in ids)
