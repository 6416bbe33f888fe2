"""A shop and small bodies in the shapes of its webhooks and its API, written for these tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx
import pytest

from adapters.shopify.shop import ShopifyShop
from connector.model import Delivery, Fact, Quarantined, Understanding, Understood

Body: TypeAlias = dict[str, Any]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOMAIN = "yarn-and-more.myshopify.com"


@pytest.fixture
def shop() -> ShopifyShop:
    """A shop that must not be called: understanding a delivery needs no network."""

    def refuse(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"the network was used: {request.url}")

    return ShopifyShop(
        "yarn",
        DOMAIN,
        access_token="shpat_x",
        currency="NOK",
        timezone="Europe/Oslo",
        transport=httpx.MockTransport(refuse),
    )


@pytest.fixture
def deliver() -> Callable[..., Delivery]:
    """A delivery with a topic, a body (bytes as they are, else as JSON) and kept headers."""

    def build(
        topic: str, body: Any, headers: Mapping[str, str] | None = None, attempts: int = 0
    ) -> Delivery:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Delivery(
            id=1,
            shop="yarn",
            topic=topic,
            received_at=ARRIVED,
            body=raw,
            headers=headers or {},
            attempts=attempts,
        )

    return build


@pytest.fixture
def understand(shop: ShopifyShop, deliver: Callable[..., Delivery]) -> Callable[..., Understanding]:
    """What the shop's adapter makes of a topic and a body."""
    return lambda topic, body, headers=None: shop.understand(deliver(topic, body, headers))


