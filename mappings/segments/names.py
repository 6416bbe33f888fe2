"""Finding the nearest right word for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable

from connector.errors import nearest
from mappings.segments.attributes import ANNIVERSARY, ATTRIBUTES, FUNCTIONS, IN_SEGMENT, OTHER_NAMES
from mappings.segments.faults import QueryFault
from mappings.segments.values import Place

_LONGEST = 60


def unknown(name: str, place: Place, also: Iterable[str] = ()) -> QueryFault:
    """The fault of a name that the language does not have; ``also`` are names it has here."""
    right = (*ATTRIBUTES, *FUNCTIONS, IN_SEGMENT, ANNIVERSARY, *also)
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return QueryFault(
        f"'{shown}' filter cannot be found",
        place,
        suggestion=OTHER_NAMES.get(name.casefold()) or nearest(name, right),
    )
