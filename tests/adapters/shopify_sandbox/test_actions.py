"""What the stand-in shop tells of each thing that is done in it, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.shopify.sandbox import Sandbox

Told = Callable[..., list[Any]]
Buy = Callable[..., Any]


def topics(arrivals: list[Any]) -> list[str]:
    return [arrival.topic for arrival in arrivals]


def test_a_first_purchase(told: Told, buy: Buy) -> None:
    """Somebody new buys: the customer, the order, that it is paid, and what is left in stock."""
    arrived = told(buy)
    assert topics(arrived) == [
        "customers/create",
        "orders/create",
        "orders/paid",
        "inventory_levels/update",
        "products/update",
    ]
    assert arrived[3].value["available"] == 7
    assert [v["inventory_quantity"] for v in arrived[4].value["variants"]] == [7, 0]


def test_a_ticked_box(told: Told, buy: Buy, shop: Sandbox) -> None:
    """The box: the order says so, and the customer's permission is told once, with its moment."""
    arrived = told(lambda: buy(accepts_marketing=True))
    order = next(a.value for a in arrived if a.topic == "orders/create")
    assert order["buyer_accepts_marketing"] is True
    consents = [a for a in arrived if a.topic == "customers_email_marketing_consent/update"]
    assert [a.value for a in consents] == [
        {
            "customer_id": order["customer"]["id"],
            "email_address": "kari@epost.example",
            "email_marketing_consent": {
                "state": "subscribed",
                "opt_in_level": "single_opt_in",
                "consent_updated_at": "2026-11-23T13:00:01+01:00",
            },
        }
    ]
    again = told(lambda: buy("KARI@epost.example", accepts_marketing=True))
    assert "customers_email_marketing_consent/update" not in topics(again)
    assert shop.totals().people == {"kari@epost.example"}


def test_customers_have_neither_tags_nor_permissions(told: Told, shop: Sandbox) -> None:
    """Webhooks of customers tell no tags and no permission, as since version 2025-01."""
    given = {"email": "a@b.example", "tags": ["vip"], "email_consent": "subscribed"}
    arrived = told(lambda: shop.customers.create(given))
    assert topics(arrived)[:2] == ["customers/create", "customers/update"]
    for arrival in arrived[:2]:
        assert not {"tags", "email_marketing_consent", "accepts_marketing"} & arrival.value.keys()


def test_tags_come_and_go(told: Told, shop: Sandbox) -> None:
    """Tags are told in GraphQL's words: who, which, and when."""
    number = shop.customers.create({"email": "a@b.example", "tags": ["old", "kept"]})["id"]
    arrived = told(lambda: shop.customers.change(number, {"tags": ["kept", "new"]}))
    assert topics(arrived) == ["customers/update", "customer.tags_added", "customer.tags_removed"]
    named = {"customerId": f"gid://shopify/Customer/{number}"}
    at = {"occurredAt": "2026-11-23T12:00:01.000Z"}
    assert arrived[1].value == {**named, "tags": ["new"], **at}
    assert arrived[2].value == {**named, "tags": ["old"], **at}


def test_withdrawal_and_sms(told: Told, shop: Sandbox) -> None:
    """A withdrawal is told with its moment; for SMS the customer's id is called ``id``."""
    given = {"email": "a@b.example", "phone": "+4790000000", "email_consent": "subscribed"}
    number = shop.customers.create(given)["id"]
    gone = told(lambda: shop.customers.withdraw(number))
    assert topics(gone) == ["customers/update", "customers_email_marketing_consent/update"]
    assert gone[1].value["email_marketing_consent"]["state"] == "unsubscribed"
    sms = told(lambda: shop.customers.sms_consent(number, "subscribed", dated=False))
    assert sms[1].topic == "customers_marketing_consent/update"
    assert sms[1].value == {
        "id": number,
        "phone": "+4790000000",
        "sms_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": None,
            "consent_collected_from": "other",
        },
    }
    assert shop.totals().withdrawn == {"a@b.example"}


def test_an_address_changes(told: Told, shop: Sandbox) -> None:
    """A customer's new address is told; an address that is taken is refused and nothing told."""
    number = shop.customers.create({"email": "old@b.example"})["id"]
    arrived = told(lambda: shop.customers.change(number, {"email": "new@b.example"}))
    assert [a.value["email"] for a in arrived] == ["new@b.example"]

    def take() -> None:
        with pytest.raises(ValueError, match="already been taken"):
            shop.customers.create({"email": "NEW@b.example"})

    assert told(take) == []


