"""What Meta would refuse is found before anything is sent, with the reason and the mend."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.preflight import check, price_text
from adapters.meta_catalog.sandbox import Sandbox
from connector.model import Parked, Settled
from tests.adapters.meta_catalog.items import NOW, item, steps

BAD: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"image_url": None}, "no_image", "picture"),
    ({"image_url": "ftp://wool.example/1.jpg"}, "bad_image", "image"),
    ({"price": None}, "no_price", "price"),
    ({"price": 0}, "price_zero", "above 0"),
    ({"price": -100}, "price_zero", "above 0"),
    ({"title": None}, "no_title", "name"),
    ({"title": "<b> </b>"}, "no_title", "name"),
    ({"title": "x" * 201}, "title_too_long", "201 to 200"),
    ({"url": None}, "no_link", "Publish"),
    ({"url": "wool.example/1"}, "bad_link", "link"),
    ({"url": "https://wool.example/a b"}, "bad_link", "link"),
    ({"url": "https://"}, "bad_link", "link"),
    ({"url": "https://wool.example/" + "x" * 2_000}, "bad_link", "link"),
    ({"currency": None}, "no_currency", "currency"),
    ({"currency": "kr"}, "no_currency", "currency"),
    ({"description": "x" * 10_000}, "description_too_long", "10000 to 9999"),
    ({"currency": "KWD", "price": 1_234}, "price_not_exact", "two decimals"),
    ({"id": "x" * 101}, "id_too_long", "100"),
)


@pytest.mark.parametrize(("fields", "reason", "mend"), BAD)
def test_a_bad_item_is_parked_unsent(
    meta: Sandbox,
    catalog: MetaCatalogDestination,
    fields: dict[str, Any],
    reason: str,
    mend: str,
) -> None:
    """With its reason and what to do; the good one beside it goes, and in that call alone."""
    outcomes = catalog.push(steps(item(1, **fields), item(2)), now=NOW)
    parked = outcomes["wool/1"]
    assert isinstance(parked, Parked)
    assert reason == parked.reason
    assert mend in parked.mend
    assert Settled() == outcomes["wool/2"]
    assert ["wool_2"] == [
        each["data"]["id"] for _, body in meta.bodies for each in body["requests"]
    ]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """The first is the reason, the mend names all."""
    parked = check(item(image_url=None, price=None, title=None).fields)
    assert isinstance(parked, Parked)
    assert "no_title" == parked.reason
    for word in ("name", "price", "picture"):
        assert word in parked.mend


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 200},
        {"description": "x" * 9_999},
        {"description": f"<p>{'x' * 9_999}</p>"},
        {"url": "http://wool.example/?a=1&b=%20"},
        {"image_url": "https://wool.example/æ.jpg"},
        {"currency": "KWD", "price": 1_230},
        {"currency": "JPY", "price": 1},
    ],
)
def test_what_is_just_good_enough_goes(
    catalog: MetaCatalogDestination, fields: dict[str, Any]
) -> None:
    """At each limit."""
    assert {"wool/1": Settled()} == catalog.push(steps(item(1, **fields)), now=NOW)


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (999, "USD", "9.99 USD"),
        (1_000, "NOK", "10.00 NOK"),
        (5, "EUR", "0.05 EUR"),
        (1_000, "JPY", "1000 JPY"),
        (1_230, "KWD", "1.23 KWD"),
        (2**62, "NOK", "46116860184273879.04 NOK"),
    ],
)
def test_prices_are_exact(minor: int, currency: str, expected: str) -> None:
    """No float has touched them."""
    assert expected == price_text(minor, currency)


def test_a_bad_mapped_field_is_left_out_and_told(
    meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """One bad field is one bad field: the item goes without it."""
    mapped = {"brand": "Ull", "gtin": "12", "gender": "FEMALE", "condition": "old"}
    outcomes = catalog.push(steps(item(1, mapped=mapped)), now=NOW)
    assert {"wool/1": Settled(note="not set: condition, gtin")} == outcomes
    held = meta.items()["wool_1"]
    assert ("female", "new") == (held["gender"], held["condition"])
    assert "gtin" not in held
