"""Asking about something for sale: the segment language over an item, true, false or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from connector.errors import nearest
from connector.store.catalog import ForSale
from mappings.item_facts import ATTRIBUTES
from mappings.segments.attributes import OPERATORS, Kind
from mappings.segments.check import raise_all, value_faults
from mappings.segments.faults import QueryFault
from mappings.segments.parse import read_query
from mappings.segments.syntax import And, Clause, Comparison, Expression, Not, Operator, Or, Query
from mappings.segments.values import Fraction, Text, Whole


def parse_item_query(text: str) -> Query:
    """The meaning of a query about items. Raises `QueryFault` with the place of the first fault."""
    query = read_query(text)
    raise_all(fault for clause in query.clauses for fault in _faults(clause))
    return query


def holds(query: Query, item: ForSale) -> bool | None:
    """Whether a query is true of an item; ``None`` where something it asks for is not known."""
    return _holds(query.root, item)


def _faults(clause: Clause) -> Iterator[QueryFault]:
    if not isinstance(clause, Comparison):
        yield QueryFault(
            "this asks about people; items.when asks about what is for sale", clause.at
        )
        return
    name = clause.attribute
    if name not in ATTRIBUTES:
        yield QueryFault(
            f"'{name[:60]}' is nothing that an item has",
            clause.at,
            suggestion=nearest(name, ATTRIBUTES),
        )
        return
    attribute = ATTRIBUTES[name]
    yield from value_faults(name, attribute.kind, clause, OPERATORS[attribute.kind])
    for value in clause.values:
        if attribute.words and isinstance(value, Text) and value.value not in attribute.words:
            word = nearest(value.value, attribute.words)
            yield QueryFault(
                f"{name} has no value {value}; it has {', '.join(attribute.words)}",
                value.at,
                suggestion=word and f"'{word}'",
            )


def _holds(expression: Expression, item: ForSale) -> bool | None:
    match expression:
        case And(parts):
            answers = [_holds(part, item) for part in parts]
            return False if False in answers else None if None in answers else True
        case Or(parts):
            answers = [_holds(part, item) for part in parts]
            return True if True in answers else None if None in answers else False
        case Not(part):
            answer = _holds(part, item)
            return None if answer is None else not answer
        case Comparison():
            return _compare(expression, item)
        case _:
            raise TypeError(f"{expression} asks about people")  # the check refused it


def _compare(clause: Comparison, item: ForSale) -> bool | None:
    attribute = ATTRIBUTES[clause.attribute]
    value = attribute.read(item)
    if attribute.kind is Kind.TEXTS:
        return _on_list(clause, value if isinstance(value, tuple) else ())
    if clause.operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        return (value is None) is (clause.operator is Operator.IS_NULL)
    if value is None:
        return None
    asked = [_plain(each) for each in clause.values]
    if clause.operator is Operator.BETWEEN:
        return bool(asked[0] <= value <= asked[1])
    return bool(_TESTS[clause.operator](value, asked[0]))


def _on_list(clause: Comparison, entries: tuple[str, ...]) -> bool:
    """An empty list is no unknown: it does not contain anything, as for people."""
    found = bool(entries)
    if clause.values:
        wanted = str(_plain(clause.values[0])).casefold()
        found = wanted in (entry.casefold() for entry in entries)
    negated = clause.operator in (Operator.NOT_CONTAINS, Operator.IS_NULL)
    return not found if negated else found


def _plain(literal: object) -> Any:
    match literal:
        case Text(value):
            return value
        case Whole(value):
            return value
        case Fraction(value):
            return value
        case _:
            raise TypeError(f"{literal} is no value of an item")  # the check refused it


_TESTS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: eq,
    Operator.NE: ne,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}
