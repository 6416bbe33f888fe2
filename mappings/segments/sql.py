"""Asking the store who belongs to a segment: a query as a condition over ``profiles``.

Unknown stays unknown, by SQL's own three-valued logic: a person without a last order is neither
before nor after a day, and NOT does not change that. Every value is a bound parameter, so the text
of a statement depends on the shape of a query alone and is compiled once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction as Ratio
from typing import Any, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy import (
    Text as TextType,
)

from connector.moments import day_of
from connector.money import exponent
from connector.store.schema import Moment, memberships, profile_values, profiles
from mappings.segments.attributes import Attribute, InColumn, InValues, Kind, Later, find
from mappings.segments.check import check_available
from mappings.segments.days import span
from mappings.segments.syntax import (
    And,
    Anniversary,
    Comparison,
    Events,
    Expression,
    InSegment,
    Not,
    Operator,
    Or,
    Query,
)
from mappings.segments.values import Day, Fraction, Instant, Literal, Offset, Text, Whole

Condition: TypeAlias = ColumnElement[bool]
_Bound: TypeAlias = ColumnElement[Any]

_LEAST, _MOST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Situation:
    """What the same query means differently by: the shop's zone, its today, its currency."""

    zone: ZoneInfo
    today: date
    currency: str


def condition(query: Query, *, zone: ZoneInfo, now: datetime, currency: str) -> Condition:
    """True, false or unknown for each row of ``profiles``: whether the person is in the segment.

    ``now`` is an aware moment, ``currency`` the ISO 4217 code in whose minor units
    ``profiles.amount_spent`` is kept. `in_segment` looks at ``memberships``: evaluate the segments
    it names first. Raises `NotYetAvailable` for what this version cannot answer.
    """
    check_available(query)
    situation = _Situation(zone=zone, today=day_of(now, zone), currency=currency)
    return _expression(query.root, situation)


def clause_conditions(
    query: Query, *, zone: ZoneInfo, now: datetime, currency: str
) -> tuple[Condition, ...]:
    """The condition of each of ``query.clauses`` alone, in their order; as `condition`."""
    check_available(query)
    situation = _Situation(zone=zone, today=day_of(now, zone), currency=currency)
    return tuple(_expression(clause, situation) for clause in query.clauses)


def _expression(expression: Expression, situation: _Situation) -> Condition:
    match expression:
        case And(parts):
            return and_(*(_expression(part, situation) for part in parts))
        case Or(parts):
            return or_(*(_expression(part, situation) for part in parts))
        case Not(part):
            return not_(_expression(part, situation))
        case InSegment(segment=segment):
            return (
                exists()
                .where(memberships.c.person == profiles.c.person, memberships.c.segment == segment)
                .correlate(profiles)
            )
        case Comparison():
            return _comparison(expression, find(expression.attribute), situation)
        case Events() | Anniversary():
            raise AssertionError  # check_available refused it
        case _:
            assert_never(expression)


def _comparison(clause: Comparison, attribute: Attribute, situation: _Situation) -> Condition:
    match attribute.source:
        case InColumn(column):
            return _on_column(clause, column, attribute.kind, situation)
        case InValues() if attribute.kind is Kind.TEXT:
            return _on_text(clause, _only_text(attribute.source))
        case InValues():
            return _on_list(clause, attribute.source)
        case Later():
            raise AssertionError  # check_available refused it
        case _:
            assert_never(attribute.source)


def _on_column(
    clause: Comparison, column: ColumnElement[Any], kind: Kind, situation: _Situation
) -> Condition:
    match kind:
        case Kind.DATE:
            bounds = [_moments(value, situation) for value in clause.values]
        case Kind.WHOLE:
            bounds = [_numbers(value, 0) for value in clause.values]
        case Kind.NUMBER:
            bounds = [_numbers(value, exponent(situation.currency)) for value in clause.values]
        case _:
            return _on_text(clause, column)
    if not bounds:
        return _NULLS[clause.operator](column)
    return _RANGES[clause.operator](column, bounds[0][0], bounds[-1][1])


# A value of a query covers all kept values from a first one up to, not including, a second: a day
# its moments, 99.9 the one amount 9990, and 99.999 none between 10000 and 10000.
_RANGES: dict[Operator, Callable[[ColumnElement[Any], _Bound, _Bound], Condition]] = {
    Operator.EQ: lambda column, low, high: and_(column >= low, column < high),
    Operator.NE: lambda column, low, high: or_(column < low, column >= high),
    Operator.GT: lambda column, _low, high: column >= high,
    Operator.GE: lambda column, low, _high: column >= low,
    Operator.LT: lambda column, low, _high: column < low,
    Operator.LE: lambda column, _low, high: column < high,
    Operator.BETWEEN: lambda column, low, high: and_(column >= low, column < high),
}

_NULLS: dict[Operator, Callable[[ColumnElement[Any]], Condition]] = {
    Operator.IS_NULL: lambda column: column.is_(None),
    Operator.IS_NOT_NULL: lambda column: column.is_not(None),
}


def _moments(value: Literal, situation: _Situation) -> tuple[_Bound, _Bound]:
    if not isinstance(value, Day | Instant | Offset):
        raise TypeError(f"{value} is no date")  # the check refused it
    low, high = span(value, situation.zone, situation.today)
    return literal(low, Moment()), literal(high, Moment())


def _numbers(value: Literal, places: int) -> tuple[_Bound, _Bound]:
    if not isinstance(value, Whole | Fraction):
        raise TypeError(f"{value} is no number")  # the check refused it
    exact = Ratio(value.value) * 10**places
    low, high = math.ceil(exact), math.floor(exact) + 1
    # 64 bits whatever the column has, so that the largest number may be asked for.
    return literal(_kept(low), BigInteger()), literal(_kept(high), BigInteger())


def _kept(number: int) -> int:
    return min(max(number, _LEAST), _MOST)


def _on_text(clause: Comparison, column: ColumnElement[Any]) -> Condition:
    match clause.operator, clause.values:
        case Operator.EQ, (Text(value),):
            return column == literal(value, TextType())
        case Operator.NE, (Text(value),):
            return column != literal(value, TextType())
        case operator, _:
            return _NULLS[operator](column)


def _only_text(source: InValues) -> ColumnElement[Any]:
    """The one text a person has there; NULL for none."""
    return (
        select(func.max(profile_values.c.value))
        .where(profile_values.c.person == profiles.c.person, profile_values.c.name == source.name)
        .correlate(profiles)
        .scalar_subquery()
    )


def _on_list(clause: Comparison, source: InValues) -> Condition:
    """Whether the list holds the value; NOT CONTAINS is true for an empty list, as IS NULL is."""
    entries = (
        exists()
        .where(profile_values.c.person == profiles.c.person, profile_values.c.name == source.name)
        .correlate(profiles)
    )
    match clause.values:
        case (Text(value),) if source.folded:
            entries = entries.where(profile_values.c.folded == value.casefold())
        case (Text(value),):
            entries = entries.where(profile_values.c.value == value)
        case _:
            pass
    negated = clause.operator in (Operator.NOT_CONTAINS, Operator.IS_NULL)
    return not_(entries) if negated else entries
