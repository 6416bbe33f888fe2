"""The page for shop admins says what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mappings.segments.attributes import ATTRIBUTES, FUNCTIONS, Later
from mappings.segments.parse import check_available, parse_query

PAGE = (Path(__file__).parents[3] / "docs/segments.md").read_text("utf-8")
ANSWERED, _, NOT_YET = PAGE.partition("## Read, but not yet answered")


def test_every_attribute_is_on_the_page() -> None:
    """Attributes stand in the part that tells whether this version answers them."""
    for name, attribute in ATTRIBUTES.items():
        later = isinstance(attribute.source, Later)
        assert (later, not later) == (f"`{name}`" in NOT_YET, f"`{name}`" in ANSWERED), name
        for word in () if later else attribute.words:
            assert word in ANSWERED


def test_every_function_is_on_the_page_with_its_parameters() -> None:
    """A function's row names it and each of its parameters, and no other."""
    told: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`.*) \| (`.*) \|$", NOT_YET, re.MULTILINE):
        names, parameters = (re.findall(r"`([^`]+)`", cell) for cell in row)
        family = names[0].partition(".")[0]
        for name in names:
            told[family + name if name.startswith(".") else name] = set(parameters)
    for function, kinds in FUNCTIONS.items():
        assert set(kinds) == told[function.replace("storefront_event", "storefront")]


@pytest.mark.parametrize("example", PAGE.split("```")[3].strip().splitlines())
def test_every_example_works(example: str) -> None:
    """The examples are printed as the language prints them and can be answered."""
    query = parse_query(example)
    check_available(query)
    assert example == str(query)
