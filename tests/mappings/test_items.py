"""What a catalog should hold about one item: made of the shop's facts and the mapping alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.model import Record
from connector.store.catalog import ForSale
from mappings.grammar import DestinationMapping
from mappings.item_facts import is_known, source_text
from mappings.item_rules import default_mapping
from mappings.items import project
from mappings.load import load_mapping
from tests.mappings.things import thing

KEY = "wool/11"


def rules(catalog: str = "{}") -> DestinationMapping:
    """The mapping of a catalog."""
    return load_mapping(
        f"version: 1\ndestinations:\n  catalog: {catalog}\n",
        shops={"wool": "woocommerce"},
        destinations={"catalog": "meta_catalog"},
    ).destinations["catalog"]


def fields(item: ForSale, catalog: str = "{}") -> Mapping[str, Any]:
    """The fields of an item that should be held."""
    record = project(KEY, item, rules(catalog), None)
    assert record is not None
    return record.fields


def test_a_whole_item() -> None:
    """Everything that is known, and nothing empty; no person, no permission."""
    assert Record(
        key=KEY,
        email=None,
        permission=None,
        fields={
            "status": "active",
            "id": "wool_11",
            "group": "wool_9",
            "title": "Genser - M, Rød",
            "description": "<p>Varm.</p>",
            "url": "https://wool.example/genser?size=M",
            "image_url": "https://wool.example/9.jpg",
            "currency": "NOK",
            "stock": "in_stock",
            "sku": "G-M",
            "options": {"Farge": "Rød", "Størrelse": "M"},
            "mapped": {"brand": "Ull"},
            "price": 89900,
        },
    ) == project(KEY, thing(), default_mapping("meta_catalog"), None)


def test_a_catalog_without_a_section_is_as_one_with_an_empty_one() -> None:
    """What is shown, by shop and variant, with the vendor as the brand."""
    assert default_mapping("meta_catalog") == replace(
        rules(), tag_segments=default_mapping("meta_catalog").tag_segments
    )


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ({"regular_price": None}, {"price": 89900}),
        ({"price": 70000, "sale_price": 70000}, {"price": 89900, "sale_price": 70000}),
        ({"price": 70000}, {"price": 89900, "sale_price": 70000}),
        ({"sale_price": 89900}, {"price": 89900}),
        ({"sale_price": 95000}, {"price": 89900}),
        (
            {"sale_price": 70000, "sale_from": datetime(2026, 11, 27, tzinfo=UTC)},
            {"price": 89900, "sale_price": 70000, "sale_from": "2026-11-27T00:00:00Z"},
        ),
        ({"price": None, "regular_price": None}, {}),
    ],
)
def test_prices(prices: dict[str, Any], expected: dict[str, Any]) -> None:
    """The regular price, and a sale only where it is lower: planned, running, or Shopify's way."""
    found = fields(thing(**prices))
    names = ("price", "sale_price", "sale_from", "sale_to")
    assert expected == {name: found[name] for name in names if name in found}


@pytest.mark.parametrize(
    ("product", "variant", "expected"),
    [
        ({}, {}, "Genser - M, Rød"),
        ({"title": "Jumper"}, {}, "Jumper - M, Rød"),
        ({"type": "Knit"}, {"title": "M / Rød"}, "Genser - M / Rød"),
        (
            {"type": "Knit"},
            {"title": "Default Title", "attributes": {"Title": "Default Title"}},
            "Genser",
        ),
        ({"type": "simple", "id": "11"}, {"product_id": "11", "title": "Genser"}, "Genser"),
    ],
    ids=["variation", "renamed", "shopify", "shopify without options", "simple"],
)
def test_titles(product: dict[str, Any], variant: dict[str, Any], expected: str) -> None:
    """The product's name now, and what sets the variant apart."""
    assert expected == fields(thing(product, **variant))["title"]