@pytest.fixture
def facts(understand: Callable[..., Understanding]) -> Callable[..., tuple[Fact, ...]]:
    """The facts in a body that is understood."""

    def all_of(topic: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        understanding = understand(topic, body, headers)
        assert isinstance(understanding, Understood), understanding
        return understanding.facts

    return all_of


@pytest.fixture
def reason(understand: Callable[..., Understanding]) -> Callable[..., str]:
    """The reason for which a body is quarantined."""

    def why(topic: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
        understanding = understand(topic, body, headers)
        assert isinstance(understanding, Quarantined), understanding
        assert understanding.mend
        return understanding.reason

    return why


@pytest.fixture
def asked() -> Callable[..., tuple[ShopifyShop, list[Body]]]:
    """A shop whose API gives these answers in turn, and the questions it was asked."""

    def build(*answers: Any, **settings: Any) -> tuple[ShopifyShop, list[Body]]:
        questions: list[Body] = []
        queue = iter(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            questions.append(json.loads(request.content))
            answer = next(queue)
            return (
                answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
            )

        arguments = {"access_token": "shpat_x", "currency": "NOK", "timezone": "Europe/Oslo"}
        shop = ShopifyShop(
            "yarn", DOMAIN, transport=httpx.MockTransport(handle), **(arguments | settings)
        )
        return shop, questions

    return build


def bag(amount: str, seen: str | None = None, currency: str = "NOK") -> Body:
    """An amount as an order tells it: in the shop's currency, and in euros as the buyer saw it."""
    return {
        "shop_money": {"amount": amount, "currency_code": currency},
        "presentment_money": {"amount": seen or amount, "currency_code": "EUR"},
    }


@pytest.fixture
def order() -> Callable[..., Body]:
    """An order of two pairs of socks, paid in euros at a Norwegian shop; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 820982911946154508,
            "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
            "buyer_accepts_marketing": False,
            "cancelled_at": None,
            "contact_email": "eva.dahl@example.org",
            "created_at": "2026-11-23T11:00:00+01:00",
            "currency": "NOK",
            "email": "Eva.Dahl@Example.org",
            "financial_status": "paid",
            "name": "#1001",
            "note_attributes": [{"name": "gift", "value": "yes"}],
            "order_number": 1001,
            "phone": None,
            "presentment_currency": "EUR",
            "processed_at": "2026-11-23T10:59:58+01:00",
            "source_name": "web",
            "taxes_included": True,
            "test": False,
            "total_discounts": "10.00",
            "total_discounts_set": bag("10.00", "0.85"),
            "total_price": "249.50",
            "total_price_set": bag("249.50", "21.20"),
            "total_shipping_price_set": bag("49.00", "4.17"),
            "total_tax": "49.90",
            "total_tax_set": bag("49.90", "4.24"),
            "updated_at": "2026-11-23T11:05:00+01:00",
            "billing_address": {
                "first_name": "Eva",
                "last_name": "<b>Dahl</b> & Sønn",
                "company": "Garn",
                "country": "Norway",
                "country_code": "NO",
                "phone": "22 00 00 00",
            },
            "shipping_address": {"first_name": "Eva", "country_code": "SE"},
            "customer": {"id": 706405506930370084, "first_name": "E", "last_name": "D"},
            "line_items": [
                {
                    "id": 487817672276298554,
                    "name": "Sokker - 42",
                    "title": "Sokker",
                    "price": "99.75",
                    "price_set": bag("99.75", "8.48"),
                    "product_id": 788032119674292922,
                    "variant_id": 642667041472713922,
                    "quantity": 2,
                    "sku": "SO-42",
                    "discount_allocations": [
                        {"amount": "10.00", "amount_set": bag("10.00", "0.85")}
                    ],
                    "tax_lines": [{"price": "37.90", "price_set": bag("37.90", "3.22")}],
                }
            ],
            "refunds": [],
        } | parts

    return build


@pytest.fixture
def customer() -> Callable[..., Body]:
    """An account as webhooks of version 2025-01 and later tell it; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 706405506930370084,
            "admin_graphql_api_id": "gid://shopify/Customer/706405506930370084",
            "created_at": "2026-11-20T09:00:00+01:00",
            "updated_at": "2026-11-22T09:00:00+01:00",
            "first_name": "Bo",
            "last_name": "Smith & Sons",
            "state": "enabled",
            "verified_email": True,
            "email": "Bo.Berg@Example.org",
            "phone": "+4722000000",
            "currency": "NOK",
            "addresses": [],
            "tax_exemptions": [],
            "default_address": {"company": "A&B", "country_code": "NO", "phone": "22 00 00 01"},
        } | parts

    return build


@pytest.fixture
def product() -> Callable[..., Body]:
    """A product in two sizes, one of them reduced; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 788032119674292922,
            "admin_graphql_api_id": "gid://shopify/Product/788032119674292922",
            "title": "Sokker",
            "body_html": "<p>Soft.</p>",
            "vendor": "Spinneriet",
            "product_type": "Strømper",
            "handle": "sokker",
            "status": "active",
            "created_at": "2026-11-01T08:00:00+01:00",
            "updated_at": "2026-11-22T08:00:00+01:00",
            "published_at": "2026-11-01T08:00:00+01:00",
            "tags": "ull, vinter",
            "category": {"full_name": "Apparel > Socks", "name": "Socks"},
            "options": [{"name": "Størrelse", "position": 1, "values": ["42", "44"]}],
            "images": [
                {"id": 1, "src": "https://cdn.example/1.jpg"},
                {"id": 2, "src": "https://cdn.example/2.jpg"},
            ],
            "image": {"id": 1, "src": "https://cdn.example/1.jpg"},
            "variants": [
                {
                    "id": 642667041472713922,
                    "title": "42",
                    "sku": "SO-42",
                    "price": "99.75",
                    "compare_at_price": "129.00",
                    "updated_at": "2026-11-21T08:00:00+01:00",
                    "option1": "42",
                    "option2": None,
                    "option3": None,
                    "image_id": 2,
                    "inventory_policy": "deny",
                    "inventory_quantity": 7,
                },
                {
                    "id": 757650484644203962,
                    "title": "44",
                    "sku": "SO-44",
                    "price": "99.75",
                    "compare_at_price": None,
                    "updated_at": "2026-11-21T08:00:00+01:00",
                    "option1": "44",
                    "option2": None,
                    "option3": None,
                    "image_id": None,
                    "inventory_policy": "deny",
                    "inventory_quantity": 3,
                },
            ],
            "variant_gids": [{"admin_graphql_api_id": "a"}, {"admin_graphql_api_id": "b"}],
        } | parts

    return build


@pytest.fixture
def refund() -> Callable[..., Body]:
    """A refund as ``refunds/create`` brings it; keywords replace parts."""

    def build(**parts: Any) -> Body:
        return {
            "id": 890088186047892319,
            "order_id": 820982911946154508,
            "created_at": "2026-11-23T12:00:00+01:00",
            "note": "",
            "refund_line_items": [{"id": 1, "quantity": 1, "subtotal": 89.99, "total_tax": 0.0}],
            "transactions": [],
        } | parts

    return build
