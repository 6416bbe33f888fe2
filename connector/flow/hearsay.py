"""What destinations say of permissions when they are asked: heard before anything is sent there.

A webhook can be lost, and before the first one everything was said already. So everybody who left
is read before the first add and once a day, and whoever changed every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector import consent, moments
from connector.flow import rounds
from connector.flow.readback import Comparison
from connector.flow.rules import Rules, Target
from connector.model import Claim, ConsentState, Evidence, Permission, Record
from connector.ports import DestinationAdapter, Polled, Showing
from connector.store import evidence, lanes, outbox
from connector.store.changes import mark_dirty
from connector.store.connect import Store

EVERY = timedelta(minutes=15)
_WHOLE = timedelta(days=1)

_TAKING_BACK = (Claim.WITHDRAW, Claim.UNDELIVERABLE, Claim.ERASE)
_TAKEN_BACK = (ConsentState.WITHDRAWN, ConsentState.SUPPRESSED)


def listen(
    store: Store, target: Target, adapter: DestinationAdapter, rules: Rules, *, now: datetime
) -> int:
    """Ask a destination what was said there, if it is time. Gives how much was new.

    What is heard commits page by page, and only the end moves the cursor: an interrupted reading
    is done once more. Raises `TryLater` or `LaneDown`, and then nothing may be sent there yet if
    it was the first time.
    """
    if not isinstance(adapter, Polled):
        return 0
    with store.read() as conn:
        kept = lanes.get(conn, _name(target)) or {}
    last = moments.parse_utc(kept.get("at"))
    if last is not None and timedelta(0) <= now - last < EVERY:
        return 0
    if last is not None and _is_withdrawal_due(store, target, now):
        return 0  # that goes first; who left before the first add was heard of already
    whole = moments.parse_utc(kept.get("whole_at"))
    is_whole = not (whole and timedelta(0) <= now - whole < _WHOLE)
    cursor = kept.get("cursor")
    look = (
        Comparison(target=target, adapter=adapter, rules=rules, began=now)
        if isinstance(adapter, Showing)
        else None
    )
    heard = 0
    for since in dict.fromkeys((None, cursor) if is_whole else (cursor,)):
        for said in adapter.said_since(since, now=now):
            with store.write() as conn:
                heard += _enter(conn, target, said.evidence, rules, now=now)
                if look:
                    heard += look.look(conn, said.held, now=now)
            cursor = said.cursor or cursor
    with store.write() as conn:
        if look:
            rounds.note(conn, target, look, now=now)
        told = {
            "cursor": cursor,
            "at": now.isoformat(),
            "whole_at": now.isoformat() if is_whole else kept.get("whole_at"),
        }
        lanes.put(conn, _name(target), told, now=now)
    return heard


def left_there(conn: Connection, target: Target, wanted: Mapping[str, Record]) -> dict[str, Record]:
    """Those of these records that say what the destination itself told.

    Who left there, and nowhere since, need not be told to it: a large audience has many of them.
    """
    left = {key: each for key, each in wanted.items() if each.permission is Permission.WITHDRAWN}
    said = evidence.of_people(conn, left, target.mapping.purpose)
    return {key: each for key, each in left.items() if _is_its_word(key, said[key], target)}


def _is_its_word(contact: str, said: Sequence[Evidence], target: Target) -> bool:
    taken_back = [item for item in said if item.claim in _TAKING_BACK]
    newest = max(taken_back, key=lambda item: item.at or item.received_at, default=None)
    return newest is not None and (newest.source, newest.contact) == (target.name, contact)


def _is_withdrawal_due(store: Store, target: Target, now: datetime) -> bool:
    with store.read() as conn:
        return outbox.queue(conn, target.name, now=now, limit=1).has_withdrawal


def _name(target: Target) -> str:
    return f"heard:{target.name}"


def _enter(
    conn: Connection, target: Target, said: Sequence[Evidence], rules: Rules, *, now: datetime
) -> int:
    known = _known(conn, target, {item.contact for item in said}, rules)
    news = [item for item in said if not (item.claim is Claim.WITHDRAW and item.contact in known)]
    grown = evidence.append(conn, [(item, None) for item in news])
    mark_dirty(conn, grown.contacts, now=now)
    return len(grown.contacts)


def _known(
    conn: Connection, target: Target, contacts: Collection[str], rules: Rules
) -> frozenset[str]:
    """Of whom a withdrawal is no news: known here already, or written there by ourselves.

    The time that a destination shows is that of the last change, by whomever: entered each time
    it moves, it would outweigh a permission that the person gave in between.
    """
    purpose = target.mapping.purpose
    taken_back = {
        contact
        for contact, told in evidence.of_people(conn, contacts, purpose).items()
        if consent.decide(consent.summarise(told), rules.consent_policy) in _TAKEN_BACK
    }
    return frozenset(taken_back | outbox.holding(conn, target.name, contacts, Permission.WITHDRAWN))
