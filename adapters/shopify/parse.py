"""Turns a delivery's words into facts: which topic means what, and which body belongs to it.

The topic is a header, which the signature does not cover. So nothing is believed from the topic
alone: a body must have the shape of its topic, and a deletion is only a wish to look.
Topics: https://shopify.dev/docs/api/webhooks/2026-10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from adapters.shopify import compliance
from adapters.shopify.carts import CheckoutBody, understand_checkout, understand_deletion
from adapters.shopify.orders import understand_order
from adapters.shopify.payloads import CustomerBody, OrderBody, ProductBody
from adapters.shopify.people import (
    EmailConsentBody,
    SmsConsentBody,
    understand_customer,
    understand_email_consent,
    understand_sms_consent,
)
from adapters.shopify.products import understand_product
from adapters.shopify.promotions import understand_discount
from adapters.shopify.reading import Slip, tie_of
from adapters.shopify.thin import (
    UNUSED,
    understand_inventory_item,
    understand_inventory_level,
    understand_merge,
    understand_order_edit,
    understand_refund,
    understand_tags,
    understand_thin_deletion,
    understand_uninstall,
)
from connector.model import Delivery, Ignored, Kind, Quarantined, Understanding, Understood, Wish
from connector.ports.versions import OTHER_VERSION
from connector.shop_fields import BadFieldError, read_moment
from connector.strict_json import Unsound, examine

SHOP_HEADER = "X-Shopify-Shop-Domain"
TOPIC_HEADER = "X-Shopify-Topic"
VERSION_HEADER = "X-Shopify-API-Version"
TRIGGERED_HEADER = "X-Shopify-Triggered-At"

_ASK_US = "Whoever runs the connector: this body is not Shopify's; see what wrote it."
_SHOWN_TOPIC = re.compile(r"[a-z0-9_./-]{1,100}")

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the adapter knows of its shop. ``domain`` is ``….myshopify.com`` in small letters."""

    domain: str
    api_version: str
    currency: str | None
    storefront: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """One kind of body: how to tell it, and how to read it."""

    keys: frozenset[str]
    """The keys that every version of it has, and no other kind has all of."""
    read: Callable[[Value, Slip], Understanding]
    exact: bool = False
    """Whether it has no other keys: a permission is never read out of a body of another kind."""
    without: frozenset[str] = frozenset()
    """The keys that tell another kind from it, which has all of its own."""


def _typed(shape: Any, understand_body: Callable[[Any, Slip], Understanding]) -> Any:
    return lambda value, slip: understand_body(msgspec.convert(value, shape), slip)


def _order(value: Value, slip: Slip) -> Understanding:
    """An order; one whose subscription leaves parts out (``includeFields``) is asked for."""
    if "financial_status" in value and "created_at" in value:
        return understand_order(msgspec.convert(value, OrderBody), slip)
    return understand_refund({"order_id": value["id"]}, slip)


_ORDER = _Shape(frozenset({"id", "order_number", "currency", "total_price", "line_items"}), _order)
_CUSTOMER = _Shape(
    frozenset({"id", "email", "first_name", "last_name", "updated_at"}),
    _typed(CustomerBody, understand_customer),
)
_PRODUCT = _Shape(
    frozenset({"id", "title", "vendor", "handle", "variants"}),
    _typed(ProductBody, understand_product),
)
_EMAIL_CONSENT = _Shape(
    frozenset({"customer_id", "email_address", "email_marketing_consent"}),
    _typed(EmailConsentBody, understand_email_consent),
    exact=True,
)
_SMS_CONSENT = _Shape(
    frozenset({"id", "phone", "sms_marketing_consent"}),
    _typed(SmsConsentBody, understand_sms_consent),
    exact=True,
)
_CHECKOUT = _Shape(
    frozenset({"token", "line_items", "currency", "total_price", "subtotal_price"}),
    _typed(CheckoutBody, understand_checkout),
    without=frozenset({"financial_status", "order_number"}),
)
_NAMED = _Shape(
    frozenset({"admin_graphql_api_id", "title", "status"}),
    understand_discount(gone=False),
    without=frozenset({"id"}),
)
_REFUND = _Shape(
    frozenset({"id", "order_id", "refund_line_items", "transactions"}), understand_refund
)
_LEVEL = _Shape(frozenset({"inventory_item_id", "location_id"}), understand_inventory_level)
_ITEM = _Shape(frozenset({"id", "sku", "tracked"}), understand_inventory_item)
_TAGS = _Shape(frozenset({"customerId", "tags", "occurredAt"}), understand_tags, exact=True)

