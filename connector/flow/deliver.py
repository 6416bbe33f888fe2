"""From due records to what a destination acknowledged, in the largest batch the platform takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection

from connector import consent
from connector.flow import tables
from connector.flow.patience import try_again
from connector.flow.rules import Rules, Target
from connector.model import Change, Evidence, Outcome, Parked, Postponed, Record, Settled
from connector.ports import DestinationAdapter
from connector.store import evidence, outbox, profiles, segments
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.outbox import Due, Verdict
from mappings.project import Known, project


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How many due rows were taken up, and how many of them needed something sent."""

    taken: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    """A claimed row and the step it asks for."""

    due: Due
    change: Change


def drain(
    store: Store,
    target: Target,
    adapter: DestinationAdapter,
    rules: Rules,
    *,
    now: datetime,
) -> Drained:
    """Bring one batch of due records to their destination.

    The consent is decided in the transaction that claims the row, so after a withdrawal is stored
    no send of the old state starts. Raises `TryLater` or `LaneDown` when nothing could be sent:
    the rows stay due, untouched; `StoreUnavailable`.
    """
    with store.claim() as claim:
        with claim.read() as conn:
            batch = outbox.claim(conn, target.name, now=now, limit=adapter.batch_size)
            if not batch:
                return Drained()
            steps = _steps(conn, batch, target, rules)
        changed = [step.change for step in steps if step.change.before != step.change.after]
        outcomes = adapter.push(changed, now=now) if changed else {}
        with claim.write() as conn:
            _settle(conn, target, steps, outcomes, now=now)
    return Drained(taken=len(batch), sent=len(changed))


def desired(
    conn: Connection,
    persons: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, tuple[Record | None, datetime | None]]:
    """What the destination should hold about these people, and their newest first-hand grant."""
    kept = profiles.read(conn, persons)
    inside = segments.of_people(conn, persons)
    said = evidence.of_people(conn, persons, target.mapping.purpose)
    tags = target.mapping.tags(rules.mapping)
    rows = tables.of_people(conn, kept, target.mapping.tables, rules) if kept else {}
    wanted: dict[str, tuple[Record | None, datetime | None]] = {}
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
        )
        wanted[person] = (
            project(known, target.mapping, tags, rules.zone),
            consent.newest_grant(summary),
        )
    return wanted


def _steps(conn: Connection, batch: Sequence[Due], target: Target, rules: Rules) -> list[_Step]:
    held = {due.key: due.acknowledged for due in batch}
    wanted = desired(conn, list(held), held, target, rules)
    return [
        _Step(
            due,
            Change(
                key=due.key,
                before=due.acknowledged,
                after=wanted[due.key][0],
                granted_at=wanted[due.key][1],
            ),
        )
        for due in batch
    ]


def _settle(
    conn: Connection,
    target: Target,
    steps: Sequence[_Step],
    outcomes: Mapping[str, Outcome],
    *,
    now: datetime,
) -> None:
    said: list[Evidence] = []
    verdicts = []
    for step in steps:
        outcome = outcomes.get(step.change.key)
        if isinstance(outcome, Settled | Parked):
            said += outcome.evidence
        verdicts.append(_verdict(step, outcome, now))
    outbox.settle(conn, target.name, verdicts, now=now)
    # What the answer told about permissions goes into the ledger and is weighed like all else.
    mark_dirty(conn, evidence.append(conn, [(item, None) for item in said]), now=now)


def _verdict(step: _Step, outcome: Outcome | None, now: datetime) -> Verdict:
    due, change = step.due, step.change
    if change.before == change.after:
        return Verdict(due=due, status="settled", acknowledged=change.after)
    match outcome:
        case Settled(note=note):
            return Verdict(
                due=due,
                status="settled",
                acknowledged=change.after,
                taken=True,
                reason=note or None,
            )
        case Parked(reason=reason, mend=mend):
            return Verdict(
                due=due, status="parked", acknowledged=change.before, reason=reason, mend=mend
            )
        case Postponed():
            return _again(due, change, outcome, now)
        case None:  # an adapter that forgets a key must not make it look delivered
            return _again(due, change, Postponed(reason="the destination gave no verdict"), now)
        case _:
            assert_never(outcome)


def _again(due: Due, change: Change, trouble: Postponed, now: datetime) -> Verdict:
    match try_again(due.key, due.attempts, trouble, now=now):
        case Parked(reason=reason, mend=mend):
            return Verdict(
                due=due, status="parked", acknowledged=change.before, reason=reason, mend=mend
            )
        case at:
            return Verdict(
                due=due,
                status="due",
                acknowledged=change.before,
                reason=trouble.reason,
                next_attempt_at=at,
            )
