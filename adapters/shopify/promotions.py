"""Turns a discount code of Shopify into a promotion, asked for by its id, or read with all others.

https://shopify.dev/docs/api/admin-graphql/2026-10/unions/Discount. A discount that works by
itself has no code; one for certain customers, or worked out by an app, is no promotion for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.shopify.kinds import CODES
from adapters.shopify.reading import Slip, members, read_gid
from connector.model import (
    Bearing,
    Deleted,
    Ignored,
    Kind,
    Promotion,
    Understanding,
    Understood,
    Wish,
    Worth,
)
from connector.money import parse_currency
from connector.shop_fields import (
    BadFieldError,
    need_amount,
    need_id,
    read_moment,
    read_text,
    read_version,
    read_whole,
)

_FOR_ALL = "DiscountBuyerSelectionAll"
_WHOLE = 10_000  # hundredths of a percent
_OFF = frozenset({"expired"})


def understand_discount(*, gone: bool) -> Any:
    """``discounts/*``: which discount it is about; what it is, only the shop can say."""

    def read(value: Mapping[str, Any], slip: Slip) -> Understanding:
        named = value.get("admin_graphql_api_id")
        promotion_id = read_gid(named, *CODES)
        if promotion_id is None:
            if read_gid(named, "DiscountAutomaticNode") is not None:
                return Ignored(reason="a discount without a code")
            raise BadFieldError("id", "admin_graphql_api_id")
        wish = Wish(kind=Kind.PROMOTION, id=promotion_id, expected_gone=gone)
        return Understood(wishes=(wish,), flags=tuple(slip.flags))

    return read


def promotion_words(node: Mapping[str, Any]) -> dict[str, Any]:
    """A ``DiscountNode`` with a code as one flat table, in the webhooks' way of writing."""
    told = _inner(node, "discount")
    codes = [*members(_inner(told, "codes").get("nodes"))]
    gets = _inner(told, "customerGets")
    value = _inner(gets, "value")
    return {
        "id": read_gid(node.get("id"), *CODES),
        "sort": told.get("__typename"),
        "title": told.get("title"),
        "codes": [{"code": code.get("code")} for code in codes],
        "status": str(told.get("status") or "").lower(),
        "starts_at": told.get("startsAt"),
        "ends_at": told.get("endsAt"),
        "created_at": told.get("createdAt"),
        "updated_at": told.get("updatedAt"),
        "usage_count": told.get("asyncUsageCount"),
        "buyers": _inner(told, "context").get("__typename"),
        "items": _inner(gets, "items").get("__typename"),
        "percentage": value.get("percentage"),
        "amount": _inner(value, "amount").get("amount"),
        "currency": _inner(value, "amount").get("currencyCode"),
        "each_item": value.get("appliesOnEachItem"),
    }


def understand_promotion(words: Mapping[str, Any], slip: Slip) -> Understanding:
    """A code for all as a fact; any other discount as none. Raises `BadFieldError`."""
    promotion_id = need_id(words["id"], "id")
    version = read_version(words["updated_at"], words["created_at"], slip)
    code = next((text for each in words["codes"] if (text := read_text(each["code"]))), "")
    worth = _worth(words)
    if worth is None or not code or words["buyers"] != _FOR_ALL:
        none = Deleted(shop=slip.shop, kind=Kind.PROMOTION, id=promotion_id, version=version)
        return Understood(facts=(none,), flags=tuple(slip.flags))
    sort, amount, bearing, currency = worth
    promotion = Promotion(
        shop=slip.shop,
        id=promotion_id,
        version=version,
        code=code,
        worth=sort,
        amount=amount,
        bearing=bearing,
        currency=currency,
        title=read_text(words["title"]),
        starts_at=read_moment(words["starts_at"]),
        ends_at=read_moment(words["ends_at"]),
        usage_count=max(read_whole(words["usage_count"]) or 0, 0),
        enabled=words["status"] not in _OFF,
    )
    return Understood(facts=(promotion,), flags=tuple(slip.flags))


def _worth(words: Mapping[str, Any]) -> tuple[Worth, int, Bearing, str | None] | None:
    """How much it takes off what: ``percentage`` is 0.25 for a quarter."""
    if words["sort"] == "DiscountCodeFreeShipping":
        return Worth.PERCENTAGE, _WHOLE, Bearing.SHIPPING, None
    if words["sort"] != "DiscountCodeBasic":
        return None
    if (currency := parse_currency(words["currency"])) is not None:
        bearing = Bearing.PER_ITEM if words["each_item"] is True else Bearing.TOTAL
        return Worth.FIXED, need_amount(words["amount"], currency, "amount"), bearing, currency
    share = _share(words["percentage"])
    bearing = Bearing.TOTAL if words["items"] == "AllDiscountItems" else Bearing.PER_ITEM
    return None if share is None else (Worth.PERCENTAGE, share, bearing, None)


def _share(value: object) -> int | None:
    """Hundredths of a percent, between nothing and all."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        share = int((Decimal(str(value)) * _WHOLE).to_integral_value())
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return share if 0 <= share <= _WHOLE else None


def _inner(node: object, name: str) -> Mapping[str, Any]:
    inner = node.get(name) if isinstance(node, dict) else None
    return inner if isinstance(inner, dict) else {}
