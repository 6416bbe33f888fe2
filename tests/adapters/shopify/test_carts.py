"""Checkouts that somebody began: whose they are, what is in them, and when they are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.model import Cart, Deleted, Ignored, Kind, Line, Order, Understanding, Version

Facts = Callable[..., tuple[Any, ...]]
Read = Callable[..., Understanding]
Why = Callable[..., str]

TOKEN = "84ad78572dae52a8cbea7d55371afe89"
CART = "Z2NwLXVzLWVhc3QxOjAx"


def checkout(**parts: Any) -> dict[str, Any]:
    """A checkout of Eva's, with three pairs of socks in it; keywords replace parts."""
    return {
        "token": TOKEN,
        "cart_token": CART,
        "email": "Eva.Dahl@Example.org",
        "created_at": "2026-11-23T10:00:00+01:00",
        "updated_at": "2026-11-23T10:30:00+01:00",
        "completed_at": None,
        "currency": "NOK",
        "subtotal_price": "289.25",
        "total_price": "338.25",
        "abandoned_checkout_url": "https://yarn.example/1/checkouts/ac/x/recover?key=k",
        "customer": {"id": 706405506930370084, "first_name": "Eva", "last_name": "D"},
        "billing_address": [],
        "shipping_address": {"first_name": "Eva", "last_name": "Dahl", "company": "Garn"},
        "line_items": [
            {
                "key": "642667041472713922",
                "product_id": 788032119674292922,
                "variant_id": 642667041472713922,
                "sku": "SO-42",
                "title": "Sokker",
                "quantity": 3,
                "price": "99.75",
                "line_price": "299.25",
                "applied_discounts": [{"amount": "10.00"}],
            }
        ],
    } | parts


@pytest.mark.parametrize("topic", ["checkouts/create", "checkouts/update"])
def test_a_whole_cart(facts: Facts, topic: str) -> None:
    """Everything a checkout tells, under both its topics."""
    (fact,) = facts(topic, checkout())
    expected = Cart(
        shop="yarn",
        id=TOKEN,
        version=Version(datetime(2026, 11, 23, 9, 30, tzinfo=UTC), fact.version.tie),
        currency="NOK",
        total=33_825,
        created_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        url="https://yarn.example/1/checkouts/ac/x/recover?key=k",
        customer_id="706405506930370084",
        email="eva.dahl@example.org",
        first_name="Eva",
        last_name="Dahl",
        company="Garn",
        other_name=CART,
        lines=(
            Line(
                id="1",
                product_id="788032119674292922",
                variant_id="642667041472713922",
                sku="SO-42",
                name="Sokker",
                quantity=3,
                total=28_925,
                discount=1_000,
            ),
        ),
    )
    assert expected == fact


@pytest.mark.parametrize(
    "parts",
    [
        {"completed_at": "2026-11-23T10:31:00+01:00"},
        {"email": None, "customer": None},
        {"email": "not an address", "customer": {"id": None}},
    ],
)
def test_one_that_is_ordered_or_nobodys_is_gone(facts: Facts, parts: dict[str, Any]) -> None:
    """It is no cart, whatever it was before; nothing of it is kept."""
    (fact,) = facts("checkouts/update", checkout(**parts))
    assert (
        Deleted(
            shop="yarn",
            kind=Kind.CART,
            id=TOKEN,
            version=Version(datetime(2026, 11, 23, 9, 30, tzinfo=UTC), fact.version.tie),
        )
        == fact
    )


def test_a_deleted_checkout_is_gone_since_it_was_told(facts: Facts) -> None:
    """Its body says nothing but which one."""
    (fact,) = facts("checkouts/delete", {"token": TOKEN, "presentment_currency": "NOK"})
    assert (Kind.CART, TOKEN, datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) == (
        fact.kind,
        fact.id,
        fact.version.at,
    )


def test_a_deletion_by_the_old_id_names_none_of_ours(understand: Read) -> None:
    """Before 2026-04 the body had a number by which nothing else knew the checkout."""
    body = {"id": 981820079255243537, "presentment_currency": "NOK"}
    assert Ignored(reason="the deleted checkout is not named by its token") == understand(
        "checkouts/delete", body
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"token": None}, "id"),
        ({"token": "../../etc"}, "id"),
        ({"currency": "kroner"}, "currency"),
        ({"total_price": "19,99"}, "money"),
    ],
)
def test_what_a_cart_needs(reason: Why, parts: dict[str, Any], expected: str) -> None:
    """Without a token, a currency or a readable sum it waits for a person."""
    assert expected == reason("checkouts/update", checkout(**parts))


def test_an_order_is_no_checkout(reason: Why, order: Callable[..., dict[str, Any]]) -> None:
    """An order has every key of a checkout, and is told from one by what only it has."""
    body = order() | {"token": TOKEN, "subtotal_price": "1.00"}
    assert "topic_mismatch" == reason("checkouts/update", body)


def test_a_checkout_deletes_nothing(reason: Why) -> None:
    """The topic is not signed: a checkout that comes as its own deletion is none."""
    body = checkout(presentment_currency="NOK")
    assert "topic_mismatch" == reason("checkouts/delete", body)


def test_an_order_says_of_which_cart_it_came(
    facts: Facts, order: Callable[..., dict[str, Any]]
) -> None:
    """By the checkout's token and by the cart's; what is no token is none."""
    (fact, *_) = facts("orders/create", order(checkout_token=TOKEN, cart_token=CART))
    assert isinstance(fact, Order)
    assert (TOKEN, CART) == fact.carts
    (fact, *_) = facts("orders/create", order(checkout_token=None, cart_token="?"))
    assert () == fact.carts


def test_what_else_sales_want_to_know_of_an_order(
    facts: Facts, order: Callable[..., dict[str, Any]]
) -> None:
    """Whether it was sent, when it was cancelled, and by which page the buyer came."""
    (fact, *_) = facts(
        "orders/updated",
        order(
            fulfillment_status="fulfilled",
            cancelled_at="2026-11-23T12:00:00+01:00",
            landing_site="/socks?mc_cid=abc",
        ),
    )
    assert (
        True,
        datetime(2026, 11, 23, 11, 0, tzinfo=UTC),
        "https://yarn-and-more.myshopify.com/socks?mc_cid=abc",
        [1_000],
    ) == (
        fact.fulfilled,
        fact.cancelled_at,
        fact.landing_url,
        [line.discount for line in fact.lines],
    )
    (fact, *_) = facts("orders/updated", order(fulfillment_status="partial", landing_site=None))
    assert (False, None, None) == (fact.fulfilled, fact.cancelled_at, fact.landing_url)


@pytest.mark.corpus
def test_a_real_checkout(corpus: Path, facts: Facts) -> None:
    """One of a development shop of 2024: whose, how much, and the way back."""
    path = corpus / "fixtures/shopify/rudder-checkouts-update-test-check1.json"
    told = json.loads(path.read_bytes())
    (fact,) = facts("checkouts/update", path.read_bytes())
    assert ("testuser101@gmail.com", "USD", 73_685, told["abandoned_checkout_url"]) == (
        fact.email,
        fact.currency,
        fact.total,
        fact.url,
    )
    assert [("7234590638193", 1, 72_995)] == [
        (line.product_id, line.quantity, line.total) for line in fact.lines
    ]
