"""Reads the segments section of a mapping: parses the queries and puts segments in order."""

from __future__ import annotations

import graphlib
import unicodedata
from collections.abc import Iterable, Mapping

from connector.errors import Path, shown
from mappings.faults import Faults
from mappings.grammar import Segment
from mappings.segments.parse import QueryFault, check_available, parse_query
from mappings.shape import SegmentShape
from mappings.surroundings import Surroundings

LONGEST_TAG = 100
"""Characters of a tag that every destination keeps."""

_MOST_CIRCLES = 20
_SECTION = "segments"


def read_segments(
    written: Mapping[str, SegmentShape], around: Surroundings, faults: Faults
) -> dict[str, Segment]:
    """The segments, checked, each after those that its query asks for."""
    segments: dict[str, Segment] = {}
    for name, shape in written.items():
        _check_name(name, shape, faults)
        if segment := _segment(name, shape, around, faults):
            segments[name] = segment
    _tell_apart(written, faults)
    return {name: segments[name] for name in _ordered(segments, faults)}


def check_prefix(prefix: str, segments: Iterable[Segment], place: Path, faults: Faults) -> None:
    """Tags with a destination's prefix must stay different in the length that is kept."""
    seen: dict[str, Segment] = {}
    for segment in segments:
        length = len(prefix + segment.label)
        if prefix and length > LONGEST_TAG:
            what = f"the tag of {shown(segment.name)} becomes {length} characters long"
            faults.add(place, f"{what}; at most {LONGEST_TAG}")
        first = seen.setdefault(_kept(prefix + segment.label), segment)
        if _kept(first.label) != _kept(segment.label):
            what = (
                f"with this prefix {shown(first.name)} and {shown(segment.name)} have the same tag "
                f"in the first {LONGEST_TAG} characters"
            )
            faults.add(place, what)


def _check_name(name: str, shape: SegmentShape, faults: Faults) -> None:
    label = shape.tag if shape.tag is not None else name
    place = (_SECTION, name, "tag") if shape.tag is not None else (_SECTION, name)
    if not label.strip():
        faults.add(place, "a tag needs a text")
    elif len(label) > LONGEST_TAG:
        faults.add(place, f"the tag is {len(label)} characters long; at most {LONGEST_TAG}")


def _segment(
    name: str, shape: SegmentShape, around: Surroundings, faults: Faults
) -> Segment | None:
    place = (_SECTION, name, "when")
    try:
        query = parse_query(shape.when, known_attributes=around.attributes)
        check_available(query)
    except QueryFault as fault:
        for each in (fault, *fault.others):
            faults.add(place, str(each))
        return None
    for unknown in sorted(query.references - around.segments):
        what = f'no segment is named "{shown(unknown)}"'
        faults.add(place, what, word=unknown, choices=around.segments)
    return Segment(name=name, when=shape.when, query=query, tag=shape.tag)


def _tell_apart(written: Mapping[str, SegmentShape], faults: Faults) -> None:
    """Two segments with one name or tag could not be told apart where they arrive."""
    names: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, shape in written.items():
        same_name = names.setdefault(_kept(name), name)
        same_tag = tags.setdefault(_kept(shape.tag or name), name)
        if same_name != name:
            what = f'cannot be told from "{shown(same_name)}": capitals and length aside, one name'
            faults.add((_SECTION, name), what)
        elif same_tag != name:
            what = f'has the tag of "{shown(same_tag)}", capitals and length aside'
            faults.add((_SECTION, name, "tag"), what)


def _kept(text: str) -> str:
    """What is left of a tag where capitals do not count and long ones are cut."""
    return unicodedata.normalize("NFC", text.strip())[:LONGEST_TAG].casefold()


def _ordered(segments: Mapping[str, Segment], faults: Faults) -> list[str]:
    asked = {
        name: {other for other in segment.query.references if other in segments}
        for name, segment in segments.items()
    }
    for _ in range(_MOST_CIRCLES):
        try:
            # Sets have no order of their own: sorted, the same mapping always gives the same one.
            graph = {name: sorted(others) for name, others in asked.items()}
            return list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circle = _from_first(error.args[1], list(asked))
            what = f"these segments ask for each other: {' -> '.join(map(shown, circle))}"
            faults.add((_SECTION, circle[0], "when"), what)
            asked[circle[0]].discard(circle[1])
    return list(segments)


def _from_first(found: list[str], names: list[str]) -> list[str]:
    """A circle as people read it: from who asks to who is asked, beginning at the first written.

    `graphlib.CycleError` walks the other way, and has its first name at the end again.
    """
    circle = found[:0:-1]
    start = min(range(len(circle)), key=lambda at: names.index(circle[at]))
    return [*circle[start:], *circle[:start], circle[start]]
