"""Turns a mapping as it is written into what it means, and tells what it cannot mean."""

from __future__ import annotations

import re

from connector.errors import shown
from mappings import fields, grammar
from mappings.consent_rules import read_rules
from mappings.destination_rules import read_destinations
from mappings.faults import Faults
from mappings.segment_rules import read_segments
from mappings.shape import AttributeShape, Document
from mappings.surroundings import Surroundings, check_path, check_shop

_NAME = re.compile("[a-z][a-z0-9_]{0,62}")


def find_meaning(document: Document, around: Surroundings, faults: Faults) -> grammar.Mapping:
    """The mapping's meaning. It may only be used when no fault was found."""
    if document.version is None:
        if ("version",) not in faults.lines:
            faults.add((), "version is missing; write version: 1")
    elif document.version != "1":
        what = f'"{shown(document.version)}" is not known; this program reads version 1'
        faults.add(("version",), what)
    counting = _counting(document, faults)
    segments = read_segments(document.segments, around, faults)
    return grammar.Mapping(
        counting=counting,
        attributes=tuple(
            _attribute(name, shape, around, faults) for name, shape in document.attributes.items()
        ),
        consent=read_rules(document.consent, counting, around, faults),
        segments=segments,
        destinations=read_destinations(document.destinations, segments, around, faults),
    )


def _counting(document: Document, faults: Faults) -> dict[str, frozenset[str]]:
    counting = dict(grammar.COUNTING)
    for platform, statuses in document.orders.counting.items():
        place = ("orders", "counting", platform)
        if platform not in grammar.COUNTING:
            what = f'no shop platform is named "{shown(platform)}"'
            faults.add(place, what, word=platform, choices=grammar.COUNTING)
        elif not statuses:
            faults.add(place, "without a status no order would count as bought")
        for number, status in statuses.items():
            if status.startswith("wc-"):
                what = f'"{shown(status)}" is written without its wc- in the API'
                faults.add((*place, number), what)
        counting[platform] = frozenset(statuses.values())
    return counting


def _attribute(
    name: str, shape: AttributeShape, around: Surroundings, faults: Faults
) -> grammar.Attribute:
    place = ("attributes", name)
    if not _NAME.fullmatch(name):
        faults.add(
            place, "a name is small letters, digits and underscores, and begins with a letter"
        )
    elif name in fields.ATTRIBUTES or name in fields.NOT_YET:
        faults.add(place, "every person has an attribute of this name already; choose another")
    check_shop(shape.shop, (*place, "shop"), around, faults)
    check_path(shape.path, shape.shop, (*place, "from"), around, faults)
    if shape.path == fields.PLATFORM_CONSENT:
        faults.add((*place, "from"), "the platform's consent is for consent.sources")
    return grammar.Attribute(name=name, shop=shape.shop, path=shape.path)
