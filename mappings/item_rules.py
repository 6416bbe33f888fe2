"""Reads what a mapping says of a catalog: which items, under which ids, fields and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.errors import Path, shown
from connector.model import Purpose
from mappings.faults import Faults
from mappings.grammar import EVERYTHING_SHOWN, DestinationMapping, ItemRules, ItemSet
from mappings.item_facts import NOT_YET, OVER_TIME, SOURCES, is_known
from mappings.item_labels import HAND_PICKED
from mappings.item_query import parse_item_query
from mappings.items import PLACEHOLDER, PLACEHOLDERS
from mappings.segments.faults import NOT_AVAILABLE, QueryFault
from mappings.segments.syntax import Query
from mappings.shape import DestinationShape, SetShape

CATALOGS = frozenset({"meta_catalog"})
"""Platforms whose destinations hold what is for sale instead of people."""
ADVERTISERS: Mapping[str, DestinationMapping] = {
    "meta_audiences": DestinationMapping(
        policy="granted_only", purpose=Purpose.ADS, tag_segments=()
    ),
    "meta_conversions": DestinationMapping(purpose=Purpose.ADS, tag_segments=(), items=ItemRules()),
}
"""What advertisers are told without a section: only of people who granted it, and no segments."""

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
_COUNT = re.compile("[1-9][0-9]{0,4}", re.ASCII)
LONGEST_LABEL = 100
"""Characters of a label's text."""


def default_mapping(platform: str) -> DestinationMapping:
    """What a destination of this platform holds where the mapping says nothing about it."""
    if platform in ADVERTISERS:
        return ADVERTISERS[platform]
    if platform == "meta_conversions":
        return DestinationMapping(purpose=Purpose.ADS, tag_segments=())
    if platform not in CATALOGS:
        return DestinationMapping()
    return DestinationMapping(items=ItemRules(), fields=_DEFAULT_FIELDS)


def read_items(shape: DestinationShape, place: Path, faults: Faults) -> ItemRules:
    """Which items a catalog holds, checked."""
    written = shape.items
    if written is None:
        return ItemRules()
    best, where = written.bestsellers, (*place, "items", "bestsellers")
    plain = ItemRules()
    top, at_least = (best.top, best.at_least) if best else (None, None)
    return ItemRules(
        query=_query(written.when, (*place, "items", "when"), faults),
        id=read_pattern(written.id, (*place, "items", "id"), faults),
        unpublished=written.unpublished,
        # Whoever says how many must be sold means all of which so many were.
        top=_count(top, None if at_least else plain.top, (*where, "top"), faults),
        at_least=_count(at_least, None, (*where, "at_least"), faults) or plain.at_least,
        new_for_days=_count(written.new_for_days, None, (*place, "items", "new_for_days"), faults)
        or plain.new_for_days,
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


def read_sets(
    written: Mapping[str, SetShape], labels: Mapping[str, str], place: Path, faults: Faults
) -> tuple[dict[str, ItemSet], dict[str, str]]:
    """A catalog's product sets, checked; and the labels with those that the sets need besides.

    A set takes the label that its source fills already, else the first that is free.
    """
    sets: dict[str, ItemSet] = {}
    filled = dict(labels)
    for name, shape in written.items():
        where = (*place, name)
        if not name.strip() or len(name) > LONGEST_LABEL:
            faults.add(where, f"a set's name has 1 to {LONGEST_LABEL} characters")
        source = _source_of_set(name, shape, where, faults)
        if source is None:
            continue
        label = next((each for each, fills in filled.items() if fills == source), None)
        label = label or next((each for each in LABELS if each not in filled), None)
        if label is None:
            what = f"no label is left for it: a catalog has {len(LABELS)}, for labels and sets"
            faults.add(where, what)
            continue
        filled[label] = source
        head, _, key = source.partition(".")
        picked = frozenset((shape.items or {}).values()) if head == HAND_PICKED else frozenset()
        sets[name] = ItemSet(label=label, text=key or head, picked=picked)
    return sets, filled


def _source_of_set(name: str, shape: SetShape, place: Path, faults: Faults) -> str | None:
    """What fills the label of a set; it must fill it with one text alone."""
    said = [key for key in ("label", "category", "items") if getattr(shape, key) is not None]
    if len(said) != 1:
        faults.add(place, "a set is made by one of label, category and items")
        return None
    if shape.items is not None:
        if not shape.items:
            faults.add((*place, "items"), "is empty: name the products, or remove the set")
        return f"{HAND_PICKED}.{name}"
    if shape.category is not None:
        if not 0 < len(shape.category) <= LONGEST_LABEL:
            faults.add((*place, "category"), f"has 1 to {LONGEST_LABEL} characters")
        return f"category.{shape.category}"
    source = shape.label or ""
    head, _, key = source.partition(".")
    if source in OVER_TIME or (head in ("tag", "category") and key):
        return source
    what = f'"{shown(source)}" is no label of one text'
    choices = (*OVER_TIME, "tag.NAME", "category.NAME")
    faults.add((*place, "label"), what, word=source, choices=choices)
    return None


def _count(written: str | None, otherwise: int | None, place: Path, faults: Faults) -> int | None:
    if written is None:
        return otherwise
    if _COUNT.fullmatch(written):
        return int(written)
    faults.add(place, "must be a whole number from 1 to 99999")
    return otherwise


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


def read_pattern(written: str | None, place: Path, faults: Faults) -> str:
    """The pattern of the items' ids, checked."""
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
