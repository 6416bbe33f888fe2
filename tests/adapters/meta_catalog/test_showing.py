"""What Meta shows of an item that it took whole is what we say it would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.meta_catalog.amounts import is_kept_exactly, read_amount
from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.meta_catalog.showing import as_shown, held
from connector.model import Record, Settled
from connector.store.flights import either
from tests.adapters.meta_catalog.items import NOW, item, sellable, step

ROW = {
    "retailer_id": "wool_1",
    "visibility": "published",
    "name": "Thing 1",
    "description": "Warm.",
    "url": "https://wool.example/1",
    "availability": "in stock",
    "currency": "NOK",
    "price": "NOK 199.00",
    "retailer_product_group_id": "wool_9",
    "brand": "Ull",
    "condition": "new",
}


@pytest.fixture(scope="module")
def shelf() -> Iterator[tuple[Sandbox, MetaCatalogDestination]]:
    """One catalog for all that is tried out, emptied by each."""
    with Sandbox() as meta:
        yield (
            meta,
            MetaCatalogDestination(
                "catalog",
                meta.catalog_id,
                meta.access_token,
                base_url=meta.url,
                sleep=lambda _: None,
            ),
        )


@settings(max_examples=60, deadline=None)
@given(every=st.tuples(*(sellable(number) for number in range(1, 6))))
def test_what_is_taken_is_shown(
    shelf: tuple[Sandbox, MetaCatalogDestination], every: tuple[Record, ...]
) -> None:
    """For any items: pushed, taken, and read back, all that can be compared is the same."""
    meta, catalog = shelf
    meta.catalog.items.clear()
    outcomes = catalog.push([step(None, each) for each in every], now=NOW)
    assert {Settled} == {type(outcome) for outcome in outcomes.values()}
    shown = catalog.show(None, now=NOW).held
    assert [f"wool_{number}" for number in range(1, 6)] == list(shown)
    for each in every:
        expected = catalog.as_shown(each)
        assert expected.fields == _of(shown[expected.key].record, expected)


@settings(max_examples=60, deadline=None)
@given(wanted=sellable(), really=sellable())
def test_what_is_held_instead_is_repaired(
    shelf: tuple[Sandbox, MetaCatalogDestination], wanted: Record, really: Record
) -> None:
    """Of any item, whatever Meta holds in its place: one change, and it is as it should be."""
    meta, catalog = shelf
    meta.catalog.items.clear()
    catalog.push([step(None, really)], now=NOW)
    expected = catalog.as_shown(wanted)
    there = catalog.show(None, now=NOW).held["wool_1"].record
    lost = {name for name, value in expected.fields.items() if there.fields.get(name) != value}
    known = {name: value for name, value in wanted.fields.items() if name not in lost}
    before = replace(wanted, fields=known if lost <= wanted.fields.keys() else {})
    outcomes = catalog.push([step(before, wanted)], now=NOW)
    assert isinstance(outcomes["wool/1"], Settled)
    found = catalog.show(None, now=NOW).held["wool_1"].record
    assert expected.fields == _of(found, expected)


def _of(record: Record, other: Record) -> dict[str, Any]:
    """Those fields that the other one has."""
    return {name: record.fields.get(name) for name in other.fields}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Thing 2"),
        ("description", "Cold."),
        ("url", "https://wool.example/2"),
        ("availability", "out of stock"),
        ("price", "NOK 199.01"),
        ("currency", "SEK"),
        ("sale_price", "NOK 100.00"),
        ("retailer_product_group_id", "wool_8"),
        ("brand", None),
        ("condition", "used"),
        ("custom_label_4", "old"),
        ("color", "Red"),
        ("visibility", "staging"),
    ],
)
def test_what_is_otherwise_is_seen(field: str, value: str | None) -> None:
    """Each field by itself; and without that change nothing differs."""
    assert as_shown(item()) == held(ROW).record
    assert as_shown(item()) != held({**ROW, field: value}).record


@pytest.mark.parametrize(
    "change",
    [
        {"name": "  Thing\u00a0 1 "},
        {"url": "https://wool.example/%31"},
        {"image_url": "https://scontent.example/v/1.jpg"},
        {"price": "199,00 kr"},
        {"sale_price": "NOK 199.00", "sale_price_end_date": "2038-01-01T00:00:00+0000"},
        {"sale_price": "NOK 99.00", "sale_price_end_date": "1970-01-02T00:00:00+0000"},
        {"sale_price": "NOK 99.00", "sale_price_end_date": "1969-12-31T16:00:00-0800"},
        {"brand": "Ull ", "color": "", "size": None},
    ],
)
def test_what_is_only_written_otherwise_is_the_same(change: dict[str, Any]) -> None:
    """Blanks, escapes, signs of money, Meta's own pictures, a sale that is none or is over."""
    assert as_shown(item()) == held({**ROW, **change}).record


