"""From due records to what a destination acknowledged, in the largest batch the platform takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from sqlalchemy import Connection

from connector.flow import buyers, guards, removals, sales_due
from connector.flow.hearsay import left_there
from connector.flow.patience import try_again
from connector.flow.rules import Holds, Rules, Target
from connector.flow.wanted import desired
from connector.model import Change, Evidence, Lane, Outcome, Parked, Postponed, Record, Settled
from connector.ports import DestinationAdapter
from connector.store import evidence, flights, outbox
from connector.store.changes import any_changed, mark_dirty
from connector.store.connect import Store
from connector.store.outbox import Due, Verdict

_GATHERING = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How many due rows were taken up, and how many of them needed something sent."""

    taken: int = 0
    sent: int = 0


class Wait(Enum):
    """What a destination waits for."""

    NOTHING_DUE = "nothing is due"
    GATHERING = "more is being evaluated, and will go along"
    READY = "nothing: a batch is ready"


@dataclass(frozen=True, slots=True)
class _Step:
    """A claimed row and the step it asks for."""

    due: Due
    change: Change

    @property
    def asks(self) -> bool:
        """Whether the destination must be spoken to at all."""
        changes = self.change.before != self.change.after
        return changes or self.change.erased or self.due.unsure


def drain(
    store: Store,
    target: Target,
    adapter: DestinationAdapter,
    rules: Rules,
    *,
    now: datetime,
    only: Lane | None = None,
) -> Drained:
    """Bring one batch of due records to their destination, those of one lane ``only`` if named.

    The consent is decided in the transaction that claims the row, so after a withdrawal is stored
    no send of the old state starts. What is sent is written down first, so that a record whose
    answer never comes is neither forgotten nor believed. Raises `TryLater` or `LaneDown` when
    nothing is known to be taken: the rows stay due; `StoreUnavailable`.
    """
    with store.claim() as claim:
        flights.bring_down(claim, target.name)
        with claim.read() as conn:
            batch = outbox.claim(conn, target.name, now=now, limit=adapter.batch_size, only=only)
            if not batch:
                return Drained()
            steps = _steps(conn, batch, target, rules)
            waiting = _waiting(conn, target, steps)
            asked = [(step.change, step.due.confirmed) for step in steps]
            held = removals.held_back(conn, target, asked, now=now)
            held |= guards.held_back(conn, target, asked, now=now)
        kept = held.keys() | waiting
        changed = [step.change for step in steps if step.asks and step.change.key not in kept]
        outcomes: dict[str, Outcome] = {**held}
        flight = None
        if changed:
            # If this is the last that is heard of it, the next run knows what may have been taken.
            flight = flights.take_off(claim, target.name, {one.key: one.after for one in changed})
            outcomes |= adapter.push(changed, now=now)
        with claim.write() as conn:
            if flight is not None:
                flights.land(conn, flight)
            _settle(conn, target, steps, outcomes, waiting, rules, now=now)
            guards.note(conn, target, asked, outcomes, now=now)
    if any(step.change.erased for step in steps):
        store.untidy.set()
    return Drained(taken=len(batch), sent=len(changed))


def wait(store: Store, target: Target, *, now: datetime, full: int) -> Wait:
    """Whether to deliver now. While more is on its way a batch may grow, but not for long.

    A withdrawal never waits for company. ``full`` is the most that a batch can hold.
    """
    with store.read() as conn:
        waiting = outbox.queue(conn, target.name, now=now, limit=full)
        if waiting.oldest is None:
            return Wait.NOTHING_DUE
        ripe = (
            waiting.has_withdrawal
            or waiting.number >= full
            or not timedelta(0) <= now - waiting.oldest < _GATHERING
            or not (target.holds is Holds.ITEMS or any_changed(conn))
        )
    return Wait.READY if ripe else Wait.GATHERING


