"""What the law demands through the shop: to tell what is held, and to forget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.shopify.sandbox import Sandbox


def test_a_person_asks_and_is_forgotten(
    told: Callable[..., list[Any]], buy: Callable[..., Any], shop: Sandbox
) -> None:
    """A demand names the shop, the person and their orders, whatever our app may see."""
    order = buy()
    customer = order["customer"]["id"]
    shop.misbehave(hides=True)
    person = {"id": customer, "email": "kari@epost.example", "phone": None}
    where = {"shop_id": shop.site.id, "shop_domain": shop.domain}
    asked = told(lambda: shop.demands.request_data(customer))
    assert [(a.topic, a.value) for a in asked] == [
        (
            "customers/data_request",
            {
                **where,
                "customer": person,
                "orders_requested": [order["id"]],
                "data_request": {"id": 1},
            },
        )
    ]
    forgotten = told(lambda: shop.demands.redact_customer(customer))
    assert [(a.topic, a.value) for a in forgotten] == [
        ("customers/redact", {**where, "customer": person, "orders_to_redact": [order["id"]]})
    ]
    gone = told(shop.demands.redact_shop)
    assert [(a.topic, a.value) for a in gone] == [("shop/redact", where)]


def test_not_among_the_apps_subscriptions(shop: Sandbox, receiver: Any) -> None:
    """These topics are the app's own: the API neither lists nor takes them."""
    shop.register(receiver.url, [])
    assert shop.subscriptions.made() == []
    shop.demands.redact_shop()
    assert shop.deliver() == 1
