"""A shop and small bodies in the shapes of its REST API, written for these tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx
import pytest

from adapters.woocommerce.shop import WooCommerceShop
from connector.model import Delivery, Fact, Quarantined, Understanding, Understood

Body: TypeAlias = dict[str, Any]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def shop() -> WooCommerceShop:
    """A shop that must not be called: understanding a delivery needs no network."""

    def refuse(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"the network was used: {request.url}")

    transport = httpx.MockTransport(refuse)
    return WooCommerceShop(
        "wool", "https://wool.example", "ck_x", "cs_y", "NOK", transport=transport
    )


@pytest.fixture
def deliver() -> Callable[[str, Any], Delivery]:
    """A delivery with a topic and a body: bytes as they are, anything else as JSON."""

    def build(topic: str, body: Any) -> Delivery:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Delivery(id=1, shop="wool", topic=topic, received_at=ARRIVED, body=raw)

    return build


@pytest.fixture
def understand(
    shop: WooCommerceShop, deliver: Callable[[str, Any], Delivery]
) -> Callable[[str, Any], Understanding]:
    """What the shop's adapter makes of a topic and a body."""
    return lambda topic, body: shop.understand(deliver(topic, body))


@pytest.fixture
def fact(understand: Callable[[str, Any], Understanding]) -> Callable[[str, Any], Fact]:
    """The one fact in a body that is understood."""

    def only(topic: str, body: Any) -> Fact:
        understanding = understand(topic, body)
        assert isinstance(understanding, Understood)
        assert 1 == len(understanding.facts)
        return understanding.facts[0]

    return only


@pytest.fixture
def reason(understand: Callable[[str, Any], Understanding]) -> Callable[[str, Any], str]:
    """The reason for which a body is quarantined."""

    def why(topic: str, body: Any) -> str:
        understanding = understand(topic, body)
        assert isinstance(understanding, Quarantined)
        assert understanding.mend
        return understanding.reason

    return why


@pytest.fixture
def order() -> Callable[..., Body]:
    """A guest's order of two pairs of socks; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 41,
            "status": "processing",
            "currency": "NOK",
            "date_created_gmt": "2026-11-23T10:00:00",
            "date_modified_gmt": "2026-11-23T10:05:00",
            "date_paid_gmt": "2026-11-23T10:01:00",
            "discount_total": "10.00",
            "shipping_total": "49.00",
            "total": "249.50",
            "total_tax": "49.90",
            "customer_id": 0,
            "number": "2026-41",
            "billing": {
                "first_name": "Eva",
                "last_name": "<b>Dahl</b> & Sønn",
                "company": "Garn",
                "country": "NO",
                "email": "Eva.Dahl@Example.org",
                "phone": "22 00 00 00",
            },
            "shipping": {"country": "SE"},
            "meta_data": [{"id": 1, "key": "newsletter_optin", "value": "1"}],
            "line_items": [
                {
                    "id": 7,
                    "name": "Sokker - 42",
                    "product_id": 10,
                    "variation_id": 12,
                    "quantity": 2,
                    "total": "159.60",
                    "sku": "SO-42",
                    "price": 79.8,
                }
            ],
            "refunds": [],
        } | parts

    return build


@pytest.fixture
def customer() -> Callable[..., Body]:
    """A customer's account; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 5,
            "date_created_gmt": "2026-11-20T08:00:00",
            "date_modified_gmt": "2026-11-22T08:00:00",
            "email": "Bo.Berg@Example.org",
            "first_name": "Bo",
            "last_name": "Smith &amp; Sons",
            "role": "customer",
            "billing": {
                "first_name": "Bo",
                "last_name": "Smith & Sons",
                "company": "A&amp;B",
                "country": "NO",
                "phone": "+47 22 00 00 00",
            },
            "shipping": [],
            "meta_data": [],
        } | parts

    return build


@pytest.fixture
def product() -> Callable[..., Body]:
    """A simple product; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 10,
            "name": "Ull &amp; bomull",
            "permalink": "https://wool.example/p/10",
            "date_created_gmt": "2026-11-01T08:00:00",
            "date_modified_gmt": "2026-11-22T08:00:00",
            "type": "simple",
            "status": "publish",
            "description": "<p>Soft.</p>",
            "sku": "UB-1",
            "price": "399",
            "regular_price": "509.00",
            "sale_price": "399",
            "date_on_sale_from_gmt": "2026-11-20T23:00:00",
            "date_on_sale_to_gmt": None,
            "manage_stock": True,
            "stock_quantity": 16,
            "stock_status": "instock",
            "parent_id": 0,
            "categories": [{"id": 1, "name": "Garn &amp; tilbehør"}],
            "tags": [{"id": 2, "name": "ull"}],
            "brands": [{"id": 3, "name": "Spinneriet"}],
            "images": [{"id": 4, "src": "https://wool.example/i/4.jpg"}],
            "attributes": [{"name": "Farge", "options": ["Rød", "Blå"]}],
            "variations": [],
            "meta_data": [],
        } | parts

    return build