def _steps(conn: Connection, batch: Sequence[Due], target: Target, rules: Rules) -> list[_Step]:
    held = {due.key: due.acknowledged for due in batch}
    wanted = desired(conn, list(held), held, target, rules)
    new = [due.key for due in batch if due.acknowledged is None and not due.unsure]
    known = left_there(conn, target, {key: record for key in new if (record := wanted[key][0])})
    return [
        _Step(
            due,
            Change(
                key=due.key,
                before=known.get(due.key) or _before(due, wanted[due.key][0]),
                after=wanted[due.key][0],
                granted_at=wanted[due.key][1],
                removed_at=due.removed_at,
                revision=due.revision,
            )
            if not due.erased
            else Change(
                key=due.key,
                before=due.acknowledged,
                after=None,
                erased=True,
                revision=due.revision,
            ),
        )
        for due in batch
    ]


def _before(due: Due, after: Record | None) -> Record | None:
    """What was taken, or may have been. Of the very thing that is wanted, only a verdict counts.

    A tag in doubt is there where it should go, and is not there where it should be.
    """
    held = due.acknowledged
    if due.unsure and held == after:
        return None
    if held is None or not held.doubts:
        return held
    wanted = set(held.doubts).intersection(after.tags if after else ())
    return replace(held, tags=tuple(tag for tag in held.tags if tag not in wanted), doubts=())


def _waiting(conn: Connection, target: Target, steps: Sequence[_Step]) -> frozenset[str]:
    """The steps that must not be taken yet: their buyer's own record goes first."""
    brought = {
        step.change.key: step.change.after.email
        for step in steps
        if target.holds is Holds.SALES and step.change.after and step.change.after.email
    }
    awaited = buyers.awaited(conn, target, set(brought.values()))
    return frozenset(key for key, email in brought.items() if email in awaited)


def _settle(
    conn: Connection,
    target: Target,
    steps: Sequence[_Step],
    outcomes: Mapping[str, Outcome],
    waiting: frozenset[str],
    rules: Rules,
    *,
    now: datetime,
) -> None:
    said: list[Evidence] = []
    verdicts = []
    for step in steps:
        if step.change.key in waiting:
            verdicts.append(_not_yet(step.due, now))
            continue
        outcome = outcomes.get(step.change.key)
        if isinstance(outcome, Settled | Parked):
            said += outcome.evidence
        verdicts.append(_verdict(step, outcome, now))
    outbox.settle(conn, target.name, verdicts, now=now)
    done = {verdict.due.key for verdict in verdicts if verdict.status != "due"}
    sales_due.mark_of_people(conn, sales_due.followers(rules, target.name), rules, done, now=now)
    # What the answer told about permissions goes into the ledger and is weighed like all else.
    mark_dirty(conn, evidence.append(conn, [(item, None) for item in said]).contacts, now=now)


def _not_yet(due: Due, now: datetime) -> Verdict:
    """It was not tried, and none of its attempts is used up."""
    return Verdict(
        due=due,
        status="due",
        acknowledged=due.acknowledged,
        unsure=due.unsure,
        reason=sales_due.WAITS,
        next_attempt_at=now + sales_due.LOOK_AGAIN,
        tried=False,
    )


def _verdict(step: _Step, outcome: Outcome | None, now: datetime) -> Verdict:
    due, change = step.due, step.change
    if not step.asks:
        return Verdict(due=due, status="settled", acknowledged=change.after)
    match outcome:
        case Settled(note=note):
            return Verdict(
                due=due,
                status="erased" if change.erased else "settled",
                acknowledged=change.after,
                taken=True,
                reason=note or None,
            )
        case Parked(reason=reason, mend=mend):
            return Verdict(
                due=due, status="parked", acknowledged=due.acknowledged, reason=reason, mend=mend
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
                due=due, status="parked", acknowledged=due.acknowledged, reason=reason, mend=mend
            )
        case at:
            return Verdict(
                due=due,
                status="due",
                # What was sent may be there: until it is known, it is treated as if it were.
                acknowledged=(change.after or due.acknowledged)
                if trouble.sent
                else due.acknowledged,
                unsure=trouble.sent or due.unsure,
                reason=trouble.reason,
                next_attempt_at=at,
            )
