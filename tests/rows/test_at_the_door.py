"""What two deliveries have in common does not make them one: from each shop's door to a store."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from adapters.shopify.shop import ShopifyShop, door_of
from adapters.woocommerce.shop import WooCommerceShop
from connector.engine import Engine
from connector.house import House
from connector.model import Change, Outcome, Permission
from connector.store import schema
from connector.store.connect import Store
from connector.store.inbox import Inbox
from tests.one_destination import rules_of
from tests.test_engine import FakeDestination
from webhooks.app import Threshold, create_app
from webhooks.health import Health

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DOMAIN = "yarn.myshopify.com"
MAPPING = """
version: 1
consent:
  sources: [{shop: yarn, purpose: email, from: shopify}]
destinations:
  newsletter: {fields: {ORDERS: number_of_orders}}
"""
SECRETS = {"wool": b"the secret of the wool shop", "yarn": b"the secret of the yarn shop"}


@dataclass
class Place:
    """A receiver with the doors of both kinds of shop, and the store behind it."""

    store: Store
    app: Flask

    def post(self, shop: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post a signed body; gives the status."""
        seal = base64.b64encode(hmac.digest(SECRETS[shop], body, "sha256")).decode()
        name = {"wool": "X-WC-Webhook-Signature", "yarn": "X-Shopify-Hmac-Sha256"}[shop]
        reply = self.app.test_client().post(
            f"/webhooks/{shop}",
            data=body,
            headers={**headers, name: seal, "Content-Type": "application/json"},
        )
        return reply.status_code

    def rows(self) -> list[tuple[Any, ...]]:
        """What is written down: topic, body, status and reason, in the order of arrival."""
        table = schema.deliveries
        query = select(table.c.topic, table.c.body, table.c.status, table.c.reason)
        with self.store.read() as conn:
            return [tuple(row) for row in conn.execute(query.order_by(table.c.id))]


def healthy() -> Health:
    return Health(ok=True, store="writable", worker="alive")


@pytest.fixture
def place(store: Store) -> Place:
    """An open door to an empty store."""
    doors = {"wool": WooCommerceShop.door, "yarn": door_of(DOMAIN)}
    app = create_app(
        thresholds={
            name: Threshold(shop=name, door=door, secrets=(SECRETS[name],))
            for name, door in doors.items()
        },
        accept=Inbox(store).accept,
        health=healthy,
        metrics=bytes,
        clock=lambda: NOW,
    )
    return Place(store, app)


