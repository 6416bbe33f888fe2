"""Reads each destination back once a day, a page between two batches of what is due there.

How far a round has come is kept with what it marked due, so a restart goes on where it was. What it
found is published when it ends: `store.readings`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.errors import LaneDown, TryLater
from connector.flow.readback import Comparison
from connector.flow.rules import Rules, Target
from connector.ports import DestinationAdapter, Showing
from connector.store import readings
from connector.store.connect import Store
from connector.store.readings import Reading, Round, Tally

EVERY = timedelta(days=1)
_LONGEST = timedelta(days=1)
"""A round that takes longer is begun anew: what it saw first is too old to be counted on."""
_LATER = timedelta(minutes=5)  # until a destination that could not be read is asked again


def walk(
    store: Store, target: Target, adapter: DestinationAdapter, rules: Rules, *, now: datetime
) -> int:
    """Read a page, if a round is under way or due. Gives 1 when there was one to read.

    What cannot be read now is told, and read later: that stops nothing that is due there.
    """
    if not isinstance(adapter, Showing):
        return 0
    under_way = _under_way(store, target, now)
    if under_way is None:
        return 0
    try:
        page = adapter.show(under_way.cursor, now=now)
    except (TryLater, LaneDown) as problem:
        _put_off(store, target, problem, now)
        return 0
    with store.write() as conn:
        reading = readings.read(conn, target.name)
        if reading.round != under_way:
            return 1  # another worker read it too, and was faster
        look = Comparison(
            target=target,
            adapter=adapter,
            rules=rules,
            began=under_way.began,
            tally=under_way.tally,
            believed=under_way.believed,
        )
        look.look(conn, page.held, now=now)
        reading = replace(reading, problem=None, mend=None, again_at=None)
        further = replace(reading, round=replace(under_way, cursor=page.cursor, tally=look.tally))
        if page.cursor is None:
            look.end(conn, now=now)
            further = _finished(reading, look, now)
        readings.write(conn, target.name, further, now=now)
    return 1


def note(conn: Connection, target: Target, look: Comparison, *, now: datetime) -> None:
    """Add to what is published what a look at the latest changes found."""
    reading = readings.read(conn, target.name)
    more = reading.held_back + (look.tally.left if look.is_flood else 0)
    reading = replace(reading, at=now, since=reading.since + look.tally, held_back=more)
    readings.write(conn, target.name, reading, now=now)


def begin(conn: Connection, destination: str, *, believed: bool, now: datetime) -> None:
    """Ask for a round, to be walked from its beginning. ``believed`` as in `Comparison`."""
    reading = readings.read(conn, destination)
    asked = replace(reading, round=Round(began=now, believed=believed))
    readings.write(conn, destination, asked, now=now)


def _under_way(store: Store, target: Target, now: datetime) -> Round | None:
    """The round to walk on in; begun if it is time for the next."""
    with store.read() as conn:
        reading = readings.read(conn, target.name)
    under_way, again_at = reading.round, reading.again_at
    if again_at is not None and timedelta(0) < again_at - now <= _LATER:
        return None
    if under_way is not None and timedelta(0) <= now - under_way.began < _LONGEST:
        return under_way
    last = reading.whole_at or reading.first
    if under_way is None and last is not None and timedelta(0) <= now - last < EVERY:
        return None
    with store.write() as conn:
        if last is None:  # nothing was sent yet that could have been lost
            readings.write(conn, target.name, replace(reading, first=now), now=now)
            return None
        begin(conn, target.name, believed=bool(under_way and under_way.believed), now=now)
        return readings.read(conn, target.name).round


def _put_off(store: Store, target: Target, problem: TryLater | LaneDown, now: datetime) -> None:
    with store.write() as conn:
        reading = readings.read(conn, target.name)
        told = replace(
            reading,
            problem=problem.reason,
            mend=problem.mend if isinstance(problem, LaneDown) else None,
            again_at=now + _LATER,
        )
        readings.write(conn, target.name, told, now=now)


def _finished(reading: Reading, look: Comparison, now: datetime) -> Reading:
    return replace(
        reading,
        at=now,
        whole_at=now,
        whole=look.tally,
        since=Tally(),
        held_back=look.tally.left if look.is_flood else 0,
        round=None,
    )
