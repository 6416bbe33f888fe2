"""Whether each clause makes sense: known names, operators and values that fit, limits kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import assert_never

from connector.errors import nearest
from mappings.segments.attributes import (
    ANNIVERSARY,
    ATTRIBUTES,
    FUNCTIONS,
    METAFIELDS,
    OPERATORS,
    PARAMETER_OPERATORS,
    VALUES,
    Attribute,
    Kind,
    Later,
    find,
)
from mappings.segments.faults import NOT_AVAILABLE, NotYetAvailable, QueryFault
from mappings.segments.names import unknown
from mappings.segments.syntax import (
    Anniversary,
    Clause,
    Comparison,
    Events,
    InSegment,
    Operator,
    Parameter,
    Query,
)
from mappings.segments.values import Literal, Text

MOST_IDS = 500

_COUNTRY = re.compile(r"[A-Z]{2}")
# What people write for a country that ISO 3166-1 has another code for.
_OTHER_COUNTRIES = {"UK": "GB", "EL": "GR"}


def check(query: Query, known_attributes: Collection[str] = ()) -> None:
    """Raise the first fault of a query, carrying the others."""
    raise_all(fault for clause in query.clauses for fault in _faults(clause, known_attributes))


def check_available(query: Query) -> None:
    """Raise `NotYetAvailable` when a query uses what this version cannot answer."""
    raise_all(fault for clause in query.clauses for fault in _missing(clause))


def raise_all(faults: Iterator[QueryFault]) -> None:
    """Raise the first fault, if there is one, carrying the others."""
    for first in faults:
        first.others = tuple(faults)
        raise first


def _missing(clause: Clause) -> Iterator[NotYetAvailable]:
    match clause:
        case Comparison(attribute=name) if isinstance(find(name).source, Later):
            pass
        case Events(function=name):
            pass
        case Anniversary():
            name = ANNIVERSARY
        case _:
            return
    yield NotYetAvailable(f"{name} {NOT_AVAILABLE}", clause.at)


def _faults(clause: Clause, known_attributes: Collection[str]) -> Iterator[QueryFault]:
    match clause:
        case Comparison():
            yield from _comparison_faults(clause, known_attributes)
        case Events():
            yield from _event_faults(clause, known_attributes)
        case Anniversary():
            yield from value_faults(ANNIVERSARY, Kind.DATE, clause, OPERATORS[Kind.DATE])
            if not clause.key.startswith(METAFIELDS):
                yield QueryFault(
                    "anniversary takes a field such as 'metafields.facts.birth_date'", clause.at
                )
        case InSegment():
            if not clause.segment:
                yield QueryFault("in_segment names no segment", clause.at)
        case _:
            assert_never(clause)


def _comparison_faults(
    clause: Comparison, known_attributes: Collection[str]
) -> Iterator[QueryFault]:
    name = clause.attribute
    if name in FUNCTIONS:
        yield QueryFault(
            f"{name} does not support operator '{clause.operator}'",
            clause.operator_at,
            suggestion=f"{name} MATCHES (…)",
        )
        return
    metafield = name.startswith(METAFIELDS) and name.count(".") > 1
    if name not in ATTRIBUTES and name not in known_attributes and not metafield:
        yield unknown(name, clause.at, known_attributes)
        return
    attribute = find(name)
    yield from value_faults(name, attribute.kind, clause, OPERATORS[attribute.kind])
    for value in clause.values:
        if isinstance(value, Text):
            yield from _word_faults(attribute, value)


def _event_faults(clause: Events, known_attributes: Collection[str]) -> Iterator[QueryFault]:
    name = clause.function
    if name in ATTRIBUTES or name in known_attributes:
        operator = "NOT MATCHES" if clause.negated else "MATCHES"
        yield QueryFault(f"{name} does not support operator '{operator}'", clause.operator_at)
        return
    if name not in FUNCTIONS:
        yield unknown(name, clause.at, known_attributes)
        return
    kinds = FUNCTIONS[name]
    seen: set[str] = set()
    for parameter in clause.parameters:
        if parameter.name not in kinds:
            yield QueryFault(
                f"{name} has no parameter '{parameter.name[:40]}'; it has {', '.join(kinds)}",
                parameter.at,
                suggestion=nearest(parameter.name, kinds)
                or next((kind for kind in kinds if parameter.name.endswith(f"_{kind}")), None),
            )
            continue
        if parameter.name in seen:
            yield QueryFault(
                f"{parameter.name} may occur once in a function; for a range there is BETWEEN",
                parameter.at,
            )
        seen.add(parameter.name)
        kind = kinds[parameter.name]
        yield from value_faults(parameter.name, kind, parameter, PARAMETER_OPERATORS[kind])
        if len(parameter.values) > MOST_IDS:
            yield QueryFault(f"a list holds at most {MOST_IDS} ids", parameter.values[MOST_IDS].at)


def value_faults(
    name: str,
    kind: Kind,
    clause: Comparison | Parameter | Anniversary,
    operators: frozenset[Operator],
) -> Iterator[QueryFault]:
    """What is wrong with the operator, then with each value, for the kind of what is tested."""
    if clause.operator not in operators:
        yield QueryFault(
            f"{name} does not support operator '{clause.operator}'",
            clause.operator_at,
            suggestion=_other_operator(clause.operator, operators),
        )
        return
    fitting, words = VALUES[kind]
    for value in clause.values:
        if not isinstance(value, fitting):
            yield QueryFault(f"{name} takes {words}, not {_shown(value)}", value.at)


def _word_faults(attribute: Attribute, value: Text) -> Iterator[QueryFault]:
    if attribute.words and value.value not in attribute.words:
        word = nearest(value.value, attribute.words)
        yield QueryFault(
            f"{attribute.name} has no value {_shown(value)}; it has {', '.join(attribute.words)}",
            value.at,
            suggestion=word and f"'{word}'",
        )
    if attribute.name != "customer_countries":
        return
    code = value.value.strip().upper()
    code = _OTHER_COUNTRIES.get(code, code)
    if code != value.value or not _COUNTRY.fullmatch(code):
        yield QueryFault(
            f"customer_countries holds codes of two capital letters (ISO 3166-1), "
            f"not {_shown(value)}",
            value.at,
            suggestion=f"'{code}'" if _COUNTRY.fullmatch(code) else None,
        )


_COUNTERPARTS = {
    Operator.EQ: Operator.CONTAINS,
    Operator.NE: Operator.NOT_CONTAINS,
    Operator.CONTAINS: Operator.EQ,
    Operator.NOT_CONTAINS: Operator.NE,
}


def _other_operator(wrong: Operator, operators: frozenset[Operator]) -> str | None:
    right = _COUNTERPARTS.get(wrong)
    return right if right in operators else None


def _shown(value: Literal) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - a line's worth
