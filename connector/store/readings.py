"""How far each destination agrees with what it acknowledged, and how far reading it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connector import moments
from connector.store import lanes
from connector.store.schema import cursors


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was read there and compared with what had been acknowledged.

    Of the ``compared``, ``differed`` were not as they had been taken; of these ``repaired`` were
    marked to be sent again and ``left`` were not: they had been often enough, or were too many at
    once. Not among them: ``edited``, which somebody changed there since, and ``gone``, which
    somebody took away there.
    """

    compared: int = 0
    differed: int = 0
    repaired: int = 0
    left: int = 0
    edited: int = 0
    gone: int = 0

    def __add__(self, other: Tally) -> Tally:
        mine, theirs = asdict(self), asdict(other)
        return Tally(**{name: number + theirs[name] for name, number in mine.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One reading of everything: when it began, where it goes on, what it found so far.

    ``believed``: a person said that what differs is repaired, however much it is.
    """

    began: datetime
    cursor: str | None = None
    tally: Tally = Tally()
    believed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of a destination: ``whole`` by its last whole round, ``since`` by looks since.

    ``first`` is when reading it was first thought of. ``held_back`` are so many that differed at
    once that they were not repaired. While there is a ``problem``, it is not read on before
    ``again_at``.
    """

    first: datetime | None = None
    at: datetime | None = None
    whole_at: datetime | None = None
    whole: Tally = Tally()
    since: Tally = Tally()
    held_back: int = 0
    round: Round | None = None
    problem: str | None = None
    mend: str | None = None
    again_at: datetime | None = None


def read(conn: Connection, destination: str) -> Reading:
    """What is known of it."""
    return _opened(lanes.get(conn, _PREFIX + destination))


def everything(conn: Connection) -> dict[str, Reading]:
    """That of every destination that was read."""
    query = (
        select(cursors.c.name, cursors.c.value)
        .where(cursors.c.name.startswith(_PREFIX, autoescape=True))
        .order_by(cursors.c.name)
    )
    return {row.name.removeprefix(_PREFIX): _opened(row.value) for row in conn.execute(query)}


def write(conn: Connection, destination: str, reading: Reading, *, now: datetime) -> None:
    """Keep it."""
    under_way = reading.round
    kept = {
        **asdict(reading),
        **{name: _text(getattr(reading, name)) for name in _MOMENTS},
        "round": asdict(under_way) | {"began": _text(under_way.began)} if under_way else None,
    }
    lanes.put(conn, _PREFIX + destination, kept, now=now)


def told(reading: Reading) -> dict[str, Any] | None:
    """As ``connector status --json`` shows it; ``None`` before it was read."""
    if reading.at is None and reading.problem is None:
        return None
    tally = reading.whole + reading.since
    return {
        "at": moments.to_text(reading.at) if reading.at else None,
        "whole_pass_at": moments.to_text(reading.whole_at) if reading.whole_at else None,
        **asdict(tally),
        "ratio": max(0.0, 1 - tally.differed / tally.compared) if tally.compared else 1.0,
        "held_back": reading.held_back,
        "problem": reading.problem,
        "mend": reading.mend,
    }


_PREFIX = "held:"
_MOMENTS = ("first", "at", "whole_at", "again_at")


def _opened(kept: Mapping[str, Any] | None) -> Reading:
    if not kept:
        return Reading()
    under_way = kept["round"]
    reading = Reading(
        first=moments.parse_utc(kept["first"]),
        at=moments.parse_utc(kept["at"]),
        whole_at=moments.parse_utc(kept["whole_at"]),
        again_at=moments.parse_utc(kept["again_at"]),
        whole=Tally(**kept["whole"]),
        since=Tally(**kept["since"]),
        **{name: kept[name] for name in ("held_back", "problem", "mend")},
    )
    began = moments.parse_utc(under_way["began"]) if under_way else None
    if began is None:
        return reading
    tally = Tally(**under_way["tally"])
    return replace(reading, round=Round(**{**under_way, "began": began, "tally": tally}))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
