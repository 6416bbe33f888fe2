"""What a query is made of once it is understood: frozen values that print in one form.

Places (line and column) are carried for error messages and never compared: two spellings of one
query are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from mappings.segments.values import START, Literal, Offset, Place, Text


class Operator(StrEnum):
    """How a value is tested, in the spelling that is printed."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    BETWEEN = "BETWEEN"
    CONTAINS = "CONTAINS"
    NOT_CONTAINS = "NOT CONTAINS"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    IN = "IN"
    NOT_IN = "NOT IN"


def _condition(operator: Operator, values: tuple[Literal, ...]) -> str:
    match operator:
        case Operator.BETWEEN:
            return f"BETWEEN {values[0]} AND {values[1]}"
        case Operator.IN | Operator.NOT_IN:
            return f"{operator} ({', '.join(map(str, values))})"
        case Operator.IS_NULL | Operator.IS_NOT_NULL:
            return operator
        case _:
            return f"{operator} {values[0]}"


# --- Clauses --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An attribute, an operator, and none, one or two (BETWEEN) values."""

    attribute: str
    operator: Operator
    values: tuple[Literal, ...] = ()
    at: Place = field(default=START, compare=False, repr=False)
    operator_at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.attribute} {_condition(self.operator, self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One condition inside a function."""

    name: str
    operator: Operator
    values: tuple[Literal, ...]
    at: Place = field(default=START, compare=False, repr=False)
    operator_at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name} {_condition(self.operator, self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A function: some event (or, ``negated``, none) meets all parameters at once."""

    function: str
    parameters: tuple[Parameter, ...] = ()
    negated: bool = False
    at: Place = field(default=START, compare=False, repr=False)
    operator_at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        verb = "NOT MATCHES" if self.negated else "MATCHES"
        return f"{self.function} {verb} ({', '.join(map(str, self.parameters))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anniversary:
    """A yearly date (month and day) of a field such as ``metafields.facts.birth_date``."""

    key: str
    operator: Operator
    values: tuple[Literal, ...] = ()
    at: Place = field(default=START, compare=False, repr=False)
    operator_at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return f"anniversary({Text(self.key)}) {_condition(self.operator, self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InSegment:
    """Membership in another segment of the mapping."""

    segment: str
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return f"in_segment({Text(self.segment)})"


Clause: TypeAlias = Comparison | Events | Anniversary | InSegment


# --- Connections ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds. At least two parts, none of them an `And`."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " AND ".join(
            f"({part})" if isinstance(part, Or) else str(part) for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Or:
    """Some part holds. At least two parts, none of them an `Or`."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; where it is unknown, so is this. Never directly inside a `Not`."""

    part: Expression

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, And | Or) else f"NOT {self.part}"


Expression: TypeAlias = Clause | And | Or | Not


@dataclass(frozen=True)
class Query:
    """A whole query. ``str(query)`` is its one printed form."""

    root: Expression

    @cached_property
    def text(self) -> str:
        """The query in its printed form, which reads back as the same query."""
        return str(self.root)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, in the order of the text."""
        return tuple(_clauses(self.root))

    @cached_property
    def references(self) -> frozenset[str]:
        """The segments that must be known before this query can be answered."""
        return frozenset(part.segment for part in self.clauses if isinstance(part, InSegment))

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The names of the attributes that are tested."""
        return frozenset(part.attribute for part in self.clauses if isinstance(part, Comparison))

    @cached_property
    def moving(self) -> tuple[Comparison, ...]:
        """The tests whose answer changes merely because days pass."""
        return tuple(
            part
            for part in self.clauses
            if isinstance(part, Comparison)
            and any(isinstance(value, Offset) for value in part.values)
        )


def _clauses(root: Expression) -> Iterator[Clause]:
    waiting = [root]
    while waiting:
        match waiting.pop():
            case And(parts) | Or(parts):
                waiting.extend(reversed(parts))
            case Not(part):
                waiting.append(part)
            case clause:
                yield clause
