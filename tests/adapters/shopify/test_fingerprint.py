"""Who a Shopify shop is; an answer that does not say it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.shopify.answers import Answer
from adapters.shopify.fingerprint import fingerprint
from adapters.shopify.shop import ShopifyShop
from connector.errors import TryLater
from connector.model import Delivery
from connector.ports import Fingerprint, Situated

DOMAIN = "yarn-and-more.myshopify.com"

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


# --- Deliveries of another shop ------------------------------------------------------------------

_PIN = Fingerprint(identity="gid://shopify/Shop/7", url=DOMAIN, currency="NOK")


@pytest.mark.parametrize(
    ("told", "detail"),
    [
        (DOMAIN, None),
        (f" {DOMAIN.upper()}", None),
        ("yarn-staging.myshopify.com", "names yarn-staging.myshopify.com, and this shop is"),
        ("kari@epost.example", "names another shop, and this shop is"),
    ],
)
def test_the_shop_that_a_delivery_names(
    shop: ShopifyShop, deliver: Callable[..., Delivery], told: str, detail: str | None
) -> None:
    """The known one in any letters, or another, which is named if it looks like a shop's domain."""
    assert isinstance(shop, Situated)
    delivery = deliver("orders/create", {}, {"x-shopify-shop-domain": told})
    found = shop.stray(delivery, _PIN)
    assert (detail is None) == (found is None)
    if found is not None and detail is not None:
        assert "other_shop" == found.reason
        assert f"X-Shopify-Shop-Domain {detail} {DOMAIN}" == found.detail
        assert found == shop.understand(delivery)


def test_one_that_names_no_shop_is_no_stray(
    shop: ShopifyShop, deliver: Callable[..., Delivery]
) -> None:
    """The door refuses those; what is in the store already is read as before."""
    assert shop.stray(deliver("orders/create", {}), _PIN) is None


def test_the_configured_shop_is_a_stray_while_another_is_known(
    shop: ShopifyShop, deliver: Callable[..., Delivery]
) -> None:
    """A domain that was swapped in connector.yaml and that nobody confirmed."""
    delivery = deliver("orders/create", {}, {"X-Shopify-Shop-Domain": DOMAIN})
    assert shop.stray(delivery, replace(_PIN, url="wool.myshopify.com")) is not None
