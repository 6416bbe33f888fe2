"""The store's answers and the flips, against the slowest and simplest reading of the language."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from connector.model import Profile
from connector.store.connect import Store
from connector.store.schema import memberships, profile_values, profiles
from mappings.segments.flips import has_relative_dates, next_flip
from mappings.segments.parse import parse_query
from mappings.segments.sql import condition
from mappings.segments.syntax import (
    And,
    Comparison,
    Expression,
    InSegment,
    Not,
    Operator,
    Or,
    Query,
)
from mappings.segments.values import Day, Instant, Literal, Offset, Text, Unit

# Oslo, a zone whose midnight is missing once a year (until 2018), one that skipped a whole day
# (30 December 2011), one half an hour off, and none.
ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Oslo", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "UTC")
]
DATES = {
    "first_order_date": "first_order_at",
    "last_order_date": "last_order_at",
    "customer_added_date": "added_at",
}

# --- The simplest reading ------------------------------------------------------------------------


def moved(day: date, count: int, unit: Unit) -> date:
    """The day an offset means, found by going down from the 31st where a month is shorter."""
    if unit in (Unit.DAY, Unit.WEEK):
        return day + timedelta(days=count * (7 if unit is Unit.WEEK else 1))
    months = day.year * 12 + day.month - 1 + count * (12 if unit is Unit.YEAR else 1)
    for last in range(day.day, 0, -1):
        try:
            return date(months // 12, months % 12 + 1, last)
        except ValueError:
            continue
    raise AssertionError


SIGNS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}


def compared(known: Any, sign: Operator, value: Literal, zone: ZoneInfo, now: datetime) -> bool:
    """One value against one literal: days by the calendar, instants by the clock."""
    match value:
        case Instant(local):
            return SIGNS[sign](known, local.replace(tzinfo=zone).astimezone(UTC))
        case Day(day):
            return SIGNS[sign](known.astimezone(zone).date(), day)
        case Offset(count, unit):
            today = now.astimezone(zone).date()
            return SIGNS[sign](known.astimezone(zone).date(), moved(today, count, unit))
        case _:
            return SIGNS[sign](known, value.value)


def answer(expression: Expression, profile: Profile, zone: ZoneInfo, now: datetime) -> bool | None:
    """True, false or unknown, by the tables of three-valued logic."""
    match expression:
        case And(parts):
            verdicts = {answer(part, profile, zone, now) for part in parts}
            return False if False in verdicts else None if None in verdicts else True
        case Or(parts):
            verdicts = {answer(part, profile, zone, now) for part in parts}
            return True if True in verdicts else None if None in verdicts else False
        case Not(part):
            verdict = answer(part, profile, zone, now)
            return None if verdict is None else not verdict
        case InSegment(segment=segment):
            return segment in profile.shops  # the memberships of these tests
        case Comparison(attribute="customer_tags" | "customer_countries" as name):
            return _list_answer(expression, profile, folded=name == "customer_tags")
        case Comparison():
            return _value_answer(expression, _known(expression.attribute, profile), zone, now)
        case _:
            raise AssertionError


def _list_answer(clause: Comparison, profile: Profile, *, folded: bool) -> bool:
    entries = profile.tags if folded else profile.countries
    match clause.operator:
        case Operator.IS_NULL:
            return not entries
        case Operator.IS_NOT_NULL:
            return bool(entries)
    (value,) = clause.values
    assert isinstance(value, Text)
    if folded:
        held = value.value.casefold() in {entry.casefold() for entry in entries}
    else:
        held = value.value in entries
    return held is (clause.operator is Operator.CONTAINS)


def _value_answer(clause: Comparison, known: Any, zone: ZoneInfo, now: datetime) -> bool | None:
    match clause.operator:
        case Operator.IS_NULL:
            return known is None
        case Operator.IS_NOT_NULL:
            return known is not None
    if known is None:
        return None
    if clause.operator is Operator.BETWEEN:
        low, high = clause.values
        return compared(known, Operator.GE, low, zone, now) and compared(
            known, Operator.LE, high, zone, now
        )
    return compared(known, clause.operator, clause.values[0], zone, now)


def _known(name: str, profile: Profile) -> Any:
    if name in DATES:
        return getattr(profile, DATES[name])
    if name == "amount_spent":
        return Decimal(profile.amount_spent) / 100
    if name == "customer_email_domain":
        return profile.email and profile.email.partition("@")[2]
    if name == "topic":
        return profile.attributes.get("topic")
    return profile.number_of_orders


# --- Queries and people at random ----------------------------------------------------------------

DAYS = st.dates(date(2011, 1, 1), date(2019, 12, 31))
INSTANTS = st.datetimes(datetime(2011, 1, 1), datetime(2019, 12, 31))  # noqa: DTZ001 - shop's clock
OFFSETS = st.builds(
    Offset,
    st.integers(-40, 40) | st.sampled_from([-365, -90, 0, 365]),
    st.sampled_from(Unit),
)


@st.composite
def date_clauses(draw: st.DrawFn, values: st.SearchStrategy[Literal]) -> Comparison:
    """A comparison of a date attribute."""
    sign = draw(st.sampled_from([*SIGNS, Operator.BETWEEN]))
    count = 2 if sign is Operator.BETWEEN else 1
    given_values = tuple(draw(values) for _ in range(count))
    name = draw(st.sampled_from([*DATES]))
    return Comparison(attribute=name, operator=sign, values=given_values)


def _instant(moment: datetime) -> Instant:
    return Instant(moment.replace(microsecond=0))


ANY_DATE = st.builds(Day, DAYS) | INSTANTS.map(_instant) | OFFSETS
OTHERS = st.sampled_from(
    [
        parse_query(text, known_attributes=["topic"]).root
        for text in (
            *(f"number_of_orders {sign} 2" for sign in SIGNS),
            *(f"amount_spent {sign} {value}" for sign in SIGNS for value in ("10", "10.505")),
            "amount_spent BETWEEN 9.995 AND 100",
            "number_of_orders BETWEEN 3 AND 1",
            *(f"customer_tags {verb} 'Æ'" for verb in ("CONTAINS", "NOT CONTAINS")),
            *(f"customer_countries {verb} 'NO'" for verb in ("CONTAINS", "NOT CONTAINS")),
            *(f"customer_email_domain {sign} 'a.no'" for sign in ("=", "!=")),
            *(f"topic {sign} 'yarn'" for sign in ("=", "!=")),
            *(
                f"{name} IS {null}"
                for name in ("topic", "customer_tags", "last_order_date", "customer_email_domain")
                for null in ("NULL", "NOT NULL")
            ),
            "in_segment('s')",
        )
    ]
)


def joined(clauses: st.SearchStrategy[Any]) -> st.SearchStrategy[Query]:
    """Queries of up to ten clauses, as the reader would give them."""
    trees: st.SearchStrategy[Expression] = st.recursive(
        clauses,
        lambda inner: (
            st.builds(Not, inner)
            | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
            | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
        ),
        max_leaves=6,
    )
    return (
        trees.map(Query)
        .filter(lambda query: len(query.clauses) <= 10)
        .map(lambda query: parse_query(str(query), known_attributes=["topic"]))
    )


def people() -> Iterator[Profile]:
    """Sixty people whose dates lie on and around the midnights where days are odd."""
    odd = [
        datetime.combine(day, time.min, zone).astimezone(UTC) + timedelta(hours=hours) - nudge
        for zone, day in zip(
            [ZONES[0], ZONES[0], ZONES[1], ZONES[2], ZONES[3], ZONES[4]],
            [
                *(date(2016, 3, 27), date(2016, 10, 30), date(2017, 10, 15)),
                *(date(2011, 12, 31), date(2016, 2, 29), date(2015, 3, 31)),
            ],
            strict=True,
        )
        for hours in (0, 12, 23, 24, 25)
        for nudge in (timedelta(0), datetime.resolution)
    ]
    for number, moment in enumerate(odd):
        yield Profile(
            person=f"p{number:02}",
            email=[None, "x@a.no", "x@b.no"][number % 3],
            number_of_orders=number % 5,
            amount_spent=[0, 1000, 1050, 1051, 10000][number % 5],
            first_order_at=moment if number % 4 else None,
            last_order_at=moment + timedelta(days=number) if number % 5 else None,
            added_at=moment - timedelta(days=31 * number),
            countries=[(), ("NO",), ("NO", "SE"), ("SE",)][number % 4],
            tags=[(), ("æ", "b"), ("Æ",), ("aæ",)][number // 2 % 4],
            attributes=[{}, {"topic": "yarn"}, {"topic": "Yarn"}][number % 3],
            shops=[(), ("s",)][number % 2],
        )


PEOPLE = list(people())
NOWS = st.builds(
    lambda each, days, seconds: each.added_at + timedelta(days=days, seconds=seconds),
    st.sampled_from(PEOPLE),
    st.integers(-100, 500),
    st.integers(0, 86400),
)


@pytest.fixture
def peopled(store: Store) -> Store:
    """A store with `PEOPLE`."""
    with store.write() as conn:
        conn.execute(
            insert(profiles),
            [
                {
                    "person": each.person,
                    "email_domain": _known("customer_email_domain", each),
                    **dict.fromkeys(("first_name", "last_name", "company"), ""),
                    "shops": [],
                    "number_of_orders": each.number_of_orders,
                    "amount_spent": each.amount_spent,
                    **{field: getattr(each, field) for field in DATES.values()},
                }
                for each in PEOPLE
            ],
        )
        conn.execute(
            insert(profile_values),
            [
                {"person": each.person, "name": name, "value": value, "folded": value.casefold()}
                for each in PEOPLE
                for name, values in (
                    ("country", each.countries),
                    ("tag", each.tags),
                    ("attribute.topic", each.attributes.values()),
                )
                for value in values
            ],
        )
        conn.execute(
            insert(memberships),
            [
                {
                    "segment": segment,
                    "person": each.person,
                    "since": datetime(2016, 1, 1, tzinfo=UTC),
                }
                for each in PEOPLE
                for segment in each.shops
            ],
        )
    return store


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    queries=st.lists(joined(date_clauses(ANY_DATE) | OTHERS), min_size=1, max_size=4),
    zone=st.sampled_from(ZONES),
    now=NOWS,
)
def test_the_store_answers_as_the_simplest_reading(
    peopled: Store, queries: list[Query], zone: ZoneInfo, now: datetime
) -> None:
    """For any query, zone and moment, each of sixty people is in, out or unknown as by hand."""
    asked = [
        condition(query, zone=zone, now=now, currency="NOK").label(f"s{number}")
        for number, query in enumerate(queries)
    ]
    with peopled.read() as conn:
        found = {row[0]: tuple(row[1:]) for row in conn.execute(select(profiles.c.person, *asked))}
    expected = {
        each.person: tuple(answer(query.root, each, zone, now) for query in queries)
        for each in PEOPLE
    }
    assert expected == found


# --- Flips ---------------------------------------------------------------------------------------


def midnights(start: datetime, days: int, zone: ZoneInfo) -> Iterator[datetime]:
    """The first moment of each of the coming days in a zone; a skipped day has none."""
    first = start.astimezone(zone).date()
    before = start
    for number in range(1, days + 1):
        local = datetime.combine(first + timedelta(days=number), time.min, zone)
        if local.astimezone(UTC) > before:
            before = local.astimezone(UTC)
            yield before


def changes(query: Query, profile: Profile, zone: ZoneInfo, now: datetime) -> list[datetime]:
    """The midnights of two years at which the answer is another than the moment before."""
    return [
        midnight
        for midnight in midnights(now, 731, zone)
        if midnight > now
        and answer(query.root, profile, zone, midnight)
        != answer(query.root, profile, zone, midnight - datetime.resolution)
    ]


def chain(query: Query, profile: Profile, zone: ZoneInfo, now: datetime) -> list[datetime]:
    """Every flip of the same two years, each asked for from the one before."""
    flips: list[datetime] = []
    end = list(midnights(now, 731, zone))[-1]
    while (flip := next_flip(query, profile, zone=zone, now=now)) is not None and flip <= end:
        assert flip > now
        flips.append(flip)
        now = flip
    return flips


@settings(max_examples=150, deadline=None)
@given(
    clause=date_clauses(OFFSETS | st.builds(Day, DAYS)),
    profile=st.sampled_from(PEOPLE),
    zone=st.sampled_from(ZONES),
    now=NOWS,
)
def test_one_clause_flips_exactly_when_its_answer_changes(
    clause: Comparison, profile: Profile, zone: ZoneInfo, now: datetime
) -> None:
    """Walking two years day by day, the answer changes at the flips and at no other time."""
    query = Query(clause)
    found = chain(query, profile, zone, now)
    changed = changes(query, profile, zone, now)
    if clause.operator is Operator.BETWEEN:  # bounds that cross may flip without a change
        assert set(changed) <= set(found)
    else:
        assert changed == found


@settings(max_examples=150, deadline=None)
@given(
    query=joined(date_clauses(ANY_DATE) | OTHERS),
    profile=st.sampled_from(PEOPLE),
    zone=st.sampled_from(ZONES),
    now=NOWS,
)
def test_no_change_comes_without_a_flip(
    query: Query, profile: Profile, zone: ZoneInfo, now: datetime
) -> None:
    """No query's answer changes by itself between two flips."""
    changed = changes(query, profile, zone, now)
    assert set(changed) <= set(chain(query, profile, zone, now))
    if changed:
        assert has_relative_dates(query)
