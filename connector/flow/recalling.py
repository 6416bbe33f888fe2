"""What was read of a shop settles here, with what became of each thing counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError

from connector.flow.rules import Rules
from connector.flow.settling import Told, is_nameless, settle
from connector.model import (
    AddressChange,
    DataRequest,
    Evidence,
    Ignored,
    Quarantined,
    Redaction,
    Understanding,
    Understood,
)
from connector.ports import Recalled
from connector.spellings import addresses_in
from connector.store import changes, put_aside
from connector.store.causes import place_of, read_at
from connector.store.errands import Counted, Errand

Settling: TypeAlias = Callable[[Connection, Errand, Sequence[Recalled], Rules, datetime], Counted]
"""Settles what was read, in one of the two ways below."""
_ON_ITS_WAY = timedelta(minutes=5)
_UNDATED = (Evidence, AddressChange, DataRequest, Redaction)

_INCOMPLETE = Quarantined(
    reason="incomplete",
    detail="it lacks something that the reading should have brought",
    mend="Report it: what is read of a shop's past must be whole.",
)
_NOT_STORABLE = Quarantined(
    reason="not_storable",
    mend="Report it: what is understood must also be storable.",
)


def settle_together(
    conn: Connection, row: Errand, found: Sequence[Recalled], rules: Rules, now: datetime
) -> Counted:
    """Settle what was read, in the caller's transaction, and count what became of it.

    Raises what the store raises when one thing in it cannot be stored; then nothing is to stay.
    """
    told = Told()
    aside: list[tuple[Recalled, Quarantined]] = []
    understood: list[int] = []
    ignored = 0
    for place, each in enumerate(found):
        match _checked(each.understanding):
            case Understood(facts=facts):
                understood.append(place)
                for fact in facts:
                    match fact:
                        case Evidence():
                            told.said.append((fact, read_at(place)))
                        case AddressChange():
                            told.moved.append((fact, read_at(place)))
                        case DataRequest() | Redaction():
                            raise AssertionError("sorted out by _checked")
                        case _:
                            told.state(
                                fact,
                                read_at(place),
                                rules,
                                shop=row.shop,
                                received_at=now,
                                addresses=addresses_in(each.body)
                                if each.body and is_nameless(fact)
                                else frozenset(),
                            )
            case Ignored():
                ignored += 1
            case Quarantined() as verdict:
                aside.append((each, verdict))
            case other:
                assert_never(other)
    settled = settle(conn, told, rules, now=now, retold=True, evaluate_after=changes.LONGEST)
    applied = {place_of(cause) for cause in settled.applied}.intersection(understood)
    erased = put_aside.keep(
        conn,
        [
            put_aside.Aside(
                shop=row.shop,
                topic=each.topic or f"{row.errand}.{row.kind}",
                id=each.id,
                body=each.body,
                verdict=verdict,
            )
            for each, verdict in aside
        ],
        now=now,
    )
    return Counted(
        applied=len(applied),
        unchanged=len(understood) - len(applied),
        ignored=ignored + erased,
        quarantined=len(aside) - erased,
        missed=sum(_is_old(found[place], now) for place in applied),
    )


def settle_apart(
    conn: Connection, row: Errand, found: Sequence[Recalled], rules: Rules, now: datetime
) -> Counted:
    """The same one by one: what cannot be stored goes into quarantine, the rest is settled."""
    counts = [_settle_alone(conn, row, each, rules, now) for each in found]
    return Counted(
        applied=sum(each.applied for each in counts),
        unchanged=sum(each.unchanged for each in counts),
        ignored=sum(each.ignored for each in counts),
        quarantined=sum(each.quarantined for each in counts),
        missed=sum(each.missed for each in counts),
    )


def _settle_alone(
    conn: Connection, row: Errand, thing: Recalled, rules: Rules, now: datetime
) -> Counted:
    try:
        with conn.begin_nested():
            return settle_together(conn, row, [thing], rules, now)
    except (OperationalError, InterfaceError):
        raise
    except (DBAPIError, StatementError, ValueError, OverflowError) as problem:
        verdict = replace(_NOT_STORABLE, detail=type(problem).__name__)
        return settle_together(conn, row, [replace(thing, understanding=verdict)], rules, now)


def _is_old(thing: Recalled, now: datetime) -> bool:
    """Whether a webhook would have told of it by now, if one was to come."""
    facts = thing.understanding.facts if isinstance(thing.understanding, Understood) else ()
    dated = [fact.version.at for fact in facts if not isinstance(fact, _UNDATED)]
    return bool(dated) and max(dated) <= now - _ON_ITS_WAY


def _checked(understanding: Understanding) -> Understanding:
    """What was understood, if it is what a reading may bring: facts, and nothing left to ask."""
    if isinstance(understanding, Understood) and (
        understanding.wishes
        or any(isinstance(fact, DataRequest | Redaction) for fact in understanding.facts)
    ):
        return _INCOMPLETE
    return understanding
