"""Turns a delivery's words into facts: which topic means what, and which body belongs to it.

The topic is a header, which the signature does not cover. So nothing is believed from the topic
alone: a body must have the shape of its topic, and a deletion is only a wish to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from adapters.woocommerce.bodies import is_missing, shown_code
from adapters.woocommerce.coupons import CouponBody, understand_coupon
from adapters.woocommerce.payloads import CustomerBody, OrderBody, ProductBody
from adapters.woocommerce.reading import tie_of
from adapters.woocommerce.resources import (
    read_variant,
    understand_customer,
    understand_order,
    understand_product,
)
from connector.model import (
    Delivery,
    Ignored,
    Kind,
    Product,
    Quarantined,
    Understanding,
    Understood,
    Variant,
    Wish,
)
from connector.shop_fields import BadFieldError, Slip, need_id, read_id
from connector.strict_json import Sound, Unsound, examine

GONE_BEFORE_DELIVERY = "object gone before delivery"

_ASK_US = "Whoever runs the connector: this body is not WooCommerce's; see what wrote it."
_RECREATE = (
    "The shop's owner: whoever owns this webhook may no longer read what it sends. Delete it in "
    "WooCommerce > Settings > Advanced > Webhooks and create it again as an administrator."
)
_USE_V3 = (
    "The shop's owner: in WooCommerce > Settings > Advanced > Webhooks set this webhook's "
    "API version to 'WP REST API Integration v3'."
)
_OLD_WRAPPERS = frozenset(
    {"order", "orders", "customer", "customers", "product", "products", "coupon", "coupons"}
    | {"order_refund", "order_refunds", "errors"}
)


@dataclass(frozen=True, slots=True)
class _Resource:
    """One kind of body: how to tell it, and how to read it."""

    kind: Kind
    keys: frozenset[str]
    """The keys every version of this resource has, and no other resource has all of."""
    read: Callable[[Mapping[str, Any], Slip], Understanding]


def _reader(
    shape: Any, understand: Callable[[Any, Slip], Understanding]
) -> Callable[[Mapping[str, Any], Slip], Understanding]:
    return lambda value, slip: understand(msgspec.convert(value, shape), slip)


_ORDER = _Resource(
    Kind.ORDER,
    frozenset({"status", "currency", "total", "line_items", "billing"}),
    _reader(OrderBody, understand_order),
)
_CUSTOMER = _Resource(
    Kind.CUSTOMER,
    frozenset({"email", "role", "billing"}),
    _reader(CustomerBody, understand_customer),
)
_PRODUCT = _Resource(
    Kind.PRODUCT,
    frozenset({"name", "type", "status", "price"}),
    _reader(ProductBody, understand_product),
)
_COUPON = _Resource(
    Kind.PROMOTION,
    frozenset({"code", "amount", "discount_type"}),
    _reader(CouponBody, understand_coupon),
)
_UNDERSTAND: Mapping[Kind, Callable[[Any, Slip], Understanding]] = {
    Kind.ORDER: understand_order,
    Kind.CUSTOMER: understand_customer,
    Kind.PRODUCT: understand_product,
    Kind.PROMOTION: understand_coupon,
}
_BY_KIND = {r.kind: r for r in (_ORDER, _CUSTOMER, _PRODUCT, _COUPON)} | {Kind.VARIANT: _PRODUCT}

# https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks; product.published since 10
_STATED = {
    "order.created": _ORDER,
    "order.updated": _ORDER,
    "order.restored": _ORDER,
    "customer.created": _CUSTOMER,
    "customer.updated": _CUSTOMER,
    "product.created": _PRODUCT,
    "product.updated": _PRODUCT,
    "product.published": _PRODUCT,
    "product.restored": _PRODUCT,
    "coupon.created": _COUPON,
    "coupon.updated": _COUPON,
    "coupon.restored": _COUPON,
}
_DELETED = {
    "order.deleted": Kind.ORDER,
    "customer.deleted": Kind.CUSTOMER,
    "product.deleted": Kind.PRODUCT,
    "coupon.deleted": Kind.PROMOTION,
}
_SHOWN_TOPIC = re.compile(r"[a-z0-9_.-]{1,100}")


def understand(delivery: Delivery, currency: str | None) -> Understanding:
    """What one delivery says. ``currency`` is the shop's, in which product prices are.

    Never raises for what a shop could send.
    """
    topic = delivery.topic.strip().lower()
    if topic in _DELETED:
        return _understand_deletion(delivery, _DELETED[topic])
    resource = _STATED.get(topic)
    if resource is None:
        shown = topic if _SHOWN_TOPIC.fullmatch(topic) else "unreadable"
        return Ignored(reason=f"topic not used: {shown}")
    examined = examine(delivery.body)
    if isinstance(examined, Unsound):
        return Quarantined(reason=examined.reason, detail=examined.detail, mend=_ASK_US)
    return _read(examined, resource, slip_for(delivery, delivery.body, currency))


def understand_answer(
    body: bytes, wish: Wish, delivery: Delivery, currency: str | None
) -> Understanding | None:
    """What the REST API answered to a wish; ``None`` when it was about something else."""
    examined = examine(body)
    resource = _BY_KIND[wish.kind]
    if (
        isinstance(examined, Unsound)
        or not resource.keys <= examined.value.keys()
        or read_id(examined.value.get("id")) != wish.id
    ):
        return None
    return _read(examined, resource, slip_for(delivery, body, currency))


def understand_record(kind: Kind, body: bytes, slip: Slip) -> Understanding:
    """What one thing of a list says, examined as a webhook's body is. Never raises.

    ``kind`` is what the list is of; ``slip`` gathers what was odd.
    """
    examined = examine(body)
    if isinstance(examined, Unsound):
        return Quarantined(reason=examined.reason, detail=examined.detail, mend=_ASK_US)
    return _read(examined, _BY_KIND[kind], slip)


def understand_sound(kind: Kind, record: Any, slip: Slip) -> Understanding:
    """As `understand_record`, of a ``record`` that is examined and in its shape already."""
    try:
        return _UNDERSTAND[kind](record, slip)
    except BadFieldError as bad:
        return _bad_field(bad)


def understand_variation(value: Mapping[str, Any], parent: Product, slip: Slip) -> Variant | None:
    """One variation as ``/products/{id}/variations`` shows it; ``None`` if it cannot be read.

    There its name is only what sets it apart (``M``) and may be missing, as its parent may: both
    are completed to what a webhook about it says. ``slip`` is that of the parent.
    """
    slip = replace(slip, tie=tie_of(msgspec.json.encode(value, order="sorted")), flags=[])
    try:
        variant = read_variant(msgspec.convert(value, ProductBody), parent.id, slip)
    except (BadFieldError, msgspec.ValidationError):
        return None
    apart = variant.title or ", ".join(variant.attributes.values())
    return replace(variant, title=f"{parent.title} - {apart}" if apart else parent.title)


def slip_for(delivery: Delivery, body: bytes, currency: str | None) -> Slip:
    """What is known of a body that a delivery brought, or that answers one."""
    return Slip(
        shop=delivery.shop,
        currency=currency,
        received_at=delivery.received_at,
        tie=tie_of(body),
    )


def _understand_deletion(delivery: Delivery, kind: Kind) -> Understanding:
    """``{"id": 22}`` and nothing else; whether that thing is gone, only the shop can say.

    WooCommerce sends product.deleted with the ids of coupons, pages and (in the old order storage)
    orders, and order.deleted twice with one body around a restore.
    """
    examined = examine(delivery.body)
    if isinstance(examined, Unsound):
        return Quarantined(reason=examined.reason, detail=examined.detail, mend=_ASK_US)
    if examined.value.keys() != {"id"}:
        return _mismatch(f'{delivery.topic} brings {{"id": …}} alone')
    try:
        gone_id = need_id(examined.value["id"], "id")
    except BadFieldError as bad:
        return _bad_field(bad)
    return Understood(
        wishes=(Wish(kind=kind, id=gone_id, expected_gone=True),), flags=examined.flags
    )


def _read(examined: Sound, resource: _Resource, slip: Slip) -> Understanding:
    value = examined.value
    slip.flags.extend(examined.flags)
    if not resource.keys <= value.keys():
        return _other_shape(value, resource)
    if "date_created" in value and "date_created_gmt" not in value:
        return Quarantined(
            reason="legacy_api",
            detail="dates in the shop's local time only, as REST API v1 writes them",
            mend=_USE_V3,
        )
    try:
        return resource.read(value, slip)
    except BadFieldError as bad:
        return _bad_field(bad)
    except msgspec.ValidationError as error:
        return Quarantined(reason="shape", detail=str(error), mend=_ASK_US)


def _other_shape(value: Mapping[str, Any], resource: _Resource) -> Understanding:
    """A body that is not what its topic says: WooCommerce's own errors, old forms, or another."""
    code, told = value.get("code"), value.get("data")
    if isinstance(code, str) and isinstance(told, dict) and "message" in value:
        return _understand_error(code, told.get("status"))
    if len(value) == 1 and value.keys() <= _OLD_WRAPPERS:
        return Quarantined(
            reason="legacy_api", detail="wrapped as the legacy API does it", mend=_USE_V3
        )
    missing = ", ".join(sorted(resource.keys - value.keys()))
    return _mismatch(f"for {resource.kind} it lacks: {missing}")


def _understand_error(code: str, status: object) -> Understanding:
    """A signed REST error instead of the thing: the payload is built when it is delivered."""
    if is_missing(code, status):
        return Ignored(reason=GONE_BEFORE_DELIVERY)
    shown = shown_code(code)
    if status in (401, 403):  # a tuple, since it may be anything
        return Quarantined(reason="no_rights", detail=f"the shop sent {shown}", mend=_RECREATE)
    return Quarantined(reason="rest_error", detail=f"the shop sent {shown}", mend=_ASK_US)


def _mismatch(detail: str) -> Quarantined:
    return Quarantined(reason="topic_mismatch", detail=detail, mend=_ASK_US)


def _bad_field(bad: BadFieldError) -> Quarantined:
    return Quarantined(
        reason=bad.reason,
        detail=f"{bad.where} is missing or cannot be read",
        mend="The shop's owner: look at this field of it in WooCommerce, and save it again.",
    )
