"""The connector's own adapter reads this shop: each delivery, each answer, and to the last øre."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.shopify.sandbox import EVERYTHING, Sandbox
from adapters.shopify.sandbox_market import Market
from adapters.shopify.shop import ShopifyShop
from connector.identity import normal_email
from connector.model import (
    Claim,
    Customer,
    Delivery,
    Evidence,
    Kind,
    Order,
    Understood,
    Wish,
)

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
SOLD = {"paid", "partially_refunded", "refunded"}


class Reading:
    """A season in the shop, and all that the adapter made of it."""

    def __init__(self, shop: Sandbox, adapter: ShopifyShop, arrivals: list[Any]) -> None:
        self.shop = shop
        self.adapter = adapter
        self.facts: list[Any] = []
        self.wishes: dict[Wish, Delivery] = {}
        for number, arrival in enumerate(arrivals):
            delivery = Delivery(
                id=number,
                shop="yarn",
                topic=arrival.topic,
                received_at=END,
                body=arrival.body,
                headers=arrival.headers,
            )
            self.take(adapter.understand(delivery), delivery)

    def take(self, made: Any, delivery: Delivery) -> None:
        """Keep what was understood; anything else is a fault of the stand-in or the adapter."""
        assert isinstance(made, Understood), (delivery.topic, made)
        assert made.flags == (), (delivery.topic, made.flags)
        self.facts += made.facts
        self.wishes |= dict.fromkeys(made.wishes, delivery)

    def newest(self, kind: type) -> dict[str, Any]:
        """The newest fact of each thing of a kind."""
        found: dict[str, Any] = {}
        for fact in self.facts:
            if isinstance(fact, kind):
                known = found.setdefault(fact.id, fact)
                found[fact.id] = max(known, fact, key=lambda each: each.version)
        return found


@pytest.fixture
def reading(receiver: Any) -> Iterator[Reading]:
    """A season of 120 orders, told to the adapter, which may ask the shop."""
    with Sandbox(auto=False, clock=lambda: END, keep_alive=True, points=1e9) as shop:
        shop.register(receiver.url, EVERYTHING)
        Market(shop, seed=7, start=START).sell(120, (START, END))
        assert shop.drain(timeout=60)
        secrets = [shop.secret]
        adapter = ShopifyShop(
            "yarn", shop.domain, shop.base_url, client_id=shop.client_id, client_secrets=secrets
        )
        yield Reading(shop, adapter, receiver.arrivals)
        adapter.close()


def test_all_is_understood(reading: Reading) -> None:
    """Every delivery is understood, and adds up to what the shop itself believes of everybody."""
    orders = reading.newest(Order)
    gone = {wish.id for wish in reading.wishes if wish.kind is Kind.ORDER and wish.expected_gone}
    present = {str(row["id"]): row["email"] for row in reading.shop.books.rows("customers")}
    revenue: Counter[str] = Counter()
    purchases: Counter[str] = Counter()
    for order in orders.values():
        if order.status in SOLD and order.id not in gone:
            person = present[order.customer_id]
            revenue[person] += order.total - sum(refund.amount for refund in order.refunds)
            purchases[person] += 1
    truth = reading.shop.totals()
    assert dict(revenue) == dict(truth.revenue)
    assert dict(purchases) == dict(truth.purchases)
    statuses = Counter(order.status for order in orders.values() if order.id not in gone)
    assert dict(statuses) == dict(truth.orders)
    assert len(gone) > 0
    assert {normal_email(each.email) for each in reading.newest(Customer).values()} == truth.people


def test_all_that_is_asked_is_answered(reading: Reading) -> None:
    """What a delivery lacks, the shop tells when it is asked; what was deleted, it has no more."""
    asked = dict(reading.wishes)
    assert {wish.kind for wish in asked} >= {Kind.CUSTOMER, Kind.ORDER, Kind.PRODUCT}
    before = {kind: reading.newest(kind) for kind in (Order, Customer)}
    for wish, delivery in asked.items():
        reading.take(reading.adapter.look_up(wish, delivery), delivery)
    for kind, known in before.items():
        assert known.keys() == reading.newest(kind).keys()
    refunded = [order for order in reading.newest(Order).values() if order.refunds]
    assert len(refunded) > 5
    for order in refunded:
        told = before[Order][order.id]
        assert (order.total, order.tax, order.shipping, order.discount) == (
            *(told.total, told.tax, told.shipping, told.discount),
        )
        assert [r.amount for r in order.refunds] == [r.amount for r in told.refunds]
        assert order.lines == told.lines


def test_every_yes_and_no_is_read(reading: Reading) -> None:
    """Who ticked and who withdrew is evidence; nobody else is in it."""
    said = [fact for fact in reading.facts if isinstance(fact, Evidence)]
    moved = {row["email"] for row in reading.shop.books.rows("customers") if ".ny@" in row["email"]}
    former = moved
    for _ in range(3):  # the town's people add .ny to their address each time they change it
        former = former | {email.replace(".ny@", "@") for email in former}
    yes = {each.contact for each in said if each.claim in {Claim.GRANT, Claim.GRANT_STATE}}
    no = {each.contact for each in said if each.claim is Claim.WITHDRAW}
    truth = reading.shop.totals()
    assert no - former == truth.withdrawn - former
    assert yes - former == truth.opted_in - former
    assert len(no) > 0