def test_a_letter_of_two_parts_is_the_same_letter() -> None:
    """Meta may join what a shop wrote as a letter and an accent."""
    assert as_shown(item(title="Cafe\u0301")) == held({**ROW, "name": "Caf\u00e9"}).record


def test_a_description_is_compared_as_far_as_meta_keeps_it() -> None:
    """It may cut it at 5,000; a change before that is one."""
    long = item(description="x" * 9_000)
    assert as_shown(long) == held({**ROW, "description": "x" * 5_000}).record
    assert as_shown(long) != held({**ROW, "description": "y" + "x" * 8_999}).record


def test_a_sale_is_compared_by_its_amount() -> None:
    """Whenever it is; Meta shows it before its time and after."""
    expected = as_shown(item(sale_price=9_990, sale_to="2026-12-01T00:00:00Z"))
    told = {"sale_price": "NOK 99.90", "sale_price_end_date": "2026-12-01T00:00:00+0000"}
    assert {"amount": 19_900, "currency": "NOK", "sale": 9_990} == expected.fields["price"]
    assert expected == held({**ROW, **told}).record
    assert expected != held(ROW).record


def test_of_what_is_archived_only_that_is_compared() -> None:
    """Nobody is shown its words; that it is archived, and not to be bought, is what counts."""
    expected = as_shown(item(status="archived", title="Older"))
    row = {**ROW, "visibility": "staging", "availability": "out of stock"}
    assert {"id": "wool_1", "status": "archived", "stock": "out of stock"} == expected.fields
    assert expected == held(row).record
    assert expected != held({**row, "availability": "in stock"}).record
    assert expected != held({**row, "visibility": "published"}).record


@pytest.mark.parametrize(
    "fields", [{"currency": "KWD", "price": 1_230}, {"currency": "HUF", "price": 99_950}]
)
def test_an_amount_that_meta_does_not_keep_is_not_compared(fields: dict[str, Any]) -> None:
    """Three decimals, or hundredths of what it counts whole; all else is compared."""
    expected = as_shown(item(**fields))
    assert "price" not in expected.fields
    assert "Thing 1" == expected.fields["title"]


def test_what_was_never_answered_for_counts_as_it_was_sent_last() -> None:
    """A field that may be one thing or another."""
    old, new = item(), item(title="Newer")
    assert as_shown(new) == as_shown(either(old, new) or old)


def test_nothing_is_said_of_what_meta_would_refuse() -> None:
    """But the name that it would have."""
    assert {"id": "wool_1"} == as_shown(item(price=0)).fields


def test_what_somebody_else_made_is_shown_too() -> None:
    """Without all that an item of ours has; it is told by its name."""
    found = held({"retailer_id": "theirs", "price": 7, "currency": None, "name": 12}).record
    assert ("theirs", "theirs", "12") == (found.key, found.fields["id"], found.fields["title"])
    assert "price" not in found.fields


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("$1,234.50", "USD", 123_450),
        ("1.234,50 €", "EUR", 123_450),
        ("NOK\u00a01\u202f234,5", "NOK", 123_450),
        ("kr.1.234,50", "DKK", 123_450),
        ("CHF 1\u2019234.50", "CHF", 123_450),
        ("₹12,34,567.00", "INR", 123_456_700),
        ("1,234 kr", "SEK", 123_400),
        ("1.234.567", "NOK", 123_456_700),
        ("0.99 USD", "USD", 99),
        ("¥1,234", "JPY", 1_234),
        ("1234.00 JPY", "JPY", 1_234),
        ("1234.50 JPY", "JPY", None),
        ("Ft12 990", "HUF", 1_299_000),
        ("\u0669\u0669\u066b\u0665\u0660", "SAR", 9_950),
        ("KD 1.250", "KWD", None),
        ("free", "USD", None),
        ("", "USD", None),
        (None, "USD", None),
        (1999, "USD", None),
    ],
)
def test_amounts_are_read_as_people_write_them(
    text: object, currency: str, expected: int | None
) -> None:
    """To the last cent, or not at all."""
    assert expected == read_amount(text, currency)


@given(st.integers(1, 10**12), st.sampled_from(["{:,.2f} kr", "${:,.2f}", "{:.2f}", "{:,.2f} kr."]))
def test_every_amount_is_read_back(minor: int, pattern: str) -> None:
    """Whatever stands between the thousands."""
    text = pattern.format(Decimal(minor).scaleb(-2)).replace("_", "\u00a0")
    assert minor == read_amount(text, "NOK")
    assert is_kept_exactly(minor, "NOK")
