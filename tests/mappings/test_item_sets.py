"""Product sets in a mapping: each gets a label of the five, and says which items have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connector.errors import ConfigurationFault
from connector.store.catalog import Standing
from mappings.grammar import DestinationMapping, ItemRules, ItemSet
from mappings.item_labels import over_time
from mappings.items import project
from mappings.load import load_mapping
from tests.mappings.things import thing

BEST: frozenset[str] = frozenset({"bestseller"})
NONE: frozenset[str] = frozenset()


def rules(catalog: str) -> DestinationMapping:
    """The mapping of a catalog."""
    return load_mapping(
        f"version: 1\ndestinations:\n  catalog: {catalog}\n",
        shops={"wool": "woocommerce"},
        destinations={"catalog": "meta_catalog"},
    ).destinations["catalog"]


def labels(catalog: str, standing: Standing | None = None, **variant: Any) -> dict[str, str]:
    """The labels that an item gets."""
    item = replace(thing(**variant), standing=standing)
    record = project("wool/11", item, rules(catalog), None)
    assert record is not None
    mapped: dict[str, str] = record.fields["mapped"]
    return {name: text for name, text in mapped.items() if name.startswith("custom_label")}


def test_each_set_has_a_label() -> None:
    """The one that its source fills already, else the first that is free."""
    mapped = rules(
        "{labels: {custom_label_1: bestseller, custom_label_0: tag.winter}, sets: {"
        "Top: {label: bestseller}, New: {label: new_arrival}, Knit: {category: Gensere}, "
        "Warm: {label: tag.winter}, Ours: {items: ['9']}}}"
    )
    assert {
        "Top": ItemSet(label="custom_label_1", text="bestseller"),
        "New": ItemSet(label="custom_label_2", text="new_arrival"),
        "Knit": ItemSet(label="custom_label_3", text="Gensere"),
        "Warm": ItemSet(label="custom_label_0", text="winter"),
        "Ours": ItemSet(label="custom_label_4", text="Ours", picked=frozenset({"9"})),
    } == mapped.sets
    assert {
        "custom_label_1": "bestseller",
        "custom_label_0": "tag.winter",
        "custom_label_2": "new_arrival",
        "custom_label_3": "category.Gensere",
        "custom_label_4": "hand_picked.Ours",
    } == mapped.labels


def test_an_item_says_in_which_sets_it_is() -> None:
    """Its label holds the set's text, or nothing."""
    catalog = (
        "{sets: {Knit: {category: Gensere}, Hats: {category: Luer}, Warm: {label: tag.winter}}}"
    )
    assert {"custom_label_0": "Gensere", "custom_label_2": "winter"} == labels(catalog)


@pytest.mark.parametrize("picked", ["11", "9", "wool_9", "wool_11"])
def test_picked_by_hand(picked: str) -> None:
    """By the id of the product or of the variant, with the shop's name or without."""
    assert {"custom_label_0": "Ours"} == labels(f"{{sets: {{Ours: {{items: ['{picked}']}}}}}}")


@pytest.mark.parametrize("picked", ["yarn_9", "1", "wool"])
def test_not_picked_by_hand(picked: str) -> None:
    """Another shop's, or a part of an id."""
    assert {} == labels(f"{{sets: {{Ours: {{items: ['{picked}', '2']}}}}}}")


def test_labels_over_time_follow_the_standing() -> None:
    """Without a look at the shop nothing is known of it."""
    catalog = "{labels: {custom_label_0: bestseller, custom_label_1: new_arrival}}"
    standing = Standing(units=3, place=20, known_for=timedelta(days=29))
    assert {"custom_label_0": "bestseller", "custom_label_1": "new_arrival"} == labels(
        catalog, standing
    )
    later = Standing(units=3, place=21, known_for=timedelta(days=30))
    assert {} == labels(catalog, later) == labels(catalog, None)


@pytest.mark.parametrize(
    ("items", "units", "place", "has"),
    [
        ("{}", 1, 20, BEST),
        ("{}", 99, 21, NONE),
        ("{bestsellers: {top: 3}}", 1, 3, BEST),
        ("{bestsellers: {top: 3}}", 9, 4, NONE),
        ("{bestsellers: {at_least: 5}}", 5, 500, BEST),
        ("{bestsellers: {at_least: 5}}", 4, 1, NONE),
        ("{bestsellers: {top: 3, at_least: 5}}", 5, 3, BEST),
        ("{bestsellers: {top: 3, at_least: 5}}", 4, 3, NONE),
        ("{bestsellers: {top: 3, at_least: 5}}", 9, 4, NONE),
    ],
)
def test_what_a_bestseller_is(items: str, units: int, place: int, has: frozenset[str]) -> None:
    """Among the top, or with so many sold; with both, both."""
    wanted = rules(f"{{items: {items}}}").items or ItemRules()
    standing = Standing(units=units, place=place, known_for=timedelta(days=99))
    assert has == over_time(standing, wanted)


@pytest.mark.parametrize(
    ("catalog", "told"),
    [
        ("{sets: {A: {}}}", "a set is made by one of label, category and items"),
        ("{sets: {A: {label: bestseller, items: ['1']}}}", "a set is made by one of"),
        ("{sets: {A: {items: []}}}", "is empty"),
        ("{sets: {A: {label: vendor}}}", '"vendor" is no label of one text'),
        ("{sets: {A: {label: bestsellers}}}", 'Did you mean "bestseller"?'),
        ("{sets: {A: {label: tag.}}}", "is no label of one text"),
        ("{items: {bestsellers: {top: 0}}}", "items.bestsellers.top: must be a whole number"),
        ("{items: {bestsellers: {at_least: many}}}", "must be a whole number"),
        ("{items: {new_for_days: -3}}", "items.new_for_days: must be a whole number"),
        (
            "{sets: {A: {category: a}, B: {category: b}, C: {category: c}, D: {category: d}, "
            "E: {category: e}, F: {category: f}}}",
            "sets.F: no label is left for it: a catalog has 5",
        ),
    ],
)
def test_what_cannot_be(catalog: str, told: str) -> None:
    """Is refused with its place."""
    with pytest.raises(ConfigurationFault) as caught:
        rules(catalog)
    (fault,) = caught.value.faults
    assert fault.startswith("mapping.yaml:3 destinations.catalog.")
    assert told in fault
