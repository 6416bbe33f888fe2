"""An item in Meta's words: availability, prices, variants, and what it has no longer."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.meta_catalog.variants import variant_fields
from adapters.meta_catalog.words import Plan, body, judge, plan
from connector.model import Change, Parked, Settled
from connector.store.flights import either
from tests.adapters.meta_catalog.items import item, step

OVER = "1970-01-01T00:00:00Z/1970-01-02T00:00:00Z"


def data(change: Change, item_id: str = "wool_1") -> dict[str, Any]:
    planned = plan(change)
    assert isinstance(planned, Plan)
    request = planned.requests[item_id]
    assert "UPDATE" == request["method"]
    return dict(request["data"])


@pytest.mark.parametrize(
    ("stock", "status", "expected"),
    [
        ("in_stock", "active", "in stock"),
        ("out_of_stock", "active", "out of stock"),
        ("on_backorder", "active", "available for order"),
        (None, "active", "in stock"),
        ("in_stock", "archived", "out of stock"),
    ],
)
def test_availability_is_of_stock_and_status(stock: str | None, status: str, expected: str) -> None:
    """Archived is out of stock, whatever lies on the shelf."""
    found = body(item(stock=stock, status=status).fields) or {}
    assert (expected, status) == (found["availability"], found["status"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"sale_price": 19_900}, {}),
        ({"sale_price": 25_000}, {}),
        ({"sale_price": 0}, {}),
        (
            {"sale_price": 9_990},
            {
                "sale_price": "99.90 NOK",
                "sale_price_effective_date": "1970-01-01T00:00:00Z/2038-01-01T00:00:00Z",
            },
        ),
        (
            {"sale_price": 9_990, "sale_from": "2026-11-27T00:00:00Z"},
            {
                "sale_price": "99.90 NOK",
                "sale_price_effective_date": "2026-11-27T00:00:00Z/2038-01-01T00:00:00Z",
            },
        ),
        (
            {
                "sale_price": 9_990,
                "sale_from": "2026-11-27T00:00:00Z",
                "sale_to": "2026-12-01T00:00:00Z",
            },
            {
                "sale_price": "99.90 NOK",
                "sale_price_effective_date": "2026-11-27T00:00:00Z/2026-12-01T00:00:00Z",
            },
        ),
    ],
)
def test_a_sale_is_told_with_its_time_when_it_is_lower(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """And not at all otherwise."""
    found = body(item(**fields).fields) or {}
    assert expected == {name: found[name] for name in found if name.startswith("sale_price")}


def test_a_sale_that_is_over_is_ended() -> None:
    """Meta keeps what is not named: the price is told twice, and a time that has passed."""
    found = data(step(item(sale_price=9_990), item()))
    assert ("199.00 NOK", OVER) == (found["sale_price"], found["sale_price_effective_date"])
    assert "sale_price" not in data(step(item(), item(price=5_000)))


def test_what_an_item_has_no_longer_is_emptied() -> None:
    """Texts by an empty text; what cannot be taken away is told."""
    before = item(
        options={"Farge": "Rød", "Lukt": "Ull"},
        mapped={"brand": "Ull", "custom_label_0": "new", "gtin": "7038010001234"},
    )
    planned = plan(step(before, item(mapped={"brand": "Ull"})))
    assert isinstance(planned, Plan)
    found = planned.requests["wool_1"]["data"]
    assert {"color": "", "additional_variant_attribute": "", "custom_label_0": ""} == {
        name: value for name, value in found.items() if value == ""
    }
    assert "not set: gtin" == planned.note


def test_one_of_brand_mpn_and_gtin_is_always_there() -> None:
    """The SKU, or the id, where nothing is mapped."""
    assert ("S-1", "wool_1") == tuple(
        (body(item(mapped=None, sku=sku).fields) or {})["mpn"] for sku in ("S-1", None)
    )
    assert "mpn" not in (body(item(sku="S-1").fields) or {})


def test_an_item_under_a_new_id_leaves_the_old_one() -> None:
    """One is deleted, the other made; and it is one change with one outcome."""
    planned = plan(step(item(id="old"), item()))
    assert isinstance(planned, Plan)
    assert {"old": "DELETE", "wool_1": "UPDATE"} == {
        item_id: request["method"] for item_id, request in planned.requests.items()
    }
    assert isinstance(judge(planned, {"wool_1": "no"}), Parked)
    assert isinstance(judge(planned, {"old": "no"}), Parked)
    assert Settled() == judge(planned, {"old": "The product does not exist"})


def test_nothing_is_sent_to_delete_what_was_never_held() -> None:
    """Only what we made is ever deleted."""
    assert Settled() == plan(step(None, None))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"Color": "Red", "SIZE": "M"}, {"color": "Red", "size": "M"}),
        ({"Farge": "Rød", "Størrelse": "M"}, {"color": "Rød", "size": "M"}),
        ({"Farve": "Blå", "Materiale": "Uld"}, {"color": "Blå", "material": "Uld"}),
        ({"Färg": "Röd", "Storlek": "M", "Mönster": "Rutig"},
         {"color": "Röd", "size": "M", "pattern": "Rutig"}),
        ({"Kolor": "Czerwony", "Rozmiar": "M", "Materiał": "Wełna", "Wzór": "Krata"},
         {"color": "Czerwony", "size": "M", "material": "Wełna", "pattern": "Krata"}),
        ({"pa_color": "Red"}, {"color": "Red"}),
        ({"Colour": "Red", "Color": "Blue"},
         {"color": "Red", "additional_variant_attribute": "Color:Blue"}),
        ({"Krage": "Høy", "Lukt": "Lime, salt: ny"},
         {"additional_variant_attribute": "Krage:Høy,Lukt:Lime salt ny"}),
        ({"Color": "x" * 300}, {"color": "x" * 200}),
        ({"A": "x" * 150, "B": "y" * 150}, {"additional_variant_attribute": f"A:{'x' * 150}"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_a_shop_s_own_words_for_a_choice(options: dict[str, str], expected: dict[str, str]) -> None:
    """In English, Norwegian, Danish, Swedish, Polish; what is none of the four goes together."""
    assert expected == variant_fields(options)


def test_what_may_be_held_under_two_ids_is_deleted_under_both() -> None:
    """An answer was lost while the pattern of the ids changed."""
    old, new = item(1), item(1, id="other_1")
    doubtful = either(old, new)
    assert doubtful is not None
    gone = plan(step(doubtful, None))
    assert isinstance(gone, Plan)
    assert {"wool_1": "DELETE", "other_1": "DELETE"} == {
        each: request["method"] for each, request in gone.requests.items()
    }
    kept = plan(step(doubtful, new))
    assert isinstance(kept, Plan)
    assert {"wool_1": "DELETE", "other_1": "UPDATE"} == {
        each: request["method"] for each, request in kept.requests.items()
    }


def test_a_field_that_may_be_held_is_taken_away() -> None:
    """Its answer was lost: it is told to be empty, which does no harm where it never was."""
    old, new = item(1), item(1, mapped={"brand": "Ull", "color": "Red"})
    doubtful = either(old, new)
    assert doubtful is not None
    planned = plan(step(doubtful, old))
    assert isinstance(planned, Plan)
    assert "" == planned.requests["wool_1"]["data"]["color"]
    first = plan(step(either(None, old), old))
    assert isinstance(first, Plan)
    assert ["wool_1"] == list(first.requests)


@pytest.mark.parametrize("lost", ["title", "url", "price", "group", "status", "id", "mapped"])
def test_of_what_is_not_known_to_be_held_all_is_told(lost: str) -> None:
    """It was read back, and something else stood there: it may have a sale and labels besides."""
    found = data(step(item(**{lost: None}), item()))
    assert ("199.00 NOK", OVER) == (found["sale_price"], found["sale_price_effective_date"])
    assert {"mpn", "color", "custom_label_4", "product_type"} <= {
        name for name, value in found.items() if value == ""
    }
    assert ("Ull", "Thing 1") == (found["brand"], found["title"])


def test_an_item_without_mapped_fields_is_known_all_the_same() -> None:
    """Nothing is told to be empty that never was there."""
    bare = item(mapped=None)
    found = data(step(bare, item(mapped=None, price=5_000)))
    assert [] == [name for name, value in found.items() if value == ""]
    assert "sale_price" not in found


def test_what_is_archived_is_hidden_whatever_else_it_lacks() -> None:
    """Of an item that is held somehow; one that is not held is not brought there for that."""
    lacking = item(status="archived", title=None, image_url=None, mapped=None)
    found = data(step(item(), lacking))
    assert {"id": "wool_1", "availability": "out of stock", "status": "archived"} == found
    assert isinstance(plan(step(None, lacking)), Parked)
    assert isinstance(plan(step(item(), item(title=None, mapped=None))), Parked)
