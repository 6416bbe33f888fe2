"""The shop of these tests: what it sells, to whom, and the changes that happen to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from adapters.mailchimp.sandbox_store_state import Store
from connector.model import Change, Outcome, Permission, Record
from connector.ports import Shape, StoreFacts

SHAPE = Shape(fields={})
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
STORE = StoreFacts(
    shop="nord",
    id="c-nord",
    name="Nord",
    currency="EUR",
    domain="nord.example",
    platform="woocommerce",
    money="€",
    timezone="Europe/Oslo",
)
KARI = "kari@shop.example"
OLA = "ola@shop.example"


def make(mc: Sandbox, **more: Any) -> MailchimpSales:
    """A destination, as a process makes it when it starts."""
    given: dict[str, Any] = {"stores": {"nord": STORE}, "sleep": lambda _: None, **more}
    return MailchimpSales(
        "sales", audience=mc.audience, api_key=mc.api_key, base_url=mc.url, timeout=5, **given
    )


def held(mc: Sandbox) -> Store:
    """What the shop's store holds."""
    return mc.sales.stores["c-nord"]


def variant(number: str = "11", **more: Any) -> dict[str, Any]:
    """A variant as a record has it."""
    return {
        "id": number,
        "title": "Red",
        "sku": f"SKU-{number}",
        "price": "19.90",
        "currency": "EUR",
        "stock": 3,
        "image_url": "https://nord.example/red.jpg",
        "url": "https://nord.example/?v=11",
        "visible": True,
    } | more


def product(number: str = "1", **more: Any) -> Record:
    """A product with one variant, its number twice."""
    fields = {
        "shop": "nord",
        "id": number,
        "title": "Mitten",
        "handle": "mitten",
        "url": "https://nord.example/mitten",
        "description": "Warm.",
        "type": "Clothes",
        "vendor": "Nord",
        "image_url": "https://nord.example/mitten.jpg",
        "published_at": "2026-01-02T03:04:05.678Z",
        "variants": [variant(number * 2)],
    }
    key = f"product/nord/{number}"
    return Record(key=key, email=None, permission=None, fields=fields | more)


def line(number: str = "1", **more: Any) -> dict[str, Any]:
    """A line that sells two of a product."""
    return {
        "id": f"l{number}",
        "product_id": number,
        "variant_id": number * 2,
        "title": "Mitten, red",
        "product_title": "Mitten",
        "quantity": 2,
        "price": "19.90",
        "discount": "0.00",
    } | more


def customer(email: str | None = KARI, **more: Any) -> dict[str, Any]:
    """Who buys."""
    return {
        "id": "77",
        "email": email,
        "first_name": "Kari",
        "last_name": "Nordmann",
        "company": "",
        "orders_count": 1,
        "total_spent": "39.80",
    } | more


def order(number: str = "100", permission: Permission | None = Permission.SEND, **more: Any) -> Any:
    """A paid order."""
    fields = {
        "shop": "nord",
        "id": number,
        "number": number,
        "status": "paid",
        "fulfilled": False,
        "currency": "EUR",
        "total": "39.80",
        "tax": "7.96",
        "shipping": "0.00",
        "discount": "0.00",
        "refunded": "0.00",
        "placed_at": "2026-11-20T10:00:00.123456Z",
        "updated_at": "2026-11-21T10:00:00Z",
        "cancelled_at": None,
        "landing_url": "https://nord.example/?from=mail",
        "customer": customer(),
        "lines": [line()],
        "counts": True,
    } | more
    email = fields["customer"]["email"]
    key = f"order/nord/{number}"
    return Record(key=key, email=email, permission=permission, fields=fields)


def cart(number: str = "c1", permission: Permission | None = Permission.SEND, **more: Any) -> Any:
    """A cart that somebody left."""
    fields = {
        "shop": "nord",
        "id": number,
        "currency": "EUR",
        "total": "39.80",
        "url": "https://nord.example/cart?c1",
        "created_at": "2026-11-25T11:00:00Z",
        "updated_at": "2026-11-25T11:00:00Z",
        "customer": customer(),
        "lines": [line()],
    } | more
    return Record(key=f"cart/nord/{number}", email=KARI, permission=permission, fields=fields)


def promotion(number: str = "p1", **more: Any) -> Record:
    """Ten per cent off."""
    fields = {
        "shop": "nord",
        "id": number,
        "code": "WINTER",
        "type": "percentage",
        "amount": "10",
        "target": "total",
        "starts_at": "2026-11-01T00:00:00Z",
        "ends_at": None,
        "usage_count": 4,
        "enabled": True,
        "url": "https://nord.example/?coupon=WINTER",
    } | more
    key = f"promotion/nord/{number}"
    return Record(key=key, email=None, permission=None, fields=fields)


def new(after: Record, before: Record | None = None) -> Change:
    """The step to a record, from nothing or from what was held."""
    return Change(key=after.key, before=before, after=after)


def gone(before: Record, *, erased: bool = False) -> Change:
    """The step to nothing."""
    return Change(key=before.key, before=before, after=None, erased=erased)


def push(sales: MailchimpSales, *changes: Change, now: datetime = NOW) -> Mapping[str, Outcome]:
    """Push changes; there is an outcome for each."""
    outcomes = sales.push(changes, now=now)
    assert sorted(change.key for change in changes) == sorted(outcomes)
    return outcomes


def push_one(
    sales: MailchimpSales, after: Record, before: Record | None = None, now: datetime = NOW
) -> Outcome:
    """Push one change; gives its outcome."""
    return push(sales, new(after, before), now=now)[after.key]


def drop_one(sales: MailchimpSales, before: Record, *, erased: bool = False) -> Outcome:
    """Push one removal; gives its outcome."""
    return push(sales, gone(before, erased=erased))[before.key]
