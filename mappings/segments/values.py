"""The values that stand in a query, each printed in one form, and where in the text they stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the text: ``line`` from 1, ``column`` from 0."""

    line: int = 1
    column: int = 0


START = Place()


class Unit(StrEnum):
    """The unit of a relative date."""

    DAY = "d"
    WEEK = "w"
    MONTH = "m"
    YEAR = "y"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in single quotes. Blanks count; a quote inside is written with a backslash."""

    value: str
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        """The shortest spelling: a backslash is doubled only where it would escape something."""
        spelled = []
        for index, character in enumerate(self.value):
            following = self.value[index + 1 : index + 2]
            if character == "'" or (character == "\\" and following in ("", "'", "\\")):
                spelled.append("\\")
            spelled.append(character)
        return f"'{''.join(spelled)}'"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of 64 bits."""

    value: int
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Fraction:
    """A number written with a decimal point, kept digit by digit."""

    value: Decimal
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return format(self.value, "f")


@dataclass(frozen=True, slots=True)
class Truth:
    """``true`` or ``false``."""

    value: bool
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Day:
    """A whole calendar day in the shop's zone."""

    value: date
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return self.value.isoformat()


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on the shop's clock, without a zone: the shop's zone is meant."""

    value: datetime
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        return self.value.isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Offset:
    """A whole day so many days, weeks, months or years from the shop's today."""

    count: int
    unit: Unit
    at: Place = field(default=START, compare=False, repr=False)

    def __str__(self) -> str:
        match self.count, self.unit:
            case 0, Unit.DAY:
                return "today"
            case -1, Unit.DAY:
                return "yesterday"
            case _:
                return f"{self.count:+d}{self.unit}"


Literal: TypeAlias = Text | Whole | Fraction | Truth | Day | Instant | Offset
