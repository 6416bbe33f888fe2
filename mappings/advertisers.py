"""Reads what a mapping says of advertisers: which audiences, and which sales they are told of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.errors import Path, shown
from connector.model import Purpose
from mappings import sensitive
from mappings.faults import Faults
from mappings.grammar import Audience, DestinationMapping, ItemRules, Segment
from mappings.item_rules import read_pattern
from mappings.shape import DestinationShape, ItemsShape
from mappings.surroundings import Surroundings

_LONGEST_NAME = 100
_OF_AUDIENCES = frozenset({"consent", "audiences"})


def read_audiences(
    shape: DestinationShape,
    place: Path,
    purpose: Purpose,
    segments: Mapping[str, Segment],
    around: Surroundings,
    faults: Faults,
) -> DestinationMapping:
    """The audiences, checked: each of a segment of its own, and none that tells of an illness."""
    for key in sorted(shape.model_fields_set - _OF_AUDIENCES):
        faults.add((*place, key), "is not for advertisers, who hold audiences and nothing else")
    first: dict[str, str] = {}
    for name, wanted in shape.audiences.items():
        where = (*place, "audiences", name)
        if not name.strip() or len(name) > _LONGEST_NAME:
            faults.add(where, f"an audience's name has 1 to {_LONGEST_NAME} characters")
        twin = first.setdefault(wanted.segment, name)
        if wanted.segment not in around.segments:
            what = f'no segment is named "{shown(wanted.segment)}"'
            faults.add((*where, "segment"), what, word=wanted.segment, choices=around.segments)
        elif twin != name:
            what = f'is also the segment of "{shown(twin)}": one audience for each'
            faults.add((*where, "segment"), what)
        if wanted.sensitive is None:
            for told in _speaks_of(name, wanted.segment, segments):
                faults.add(where, told)
    return DestinationMapping(
        policy="granted_only",
        purpose=purpose,
        tag_segments=(),
        audiences={
            name: Audience(segment=wanted.segment, valued=wanted.value is not None)
            for name, wanted in shape.audiences.items()
        },
    )


def read_item_ids(written: ItemsShape | None, place: Path, faults: Faults) -> ItemRules:
    """Which ids sold items have where sales are told: those that the catalog's items have."""
    for key in sorted(written.model_fields_set - {"id"}) if written else ():
        what = "is for catalogs; here only id counts, the same as the catalog's"
        faults.add((*place, key), what)
    return ItemRules(id=read_pattern(written.id if written else None, (*place, "id"), faults))


def _speaks_of(name: str, segment: str, segments: Mapping[str, Segment]) -> Iterator[str]:
    """What is sensitive about an audience: its name, and the name, tag and rule of its segment."""
    texts = [("its name", name)]
    for each in _behind(segment, segments):
        texts += [
            (f'the segment "{shown(each.name)}"', each.name),
            (f'the tag of "{shown(each.name)}"', each.tag or ""),
            (f'the rule of "{shown(each.name)}"', each.when),
        ]
    for what, text in texts:
        if hit := sensitive.find(text):
            yield (
                f'{what} speaks of {hit.about} ("{shown(hit.word)}"): Meta flags such audiences, '
                "and blocks removals from them. Take another segment, or write "
                "sensitive: accepted if you answer for it"
            )
            return


def _behind(name: str, segments: Mapping[str, Segment]) -> Iterator[Segment]:
    """A segment and those that it asks for, each once."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in seen or each not in segments:
            continue
        seen.add(each)
        yield segments[each]
        waiting += sorted(segments[each].query.references)
