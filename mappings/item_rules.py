"""Reads what a mapping says of a catalog: which items, under which ids, fields and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.errors import Path, shown
from mappings.faults import Faults
from mappings.grammar import EVERYTHING_SHOWN, DestinationMapping, ItemRules
from mappings.item_facts import NOT_YET, SOURCES, is_known
from mappings.item_query import parse_item_query
from mappings.items import PLACEHOLDER, PLACEHOLDERS
from mappings.segments.faults import NOT_AVAILABLE, QueryFault
from mappings.segments.syntax import Query
from mappings.shape import DestinationShape

CATALOGS = frozenset({"meta_catalog"})
"""Platforms whose destinations hold what is for sale instead of people."""

# https://developers.facebook.com/docs/commerce-platform/catalog/fields: those that one text fills.
# What the shop itself decides (price, availability, id) is no matter of the mapping.
FIELDS = frozenset(
    {
        *("title", "description", "link", "image_link", "brand", "gtin", "mpn", "condition"),
        *("google_product_category", "fb_product_category", "product_type"),
        *("color", "size", "material", "pattern", "gender", "age_group"),
        *("shipping_weight", "origin_country", "commerce_tax_category"),
    }
)
LABELS = tuple(f"custom_label_{number}" for number in range(5))
_DEFAULT_FIELDS = {"brand": "vendor"}
_BRACES = re.compile("[{}]")


def default_mapping(platform: str) -> DestinationMapping:
    """What a destination of this platform holds where the mapping says nothing about it."""
    if platform not in CATALOGS:
        return DestinationMapping()
    return DestinationMapping(items=ItemRules(), fields=_DEFAULT_FIELDS)


def read_items(shape: DestinationShape, place: Path, faults: Faults) -> ItemRules:
    """Which items a catalog holds, checked."""
    written = shape.items
    if written is None:
        return ItemRules()
    return ItemRules(
        query=_query(written.when, (*place, "items", "when"), faults),
        id=_pattern(written.id, (*place, "items", "id"), faults),
        unpublished=written.unpublished,
    )


def read_fields(written: Mapping[str, str], place: Path, faults: Faults) -> dict[str, str]:
    """A catalog's fields, checked, each with what fills it; the brand is the vendor unless said."""
    for field, source in written.items():
        if field not in FIELDS:
            what = f'a catalog has no field "{shown(field)}" that a mapping could fill'
            faults.add((*place, field), what, word=field, choices=FIELDS)
        _check_source(source, (*place, field), faults)
    return {**_DEFAULT_FIELDS, **written}


def read_labels(written: Mapping[str, str], place: Path, faults: Faults) -> dict[str, str]:
    """A catalog's labels, checked, each with what fills it."""
    for label, source in written.items():
        if label not in LABELS:
            what = f'a catalog has no label "{shown(label)}"'
            faults.add((*place, label), what, word=label, choices=LABELS)
        _check_source(source, (*place, label), faults)
    return dict(written)


def _check_source(source: str, place: Path, faults: Faults) -> None:
    if source in NOT_YET:
        faults.add(place, f"{source} {NOT_AVAILABLE}")
    elif not is_known(source):
        what = f'an item has no "{shown(source)}"'
        faults.add(place, what, word=source, choices={*SOURCES, *NOT_YET})


def _query(written: str | None, place: Path, faults: Faults) -> Query:
    if written is None:
        return EVERYTHING_SHOWN
    try:
        return parse_item_query(written)
    except QueryFault as fault:
        for each in (fault, *fault.others):
            faults.add(place, str(each))
        return EVERYTHING_SHOWN


def _pattern(written: str | None, place: Path, faults: Faults) -> str:
    if written is None:
        return ItemRules().id
    used = PLACEHOLDER.findall(written)
    for name in used:
        if name not in PLACEHOLDERS:
            what = f"{{{name}}} stands for nothing here"
            faults.add(place, what, word=name, choices=PLACEHOLDERS)
    if _BRACES.search(PLACEHOLDER.sub("", written)):
        faults.add(place, "has a brace without its other; write {variant_id}")
    elif "variant_id" not in used and set(used) <= set(PLACEHOLDERS):
        faults.add(place, "would give two variants one id; it needs {variant_id} in it")
    return written
