"""Turns a WooCommerce coupon into a promotion; one for certain people only is none.

https://woocommerce.github.io/woocommerce-rest-api-docs/#coupons. Who may use it and who did stand
there with their addresses: they are looked at, and never kept.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from adapters.woocommerce.reading import read_escaped
from connector.model import (
    Bearing,
    Deleted,
    Kind,
    Promotion,
    Understanding,
    Understood,
    Worth,
)
from connector.shop_fields import (
    BadFieldError,
    Leaf,
    Loose,
    Slip,
    need_amount,
    need_id,
    read_moment,
    read_past,
    read_text,
    read_version,
    read_whole,
)

_USABLE = frozenset({"publish", ""})  # older shops do not tell the status
_LISTED = _USABLE | {"private"}
"""Those that the list of coupons shows; a draft, or one that waits, is nothing there yet."""
_WHOLE = 10_000  # hundredths of a percent
_KINDS = {
    "percent": (Worth.PERCENTAGE, Bearing.TOTAL),
    "fixed_cart": (Worth.FIXED, Bearing.TOTAL),
    "fixed_product": (Worth.FIXED, Bearing.PER_ITEM),
}
"""The types that WooCommerce itself has; extensions bring others, which only they understand."""


class CouponBody(msgspec.Struct, frozen=True):
    """A coupon."""

    code: Leaf
    amount: Leaf
    discount_type: Leaf
    id: Leaf = None
    status: Leaf = None
    description: Leaf = None
    date_created_gmt: Leaf = None
    date_modified_gmt: Leaf = None
    date_expires_gmt: Leaf = None
    usage_count: Leaf = None
    usage_limit: Leaf = None
    free_shipping: Leaf = None
    email_restrictions: Loose = None


def understand_coupon(body: CouponBody, slip: Slip) -> Understanding:
    """A coupon as a fact; a draft, one in the trash or not for all who have its code, as gone.

    Raises `BadFieldError` without an id or a readable amount.
    """
    coupon_id = need_id(body.id, "id")
    version = read_version(body.date_modified_gmt, body.date_created_gmt, slip)
    code = read_escaped(body.code)
    worth = _worth(body, slip)
    listed = read_text(body.status) in _LISTED
    if not listed or body.email_restrictions or not code or worth is None:
        gone = Deleted(shop=slip.shop, kind=Kind.PROMOTION, id=coupon_id, version=version)
        return Understood(facts=(gone,), flags=tuple(slip.flags))
    sort, amount, bearing, currency = worth
    used, most = read_whole(body.usage_count) or 0, read_whole(body.usage_limit)
    promotion = Promotion(
        shop=slip.shop,
        id=coupon_id,
        version=version,
        code=code,
        worth=sort,
        amount=amount,
        bearing=bearing,
        currency=currency,
        title=read_escaped(body.description),
        starts_at=read_past(body.date_created_gmt, slip),
        ends_at=read_moment(body.date_expires_gmt),
        usage_count=max(used, 0),
        enabled=read_text(body.status) in _USABLE and not (most and used >= most),
    )
    return Understood(facts=(promotion,), flags=tuple(slip.flags))


def _worth(body: CouponBody, slip: Slip) -> tuple[Worth, int, Bearing, str | None] | None:
    """How much it takes off what; ``None`` for a type nobody knows, or for nothing at all."""
    known = _KINDS.get(read_text(body.discount_type))
    if known is None:
        return None
    sort, bearing = known
    if sort is Worth.PERCENTAGE:
        amount, currency = _hundredths(body.amount), None
    elif slip.currency is None:
        return None
    else:
        amount, currency = need_amount(body.amount or "0", slip.currency, "amount"), slip.currency
    if amount > 0:
        return sort, amount, bearing, currency
    return (Worth.PERCENTAGE, _WHOLE, Bearing.SHIPPING, None) if body.free_shipping else None


def _hundredths(amount: object) -> int:
    """``12.50`` percent as 1250; more than all of it is all."""
    if amount in (None, ""):
        return 0
    try:
        share = Decimal(read_text(amount)) * 100
        return min(int(share.to_integral_value()), _WHOLE)
    except (InvalidOperation, OverflowError, ValueError):
        raise BadFieldError("money", "amount") from None
