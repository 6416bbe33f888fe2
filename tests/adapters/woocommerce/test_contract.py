"""WooCommerce keeps the promises of every shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.shop import WooCommerceShop
from connector.ports import ShopFacts
from tests.contract.shops import Clock, ShopContract, Sold, Stage

BILLING = {"first_name": "Kari", "country": "NO", "email": "kari@epost.example"}


class Wool:
    """The stand-in shop, in WooCommerce's words."""

    order_topic, gone_topic, product_topic = "order.created", "order.deleted", "product.created"
    unused_topic = "subscription.created"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.facts = ShopFacts(timezone=sandbox.timezone, currency=sandbox.currency)
        self.deliver = sandbox.deliver

    def listen(self, url: str) -> None:
        self.sandbox.register(url, "a-secret-for-all-topics")

    def open(self, *, address: str | None = None, key: str | None = None) -> WooCommerceShop:
        keys = (key or self.sandbox.key, self.sandbox.secret)
        return WooCommerceShop("here", address or self.sandbox.base_url, *keys, None)

    def sell(self, price: str, *, pieces: int = 1, account: bool = False) -> Sold:
        ware = self.sandbox.products.create({"name": "Sokker", "regular_price": price})
        self.sandbox.deliver()
        lines = [{"product_id": ware["id"], "quantity": pieces}]
        opened = {"email": BILLING["email"], "first_name": "Kari"} if account else None
        order = self.sandbox.orders.check_out(
            {"billing": BILLING, "line_items": lines, "paid": True}, account=opened
        )
        return Sold(id=str(order["id"]), total=order["total"])

    def change(self, order: str) -> None:
        self.sandbox.orders.change(int(order), {"status": "completed"})

    def refund(self, order: str, amount: str) -> None:
        self.sandbox.orders.refund(int(order), amount=amount)

    def delete(self, order: str) -> None:
        self.sandbox.orders.trash(int(order))

    def put_on_sale(self) -> None:
        self.sandbox.products.create({"name": "Ull", "regular_price": "12.50"})

    def no_business(self) -> None:
        self.sandbox.customers.create({"email": "sjef@wool.example", "role": "administrator"})


class TestWooCommerce(ShopContract):
    """The contract over the stand-in."""

    @pytest.fixture
    def stage(self, clock: Clock) -> Iterator[Stage]:
        """A shop that sends when it is told to."""
        with Sandbox(auto=False, clock=clock) as sandbox:
            yield Wool(sandbox)
