"""Baskets that somebody left in the stand-in shop, and what the adapter makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.shopify.sandbox import EVERYTHING, Sandbox
from adapters.shopify.shop import ShopifyShop
from connector.model import Cart, Delivery, Order, Understood


@pytest.fixture
def facts(shop: Sandbox, receiver: Any) -> Callable[[Callable[[], object]], list[Any]]:
    """What the adapter understands of all that the shop tells of an action."""
    shop.register(receiver.url, (*EVERYTHING, "checkouts/create"))
    secrets = (shop.secret,)
    adapter = ShopifyShop(
        "yarn", shop.domain, shop.base_url, client_id=shop.client_id, client_secrets=secrets
    )

    def understand(action: Callable[[], object]) -> list[Any]:
        shop.deliver()
        receiver.arrivals.clear()
        action()
        shop.deliver()
        found: list[Any] = []
        for number, arrival in enumerate(receiver.arrivals):
            made = adapter.understand(
                Delivery(
                    id=number,
                    shop="yarn",
                    topic=arrival.topic,
                    received_at=shop.clock(),
                    body=arrival.body,
                    headers=arrival.headers,
                )
            )
            assert isinstance(made, Understood), (arrival.topic, made)
            found += made.facts
        return found

    return understand


def test_a_basket_is_told_of_until_it_is_bought(
    facts: Callable[[Callable[[], object]], list[Any]],
    shop: Sandbox,
    goods: Any,
    buy: Callable[..., Any],
) -> None:
    """With its owner, its sum and the way back; the order that comes of it names it."""
    customer = buy()["customer"]["id"]
    red, blue = (variant["id"] for variant in goods["rest"]["variants"])
    (cart,) = facts(lambda: shop.checkouts.begin(customer, {red: 2, blue: 1}))
    assert isinstance(cart, Cart)
    assert ("kari@epost.example", str(customer), 3_500, [2, 1]) == (
        cart.email,
        cart.customer_id,
        cart.total,
        [line.quantity for line in cart.lines],
    )
    assert cart.url is not None
    assert cart.url.startswith(f"https://{shop.domain}/")
    assert {cart.id} == shop.checkouts.waiting.keys()
    bought = facts(lambda: shop.checkouts.finish(cart.id))
    orders = [fact for fact in bought if isinstance(fact, Order)]
    assert {3_500} == {order.total for order in orders}
    assert all(cart.id in order.carts for order in orders)
    assert {} == shop.checkouts.waiting
