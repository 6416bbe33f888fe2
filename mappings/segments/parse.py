"""Reading a query: from the text a shop admin wrote to its meaning, or what is wrong and where."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from mappings.segments.attributes import FUNCTIONS
from mappings.segments.calls import Call, Condition, read_call
from mappings.segments.check import check, check_available
from mappings.segments.faults import NotYetAvailable, QueryFault
from mappings.segments.literals import read_number_or_date
from mappings.segments.messages import about_character, about_place, is_statement
from mappings.segments.syntax import (
    And,
    Comparison,
    Events,
    Expression,
    Not,
    Operator,
    Or,
    Parameter,
    Query,
)
from mappings.segments.values import START, Literal, Offset, Place, Text, Truth, Unit, Whole

__all__ = ["NotYetAvailable", "QueryFault", "check_available", "parse_query", "read_query"]

LONGEST = 5000
MOST_CLAUSES = 10

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(['\\])")
_DIGITS = re.compile(r"\d{1,19}", re.ASCII)


def parse_query(text: str, *, known_attributes: Collection[str] = ()) -> Query:
    """The meaning of a query.

    ``known_attributes`` are the shop's own from its mapping (texts). Raises `QueryFault` with the
    place of the first fault. A query may use what this version cannot answer yet:
    `check_available` tells.
    """
    query = read_query(text)
    check(query, known_attributes)
    return query


def read_query(text: str) -> Query:
    """A query as it is written, before its names and values are checked. Raises `QueryFault`."""
    if len(text) > LONGEST:
        raise QueryFault(f"Query is too long (maximum is {LONGEST} characters)", START)
    if not text.strip():
        raise QueryFault("Query can't be blank", START)
    unkept = _NOT_TEXT.search(text)
    if unkept:
        place = _place_in(text, unkept.start())
        raise QueryFault("a character here is no text and cannot be stored", place)
    try:
        query = Query(cast("Expression", _parser().parse(text)))
    except UnexpectedInput as problem:
        raise _unexpected(problem, text) from None
    if len(query.clauses) > MOST_CLAUSES:
        raise QueryFault(
            f"a query has at most {MOST_CLAUSES} clauses, and this is one more: "
            "give a part of it a name of its own and use in_segment('...')",
            query.clauses[MOST_CLAUSES].at,
        )
    return query


@functools.cache
def _parser() -> Lark:
    return Lark(
        Path(__file__).with_name("language.lark").read_text(encoding="utf-8"),
        parser="lalr",
        transformer=_Meaning(),
        maybe_placeholders=False,
    )


# --- From the grammar to the syntax ---------------------------------------------------------------


@v_args(inline=True)
class _Meaning(Transformer[Token, Any]):
    """One method for each rule or alias of the grammar, called while the text is read."""

    def either(self, *parts: Expression) -> Expression:
        return Or(_flat(Or, parts))

    def both(self, *parts: Expression) -> Expression:
        return And(_flat(And, parts))

    def negated(self, _not: Token, part: Expression) -> Expression:
        return part.part if isinstance(part, Not) else Not(part)

    def compared(self, name: Token, condition: Condition) -> Expression:
        operator, operator_at, values = condition
        if name in FUNCTIONS and operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
            return Events(
                function=str(name),
                negated=operator is Operator.IS_NULL,
                at=_place(name),
                operator_at=operator_at,
            )
        return Comparison(
            attribute=name.removeprefix("customer.") if "metafields." in name else str(name),
            operator=operator,
            values=values,
            at=_place(name),
            operator_at=operator_at,
        )

    def matches(self, name: Token, *rest: Any) -> Expression:
        word, *_, parameters = rest
        return Events(
            function=str(name),
            parameters=parameters,
            negated=word.type != "MATCHES",
            at=_place(name),
            operator_at=_place(word),
        )

    def parameters(self, *parameters: Parameter) -> tuple[Parameter, ...]:
        return parameters

    def called(self, call: Call, condition: Condition | None = None) -> Expression:
        return read_call(call, condition)

    def call(self, name: Token, *arguments: Text | Parameter) -> Call:
        return Call(
            name=str(name),
            at=_place(name),
            alone=tuple(given for given in arguments if isinstance(given, Text)),
            named=tuple(given for given in arguments if isinstance(given, Parameter)),
        )

    def positional(self, token: Token) -> Text:
        return self.text(token)

    def given(self, name: Token, value: Literal) -> Parameter:
        plain = name.removesuffix("_at_least")  # the oldest form of count >= 5
        operator = Operator.EQ if plain == name else Operator.GE
        return _parameter(plain, name, (operator, _place(name), (value,)))

    def given_list(self, name: Token, values: tuple[Literal, ...]) -> Parameter:
        if name == "coordinates":
            pair = Text(",".join(map(str, values)), values[0].at)
            return _parameter(name, name, (Operator.EQ, _place(name), (pair,)))
        return _parameter(name, name, (Operator.IN, _place(name), values))

    def parameter(self, name: Token, condition: Condition) -> Parameter:
        return _parameter(name, name, condition)

    def list(self, *values: Literal) -> tuple[Literal, ...]:
        return values

    def sign(self, sign: Token, value: Literal) -> Condition:
        return Operator(str(sign)), _place(sign), (value,)

    def between(self, word: Token, low: Literal, high: Literal) -> Condition:
        return Operator.BETWEEN, _place(word), (low, high)

    def contains(self, word: Token, value: Literal) -> Condition:
        return Operator.CONTAINS, _place(word), (value,)

    def not_contains(self, word: Token, _contains: Token, value: Literal) -> Condition:
        return Operator.NOT_CONTAINS, _place(word), (value,)

    def is_null(self, word: Token, _null: Token) -> Condition:
        return Operator.IS_NULL, _place(word), ()

    def is_not_null(self, word: Token, _not: Token, _null: Token) -> Condition:
        return Operator.IS_NOT_NULL, _place(word), ()

    def is_in(self, word: Token, values: tuple[Literal, ...]) -> Condition:
        return Operator.IN, _place(word), values

    def is_not_in(self, word: Token, _in: Token, values: tuple[Literal, ...]) -> Condition:
        return Operator.NOT_IN, _place(word), values

    def text(self, token: Token) -> Text:
        return Text(_ESCAPED.sub(r"\1", token[1:-1]), _place(token))

    def true(self, token: Token) -> Truth:
        return Truth(value=True, at=_place(token))

    def false(self, token: Token) -> Truth:
        return Truth(value=False, at=_place(token))

    def today(self, token: Token) -> Offset:
        return Offset(0, Unit.DAY, _place(token))

    def yesterday(self, token: Token) -> Offset:
        return Offset(-1, Unit.DAY, _place(token))

    def number_or_date(self, token: Token) -> Literal:
        return read_number_or_date(str(token), _place(token))


def _flat(kind: type[And | Or], parts: tuple[Expression, ...]) -> tuple[Expression, ...]:
    return tuple(
        inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))
    )


def _parameter(name: str, token: Token, condition: Condition) -> Parameter:
    operator, operator_at, values = condition
    if name == "id" or name.endswith("_id"):  # ids were written in quotes until 2023
        values = tuple(
            Whole(int(value.value), value.at)
            if isinstance(value, Text) and _DIGITS.fullmatch(value.value)
            else value
            for value in values
        )
    return Parameter(
        name=str(name),
        operator=operator,
        values=values,
        at=_place(token),
        operator_at=operator_at,
    )


# --- Where and what is wrong ----------------------------------------------------------------------


def _unexpected(problem: UnexpectedInput, text: str) -> QueryFault:
    match problem:
        case _ if is_statement(text):
            place = _place_in(text, len(text) - len(text.lstrip()))
            return QueryFault("only the condition that would follow WHERE is written here", place)
        case UnexpectedCharacters():
            place = Place(problem.line, problem.column - 1)
            return QueryFault(about_character(problem.char), place)
        case UnexpectedToken(token=token) if token.type == "$END":
            end = len(text.rstrip())
            return QueryFault(
                f"the query ends too early: {about_place(problem.expected)}", _place_in(text, end)
            )
        case UnexpectedToken(token=token):
            expected = set(problem.expected)
            bare = token.type == "NAME" and {"STRING", "NUMBER_OR_DATE"} <= expected
            return QueryFault(
                f"'{token[:40]}' is unexpected: {about_place(problem.expected)}",
                _place(token),
                suggestion=f"'{token[:40]}'" if bare else None,
            )
        case _:
            return QueryFault("this is no query", START)


def _place(token: Token) -> Place:
    return Place(token.line or 1, (token.column or 1) - 1)


def _place_in(text: str, index: int) -> Place:
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1))
