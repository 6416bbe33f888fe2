"""When an answer changes merely because time passes: the midnights at which a date moves on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connector.model import Profile
from connector.moments import day_of, start_of_day
from mappings.segments.attributes import InColumn, find
from mappings.segments.days import LATEST, first_day_reaching
from mappings.segments.syntax import Anniversary, Clause, Comparison, Events, Operator, Query
from mappings.segments.values import Offset

# For each operator, the days of the value from which on the answer is another, given the place of
# an offset in it: 0 is the day itself (the offset reaches it), 1 the day after (it has passed it).
_TURNS: dict[Operator, tuple[tuple[int, ...], ...]] = {
    Operator.EQ: ((0, 1),),
    Operator.NE: ((0, 1),),
    Operator.GT: ((0,),),
    Operator.GE: ((1,),),
    Operator.LT: ((1,),),
    Operator.LE: ((0,),),
    Operator.BETWEEN: ((1,), (0,)),
}

_LAST = LATEST.toordinal()


def has_relative_dates(query: Query) -> bool:
    """Whether time alone can change the query's answer for somebody."""
    return bool(query.moving) or any(_moves(clause) for clause in query.clauses)


def next_flip(query: Query, profile: Profile, *, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The next instant after ``now`` at which a relative date changes a clause for this person.

    ``None`` when there is none. The whole answer may stay the same there (another clause decides);
    it never changes by itself before. Segments named by `in_segment` have flips of their own.
    """
    first: datetime | None = None
    for clause in query.moving:
        value = _value(clause, profile)
        if value is not None:
            for flip in clause_flips(clause, value, zone=zone):
                if flip > now and (first is None or flip < first):
                    first = flip
    return first


def clause_flips(clause: Comparison, value: datetime, *, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants, past and future, at which one test changes its answer about a moment."""
    day = day_of(value, zone)
    for place, turns in zip(clause.values, _TURNS.get(clause.operator, ()), strict=False):
        if not isinstance(place, Offset):
            continue
        days = [
            first_day_reaching(date.fromordinal(min(day.toordinal() + turn, _LAST)), place)
            for turn in turns
        ]
        flips = [start_of_day(each, zone) for each in days if each < LATEST]
        # Where both are one instant, the offset jumps over the day: a month without that day, a
        # zone that skipped it.
        if len(set(flips)) == len(turns):
            yield from flips


def _value(clause: Comparison, profile: Profile) -> datetime | None:
    match find(clause.attribute).source:
        case InColumn(column):
            value: datetime | None = getattr(profile, column.name)
            return value
        case _:
            return None


def _moves(clause: Clause) -> bool:
    match clause:
        case Events():
            return any(
                isinstance(value, Offset)
                for parameter in clause.parameters
                for value in parameter.values
            )
        case Anniversary():
            return True
        case _:
            return False
