"""Asking about an item: true, false or unknown, and what is wrong with a question."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.item_query import holds, parse_item_query
from mappings.segments.faults import QueryFault
from tests.mappings.things import thing


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("status = 'active'", True),
        ("status != 'active'", False),
        ("NOT status = 'draft'", True),
        ("vendor = 'Ull'", True),
        ("vendor = 'ull'", False),
        ("price > 898.99", True),
        ("price >= 899", True),
        ("price < 899", False),
        ("price BETWEEN 100 AND 899.00", True),
        ("price = 899.001", False),
        ("stock_quantity <= 3", True),
        ("stock_status = 'in_stock'", True),
        ("tags CONTAINS 'WINTER'", True),
        ("tags NOT CONTAINS 'winter'", False),
        ("categories CONTAINS 'Kjoler'", False),
        ("categories NOT CONTAINS 'Kjoler' AND sku IS NOT NULL", True),
        ("title = 'Genser' OR price < 0", True),
        ("(type = 'simple' OR shop = 'wool') AND variant_id = '11'", True),
    ],
)
def test_what_is_known(*, when: str, expected: bool) -> None:
    """Texts exactly, list entries without regard to capitals, prices to the last digit."""
    assert expected is holds(parse_item_query(when), thing())


@pytest.mark.parametrize(
    ("when", "item", "expected"),
    [
        ("price > 1", {"price": None}, None),
        ("price != 1", {"price": None}, None),
        ("NOT price = 1", {"price": None}, None),
        ("price IS NULL", {"price": None}, True),
        ("price > 1", {"currency": None}, None),
        ("price > 1 OR sku = 'G-M'", {"price": None}, True),
        ("price > 1 OR sku = 'X'", {"price": None}, None),
        ("price > 1 AND sku = 'X'", {"price": None}, False),
        ("sku = ''", {"sku": ""}, None),
        ("stock_status = 'in_stock'", {"stock_status": None, "stock_quantity": None}, None),
        ("stock_status = 'out_of_stock'", {"stock_status": None, "stock_quantity": 0}, True),
        ("stock_status = 'on_backorder'", {"stock_status": "onbackorder"}, True),
    ],
)
def test_unknown_stays_unknown(*, when: str, item: dict[str, Any], expected: bool | None) -> None:
    """Neither true nor false, whatever NOT makes of it, as for people."""
    assert expected is holds(parse_item_query(when), thing(**item))


@pytest.mark.parametrize(
    ("when", "expected"),
    [("tags IS NULL", True), ("tags NOT CONTAINS 'x'", True), ("tags CONTAINS 'x'", False)],
)
def test_an_empty_list_is_no_unknown(*, when: str, expected: bool) -> None:
    """It contains nothing."""
    assert expected is holds(parse_item_query(when), thing({"tags": ()}))


@pytest.mark.parametrize(
    ("product", "variant", "expected"),
    [
        ("publish", "publish", "active"),
        ("ACTIVE", "", "active"),
        ("draft", "publish", "draft"),
        ("publish", "private", "draft"),
        ("UNLISTED", "", "draft"),
        ("ARCHIVED", "", "archived"),
        ("trash", "publish", "archived"),
        ("something", "publish", None),
    ],
)
def test_status_is_the_lesser_of_product_and_variant(
    product: str, variant: str, expected: str | None
) -> None:
    """In the shops' own spellings; a word that is not known is not known."""
    item = thing({"status": product}, status=variant)
    for word in ("active", "draft", "archived"):
        answer = holds(parse_item_query(f"status = '{word}'"), item)
        assert (None if expected is None else word == expected) is answer


@pytest.mark.parametrize(
    ("when", "message", "suggestion"),
    [
        ("stauts = 'active'", "'stauts' is nothing that an item has", "status"),
        ("amount_spent > 5", "'amount_spent' is nothing that an item has", None),
        ("status = 'actve'", "status has no value 'actve'", "'active'"),
        ("price = 'x'", "price takes a number", None),
        ("tags = 'x'", "tags does not support operator '='", "CONTAINS"),
        ("in_segment('vips')", "this asks about people", None),
        ("orders_placed MATCHES (count > 1)", "this asks about people", None),
        ("status =", "the query ends too early", None),
    ],
)
def test_wrong_questions_are_told(when: str, message: str, suggestion: str | None) -> None:
    """With the nearest right word where there is one."""
    with pytest.raises(QueryFault) as caught:
        parse_item_query(when)
    assert message in caught.value.message
    assert suggestion == caught.value.suggestion
