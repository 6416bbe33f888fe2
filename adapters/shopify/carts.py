"""Turns a checkout that somebody began into a cart, until it is an order.

Only the checkout names its buyer and the way back to it; ``carts/*`` name nobody. Its id went from
the webhooks with version 2026-04, so a checkout is known by its token:
https://shopify.dev/changelog/removed-checkout-id-from-checkouts-and-orders-webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.shopify.payloads import Address, BuyerOfOrder, LineItem
from adapters.shopify.reading import Slip, members
from connector.model import (
    Cart,
    Deleted,
    Ignored,
    Kind,
    Line,
    Understanding,
    Understood,
    Version,
)
from connector.money import parse_currency
from connector.shop_fields import (
    BadFieldError,
    Leaf,
    Loose,
    need_amount,
    read_email,
    read_id,
    read_past,
    read_text,
    read_url,
    read_version,
    read_whole,
)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,200}")
_NOBODY = BuyerOfOrder()


class CheckoutLine(LineItem, frozen=True):
    """What lies in the basket; ``line_price`` is that of all pieces, before discounts."""

    line_price: Leaf = None
    applied_discounts: Loose = None


class CheckoutBody(msgspec.Struct, frozen=True):
    """A checkout, the same under ``checkouts/create`` and ``checkouts/update``.

    An address may be an empty list where there is none.
    """

    token: Leaf
    line_items: list[CheckoutLine]
    currency: Leaf
    total_price: Leaf
    cart_token: Leaf = None
    email: Leaf = None
    created_at: Leaf = None
    updated_at: Leaf = None
    completed_at: Leaf = None
    abandoned_checkout_url: Leaf = None
    web_url: Leaf = None
    customer: BuyerOfOrder | None = None
    billing_address: Address | list[Any] | None = None
    shipping_address: Address | list[Any] | None = None


def understand_checkout(body: CheckoutBody, slip: Slip) -> Understanding:
    """A cart of somebody; one that is completed is gone, one of nobody is of no use.

    Raises `BadFieldError` without a token, a currency, a readable sum or a date.
    """
    token = _need_token(body.token)
    version = read_version(body.updated_at, body.created_at, slip)
    email = read_email(body.email, slip)
    buyer = body.customer or _NOBODY
    customer_id = read_id(buyer.id)
    if body.completed_at is not None or (email is None and customer_id is None):
        # One that was somebody's before is nobody's any more.
        gone = Deleted(shop=slip.shop, kind=Kind.CART, id=token, version=version)
        return Understood(facts=(gone,), flags=tuple(slip.flags))
    currency = parse_currency(body.currency)
    if currency is None:
        raise BadFieldError("currency", "currency")
    created_at = read_past(body.created_at, slip) or version.at
    addresses = (body.billing_address, body.shipping_address)
    address = next((each for each in addresses if isinstance(each, Address)), None)
    named = address or buyer
    cart = Cart(
        shop=slip.shop,
        id=token,
        version=version,
        currency=currency,
        total=need_amount(body.total_price, currency, "total_price"),
        created_at=created_at,
        url=read_url(body.abandoned_checkout_url) or read_url(body.web_url),
        customer_id=customer_id,
        email=email,
        first_name=read_text(named.first_name),
        last_name=read_text(named.last_name),
        company=read_text(address.company) if address else "",
        other_name=_token(body.cart_token),
        lines=_lines(body, currency, slip),
    )
    return Understood(facts=(cart,), flags=tuple(slip.flags))


def understand_deletion(value: Mapping[str, Any], slip: Slip) -> Understanding:
    """A checkout that the shop let go of; before 2026-04 it was named by an id nobody else used."""
    token = _token(value.get("token"))
    if token is None:
        return Ignored(reason="the deleted checkout is not named by its token")
    version = Version(at=slip.received_at, tie=slip.tie)
    gone = Deleted(shop=slip.shop, kind=Kind.CART, id=token, version=version)
    return Understood(facts=(gone,), flags=tuple(slip.flags))


def carts_of(*tokens: object) -> tuple[str, ...]:
    """By which names an order says of which cart it came."""
    return tuple(dict.fromkeys(token for each in tokens if (token := _token(each))))


def _lines(body: CheckoutBody, currency: str, slip: Slip) -> tuple[Line, ...]:
    lines: dict[str, Line] = {}
    for index, item in enumerate(body.line_items):
        quantity = read_whole(item.quantity) or 0
        if quantity != item.quantity:
            slip.flag("quantity_rounded")
        discount = sum(
            _amount(each.get("amount"), currency, f"line_items[{index}].discount")
            for each in members(item.applied_discounts)
        )
        whole = (
            quantity * _amount(item.price, currency, f"line_items[{index}].price")
            if item.line_price is None
            else _amount(item.line_price, currency, f"line_items[{index}].line_price")
        )
        lines[f"{index + 1}"] = Line(
            id=f"{index + 1}",  # its key is the variant's id, or of no use
            product_id=read_id(item.product_id),
            variant_id=read_id(item.variant_id),
            sku=read_text(item.sku),
            name=read_text(item.title) or read_text(item.name),
            quantity=quantity,
            total=whole - discount,
            discount=discount,
        )
    return tuple(lines.values())


def _amount(value: object, currency: str, where: str) -> int:
    return 0 if value is None or value == "" else need_amount(value, currency, where)


def _token(value: object) -> str | None:
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def _need_token(value: object) -> str:
    found = _token(value)
    if found is None:
        raise BadFieldError("id", "token")
    return found
