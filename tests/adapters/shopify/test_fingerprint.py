"""Who a Shopify shop is; an answer that does not say it decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.shopify.answers import Answer
from adapters.shopify.fingerprint import fingerprint
from connector.errors import TryLater
from connector.ports import Fingerprint

_SHOP = {
    "id": "gid://shopify/Shop/7",
    "myshopifyDomain": "Yarn.myshopify.com",
    "currencyCode": "NOK",
}
_NODE = {"legacyResourceId": "90071992547409931", "createdAt": "2024-02-01T08:00:00Z"}


def told(data: dict[str, Any]) -> Fingerprint:
    """What is made of an answer."""
    asked: list[str] = []

    def ask(query: str, _variables: Any) -> Answer:
        asked.append(query)
        return Answer(data=data)

    found = fingerprint(ask)
    assert ["fingerprint"] == asked
    return found


def test_id_domain_currency_and_first_order() -> None:
    """The id to the last digit, the domain in small letters."""
    found = told({"shop": _SHOP, "orders": {"nodes": [_NODE]}})
    assert ("gid://shopify/Shop/7", "yarn.myshopify.com", "NOK") == (
        found.identity,
        found.url,
        found.currency,
    )
    assert found.first_order is not None
    assert ("90071992547409931", 2024) == (
        found.first_order.id,
        found.first_order.at and found.first_order.at.year,
    )


@pytest.mark.parametrize("orders", [None, {"nodes": []}, {"nodes": [{}]}, {"nodes": None}])
def test_orders_that_we_may_not_see(orders: Any) -> None:
    """The shop is known without them."""
    assert told({"shop": _SHOP, "orders": orders}).first_order is None


@pytest.mark.parametrize("shop", [None, {}, {**_SHOP, "id": 7}, {**_SHOP, "currencyCode": "?"}])
def test_a_shop_that_does_not_say_who_it_is(shop: Any) -> None:
    """It is asked once more later."""
    with pytest.raises(TryLater):
        told({"shop": shop, "orders": {"nodes": [_NODE]}})
