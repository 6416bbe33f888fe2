"""From claims to facts: what waits in the inbox is understood, settled and accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from connector.errors import LaneDown, TryLater
from connector.flow.patience import try_again
from connector.flow.rules import Rules
from connector.flow.settling import Told, is_nameless, settle
from connector.model import (
    AddressChange,
    DataRequest,
    Delivery,
    Evidence,
    Ignored,
    Parked,
    Quarantined,
    Redaction,
    Understanding,
    Understood,
)
from connector.ports import Hearing, ShopAdapter
from connector.spellings import addresses_in
from connector.store import bodies, inbox, requests, suppressions
from connector.store.connect import Store
from connector.store.flagged import ALARM
from connector.store.inbox import Verdict
from connector.store.shelves import Thing

Speaker: TypeAlias = ShopAdapter | Hearing
"""Who delivers: a shop, or a destination that tells what people said there."""

_LANE_DOWN_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Later:
    """A delivery that could not be understood to the end yet: when to try again, and why."""

    reason: str
    at: datetime
    mend: str = ""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Deliveries with what became of them, and what they state and say together."""

    understood: Sequence[tuple[Delivery, Understanding | _Later]]
    told: Told
    demands: Sequence[tuple[DataRequest | Redaction, Delivery]]


def drain(
    store: Store,
    speakers: Mapping[str, Speaker],
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
        return _drain(store, speakers, rules, now=now, limit=limit, asking=asking)
    except (DBAPIError, StatementError, ValueError, OverflowError):
        # One delivery in the batch cannot be stored. Alone, each shows whether it is the one.
        return _drain_carefully(store, speakers, rules, now=now, limit=limit, asking=asking)


def _drain(
    store: Store,
    speakers: Mapping[str, Speaker],
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
            (delivery, _read(delivery, speakers.get(delivery.shop), now=now, asking=asking))
            for delivery in batch
        ]
        found = _sort_out(understood, rules)  # before the write lock: others wait for that
        with claim.write() as conn:
            forgotten = _settle(conn, found, rules, now=now)
    if forgotten:
        store.untidy.set()
    return len(batch)


def _drain_carefully(
    store: Store,
    speakers: Mapping[str, Speaker],
    rules: Rules,
    *,
    now: datetime,
    limit: int,
    asking: bool,
) -> int:
    for taken in range(limit):
        try:
            if not _drain(store, speakers, rules, now=now, limit=1, asking=asking):
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
    delivery: Delivery, shop: Speaker | None, *, now: datetime, asking: bool
) -> Understanding | _Later:
    if shop is None:
        return Ignored(reason="who sent it is no longer configured")
    reading = shop.understand(delivery)
    if not isinstance(reading, Understood) or not reading.wishes:
        return reading
    return _ask(delivery, reading, shop, now=now) if asking else _Later("asks the shop", now)


def _ask(
    delivery: Delivery, reading: Understood, shop: Speaker, *, now: datetime
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


def _sort_out(
    understood: Sequence[tuple[Delivery, Understanding | _Later]], rules: Rules
) -> _Batch:
    """What a batch of deliveries states, and the permissions in it."""
    told = Told()
    demands: list[tuple[DataRequest | Redaction, Delivery]] = []
    for delivery, reading in understood:
        if isinstance(reading, Understood):
            for fact in reading.facts:
                match fact:
                    case Evidence():
                        told.said.append((fact, delivery.id))
                    case DataRequest() | Redaction():
                        demands.append((fact, delivery))
                    case AddressChange():
                        told.moved.append((fact, delivery.id))
                    case _:
                        told.state(
                            fact,
                            delivery.id,
                            rules,
                            shop=delivery.shop,
                            received_at=delivery.received_at,
                            addresses=_hints(fact, delivery),
                        )
    return _Batch(understood, told, demands)


def _hints(fact: Thing, delivery: Delivery) -> frozenset[str]:
    """What a delivery names where its fact has no address: a spelling that is not believed."""
    return addresses_in(delivery.body) if is_nameless(fact) else frozenset()


def _settle(conn: Connection, batch: _Batch, rules: Rules, *, now: datetime) -> bool:
    """Write it all down; whether a body was forgotten because it names somebody erased."""
    settled = settle(conn, batch.told, rules, now=now)
    applied = settled.applied | requests.record(conn, batch.demands)
    keyless = {} if suppressions.keyring_of(conn) else _without_key(batch.demands)
    understood = [(each, keyless.get(each.id, reading)) for each, reading in batch.understood]
    inbox.finish(
        conn,
        [_verdict(delivery, reading, applied) for delivery, reading in understood],
        now=now,
    )
    erased = settled.hidden | _unwanted(conn, understood)
    bodies.forget(conn, erased)
    return bool(erased)


def _unwanted(
    conn: Connection, understood: Sequence[tuple[Delivery, Understanding | _Later]]
) -> set[int]:
    """Deliveries that name somebody who was erased, and of which no fact keeps anything.

    One in quarantine goes only if it came before the erasure: a later one may still be mended.
    """
    unused = [
        (delivery, reading)
        for delivery, reading in understood
        if isinstance(reading, Ignored | Quarantined) or _is_mere_word(reading)
    ]
    if not unused or suppressions.is_empty(conn):
        return set()
    named = {delivery.id: addresses_in(delivery.body) for delivery, _ in unused}
    found = suppressions.find(conn, frozenset().union(*named.values()))
    return {
        delivery.id
        for delivery, reading in unused
        for address in named[delivery.id] & found.keys()
        if not isinstance(reading, Quarantined) or delivery.received_at <= found[address].erased_at
    }


def _is_mere_word(reading: Understanding | _Later) -> bool:
    """Whether all it tells is in the ledger, which keeps an erased person under their digest."""
    return isinstance(reading, Understood) and all(
        isinstance(fact, Evidence | AddressChange) for fact in reading.facts
    )


def _without_key(
    demands: Sequence[tuple[DataRequest | Redaction, Delivery]],
) -> dict[int, Quarantined]:
    """Who is to be forgotten cannot be without a key to remember them by; nor is it forgotten."""
    return {
        delivery.id: Quarantined(
            reason="no_secret_key",
            detail="the person is to be erased, and CONNECTOR_SECRET_KEY is not set",
            mend="Set CONNECTOR_SECRET_KEY (openssl rand -hex 32) and start the connector again: "
            f"it is done then. Or at once: connector parked --release {delivery.id}",
        )
        for demand, delivery in demands
        if isinstance(demand, Redaction)
    }


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
        case Quarantined(reason=reason, detail=detail, mend=mend, alarm=alarm):
            return Verdict(
                id=delivery.id,
                status="quarantined",
                reason=reason,
                detail=detail,
                mend=mend,
                flags=(ALARM,) if alarm else (),
            )
        case _Later(reason=reason, at=at, mend=mend):
            return Verdict(
                id=delivery.id, status="waiting", reason=reason, mend=mend, next_attempt_at=at
            )
        case _:
            assert_never(reading)
