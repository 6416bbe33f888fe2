"""What an order says: sums in the shop's own currency, who bought, and the box they ticked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.model import (
    Claim,
    Evidence,
    Ignored,
    Kind,
    Line,
    Order,
    Purpose,
    Refund,
    Understanding,
    Understood,
    Wish,
)

Build = Callable[..., dict[str, Any]]
Facts = Callable[..., tuple[Any, ...]]
Read = Callable[..., Understanding]
Why = Callable[..., str]

TOPICS = [
    f"orders/{event}"
    for event in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")
]


@pytest.mark.parametrize("topic", TOPICS)
def test_whole_order(facts: Facts, order: Build, topic: str) -> None:
    """Everything an order tells, the same under all its topics; what the buyer saw is left out."""
    (fact,) = facts(topic, order())
    assert 0 < fact.version.tie < 2**62
    expected = Order(
        shop="yarn",
        id="820982911946154508",
        version=fact.version,
        number="#1001",
        status="paid",
        currency="NOK",
        total=24950,
        placed_at=datetime(2026, 11, 23, 9, 59, 58, tzinfo=UTC),
        tax=4990,
        shipping=4900,
        discount=1000,
        customer_id="706405506930370084",
        email="eva.dahl@example.org",
        phone="+4722000000",
        first_name="Eva",
        last_name="<b>Dahl</b> & Sønn",
        company="Garn",
        countries=("NO", "SE"),
        lines=(
            Line(
                id="487817672276298554",
                product_id="788032119674292922",
                variant_id="642667041472713922",
                sku="SO-42",
                name="Sokker - 42",
                quantity=2,
                total=2 * 9975 - 1000 - 3790,
                discount=1000,
            ),
        ),
        meta={"gift": "yes"},
    )
    assert expected == fact
    assert datetime(2026, 11, 23, 10, 5, tzinfo=UTC) == fact.version.at


def test_tax_on_top(facts: Facts, order: Build) -> None:
    """Where prices are without tax, none is taken off a line."""
    (fact,) = facts("orders/create", order(taxes_included=False))
    assert [2 * 9975 - 1000] == [line.total for line in fact.lines]


def test_plain_amounts(facts: Facts, order: Build) -> None:
    """Old orders have no bags: the plain fields are in the shop's currency."""
    body = {key: value for key, value in order().items() if not key.endswith("_set")}
    body["shipping_lines"] = [{"price": "40.00"}, {"price": "9.00"}]
    (fact,) = facts("orders/create", body)
    assert (24950, 4990, 4900, 1000) == (fact.total, fact.tax, fact.shipping, fact.discount)


def test_test_orders(understand: Read, order: Build) -> None:
    """An order made to try the shop out is none, whatever else it says."""
    assert Ignored(reason="test order") == understand("orders/create", order(test=True))


def test_cancelled(facts: Facts, order: Build) -> None:
    """A cancelled order says so, however it was paid."""
    (fact,) = facts("orders/cancelled", order(cancelled_at="2026-11-23T12:00:00+01:00"))
    assert "cancelled" == fact.status


def test_refunds(facts: Facts, order: Build) -> None:
    """What went back is what the transactions moved; a failed one moved nothing."""
    moved = [
        {"kind": "refund", "status": "success", "amount": "20.50", "currency": "NOK"},
        {"kind": "refund", "status": "failure", "amount": "99.00", "currency": "NOK"},
        {"kind": "void", "status": "success", "amount": "5.00", "currency": "NOK"},
    ]
    told = {
        "id": 890088186047892319,
        "note": "too small",
        "created_at": "2026-11-23T12:30:00+01:00",
        "transactions": moved,
    }
    (fact,) = facts("orders/updated", order(refunds=[told, told | {"id": 2, "transactions": []}]))
    at = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    assert (
        Refund(id="890088186047892319", amount=2050, reason="too small", created_at=at),
        Refund(id="2", amount=0, reason="too small", created_at=at),
    ) == fact.refunds


