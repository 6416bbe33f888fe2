"""Coupons: what they take off, and which are for everybody who has the code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.model import (
    Bearing,
    Deleted,
    Fact,
    Kind,
    Order,
    Promotion,
    Version,
    Worth,
)

One = Callable[[str, Any], Fact]
Why = Callable[[str, Any], str]


def coupon(**parts: Any) -> dict[str, Any]:
    """An eighth off the basket; keywords replace parts."""
    return {
        "id": 15,
        "code": "sommer &amp; sol",
        "amount": "12.50",
        "status": "publish",
        "date_created_gmt": "2026-11-23T03:10:37",
        "date_modified_gmt": "2026-11-23T04:10:37",
        "discount_type": "percent",
        "description": "Til alle",
        "date_expires_gmt": "2027-06-30T21:59:59",
        "usage_count": 3,
        "usage_limit": 100,
        "free_shipping": False,
        "email_restrictions": [],
        "used_by": ["7", "kari@x.example"],
    } | parts


@pytest.mark.parametrize("topic", ["coupon.created", "coupon.updated", "coupon.restored"])
def test_a_whole_coupon(fact: One, topic: str) -> None:
    """Everything a coupon tells but who used it, under all its topics."""
    told = fact(topic, coupon())
    assert isinstance(told, Promotion)
    assert (
        Promotion(
            shop="wool",
            id="15",
            version=Version(datetime(2026, 11, 23, 4, 10, 37, tzinfo=UTC), told.version.tie),
            code="sommer & sol",
            worth=Worth.PERCENTAGE,
            amount=1_250,
            bearing=Bearing.TOTAL,
            title="Til alle",
            starts_at=datetime(2026, 11, 23, 3, 10, 37, tzinfo=UTC),
            ends_at=datetime(2027, 6, 30, 21, 59, 59, tzinfo=UTC),
            usage_count=3,
        )
        == told
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"discount_type": "fixed_cart", "amount": "25.00"},
            (Worth.FIXED, 2_500, Bearing.TOTAL, "NOK", True),
        ),
        (
            {"discount_type": "fixed_product", "amount": "5"},
            (Worth.FIXED, 500, Bearing.PER_ITEM, "NOK", True),
        ),
        (
            {"amount": "0.00", "free_shipping": True},
            (Worth.PERCENTAGE, 10_000, Bearing.SHIPPING, None, True),
        ),
        ({"amount": "150"}, (Worth.PERCENTAGE, 10_000, Bearing.TOTAL, None, True)),
        ({"status": "private"}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, False)),
        ({"status": None}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, True)),
        ({"usage_limit": 3}, (Worth.PERCENTAGE, 1_250, Bearing.TOTAL, None, False)),
    ],
)
def test_every_sort(fact: One, parts: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """How much it takes off what, and whether it can be used."""
    told = fact("coupon.updated", coupon(**parts))
    assert isinstance(told, Promotion)
    assert expected == (told.worth, told.amount, told.bearing, told.currency, told.enabled)


@pytest.mark.parametrize(
    "parts",
    [
        {"email_restrictions": ["kari@x.example"]},
        {"status": "trash"},
        {"status": "draft"},
        {"status": "future"},
        {"amount": "0.00"},
        {"discount_type": "sign_up_fee"},
        {"code": ""},
    ],
)
def test_what_is_not_for_everybody_is_no_promotion(fact: One, parts: dict[str, Any]) -> None:
    """For certain people, in the trash, not out yet, worth nothing, or of a sort nobody knows."""
    told = fact("coupon.updated", coupon(**parts))
    assert isinstance(told, Deleted)
    assert (Kind.PROMOTION, "15") == (told.kind, told.id)
    assert "kari" not in repr(told)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [({"id": None}, "id"), ({"amount": "much"}, "money"), ({"code": ["x"]}, "")],
)
def test_what_a_coupon_needs(fact: One, reason: Why, parts: dict[str, Any], expected: str) -> None:
    """An id and a readable amount; a code that is none makes it no promotion."""
    if expected:
        assert expected == reason("coupon.updated", coupon(**parts))
    else:
        assert isinstance(fact("coupon.updated", coupon(**parts)), Deleted)


def test_what_else_sales_want_to_know_of_an_order(
    fact: One, order: Callable[..., dict[str, Any]]
) -> None:
    """Whether it was sent, what was taken off each line, and by which page the buyer came."""
    entry = {
        "key": "_wc_order_attribution_session_entry",
        "value": "https://wool.example/?mc_cid=1",
    }
    line = {
        "id": 1,
        "name": "Socks",
        "product_id": 5,
        "quantity": 2,
        "subtotal": "20",
        "total": "15",
    }
    told = fact("order.updated", order(status="completed", line_items=[line], meta_data=[entry]))
    assert isinstance(told, Order)
    assert (True, "https://wool.example/?mc_cid=1", [(1_500, 500)]) == (
        told.fulfilled,
        told.landing_url,
        [(each.total, each.discount) for each in told.lines],
    )
    told = fact("order.updated", order(status="processing", meta_data=[]))
    assert isinstance(told, Order)
    assert (False, None) == (told.fulfilled, told.landing_url)
