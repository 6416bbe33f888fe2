"""The ready mappings load in any shop, and the JSON Schema for editors fits what loads."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from connector.errors import ConfigurationFault
from mappings.json_schema import schema
from mappings.load import load_file, load_mapping, preset_names, preset_text

FIRST_LINE = "# yaml-language-server: $schema=mapping.schema.json\n"


def test_there_are_three() -> None:
    """Their names are what a person writes after ``preset:``."""
    assert preset_names() == ("loyalty-ladder", "minimal-newsletter", "winback")


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize(
    ("shops", "destinations"),
    [
        ({"wool": "woocommerce"}, {"newsletter": "mailchimp", "crm": "files"}),
        ({"a": "woocommerce", "b": "woocommerce"}, {"exports": "files"}),
        ({"yarn": "shopify"}, {}),
    ],
)
def test_presets_load_anywhere(
    name: str, shops: dict[str, str], destinations: dict[str, str]
) -> None:
    """A preset names no shop and no destination, so it fits every configuration."""
    mapping = load_file(f"preset:{name}", shops=shops, destinations=destinations)

    assert mapping.for_destination("anything", "mailchimp") is not None
    assert mapping.for_destination("anything", "files") is not None
    assert mapping.consent.sources
    assert {source.shop for source in mapping.consent.sources} == {None}


def test_the_ladders_tags() -> None:
    """The rungs are tags at every Mailchimp destination."""
    mapping = load_file("preset:loyalty-ladder", shops={}, destinations={"list": "mailchimp"})
    target = mapping.for_destination("list", "mailchimp")

    assert target is not None
    assert target.tags(mapping) == {
        "first-time": "First-time buyer",
        "returning": "Returning",
        "regular": "Regular",
        "champion": "Champion",
        "lapsed": "Lapsed",
        "at-risk": "At risk",
    }


def test_an_unknown_preset_is_told_with_the_nearest() -> None:
    """A slip of the pen is answered with the right name, anything else with all names."""
    with pytest.raises(ConfigurationFault, match='Did you mean "loyalty-ladder"'):
        load_file("preset:loyality-ladder", shops={}, destinations={})
    with pytest.raises(ConfigurationFault, match="There are: loyalty-ladder, minimal-newsletter"):
        load_file("preset:../../etc/passwd", shops={}, destinations={})


@pytest.mark.parametrize("name", preset_names())
def test_presets_fit_the_schema_that_their_first_line_names(name: str) -> None:
    """What loads is what an editor calls right."""
    text = preset_text(name)

    assert text.startswith(FIRST_LINE)
    jsonschema.validate(yaml.safe_load(text), schema())


def test_the_schema_is_a_schema_with_descriptions() -> None:
    """It is valid itself, and says of every key what it is for."""
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    tables = [made, *made["$defs"].values()]

    assert [
        key
        for table in tables
        for key, about in table["properties"].items()
        if not about.get("description")
    ] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"version": 2},
        {"version": 1, "segment": {}},
        {"version": 1, "segments": {"vips": {"tag": "VIP"}}},
        {"version": 1, "consent": {"sources": {"purpose": "email"}}},
        {"version": 1, "consent": {"double_opt_in": "yes"}},
        {"version": 1, "destinations": {"crm": {"tables": ["customer"]}}},
        {"version": 1, "destinations": {"crm": {"tags": {"segments": "some"}}}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(wrong: dict[str, Any]) -> None:
    """Wrong shapes are wrong in the editor already, and in the loader all the same."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema())
    with pytest.raises(ConfigurationFault):
        load_mapping(yaml.safe_dump(wrong), shops={}, destinations={"crm": "files"})