def test_refund_in_euros_is_asked_for(understand: Read, order: Build) -> None:
    """A refund that is told in the buyer's currency is never added up: the order is asked for."""
    moved = [{"kind": "refund", "status": "success", "amount": "2.00", "currency": "EUR"}]
    body = order(refunds=[{"id": 1, "transactions": moved}])
    expected = Understood(wishes=(Wish(kind=Kind.ORDER, id="820982911946154508"),))
    assert expected == understand("orders/updated", body)


@pytest.mark.parametrize("left_out", ["financial_status", "created_at"])
def test_trimmed_orders_are_asked_for(understand: Read, order: Build, left_out: str) -> None:
    """A subscription may leave parts out: what is needed is then asked for."""
    body = order()
    del body[left_out]
    expected = Understood(wishes=(Wish(kind=Kind.ORDER, id="820982911946154508"),))
    assert expected == understand("orders/updated", body)


def test_ticked_box(facts: Facts, order: Build) -> None:
    """The box at the checkout is the buyer's own act, at the moment the order was made."""
    fact, tick = facts("orders/create", order(buyer_accepts_marketing=True))
    assert isinstance(fact, Order)
    assert (
        Evidence(
            contact="eva.dahl@example.org",
            purpose=Purpose.EMAIL,
            claim=Claim.GRANT,
            source="yarn",
            received_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
            at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
            method="checkout_tick",
            reference="order:820982911946154508",
            country="NO",
        )
        == tick
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"buyer_accepts_marketing": False},
        {"buyer_accepts_marketing": None},
        {"buyer_accepts_marketing": "true"},
        {"source_name": "shopify_draft_order"},
        {"email": None, "contact_email": None},
        {"email": "nobody", "contact_email": None},
        {"customer": {"id": 1, "email_marketing_consent": {"state": "unsubscribed"}}},
        {"customer": {"id": 1, "email_marketing_consent": {"state": "REDACTED"}}},
    ],
)
def test_no_permission(facts: Facts, order: Build, parts: dict[str, Any]) -> None:
    """Row 65 and others: staff's ticks, no address, and an account that says no give nothing."""
    stated = facts("orders/create", order(**({"buyer_accepts_marketing": True} | parts)))
    assert [Order] == [type(fact) for fact in stated]


def test_tick_in_the_future(facts: Facts, order: Build) -> None:
    """Row 48: a date that cannot be is no date of a permission, nor a version that always wins."""
    future = "2999-01-01T00:00:00Z"
    fact, tick = facts(
        "orders/create", order(buyer_accepts_marketing=True, created_at=future, updated_at=future)
    )
    assert (Claim.GRANT_UNDATED, None) == (tick.claim, tick.at)
    assert datetime(2026, 11, 23, 12, 0, tzinfo=UTC) == fact.version.at


def test_guest_without_anything(facts: Facts, order: Build) -> None:
    """An order with neither account, address nor e-mail still counts."""
    (fact,) = facts(
        "orders/create",
        order(customer=None, billing_address=None, shipping_address=None, email="",
              contact_email=None),
    )  # fmt: skip
    assert (None, None, None, (), "") == (
        fact.customer_id,
        fact.email,
        fact.phone,
        fact.countries,
        fact.first_name,
    )


def test_names_from_the_account(facts: Facts, order: Build) -> None:
    """Without an address, the account's own names stand."""
    (fact,) = facts("orders/create", order(billing_address=None, shipping_address=None))
    assert ("E", "D") == (fact.first_name, fact.last_name)


def test_custom_lines(facts: Facts, order: Build) -> None:
    """A line typed in by hand has no product; two lines of one id both count."""
    line = {"id": 7, "title": "Wrapping", "price": "10.00", "quantity": 1, "product_id": None}
    (fact,) = facts("orders/create", order(line_items=[line, line, line | {"quantity": 1.5}]))
    assert ["7", "#1", "#2"] == [each.id for each in fact.lines]
    assert [None] * 3 == [each.product_id for each in fact.lines]
    assert [1000, 1000, 2000] == [each.total for each in fact.lines]


def test_newest_statement_wins_by_its_own_time(facts: Facts, order: Build) -> None:
    """Row 50: the shop's own time orders two states of one order, not their arrival."""
    (older,) = facts("orders/paid", order())
    (newer,) = facts("orders/create", order(updated_at="2026-11-23T11:05:01+01:00"))
    assert older.version < newer.version
    assert timedelta(seconds=1) == newer.version.at - older.version.at


