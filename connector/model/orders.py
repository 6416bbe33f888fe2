"""What people buy: orders with their lines and refunds, and carts not ordered yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connector.model.statements import Json, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order; ``total`` in minor units after discounts, without tax.

    ``discount`` is what was taken off to come to that.
    """

    id: str
    product_id: str | None
    variant_id: str | None
    sku: str
    name: str
    quantity: int
    total: int
    discount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back; ``amount`` in minor units, positive."""

    id: str
    amount: int
    reason: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order. ``total`` is what was charged, tax included; refunds are beside it, not in it.

    ``carts`` are the shop's own names of the cart it came of, ``fulfilled`` says that all of it was
    sent, ``landing_url`` is the page by which the buyer came to the shop.
    """

    shop: str
    id: str
    version: Version
    number: str
    status: str
    currency: str
    total: int
    placed_at: datetime
    tax: int = 0
    shipping: int = 0
    discount: int = 0
    paid_at: datetime | None = None
    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    countries: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilled: bool = False
    cancelled_at: datetime | None = None
    landing_url: str | None = None
    carts: tuple[str, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """A basket that somebody began to buy and has not ordered yet.

    ``url`` leads back to it. ``other_name`` is one by which an order may say, too, that it came of
    this cart.
    """

    shop: str
    id: str
    version: Version
    currency: str
    total: int
    created_at: datetime
    url: str | None = None
    customer_id: str | None = None
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    other_name: str | None = None
    lines: tuple[Line, ...] = ()
