"""Finding the nearest right word for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from mappings.segments.attributes import ANNIVERSARY, ATTRIBUTES, FUNCTIONS, IN_SEGMENT, OTHER_NAMES
from mappings.segments.faults import QueryFault
from mappings.segments.syntax import Place

_LONGEST = 60


def nearest(word: str, right: Iterable[str]) -> str | None:
    """The right word most like ``word``, without regard to case, or ``None``."""
    by_fold = {each.casefold(): each for each in right}
    found = get_close_matches(word[:_LONGEST].casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def unknown(name: str, place: Place, also: Iterable[str] = ()) -> QueryFault:
    """The fault of a name that the language does not have; ``also`` are names it has here."""
    right = (*ATTRIBUTES, *FUNCTIONS, IN_SEGMENT, ANNIVERSARY, *also)
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    return QueryFault(
        f"'{shown}' filter cannot be found",
        place,
        suggestion=OTHER_NAMES.get(name.casefold()) or nearest(name, right),
    )
