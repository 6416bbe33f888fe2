"""From facts to people: profiles, consent, segments and their moves, and which records are due."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from connector import consent
from connector.flow.rules import Holds, Rules
from connector.model import ConsentState, Customer, Lane, Order, Profile, Purpose
from connector.store import changes, evidence, gate, outbox, profiles, recall, segments
from connector.store.changes import Changed
from connector.store.connect import Store
from connector.store.schema import profiles as profiles_table
from mappings import fields
from mappings.grammar import Attribute, Segment
from mappings.segments.flips import next_flip
from mappings.segments.sql import condition

# How platforms spell the state of an e-mail consent:
# https://shopify.dev/docs/api/admin-graphql/latest/enums/CustomerEmailMarketingState
SPELLING: Mapping[ConsentState, str] = {
    ConsentState.GRANTED_CONFIRMED: "SUBSCRIBED",
    ConsentState.GRANTED: "SUBSCRIBED",
    ConsentState.GRANTED_UNDATED: "SUBSCRIBED",
    ConsentState.SOFT_OPTIN: "SUBSCRIBED",
    ConsentState.PENDING: "PENDING",
    ConsentState.UNPROVEN: "NOT_SUBSCRIBED",
    ConsentState.UNKNOWN: "NOT_SUBSCRIBED",
    ConsentState.WITHDRAWN: "UNSUBSCRIBED",
    ConsentState.SUPPRESSED: "REDACTED",
}


@dataclass(frozen=True, slots=True)
class _WorkedOut:
    """What follows from the facts about a batch of people; ``causes`` names the deliveries."""

    causes: Mapping[str, int | None]
    known: Mapping[str, Profile]
    states: Mapping[str, tuple[ConsentState, str]]
    flips: Mapping[str, datetime | None]


def drain(store: Store, rules: Rules, *, now: datetime, limit: int) -> int:
    """Evaluate a batch of people whose facts changed. Gives how many. Raises `StoreUnavailable`.

    Who changes again while it is worked out keeps their mark, and is evaluated once more.
    """
    with store.claim() as claim:
        with claim.read() as conn:
            gate.hold(conn)
            erasures = gate.count(conn)
            batch = changes.claim_changed(conn, limit=limit)
            if not batch:
                return 0
            found = _work_out(conn, batch, rules, now)
        with claim.write() as conn:
            if gate.count(conn) != erasures:
                return 0  # somebody was erased meanwhile, and must not be written back
            _write(conn, found, rules, now)
            changes.clear_changed(conn, batch)
    return len(batch)


def _work_out(
    conn: Connection, batch: Sequence[Changed], rules: Rules, now: datetime
) -> _WorkedOut:
    causes = {entry.person: entry.delivery_id for entry in batch}
    known = profiles.work_out(conn, list(causes), rules.counting)
    known = _with_attributes(conn, known, rules)
    return _WorkedOut(
        causes=causes,
        known=known,
        states=_email_states(conn, known, rules),
        flips={person: _first_flip(profile, rules, now) for person, profile in known.items()},
    )


def _write(conn: Connection, found: _WorkedOut, rules: Rules, now: datetime) -> None:
    """Keep the profiles, move people between segments, and mark their records due."""
    profiles.write(
        conn,
        found.known,
        gone=found.causes.keys() - found.known.keys(),
        status={person: spelling for person, (_, spelling) in found.states.items()},
        next_flip=found.flips,
    )
    _move(conn, found.causes, rules, now=now)
    for target in rules.holding(Holds.PEOPLE):
        lanes = {
            person: _lane(found.states[person][0])
            for person, profile in found.known.items()
            if target.shops.intersection(profile.shops) and (profile.email or target.mapping.tables)
        }
        outbox.mark_due(conn, target.name, lanes, now=now)
        outbox.mark_held_due(conn, target.name, found.causes.keys() - lanes.keys(), now=now)


def _lane(state: ConsentState) -> Lane:
    withdrawn = state in (ConsentState.WITHDRAWN, ConsentState.SUPPRESSED)
    return Lane.WITHDRAWAL if withdrawn else Lane.NORMAL


def _email_states(
    conn: Connection, known: Mapping[str, Profile], rules: Rules
) -> dict[str, tuple[ConsentState, str]]:
    said = evidence.of_people(conn, list(known), Purpose.EMAIL)
    states = {}
    for person in known:
        summary = consent.summarise(said.get(person, ()))
        state = consent.decide(summary, rules.consent_policy)
        spelling = "INVALID" if summary.undeliverable else SPELLING[state]
        states[person] = (state, spelling)
    return states


def _with_attributes(
    conn: Connection, known: dict[str, Profile], rules: Rules
) -> dict[str, Profile]:
    wanted = rules.mapping.attributes
    if not wanted:
        return known
    stated = recall.stated_of(conn, list(known))
    return {
        person: dataclasses.replace(
            profile,
            attributes={
                attribute.name: text
                for attribute in wanted
                if (text := _attribute(attribute, stated.get(person, ()))) is not None
            },
        )
        for person, profile in known.items()
    }


def _attribute(wanted: Attribute, stated: Sequence[Order | Customer]) -> str | None:
    """The newest statement that has the field decides."""
    texts = (
        fields.text_of(fields.read(wanted.path, fact))
        for fact in stated
        if wanted.shop in (None, fact.shop)
    )
    return next((text for text in texts if text is not None), None)


def _first_flip(profile: Profile, rules: Rules, now: datetime) -> datetime | None:
    moments = (
        next_flip(segment.query, profile, zone=rules.zone, now=now)
        for segment in rules.mapping.segments.values()
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _move(
    conn: Connection, causes: Mapping[str, int | None], rules: Rules, *, now: datetime
) -> None:
    """Ask for one level of segments at a time: those that name another come after it."""
    for level in _levels(rules.mapping.segments):
        columns = [
            condition(segment.query, zone=rules.zone, now=now, currency=rules.currency).label(
                f"s{number}"
            )
            for number, segment in enumerate(level)
        ]
        rows = conn.execute(
            select(profiles_table.c.person, *columns).where(
                profiles_table.c.person.in_(list(causes))
            )
        ).all()
        for number, segment in enumerate(level, start=1):
            members = [row[0] for row in rows if row[number]]
            segments.move(conn, segment.name, causes, members, now=now)


def _levels(named: Mapping[str, Segment]) -> list[list[Segment]]:
    depth: dict[str, int] = {}
    levels: list[list[Segment]] = []
    for segment in named.values():  # the loader gives them in order of dependency
        deep = 1 + max((depth[name] for name in segment.query.references), default=-1)
        depth[segment.name] = deep
        if deep == len(levels):
            levels.append([])
        levels[deep].append(segment)
    return levels
