"""From facts to people: profiles, consent, segments and their moves, and which records are due."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, literal, select

from connector import consent
from connector.flow import sales_due
from connector.flow.rules import Holds, Rules, Target
from connector.model import ConsentState, Customer, Lane, Order, Profile, Purpose
from connector.store import changes, evidence, gate, outbox, profiles, recall, segments
from connector.store.changes import Changed
from connector.store.connect import Store
from connector.store.schema import Moment, memberships
from connector.store.schema import profiles as profiles_table
from connector.store.sql import among
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


def spelling(summary: consent.Summary, state: ConsentState) -> str:
    """The word of the platforms for what the evidence adds up to, a bounced address aside."""
    return "INVALID" if summary.undeliverable else SPELLING[state]


_TAKEN_BACK = (ConsentState.WITHDRAWN, ConsentState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class _WorkedOut:
    """What follows from the facts about a batch of people; ``causes`` names the deliveries."""

    causes: Mapping[str, int | None]
    known: Mapping[str, Profile]
    states: Mapping[str, tuple[ConsentState, str]]
    flips: Mapping[str, datetime | None]
    taken_back: Mapping[Purpose, Collection[str]]
    """Who took a permission back, by what it is for."""


def drain(store: Store, rules: Rules, *, now: datetime, limit: int, moving: bool = True) -> int:
    """Evaluate a batch of people whose facts changed. Gives how many. Raises `StoreUnavailable`.

    Who changes again while it is worked out keeps their mark, and is evaluated once more. Without
    ``moving`` nobody enters or leaves a segment: the mapping is held until a person confirms it.
    """
    with store.claim() as claim:
        with claim.read() as conn:
            gate.hold(conn)
            erasures = gate.count(conn)
            batch = changes.claim_changed(conn, now=now, limit=limit)
            if not batch:
                return 0
            found = _work_out(conn, batch, rules, now)
        with claim.write() as conn:
            if gate.count(conn) != erasures:
                return 0  # somebody was erased meanwhile, and must not be written back
            _write(conn, found, rules, now, moving=moving)
            changes.clear_changed(conn, batch)
    return len(batch)


def _work_out(
    conn: Connection, batch: Sequence[Changed], rules: Rules, now: datetime
) -> _WorkedOut:
    causes = {entry.person: entry.delivery_id for entry in batch}
    known = profiles.work_out(conn, list(causes), rules.counting)
    known = _with_attributes(conn, known, rules)
    states = _email_states(conn, known, rules)
    return _WorkedOut(
        causes=causes,
        known=known,
        states=states,
        taken_back=_taken_back(conn, known, states, rules),
        flips={person: _first_flip(profile, rules, now) for person, profile in known.items()},
    )


def rework(conn: Connection, persons: Sequence[str], rules: Rules, *, now: datetime) -> None:
    """Keep the profiles of these people as the rules want them, in the tables of a connection."""
    _keep(conn, _work_out(conn, [Changed(person, 0, None) for person in persons], rules, now))


def enroll(conn: Connection, rules: Rules, *, now: datetime) -> None:
    """Put everybody into their segments, in the tables of a connection, which are empty yet."""
    for segment in rules.mapping.segments.values():  # in order of dependency
        belongs = condition(segment.query, zone=rules.zone, now=now, currency=rules.currency)
        members = select(
            literal(segment.name), profiles_table.c.person, literal(now, Moment)
        ).where(belongs)
        conn.execute(insert(memberships).from_select(["segment", "person", "since"], members))


def _keep(conn: Connection, found: _WorkedOut) -> None:
    profiles.write(
        conn,
        found.known,
        gone=found.causes.keys() - found.known.keys(),
        status={person: spelling for person, (_, spelling) in found.states.items()},
        next_flip=found.flips,
    )


def _write(
    conn: Connection, found: _WorkedOut, rules: Rules, now: datetime, *, moving: bool
) -> None:
    """Keep the profiles, move people between segments, and mark their records due."""
    _keep(conn, found)
    if moving:
        _move(conn, found.causes, rules, now=now)
    for target in rules.holding(Holds.PEOPLE):
        withdrawn = found.taken_back[target.mapping.purpose]
        lanes = {
            person: Lane.WITHDRAWAL if person in withdrawn else Lane.NORMAL
            for person, profile in found.known.items()
            if target.shops.intersection(profile.shops) and (profile.email or target.mapping.tables)
        }
        outbox.mark_due(conn, target.name, lanes, now=now)
        outbox.mark_held_due(conn, target.name, found.causes.keys() - lanes.keys(), now=now)
    for target in rules.holding(Holds.WITHDRAWALS):
        _mark_withdrawn(conn, found, target, now)
    sales_due.mark_of_people(conn, rules.holding(Holds.SALES), rules, found.causes.keys(), now=now)


def _mark_withdrawn(conn: Connection, found: _WorkedOut, target: Target, now: datetime) -> None:
    """A shop is told of those who withdrew, and of those of whom it was told and who did not."""
    withdrawn = {
        person
        for person in found.taken_back[Purpose.EMAIL]
        if target.shops.intersection(found.known[person].shops)
    }
    outbox.mark_due(conn, target.name, dict.fromkeys(withdrawn, Lane.WITHDRAWAL), now=now)
    outbox.mark_held_due(conn, target.name, found.causes.keys() - withdrawn, now=now)


def _taken_back(
    conn: Connection,
    known: Mapping[str, Profile],
    states: Mapping[str, tuple[ConsentState, str]],
    rules: Rules,
) -> dict[Purpose, frozenset[str]]:
    gone = {
        Purpose.EMAIL: frozenset(
            person for person, (state, _) in states.items() if state in _TAKEN_BACK
        )
    }
    for purpose in {target.mapping.purpose for target in rules.targets} - {Purpose.EMAIL}:
        said = evidence.of_people(conn, list(known), purpose)
        gone[purpose] = frozenset(
            person
            for person in known
            if consent.decide(consent.summarise(said.get(person, ())), rules.consent_policy)
            in _TAKEN_BACK
        )
    return gone


def _email_states(
    conn: Connection, known: Mapping[str, Profile], rules: Rules
) -> dict[str, tuple[ConsentState, str]]:
    said = evidence.of_people(conn, list(known), Purpose.EMAIL)
    states = {}
    for person in known:
        summary = consent.summarise(said.get(person, ()))
        state = consent.decide(summary, rules.consent_policy)
        states[person] = (state, spelling(summary, state))
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
                among(conn, profiles_table.c.person, causes)
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