def test_refund_asks_for_its_order(understand: Read, refund: Build) -> None:
    """A refund carries no order; its id is exact beyond 2**53."""
    expected = Understood(wishes=(Wish(kind=Kind.ORDER, id="820982911946154508"),))
    assert expected == understand("refunds/create", refund())


def test_edit_asks_for_its_order(understand: Read) -> None:
    """An edit tells what was added and removed, not the order: that is asked for."""
    edit = {"id": 1, "order_id": 820982911946154508, "line_items": {"additions": []}}
    expected = Understood(wishes=(Wish(kind=Kind.ORDER, id="820982911946154508"),))
    assert expected == understand("orders/edited", {"order_edit": edit})


@pytest.mark.parametrize("edit", [None, [], {}, {"order_id": "gid://shopify/Order/1"}])
def test_edit_of_no_order(reason: Why, edit: Any) -> None:
    """An edit that names no order is kept for a person."""
    assert "id" == reason("orders/edited", {"order_edit": edit})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"currency": "kr"}, "currency"),
        ({"currency": None}, "currency"),
        ({"currency": "EUR"}, "currency"),
        ({"total_tax_set": {"shop_money": {"amount": "1", "currency_code": "EUR"}}}, "currency"),
        ({"total_price": None, "total_price_set": None}, "money"),
        ({"total_price": "19,99", "total_price_set": None}, "money"),
        ({"total_price": "1e3", "total_price_set": None}, "money"),
        ({"total_price": "9" * 400, "total_price_set": None}, "money"),
        ({"created_at": "soon", "processed_at": None}, "date"),
        ({"id": None}, "id"),
        ({"id": 0}, "id"),
        ({"id": -5}, "id"),
        ({"id": True}, "id"),
        ({"id": 2**63}, "id"),
        ({"id": 820982911946154500}, "id"),
        ({"admin_graphql_api_id": "gid://shopify/Customer/820982911946154508"}, "id"),
        ({"refunds": [{"id": "x", "transactions": []}]}, "id"),
        ({"line_items": {"0": {}}}, "shape"),
        ({"billing_address": []}, "shape"),
    ],
)
def test_orders_that_cannot_be_counted(
    reason: Why, order: Build, parts: dict[str, Any], expected: str
) -> None:
    """Rows 33, 34, 39 and 40: sums are never mixed or guessed, and an id is right or refused."""
    assert expected == reason("orders/create", order(**parts))


def test_row_34_and_35_ids(facts: Facts, order: Build) -> None:
    """Rows 34 and 35: an id in a string is an id, and one beyond 2**53 stays exact."""
    (fact,) = facts("orders/create", order(id="820982911946154508"))
    assert "820982911946154508" == fact.id
    assert 2**53 < int(fact.id)


def test_lower_case_currency(facts: Facts, order: Build) -> None:
    """Row 40: letter case is no matter."""
    (fact,) = facts("orders/create", order(currency="nok"))
    assert "NOK" == fact.currency


def test_row_61_odd_sums(facts: Facts, order: Build) -> None:
    """Row 61: nothing charged, more given back than paid, less than nothing bought: all count."""
    moved = [{"kind": "refund", "status": "success", "amount": "999.00", "currency": "NOK"}]
    line = {"id": 1, "title": "x", "price": "1.00", "quantity": -2}
    (fact,) = facts(
        "orders/updated",
        order(
            total_price_set=None,
            total_price="0.00",
            line_items=[line],
            refunds=[{"id": 1, "transactions": moved}],
        ),
    )
    assert (0, [99900], [(-2, -200)]) == (
        fact.total,
        [refund.amount for refund in fact.refunds],
        [(each.quantity, each.total) for each in fact.lines],
    )


def test_row_60_ten_thousand_lines(facts: Facts, order: Build) -> None:
    """Row 60: an order of 10,000 lines is read whole."""
    (line,) = order()["line_items"]
    lines = [line | {"id": number} for number in range(1, 10_001)]
    (fact,) = facts("orders/create", order(line_items=lines))
    assert 10_000 == len(fact.lines)