def test_an_order_goes_its_way(told: Told, buy: Buy, shop: Sandbox) -> None:
    """Paid later, fulfilled, and each time all that is told of one moment is one body."""
    order = buy(financial_status="pending")["id"]
    paid = told(lambda: shop.orders.pay(order))
    assert topics(paid) == ["orders/paid", "orders/updated"]
    assert {a.value["financial_status"] for a in paid} == {"paid"}
    sent = told(lambda: shop.orders.fulfil(order))
    assert topics(sent) == ["orders/fulfilled", "orders/updated"]
    assert sent[0].body == sent[1].body
    assert sent[0].value["updated_at"] == "2026-11-23T13:00:02+01:00"


def test_paid_at_the_door(told: Told, buy: Buy, shop: Sandbox) -> None:
    """What is to be paid on delivery is paid when it is fulfilled: three topics, one body."""
    order = buy(financial_status="pending")["id"]
    arrived = told(lambda: shop.orders.fulfil(order))
    assert topics(arrived) == ["orders/paid", "orders/fulfilled", "orders/updated"]
    assert len({a.body for a in arrived}) == 1


def test_called_off(told: Told, buy: Buy, shop: Sandbox) -> None:
    """Called off before it was paid, an order is void, and the goods go back on the shelf."""
    order = buy(financial_status="pending")["id"]
    arrived = told(lambda: shop.orders.cancel(order, reason="customer"))
    assert topics(arrived)[:2] == ["orders/cancelled", "orders/updated"]
    body = arrived[0].value
    assert (body["financial_status"], body["cancel_reason"]) == ("voided", "customer")
    assert body["cancelled_at"] == body["updated_at"]
    assert arrived[-1].value["variants"][0]["inventory_quantity"] == 9
    assert shop.totals().orders == {"cancelled": 1}
    assert shop.totals().purchases == {}


def test_deleted(told: Told, buy: Buy, shop: Sandbox) -> None:
    """An order, a product and a customer without orders go: told by their ids."""
    order = buy()["id"]
    product = shop.products.create({"title": "Bok", "price": "1"})["id"]
    customer = shop.customers.create({"email": "a@b.example"})["id"]
    assert [a.value for a in told(lambda: shop.orders.delete(order))] == [{"id": order}]
    assert [a.value for a in told(lambda: shop.products.delete(product))] == [{"id": product}]
    gone = told(lambda: shop.customers.delete(customer))
    name = f"gid://shopify/Customer/{customer}"
    assert [a.value for a in gone] == [
        {"id": customer, "tax_exemptions": [], "admin_graphql_api_id": name}
    ]


def test_who_has_orders_stays(told: Told, buy: Buy, shop: Sandbox) -> None:
    """A customer with orders cannot be deleted, and nothing is told."""
    customer = buy()["customer"]["id"]

    def delete() -> None:
        with pytest.raises(ValueError, match="associated orders"):
            shop.customers.delete(customer)

    assert told(delete) == []
    assert shop.customers.get(customer)["id"] == customer


def test_two_become_one(told: Told, buy: Buy, shop: Sandbox) -> None:
    """A merge: orders and tags together, and who was subscribed anywhere is subscribed."""
    kept = shop.customers.create({"email": "kept@b.example", "tags": ["a"]})["id"]
    gone = buy("gone@b.example", accepts_marketing=True)["customer"]["id"]
    arrived = told(lambda: shop.customers.merge(kept, gone))
    assert topics(arrived) == ["customers/merge", "customers/update"]
    assert arrived[0].value == {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
        "admin_graphql_api_job_id": None,
        "status": "completed",
        "errors": [],
    }
    assert shop.customers.get(kept)["email_consent"]["state"] == "subscribed"
    assert shop.totals().purchases == {"kept@b.example": 1}
    assert shop.totals().customers == 1


def test_an_account_is_opened(told: Told, buy: Buy, shop: Sandbox) -> None:
    """A guest is a customer too; when they open an account, they are enabled."""
    number = buy()["customer"]["id"]
    assert shop.customers.get(number)["rest"]["state"] == "disabled"
    arrived = told(lambda: shop.customers.enable(number))
    assert topics(arrived) == ["customers/update", "customers/enable"]
    assert {a.value["state"] for a in arrived} == {"enabled"}


def test_one_event_many_deliveries(told: Told, buy: Buy, shop: Sandbox) -> None:
    """All that is told of one action shares the event's id; each delivery has one of its own."""
    arrived = told(buy)
    assert len({a.headers["X-Shopify-Event-Id"] for a in arrived}) == 1
    assert len({a.headers["X-Shopify-Webhook-Id"] for a in arrived}) == len(arrived) == 5
    moments = [a.headers["X-Shopify-Triggered-At"] for a in arrived]
    assert moments == sorted(set(moments))
    assert all(moment.startswith("2026-11-23T12:00:01.") for moment in moments)
    later = told(lambda: shop.orders.fulfil(shop.books.rows("orders")[0]["id"]))
    assert later[0].headers["X-Shopify-Event-Id"] != arrived[0].headers["X-Shopify-Event-Id"]