def test_the_one_variant_of_a_product_has_no_options() -> None:
    """Shopify gives it a title of its own, which says nothing."""
    item = thing(title="Default Title", attributes={"Title": "Default Title"})
    assert "options" not in fields(item)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{variant_id}", "11"),
        ("{sku}_{variant_id}", "G-M_11"),
        ("x-{product_id}:{variant_id}", "x-9:11"),
    ],
)
def test_ids(pattern: str, expected: str) -> None:
    """As the pattern says."""
    assert expected == fields(thing(), f"{{items: {{id: '{pattern}'}}}}")["id"]


def test_fields_and_labels() -> None:
    """From the product, the variant, their own fields, tags and categories."""
    catalog = """{
      fields: {brand: attributes.Farge, gtin: meta_data._gtin, product_type: categories,
               google_product_category: metafields.google.category, mpn: sku, title: title},
      labels: {custom_label_0: category, custom_label_1: tag.winter, custom_label_2: tag.summer,
               custom_label_3: price}}"""
    assert {
        "brand": "Rød",
        "gtin": "7038010001234",
        "product_type": "Klær, Gensere",
        "google_product_category": "212",
        "mpn": "G-M",
        "title": "Genser",
        "custom_label_0": "Klær",
        "custom_label_1": "winter",
        "custom_label_3": "899.00",
    } == fields(thing(), catalog)["mapped"]


def test_a_variant_s_own_field_goes_before_its_product_s() -> None:
    """Each size has its own number."""
    item = thing(meta={"_gtin": "7038010005678"})
    assert "7038010005678" == source_text("meta_data._gtin", item)


@pytest.mark.parametrize("source", ["metafields.x", "meta_data.", "tag.", "nothing", "vendor.x"])
def test_sources_there_are_not(source: str) -> None:
    """A namespace without a key, a head without an end."""
    assert not is_known(source)


HELD = Record(
    key=KEY, email=None, permission=None, fields={"id": "old", "price": 5, "status": "active"}
)


@pytest.mark.parametrize(
    ("product", "variant"),
    [({"status": "draft"}, {}), ({}, {"status": "private"}), ({"status": "odd"}, {})],
)
def test_what_is_not_shown_is_archived_where_it_is_held(
    product: dict[str, Any], variant: dict[str, Any]
) -> None:
    """With what was last taken; a second time it is the same; not held, it is not brought."""
    item = thing(product, **variant)
    archived = project(KEY, item, rules(), HELD)
    assert replace(HELD, fields={**HELD.fields, "status": "archived"}) == archived
    assert archived == project(KEY, item, rules(), archived)
    assert project(KEY, item, rules(), None) is None


def test_or_deleted_as_the_mapping_says() -> None:
    """``unpublished: delete``."""
    item = thing({"status": "draft"})
    assert project(KEY, item, rules("{items: {unpublished: delete}}"), HELD) is None


@pytest.mark.parametrize("when", ["price > 1000", "price IS NULL", "NOT stock_quantity > 2"])
def test_when_chooses_among_what_is_shown(when: str) -> None:
    """What it does not want is as if it were not shown, and so is what it cannot decide."""
    catalog = f'{{items: {{when: "{when}"}}}}'
    assert project(KEY, thing(), rules(catalog), None) is None
    unknown = thing(price=None, stock_quantity=None)
    if "IS NULL" not in when:
        assert project(KEY, unknown, rules(catalog), None) is None


def test_a_draft_is_not_wanted_by_any_when() -> None:
    """Nobody advertises what the shop does not show."""
    catalog = """{items: {when: "vendor = 'Ull'"}}"""
    assert project(KEY, thing({"status": "draft"}), rules(catalog), None) is None


def test_the_parent_of_variations_is_no_item() -> None:
    """Even where it was sold by itself before, and its old variant is still known."""
    item = thing({"id": "11"}, product_id="11")
    assert project(KEY, item, rules(), None) is None
