"""What a name with parentheses means: in_segment, anniversary, or a function in its older form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from mappings.segments.attributes import ANNIVERSARY, FUNCTIONS, IN_SEGMENT
from mappings.segments.faults import QueryFault
from mappings.segments.names import unknown
from mappings.segments.syntax import (
    Anniversary,
    Events,
    Expression,
    InSegment,
    Not,
    Operator,
    Parameter,
)
from mappings.segments.values import Literal, Place, Text, Truth

Condition: TypeAlias = tuple[Operator, Place, tuple[Literal, ...]]
"""An operator, where it stands, and its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A name with arguments: texts that stand alone, and named conditions, as they were written."""

    name: str
    at: Place
    alone: tuple[Text, ...] = ()
    named: tuple[Parameter, ...] = ()


def read_call(call: Call, condition: Condition | None) -> Expression:
    """The clause that a call with its condition (``= true`` and the like) makes.

    Raises `QueryFault` for a call without sense.
    """
    match call.name:
        case name if name == IN_SEGMENT:
            return _in_segment(call, condition)
        case name if name == ANNIVERSARY:
            return _anniversary(call, condition)
        case name if name in FUNCTIONS:
            return _function(call, condition)
        case name:
            raise unknown(name, call.at)


def _in_segment(call: Call, condition: Condition | None) -> Expression:
    if len(call.alone) != 1 or call.named:
        raise QueryFault("in_segment takes one name: in_segment('returning')", call.at)
    clause = InSegment(segment=call.alone[0].value, at=call.at)
    return clause if condition is None or _holds(call, condition) else Not(clause)


def _anniversary(call: Call, condition: Condition | None) -> Expression:
    match call.alone, call.named:
        case ((key,), ()):
            pass
        case ((), (Parameter(name="date", operator=Operator.EQ, values=(Text() as key,)),)):
            pass
        case _:
            raise QueryFault(
                "anniversary takes one field: anniversary('metafields.facts.birth_date')", call.at
            )
    if condition is None:
        raise QueryFault("anniversary needs a date: anniversary('...') = today", call.at)
    operator, operator_at, values = condition
    return Anniversary(
        key=key.value,
        operator=operator,
        values=values,
        at=call.at,
        operator_at=operator_at,
    )


def _function(call: Call, condition: Condition | None) -> Expression:
    if call.alone:
        raise QueryFault(
            f"{call.name} takes parameters by name: {call.name} MATCHES (id = 1)", call.alone[0].at
        )
    if condition is None:
        raise QueryFault(
            f"{call.name} needs a condition",
            call.at,
            suggestion=f"{call.name} MATCHES (…)",
        )
    return Events(
        function=call.name,
        parameters=call.named,
        negated=not _holds(call, condition),
        at=call.at,
        operator_at=condition[1],
    )


def _holds(call: Call, condition: Condition) -> bool:
    match condition:
        case (Operator.EQ, _, (Truth(value),)):
            return value
        case (Operator.NE, _, (Truth(value),)):
            return not value
        case (_, place, _):
            raise QueryFault(f"{call.name}(…) is only compared with = true or = false", place)
