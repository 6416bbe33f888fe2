"""Baskets at the stand-in Shopify shop: somebody comes as far as the address, and goes away.

Shapes are those of ``checkouts/create`` at https://shopify.dev/docs/api/webhooks/2026-10. A
checkout is known by its token, and an order says of which one it came.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.shopify.sandbox_customers import Customers, buyer_of
from adapters.shopify.sandbox_desk import Desk
from adapters.shopify.sandbox_orders import amount
from adapters.shopify.sandbox_selling import Orders
from adapters.shopify.sandbox_shelves import Shelves
from adapters.shopify.sandbox_words import local
from adapters.town.books import Body
from connector.money import to_major


class Checkouts:
    """The checkouts of the shop. ``waiting`` are those that are no order (yet), by their tokens."""

    def __init__(self, desk: Desk, customers: Customers, shelves: Shelves, orders: Orders) -> None:
        self._desk = desk
        self._customers = customers
        self._shelves = shelves
        self._orders = orders
        self.waiting: dict[str, Body] = {}

    def begin(
        self, customer: int, pieces: Mapping[int, int], *, now: datetime | None = None
    ) -> Body:
        """Somebody fills a basket, with so many pieces of each variant, and leaves it there."""
        desk = self._desk
        with desk.act(now) as act:
            buyer = self._customers.get(customer)
            lines = [self._line(variant, quantity) for variant, quantity in pieces.items()]
            currency, at = desk.site.currency, local(act.moment, desk.site)
            whole = sum(amount(line["line_price"], currency) for line in lines)
            token = uuid.UUID(desk.name()).hex
            body: Body = {
                "token": token,
                "cart_token": None,
                "email": buyer["rest"]["email"],
                "created_at": at,
                "updated_at": at,
                "completed_at": None,
                "currency": currency,
                "subtotal_price": str(to_major(whole, currency)),
                "total_price": str(to_major(whole, currency)),
                "abandoned_checkout_url": f"{desk.site.storefront}/checkouts/{token}/recover",
                "customer": buyer_of(buyer),
                "billing_address": None,
                "shipping_address": None,
                "line_items": lines,
            }
            self.waiting[token] = body
            act.tell("checkouts/create", body)
        return body

    def finish(self, token: str, *, now: datetime | None = None) -> Body:
        """They come back and buy what lies in it; gives the order."""
        with self._desk.books.turn():
            body = self.waiting.pop(token)
            lines = [
                {"variant_id": line["variant_id"], "quantity": line["quantity"]}
                for line in body["line_items"]
            ]
            given = {"email": body["email"], "line_items": lines, "checkout_token": token}
            return self._orders.check_out(given, now=now)

    def _line(self, number: int, quantity: int) -> dict[str, Any]:
        product, variant = self._shelves.find(number)
        currency = self._desk.site.currency
        worth = amount(variant["price"], currency) * quantity
        return {
            "key": str(number),
            "product_id": product["id"],
            "variant_id": number,
            "sku": variant["sku"],
            "title": product["title"],
            "quantity": quantity,
            "price": variant["price"],
            "line_price": str(to_major(worth, currency)),
            "applied_discounts": [],
        }
