"""Who bought, and what a destination of sales may do with them.

An order brings its buyer along, as a contact without permission. So where a destination keeps
people too, the buyer's own record goes first, and the order is held as that record allows
(`mappings.sales`): whom the destination refuses, or may not hold, no order brings there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from connector import consent
from connector.flow.rules import Rules, Target
from connector.model import Permission, Profile, Record
from connector.store import evidence, standings
from connector.store.schema import dirty
from connector.store.sql import chunks
from connector.store.standings import Standing
from mappings.project import Known, permit


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """What a destination may do with somebody, and whether it is still to be told of them."""

    permission: Permission | None
    is_coming: bool
    granted_at: datetime | None

    @property
    def held_as(self) -> Permission:
        """What stands in a record that is held whatever its buyer allows."""
        return self.permission or Permission.SILENT


def awaited(conn: Connection, target: Target, persons: Collection[str]) -> frozenset[str]:
    """Those of these buyers whose own record at this destination is not settled yet."""
    if target.members is None or not persons:
        return frozenset()
    rows = standings.look(conn, target.members, persons)
    return frozenset(
        person for person, is_coming in _coming(conn, set(persons), rows).items() if is_coming
    )


def buyers_of(
    conn: Connection, persons: Collection[str], target: Target, rules: Rules
) -> dict[str, Buyer]:
    """Each of these people, as a buyer whom this destination is told of."""
    said = evidence.of_people(conn, persons, target.mapping.purpose)
    rows = standings.look(conn, target.members, persons) if target.members else {}
    coming = _coming(conn, persons, rows) if target.members else {}
    buyers: dict[str, Buyer] = {}
    for person in persons:
        summary = consent.summarise(said.get(person, ()))
        row = rows.get(person)
        known = Known(
            profile=Profile(person=person),
            segments=(),
            state=consent.decide(summary, rules.consent_policy),
            summary=summary,
            held=Record(key=person, email=person, permission=row.permission)
            if row is not None and row.is_held
            else None,
        )
        permission = permit(known, target.mapping)
        if target.members is None:
            # There is no list of people there, whose policy could allow more than they did.
            allowed = permission in (Permission.SEND, Permission.WITHDRAWN)
        else:
            allowed = (
                coming.get(person, False)
                or permission is Permission.WITHDRAWN
                or _is_member(row, target)
            )
        buyers[person] = Buyer(
            permission=permission if allowed else None,
            is_coming=coming.get(person, False),
            granted_at=consent.newest_grant(summary),
        )
    return buyers


def _coming(
    conn: Connection, persons: Collection[str], rows: Mapping[str, Standing]
) -> dict[str, bool]:
    """Whether each person's own record is still to be sent, or even to be thought of."""
    unknown = set(persons) - rows.keys()
    changed = {
        person
        for some in chunks(unknown)
        for person in conn.scalars(select(dirty.c.person).where(dirty.c.person.in_(some)))
    }
    return {
        person: rows[person].status == "due" if person in rows else person in changed
        for person in persons
    }


def _is_member(row: Standing | None, target: Target) -> bool:
    """Whether the destination has the person: one that makes nobody says so when it has not."""
    if row is None or not row.is_held:
        return False
    return target.mapping.policy != "existing_only" or row.reason is None
