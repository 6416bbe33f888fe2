"""Shopify keeps the promises of every shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.shopify.sandbox import EVERYTHING, Sandbox
from adapters.shopify.shop import ShopifyShop
from connector.ports import ShopFacts
from tests.contract.shops import Clock, ShopContract, Sold, Stage

BUYER = {"email": "kari@epost.example", "address": {"first_name": "Kari", "country_code": "NO"}}


class Yarn:
    """The stand-in shop, in Shopify's words."""

    order_topic, gone_topic, product_topic = "orders/create", "orders/delete", "products/create"
    unused_topic = "themes/create"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.facts = ShopFacts(timezone=sandbox.timezone, currency=sandbox.currency)
        self.deliver = sandbox.deliver

    def listen(self, url: str) -> None:
        self.sandbox.register(url, EVERYTHING)

    def open(self, *, address: str | None = None, key: str | None = None) -> ShopifyShop:
        return ShopifyShop(
            "here",
            self.sandbox.domain,
            address or self.sandbox.base_url,
            access_token=key or self.sandbox.token,
        )

    def sell(self, price: str, *, pieces: int = 1, account: bool = False) -> Sold:
        lines = [{"title": "Sokker", "price": price, "quantity": pieces}]
        given = {**BUYER, "line_items": lines, "nobody": not account, "account": account}
        order = self.sandbox.orders.check_out(given)
        return Sold(id=str(order["id"]), total=order["total_price"])

    def change(self, order: str) -> None:
        self.sandbox.orders.fulfil(int(order))

    def refund(self, order: str, amount: str) -> None:
        self.sandbox.orders.refund(int(order), amount=amount)

    def delete(self, order: str) -> None:
        self.sandbox.orders.delete(int(order))

    def put_on_sale(self) -> None:
        self.sandbox.products.create({"title": "Ull", "variants": [{"price": "12.50"}]})

    def no_business(self) -> None:
        lines = [{"title": "Sokker", "price": "1.00", "quantity": 1}]
        self.sandbox.orders.check_out({"nobody": True, "line_items": lines, "test": True})


class TestShopify(ShopContract):
    """The contract over the stand-in."""

    @pytest.fixture
    def stage(self, clock: Clock) -> Iterator[Stage]:
        """A shop that sends when it is told to."""
        with Sandbox(auto=False, clock=clock) as sandbox:
            yield Yarn(sandbox)
