"""Reads the destinations section of a mapping: what each should hold, and what it may."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.errors import Path, shown
from connector.model import Purpose
from mappings import fields
from mappings.advertisers import read_audiences, read_item_ids
from mappings.faults import Faults
from mappings.grammar import DestinationMapping, Segment
from mappings.item_rules import CATALOGS, read_fields, read_items, read_labels, read_sets
from mappings.segment_rules import check_prefix
from mappings.segments.faults import NOT_AVAILABLE
from mappings.shape import DestinationShape
from mappings.surroundings import Surroundings

PLATFORMS = frozenset(
    {"mailchimp", "files", "http", "meta_catalog", "meta_audiences", "meta_conversions"}
)
"""Platforms whose names stand for every destination of theirs that has no section of its own."""

# What a platform does with people decides which permission it needs, whatever is written.
_NEEDS: Mapping[str, Purpose] = {
    "mailchimp": Purpose.EMAIL,
    "meta_audiences": Purpose.ADS,
    "meta_conversions": Purpose.ADS,
}

CONVERSIONS = frozenset({"meta_conversions"})
"""Platforms that are told of orders, and of nothing else."""
AUDIENCES = frozenset({"meta_audiences"})
"""Platforms that hold audiences, of people who granted it."""
_STORES = frozenset({"mailchimp"})
_NOT_ORDERS = ("contacts", "fields", "tags", "ecommerce", "audiences", "tables")

_ABOUT_PEOPLE = ("contacts", "consent", "tags", "ecommerce", "audiences", "tables")
_ABOUT_ITEMS = ("items", "labels", "sets")

# https://mailchimp.com/developer/marketing/docs/merge-fields/: capitals, digits and underscores;
# the API refuses more than ten characters. EMAIL is the address itself.
_MERGE_TAG = re.compile("[A-Z][A-Z0-9_]{0,9}")

_SECTION = "destinations"


def read_destinations(
    written: Mapping[str, DestinationShape],
    segments: Mapping[str, Segment],
    around: Surroundings,
    faults: Faults,
) -> dict[str, DestinationMapping]:
    """The destinations, checked."""
    return {
        name: _destination(name, shape, segments, around, faults) for name, shape in written.items()
    }


def _destination(
    name: str,
    shape: DestinationShape,
    segments: Mapping[str, Segment],
    around: Surroundings,
    faults: Faults,
) -> DestinationMapping:
    place = (_SECTION, name)
    platform = around.destinations.get(name, name if name in PLATFORMS else None)
    if platform is None:
        what = f'no destination is named "{shown(name)}", and no platform either'
        faults.add(place, what, word=name, choices={*around.destinations, *PLATFORMS})
    if platform in CATALOGS:
        return _catalog(shape, place, faults)
    if platform in CONVERSIONS:
        return _conversions(shape, platform, place, faults)
    if platform in AUDIENCES:
        purpose = _purpose(shape, platform, (*place, "consent"), faults)
        return read_audiences(shape, place, purpose, segments, around, faults)
    if shape.ecommerce == "true" and platform is not None and platform not in _STORES:
        kept_by = ", ".join(sorted(_STORES))
        what = f"{platform} has no place for orders and products; these have: {kept_by}"
        faults.add((*place, "ecommerce"), what)
    for key in _ABOUT_ITEMS:
        if platform is not None and key in shape.model_fields_set:
            faults.add((*place, key), f"is for catalogs; {platform} holds people")
    _check_fields(shape.fields, platform, (*place, "fields"), around, faults)
    for number, segment in (shape.tags.segments or {}).items():
        _check_segment(segment, (*place, "tags", "segments", number), around, faults)
    if platform is not None and "audiences" in shape.model_fields_set:
        faults.add((*place, "audiences"), f"is for advertisers (meta_audiences), not {platform}")
    listed = shape.tags.segments
    chosen = (
        segments.values()
        if listed is None
        else [segments[one] for one in dict.fromkeys(listed.values()) if one in segments]
    )
    check_prefix(shape.tags.prefix, chosen, (*place, "tags", "prefix"), faults)
    return DestinationMapping(
        policy=shape.contacts.policy,
        purpose=_purpose(shape, platform, (*place, "consent"), faults),
        fields=dict(shape.fields),
        tag_prefix=shape.tags.prefix,
        tag_segments="all" if listed is None else tuple(segment.name for segment in chosen),
        tables=tuple(dict.fromkeys(shape.tables.values())),
        ecommerce=shape.ecommerce == "true",
    )


def _catalog(shape: DestinationShape, place: Path, faults: Faults) -> DestinationMapping:
    for key in _ABOUT_PEOPLE:
        if key in shape.model_fields_set:
            faults.add((*place, key), "is about people; a catalog holds what is for sale")
    labels = read_labels(shape.labels, (*place, "labels"), faults)
    sets, labels = read_sets(shape.sets, labels, (*place, "sets"), faults)
    return DestinationMapping(
        items=read_items(shape, place, faults),
        fields=read_fields(shape.fields, (*place, "fields"), faults),
        labels=labels,
        sets=sets,
        tag_segments=(),
    )


def _conversions(
    shape: DestinationShape, platform: str | None, place: Path, faults: Faults
) -> DestinationMapping:
    for key in (*_NOT_ORDERS, "labels", "sets"):
        if key in shape.model_fields_set:
            faults.add((*place, key), f"{platform} is told of orders, and of nothing else")
    return DestinationMapping(
        purpose=_purpose(shape, platform, (*place, "consent"), faults),
        items=read_item_ids(shape.items, (*place, "items"), faults),
        tag_segments=(),
    )


def _purpose(shape: DestinationShape, platform: str | None, place: Path, faults: Faults) -> Purpose:
    needs = _NEEDS.get(platform or "")
    purpose = Purpose(shape.consent) if shape.consent else needs or Purpose.EMAIL
    if needs and purpose is not needs:
        faults.add(place, f"{platform} needs the consent {needs}; {purpose} allows nothing there")
    return purpose


def _check_fields(
    mapped: Mapping[str, str],
    platform: str | None,
    place: Path,
    around: Surroundings,
    faults: Faults,
) -> None:
    for field, attribute in mapped.items():
        if platform == "mailchimp":
            _check_merge_tag(field, (*place, field), faults)
        if attribute in fields.ATTRIBUTES or attribute in around.attributes:
            continue
        if attribute in fields.NOT_YET:
            faults.add((*place, field), f"{attribute} {NOT_AVAILABLE}")
            continue
        what = f'there is no attribute "{shown(attribute)}"'
        choices = {*fields.ATTRIBUTES, *around.attributes}
        faults.add((*place, field), what, word=attribute, choices=choices)


def _check_merge_tag(field: str, place: Path, faults: Faults) -> None:
    if field == "EMAIL":
        faults.add(place, "EMAIL is Mailchimp's own field for the address; remove it")
    elif not _MERGE_TAG.fullmatch(field):
        what = (
            "a Mailchimp merge tag is one to ten capitals, digits and underscores, and begins "
            "with a capital"
        )
        faults.add(place, what, word=field, choices=_as_merge_tag(field))


def _as_merge_tag(field: str) -> tuple[str, ...]:
    cleaned = re.sub("[^A-Z0-9_]", "", field.upper().replace(" ", "_").replace("-", "_"))[:10]
    return (cleaned,) if _MERGE_TAG.fullmatch(cleaned) and cleaned != "EMAIL" else ()


def _check_segment(segment: str, place: Path, around: Surroundings, faults: Faults) -> None:
    if segment not in around.segments:
        what = f'no segment is named "{shown(segment)}"'
        faults.add(place, what, word=segment, choices=around.segments)
