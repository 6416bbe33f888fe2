"""Single fields, as odd as they come."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.reading import read_gid, read_named
from adapters.shopify.shop import ShopifyShop, door_of
from connector.model import Understanding, Understood
from connector.shop_fields import read_id, read_whole

Build = Callable[..., dict[str, Any]]
Read = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123, "123"),
        ("123", "123"),
        (2**63 - 1, "9223372036854775807"),
        (2**63, None),
        ("9223372036854775808", None),
        ("9" * 30, None),
        ("0123", None),
        ("١٢٣", None),
        (123.0, None),
        (Decimal("123.0"), None),
        (True, None),
        (0, None),
        (-1, None),
        (None, None),
        ("", None),
    ],
)
def test_rows_34_and_35_ids(value: object, expected: str | None) -> None:
    """Rows 34 and 35: an id is a positive whole number that a column holds, or its digits."""
    assert expected == read_id(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gid://shopify/Customer/7", "7"),
        ("gid://shopify/CustomerX/7", None),
        ("gid://shopify/Customer/7?x=1", None),
        ("gid://other/Customer/7", None),
        (7, None),
    ],
)
def test_graphql_ids(value: object, expected: str | None) -> None:
    """GraphQL's ids name the kind of thing, and it must be the right one."""
    assert expected == read_gid(value, "Customer")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1.5"), 2),
        ("-1.5", -2),
        ("7", 7),
        ("1-2", None),
        ("1e3", None),
        ("--", None),
        (True, None),
        ("9" * 19, None),
    ],
)
def test_whole_numbers(value: object, expected: int | None) -> None:
    """Halves away from zero; what is no number is none."""
    assert expected == read_whole(value)


def test_own_fields_stay_json() -> None:
    """What a shop writes beside an order is kept as JSON can hold it, and no number is bent."""
    entries = [
        {"name": "list", "value": [Decimal("1.5"), {"deep": 2**70}]},
        {"name": "exact", "value": Decimal("0.1000000000000000000001")},
        {"name": "twice", "value": 1},
        {"name": "twice", "value": 2},
        {"name": None, "value": 1},
        {"value": 1},
        "no object",
    ]
    expected = {
        "list": [1.5, {"deep": str(2**70)}],
        "exact": "0.1000000000000000000001",
        "twice": 2,
    }
    assert expected == read_named(entries)


def test_no_date_at_all(understand: Read, customer: Build) -> None:
    """An account without dates is as new as its delivery, and that is told."""
    understanding = understand(
        "customers/update", customer(tags="", created_at=None, updated_at="yesterday")
    )
    assert isinstance(understanding, Understood)
    assert ("date_missing",) == understanding.flags


def test_door_of_a_shop(shop: ShopifyShop) -> None:
    """The shop's door names the shop's own domain."""
    assert door_of("yarn-and-more.myshopify.com") == shop.door
