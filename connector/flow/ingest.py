"""From claims to facts: what waits in the inbox is understood, settled and accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from connector.errors import LaneDown, TryLater
from connector.flow.patience import try_again
from connector.flow.rules import Rules
from connector.model import (
    Customer,
    Delivery,
    Evidence,
    Ignored,
    Order,
    Parked,
    Quarantined,
    Understanding,
    Understood,
)
from connector.ports import ShopAdapter
from connector.store import evidence, facts, inbox
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.inbox import Verdict
from mappings.consent_sources import evidence_of

_LANE_DOWN_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Later:
    """A delivery that could not be understood to the end yet: when to try again, and why."""

    reason: str
    at: datetime
    mend: str = ""


def drain(
    store: Store,
    shops: Mapping[str, ShopAdapter],
    rules: Rules,
    *,
    now: datetime,
    limit: int,
    asking: bool = False,
) -> int:
    """Take a batch of waiting deliveries and finish it. Gives how many were taken.

    A delivery that lacks something is put back once for the ``asking`` round, which asks the shop,
    so that a slow shop never holds up what needs no answer. Raises `StoreUnavailable`.
    """
    try:
        return _drain(store, shops, rules, now=now, limit=limit, asking=asking)
    except (DBAPIError, StatementError, ValueError, OverflowError):
        # One delivery in the batch cannot be stored. Alone, each shows whether it is the one.
        return _drain_carefully(store, shops, rules, now=now, limit=limit, asking=asking)


def _drain(
    store: Store,
    shops: Mapping[str, ShopAdapter],
    rules: Rules,
    *,
    now: datetime,
    limit: int,
    asking: bool,
) -> int:
    with store.claim() as claim:
        with claim.read() as conn:
            batch = inbox.claim(conn, now=now, limit=limit, asking=asking)
        if not batch:
            return 0
        understood = [
            (delivery, _read(delivery, shops.get(delivery.shop), now=now, asking=asking))
            for delivery in batch
        ]
        with claim.write() as conn:
            _settle(conn, understood, rules, now=now)
    return len(batch)


def _drain_carefully(
    store: Store,
    shops: Mapping[str, ShopAdapter],
    rules: Rules,
    *,
    now: datetime,
    limit: int,
    asking: bool,
) -> int:
    for taken in range(limit):
        try:
            if not _drain(store, shops, rules, now=now, limit=1, asking=asking):
                return taken
        except (DBAPIError, StatementError, ValueError, OverflowError) as problem:
            with store.write() as conn:
                (delivery,) = inbox.claim(conn, now=now, limit=1, asking=asking)
                verdict = Verdict(
                    id=delivery.id,
                    status="quarantined",
                    reason="not_storable",
                    detail=type(problem).__name__,
                    mend="Report it: a delivery that is understood must also be storable.",
                )
                inbox.finish(conn, [verdict], now=now)
    return limit


def _read(
    delivery: Delivery, shop: ShopAdapter | None, *, now: datetime, asking: bool
) -> Understanding | _Later:
    if shop is None:
        return Ignored(reason="the shop is no longer configured")
    reading = shop.understand(delivery)
    if not isinstance(reading, Understood) or not reading.wishes:
        return reading
    return _ask(delivery, reading, shop, now=now) if asking else _Later("asks the shop", now)


def _ask(
    delivery: Delivery, reading: Understood, shop: ShopAdapter, *, now: datetime
) -> Understanding | _Later:
    found = [reading]
    try:
        for wish in reading.wishes:
            answer = shop.look_up(wish, delivery)
            if not isinstance(answer, Understood):
                return answer
            found.append(answer)
    except TryLater as problem:
        match try_again(str(delivery.id), delivery.attempts, problem, now=now):
            case Parked(reason=reason, mend=mend):
                return Quarantined(reason="shop_silent", detail=reason, mend=mend)
            case at:
                return _Later(problem.reason, at)
    except LaneDown as problem:
        return _Later(problem.reason, now + _LANE_DOWN_PAUSE, problem.mend)
    return Understood(
        facts=tuple(fact for part in found for fact in part.facts),
        flags=tuple(flag for part in found for flag in part.flags),
    )


def _settle(
    conn: Connection,
    understood: Sequence[tuple[Delivery, Understanding | _Later]],
    rules: Rules,
    *,
    now: datetime,
) -> None:
    stated: list[facts.Stated] = []
    said: list[tuple[Evidence, int | None]] = []
    for delivery, reading in understood:
        if isinstance(reading, Understood):
            for fact in reading.facts:
                if isinstance(fact, Evidence):
                    said.append((fact, delivery.id))
                    continue
                stated.append(facts.Stated(fact, delivery.id))
                said += [(item, delivery.id) for item in _consents(fact, delivery, rules)]
    settlement = facts.settle(conn, stated)
    grown = evidence.append(conn, said)
    settlement.dirty.update(grown)
    mark_dirty(conn, settlement.dirty, now=now)
    applied = settlement.applied | {cause for cause in grown.values() if cause is not None}
    inbox.finish(
        conn,
        [_verdict(delivery, reading, applied) for delivery, reading in understood],
        now=now,
    )


def _consents(fact: facts.Thing, delivery: Delivery, rules: Rules) -> Iterable[Evidence]:
    if not isinstance(fact, Customer | Order):
        return ()
    return evidence_of(
        fact,
        rules.mapping.consent,
        received_at=delivery.received_at,
        platform=rules.platforms[delivery.shop],
    )


def _verdict(delivery: Delivery, reading: Understanding | _Later, applied: set[int]) -> Verdict:
    match reading:
        case Understood(flags=flags):
            return Verdict(
                id=delivery.id,
                status="applied" if delivery.id in applied else "unchanged",
                flags=flags,
            )
        case Ignored(reason=reason):
            return Verdict(id=delivery.id, status="ignored", reason=reason)
        case Quarantined(reason=reason, detail=detail, mend=mend):
            return Verdict(
                id=delivery.id, status="quarantined", reason=reason, detail=detail, mend=mend
            )
        case _Later(reason=reason, at=at, mend=mend):
            return Verdict(
                id=delivery.id, status="waiting", reason=reason, mend=mend, next_attempt_at=at
            )
        case _:
            assert_never(reading)
