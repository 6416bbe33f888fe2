"""What a destination should hold, worked out anew each time: about people, items, or sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from connector import consent
from connector.flow import sales, tables, taking_back
from connector.flow.evaluate import spelling
from connector.flow.rules import Holds, Rules, Target
from connector.model import Record
from connector.store import catalog, evidence, popularity, profiles, segments
from mappings import items
from mappings.fields import SUBSCRIPTIONS
from mappings.project import Known, project

Wanted: TypeAlias = tuple[Record | None, datetime | None]
"""The record, and for a person the newest first-hand grant behind its permission."""

_Worked: TypeAlias = Callable[
    [Connection, Sequence[str], Mapping[str, Record | None], Target, Rules], dict[str, Wanted]
]


def desired(
    conn: Connection,
    keys: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    """What the destination should hold under these keys; ``held`` is what it acknowledged."""
    return _WORKED_OUT[target.holds](conn, keys, held, target, rules)


def _people(
    conn: Connection,
    persons: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    kept = profiles.read(conn, persons)
    inside = segments.of_people(conn, persons)
    said = evidence.of_people(conn, persons, target.mapping.purpose)
    tags = target.mapping.tags(rules.mapping)
    rows = tables.of_people(conn, kept, target.mapping.tables, rules) if kept else {}
    subscribed = _subscriptions(conn, persons, target, rules)
    wanted: dict[str, Wanted] = {}
    for person in persons:
        profile = kept.get(person)
        if profile is None or not target.shops.intersection(profile.shops):
            wanted[person] = (None, None)
            continue
        summary = consent.summarise(said.get(person, ()))
        known = Known(
            profile=profile,
            segments=inside.get(person, ()),
            state=consent.decide(summary, rules.consent_policy),
            summary=summary,
            held=held[person],
            tables=rows.get(person, {}),
            subscriptions=subscribed.get(person, {}),
        )
        wanted[person] = (
            project(known, target.mapping, tags, rules.zone),
            consent.newest_grant(summary),
        )
    return wanted


def _subscriptions(
    conn: Connection, persons: Sequence[str], target: Target, rules: Rules
) -> dict[str, dict[str, str]]:
    """How each person stands to the purposes that the destination's fields ask for."""
    found: dict[str, dict[str, str]] = {}
    for attribute in {*target.mapping.fields.values()} & SUBSCRIPTIONS.keys():
        said = evidence.of_people(conn, persons, SUBSCRIPTIONS[attribute])
        for person in persons:
            summary = consent.summarise(said.get(person, ()))
            state = consent.decide(summary, rules.consent_policy)
            found.setdefault(person, {})[attribute] = spelling(summary, state)
    return found


def _items(
    conn: Connection,
    keys: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    _rules: Rules,
) -> dict[str, Wanted]:
    places = {key: catalog.place_of(key) for key in keys}
    mine = {place for place in places.values() if place[0] in target.shops}
    there = popularity.with_standing(conn, catalog.read(conn, mine))
    return {
        key: (
            items.project(key, there[place], target.mapping, held[key]) if place in there else None,
            None,
        )
        for key, place in places.items()
    }


def _withdrawals(
    conn: Connection,
    persons: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    del held
    told = taking_back.desired(conn, persons, target, rules)
    return {person: (record, None) for person, record in told.items()}


_WORKED_OUT: Mapping[Holds, _Worked] = {
    Holds.WITHDRAWALS: _withdrawals,
    Holds.PEOPLE: _people,
    Holds.ITEMS: _items,
    Holds.SALES: sales.desired,
}