_SHAPES: Mapping[str, _Shape] = {
    **dict.fromkeys(
        [
            *("orders/create", "orders/updated", "orders/paid", "orders/cancelled"),
            *("orders/fulfilled", "orders/partially_fulfilled"),
        ],
        _ORDER,
    ),
    "orders/edited": _Shape(frozenset({"order_edit"}), understand_order_edit, exact=True),
    "refunds/create": _REFUND,
    **dict.fromkeys(
        ["customers/create", "customers/update", "customers/enable", "customers/disable"],
        _CUSTOMER,
    ),
    "customers/merge": _Shape(
        frozenset(
            {"admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id"}
            | {"status"}
        ),
        understand_merge,
    ),
    "customer.tags_added": _TAGS,
    "customer.tags_removed": _TAGS,
    "customers_email_marketing_consent/update": _EMAIL_CONSENT,
    "customers_marketing_consent/update": _SMS_CONSENT,
    "products/create": _PRODUCT,
    "products/update": _PRODUCT,
    **dict.fromkeys(
        ["inventory_levels/connect", "inventory_levels/update", "inventory_levels/disconnect"],
        _LEVEL,
    ),
    "inventory_items/create": _ITEM,
    "inventory_items/update": _ITEM,
    "checkouts/create": _CHECKOUT,
    "checkouts/update": _CHECKOUT,
    "checkouts/delete": _Shape(
        frozenset({"presentment_currency"}),
        understand_deletion,
        without=frozenset({"line_items"}),
    ),
    "discounts/create": _NAMED,
    "discounts/update": _NAMED,
    "discounts/delete": _Shape(
        frozenset({"admin_graphql_api_id"}),
        understand_discount(gone=True),
        without=frozenset({"id", "title"}),
    ),
    "orders/delete": _Shape(frozenset({"id"}), understand_thin_deletion(Kind.ORDER), exact=True),
    "products/delete": _Shape(
        frozenset({"id"}), understand_thin_deletion(Kind.PRODUCT), exact=True
    ),
    "customers/delete": _Shape(
        frozenset({"id", "tax_exemptions", "admin_graphql_api_id"}),
        understand_thin_deletion(Kind.CUSTOMER),
        exact=True,
    ),
}
TOPICS = frozenset(_SHAPES) | compliance.TOPICS | {"app/uninstalled"}
"""Every topic whose body is read; the others are ignored by name."""


def understand(delivery: Delivery, place: Place) -> Understanding:
    """What one delivery says. Never raises for what a shop could send.

    What a person demands by law and is not carried out is an alarm: its time runs all the same.
    """
    topic = delivery.topic.strip().lower()
    said = _understand(topic, delivery, place)
    if topic in compliance.TOPICS and isinstance(said, Quarantined):
        return replace(said, alarm=True)
    return said


def _understand(topic: str, delivery: Delivery, place: Place) -> Understanding:
    if (why := stray(delivery, place.domain)) is not None:
        return why
    if topic not in TOPICS:
        shown = topic if _SHOWN_TOPIC.fullmatch(topic) else "unreadable"
        return Ignored(reason=UNUSED.get(topic, f"topic not used: {shown}"))
    examined = examine(delivery.body)
    if isinstance(examined, Unsound):
        return Quarantined(reason=examined.reason, detail=examined.detail, mend=_ASK_US)
    slip = slip_of(delivery, delivery.body, place, asked=False)
    slip.flags.extend(examined.flags)
    if header(delivery, VERSION_HEADER) not in {None, place.api_version}:
        slip.flag(OTHER_VERSION)
    return guarded(lambda: _read(topic, examined.value, place, slip))


def stray(delivery: Delivery, domain: str) -> Quarantined | None:
    """Why a delivery is another shop's than that of this domain; ``None`` if it is not."""
    told = header(delivery, SHOP_HEADER)
    if told is None or told.strip().lower() == domain:
        return None
    return compliance.other_shop(SHOP_HEADER, told, domain)


def _read(topic: str, value: Value, place: Place, slip: Slip) -> Understanding:
    if topic in compliance.TOPICS:
        demand = compliance.understand_demand(topic, value, place.domain, slip)
        return demand or _mismatch(f"not exactly the shape of {topic}")
    if topic == "app/uninstalled":
        return understand_uninstall(value, place.domain) or _mismatch("it is not about a shop")
    shape = _SHAPES[topic]
    missing = shape.keys - value.keys()
    if missing:
        return _mismatch(f"for {topic} it lacks: {', '.join(sorted(missing))}")
    if others := shape.without & value.keys():
        return _mismatch(f"for {topic} it has too much: {', '.join(sorted(others))}")
    if shape.exact and value.keys() != shape.keys:
        return _mismatch(f"{topic} brings nothing but {', '.join(sorted(shape.keys))}")
    return shape.read(value, slip)


def guarded(read: Callable[[], Understanding]) -> Understanding:
    """What ``read`` gives, or why it could not: a bad field, or another shape than its topic's."""
    try:
        return read()
    except BadFieldError as bad:
        return Quarantined(
            reason=bad.reason,
            detail=f"{bad.where} is missing or cannot be read",
            mend="Whoever runs the connector: see what wrote this body; if it was Shopify, report "
            "it, and look at this thing in the shop's admin.",
        )
    except msgspec.ValidationError as error:
        return Quarantined(reason="shape", detail=str(error), mend=_ASK_US)


def slip_of(delivery: Delivery, body: bytes, place: Place, *, asked: bool) -> Slip:
    """What is known of a body: a delivery's own, or the answer it made us ask for."""
    return Slip(
        shop=delivery.shop,
        currency=place.currency,
        storefront=place.storefront,
        received_at=delivery.received_at,
        tie=tie_of(body, asked=asked),
        triggered_at=None if asked else read_moment(header(delivery, TRIGGERED_HEADER)),
    )


def header(delivery: Delivery, name: str) -> str | None:
    """A kept header, whatever the case of its letters: HTTP/2 writes small ones."""
    wanted = name.lower()
    return next((told for key, told in delivery.headers.items() if key.lower() == wanted), None)


def own_facts(delivery: Delivery, wish: Wish, place: Place) -> tuple[Any, ...]:
    """What the delivery itself states of the thing that is wished for."""
    reading = understand(delivery, place)
    facts = reading.facts if isinstance(reading, Understood) else ()
    return tuple(fact for fact in facts if getattr(fact, "id", None) == wish.id)


def _mismatch(detail: str) -> Quarantined:
    return Quarantined(reason="topic_mismatch", detail=detail, mend=_ASK_US)