def wool(topic: str, delivery: str) -> dict[str, str]:
    return {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Delivery-ID": delivery}


def yarn(topic: str, *, webhook: str, event: str) -> dict[str, str]:
    return {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": webhook,
        "X-Shopify-Event-Id": event,
        "X-Shopify-Triggered-At": "2026-11-23T09:59:59Z",
    }


def test_row_57_one_delivery_id_and_two_bodies(place: Place) -> None:
    """WooCommerce digests the second into the id: both bodies are kept, a repetition is not."""
    first, second = b'{"id": 7, "status": "processing"}', b'{"id": 7, "status": "completed"}'
    for body in (first, second, first):
        assert 200 == place.post("wool", body, wool("order.updated", "same-second"))
    assert [first, second] == [body for _, body, *_ in place.rows()]


def test_row_58_one_event_and_two_topics(place: Place) -> None:
    """One act in a Shopify shop tells two topics of the same body: both are kept."""
    body = b'{"id": 7}'
    topics = ("orders/create", "orders/paid")
    for topic in (*topics, topics[0]):
        assert 200 == place.post("yarn", body, yarn(topic, webhook=topic[-4:], event="e-1"))
    assert list(topics) == [topic for topic, *_ in place.rows()]


def test_row_58_not_even_the_webhook_id_makes_two_topics_one(place: Place) -> None:
    """A header is not signed: the same id under two topics does not hide the second."""
    for topic in ("orders/create", "orders/paid"):
        assert 200 == place.post("yarn", b'{"id": 7}', yarn(topic, webhook="w-1", event="e-1"))
    assert ["orders/create", "orders/paid"] == [topic for topic, *_ in place.rows()]


def order(number: int, **fields: Any) -> bytes:
    """An order as Shopify tells it, with its buyer's address."""
    return json.dumps(
        {
            "id": number,
            "name": f"#{number}",
            "order_number": number,
            "email": "kari@shop.example",
            "contact_email": "kari@shop.example",
            "created_at": "2026-11-23T09:00:00Z",
            "updated_at": "2026-11-23T09:00:00Z",
            "processed_at": "2026-11-23T09:00:00Z",
            "currency": "NOK",
            "total_price": "100.00",
            "current_total_price": "100.00",
            "subtotal_price": "100.00",
            "total_tax": "0.00",
            "total_discounts": "0.00",
            "financial_status": "paid",
            "line_items": [],
            "refunds": [],
            "test": False,
            **fields,
        }
    ).encode()


def test_row_59_a_test_delivery_is_stored_and_not_synced(place: Place) -> None:
    """It is written down and ignored with its reason; the real one beside it is a record."""
    assert 200 == place.post(
        "yarn", order(1, test=True), yarn("orders/create", webhook="w-1", event="e-1")
    )
    work(place.store)
    assert [("ignored", "test order")] == [row[2:] for row in place.rows()]
    assert (0, 0, 0) == tuple(
        count(place.store, name) for name in ("orders", "records", "profiles")
    )
    assert 200 == place.post("yarn", order(2), yarn("orders/create", webhook="w-2", event="e-2"))
    work(place.store)
    assert "applied" == place.rows()[1][2]
    assert (1, 1, 1) == tuple(
        count(place.store, name) for name in ("orders", "records", "profiles")
    )


def account(number: int, state: str, when: str) -> bytes:
    """An account of the one address, with its permission, as Shopify told it before 2025."""
    return json.dumps(
        {
            "id": number,
            "email": "Kari@Shop.example",
            "first_name": "Kari",
            "last_name": "",
            "created_at": "2026-11-01T09:00:00Z",
            "updated_at": when,
            "tags": "",
            "email_marketing_consent": {
                "state": state,
                "opt_in_level": "confirmed_opt_in",
                "consent_updated_at": when,
            },
        }
    ).encode()


@pytest.mark.parametrize("later", [1, 2])
def test_row_63_two_accounts_with_one_address_are_one_person(place: Place, later: int) -> None:
    """One profile and one record; the later word about the address counts, at either account."""
    granted, withdrawn = "2026-11-20T09:00:00Z", "2026-11-22T09:00:00Z"
    for number in (1, 2):
        state, when = ("unsubscribed", withdrawn) if number == later else ("subscribed", granted)
        headers = yarn("customers/update", webhook=f"w-{number}", event=f"e-{number}")
        assert 200 == place.post("yarn", account(number, state, when), headers)
    taken = work(place.store)
    assert ["applied", "applied"] == [row[2] for row in place.rows()]
    assert (2, 1, 1) == tuple(
        count(place.store, name) for name in ("customers", "profiles", "records")
    )
    assert [("kari@shop.example", Permission.WITHDRAWN)] == [
        (change.key, change.after.permission) for change in taken if change.after
    ]


@dataclass
class Attentive(FakeDestination):
    """A destination that keeps what it was told."""

    told: list[Change] = field(default_factory=list)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        self.told += changes
        return super().push(changes, now=now)


def work(store: Store) -> list[Change]:
    """Let a worker do all there is to do; gives what the destination was told."""
    destination = Attentive()
    shop = ShopifyShop(
        "yarn", DOMAIN, access_token="shpat_x", currency="NOK", timezone="Europe/Oslo"
    )
    house = House(
        store=store,
        shops={"yarn": shop},
        destinations={"newsletter": destination},
        rules=rules_of(MAPPING, ["yarn"], shop="shopify", destination="files"),
        now=lambda: NOW,
        sends=True,
    )
    Engine(house).drain()
    shop.close()
    return destination.told


def count(store: Store, table: str) -> int:
    """How many rows a table has."""
    with store.read() as conn:
        found = conn.execute(select(func.count()).select_from(schema.metadata.tables[table]))
        return int(found.scalar_one())
