"""Reads single fields as shops really write them: one odd field never spoils a body.

What cannot be read is ``None`` or empty and, where a person would miss it, leaves a flag. Only an
id, and the amounts of an order, are worth refusing the whole body for: `BadFieldError`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from connector.identity import normal_email, normal_phone
from connector.model import Json, Version
from connector.moments import parse_utc
from connector.money import to_minor

Leaf: TypeAlias = Any
"""A text, number, truth value or null: read with the functions below."""

Loose: TypeAlias = Any
"""A list or object whose bad members are left out one by one."""

LONGEST_NAME = 1000
LONGEST_TEXT = 100_000
CLOCK_MARGIN = timedelta(seconds=300)
"""How far the clocks of a shop and of this machine may differ."""
_LARGEST_NUMBER = 2**63 - 1
_LONGEST_NUMBER = len(str(_LARGEST_NUMBER))
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no web shop has an older order or product


class BadFieldError(Exception):
    """A field without which a body says nothing: ``reason`` is the code, ``where`` the path."""

    def __init__(self, reason: str, where: str) -> None:
        self.reason = reason
        self.where = where
        super().__init__(f"{reason}: {where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is known of a body beside its content: whose it is, when it came, what was odd."""

    shop: str
    currency: str | None
    received_at: datetime
    tie: int
    flags: list[str] = field(default_factory=list)

    def flag(self, name: str) -> None:
        """Note once that something was odd but bearable."""
        if name not in self.flags:
            self.flags.append(name)


# --- Ids, text and numbers ------------------------------------------------------------------


def read_id(value: object) -> str | None:
    """An id as text, exact beyond 2**53: a positive integer, or its digits in a string."""
    if type(value) is int and 0 < value <= _LARGEST_NUMBER:
        return str(value)
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return None
    if len(value) < _LONGEST_NUMBER and value[0] != "0":
        return value
    if len(value) > _LONGEST_NUMBER or value.startswith("0") or int(value) > _LARGEST_NUMBER:
        return None
    return value


def need_id(value: object, where: str) -> str:
    """As `read_id`; a body without an id is refused."""
    found = read_id(value)
    if found is None:
        raise BadFieldError("id", where)
    return found


def read_text(value: object, longest: int = LONGEST_NAME) -> str:
    """Text, or the digits of a number that stands where text should; nothing otherwise."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return ""


def read_url(value: object) -> str | None:
    """A web address; ``0``, ``""`` and other schemes are none."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.startswith(("https://", "http://")) else None


def read_whole(value: object) -> int | None:
    """A whole number, also from text or a decimal (some sell 1.5 kg); halves away from zero."""
    if type(value) is int and abs(value) <= _LARGEST_NUMBER:
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = str(value).strip()
    if not text.isascii() or len(text) > _LONGEST_NUMBER or not set(text) <= set("+-.0123456789"):
        return None
    try:
        number = int(Decimal(text).to_integral_value(ROUND_HALF_UP))
    except ArithmeticError:
        return None
    return number if abs(number) <= _LARGEST_NUMBER else None


def read_plain(value: Json) -> Json:
    """A value as JSON can hold it again: a number no float or column holds exactly becomes text."""
    match value:
        case dict():
            return {key: read_plain(inner) for key, inner in value.items()}
        case list():
            return [read_plain(inner) for inner in value]
        case Decimal():
            return float(value) if Decimal(repr(float(value))) == value else str(value)
        case int() if not isinstance(value, bool) and abs(value) > _LARGEST_NUMBER:
            return str(value)
        case _:
            return value


# --- Amounts --------------------------------------------------------------------------------


def need_amount(value: object, currency: str, where: str) -> int:
    """Minor units of an amount; an order whose amounts cannot be read is refused as a whole."""
    minor = to_minor(value, currency)
    if minor is None:
        raise BadFieldError("money", where)
    return minor


def read_price(value: object, slip: Slip) -> int | None:
    """Minor units of a product's price, in the shop's currency; ``""`` is one without a price."""
    if slip.currency is None or value is None or value == "":
        return None
    minor = to_minor(value, slip.currency)
    if minor is None:
        slip.flag("price_not_readable")
    return minor


# --- Moments --------------------------------------------------------------------------------


def read_moment(value: object) -> datetime | None:
    """A moment, UTC if it names no offset; years before 2000 are database defaults, not dates."""
    if not isinstance(value, str):
        return None
    moment = _known_moment(value) if len(value) < _SHORT_MOMENT else parse_utc(value)
    return moment if moment is not None and moment >= _EARLIEST else None


_SHORT_MOMENT = 40
_known_moment = functools.lru_cache(maxsize=256)(parse_utc)  # one order says one several times


def read_past(value: object, slip: Slip) -> datetime | None:
    """As `read_moment`, but a moment in the future is held to be the moment of arrival.

    Clocks differ, hence `CLOCK_MARGIN` is let pass. Without the limit one wrong year would outrank
    every later truth.
    """
    moment = read_moment(value)
    if moment is not None and moment > slip.received_at + CLOCK_MARGIN:
        slip.flag("date_in_future")
        return slip.received_at
    return moment


def read_version(changed: object, created: object, slip: Slip) -> Version:
    """When a thing last changed; never changed: when it was made; never told: when it came.

    A webhook's body is built when it is delivered, so that arrival is never older than the state.
    """
    at = read_past(changed, slip) or read_past(created, slip)
    if at is None:
        slip.flag("date_missing")
    return Version(at=at or slip.received_at, tie=slip.tie)


# --- Contact points -------------------------------------------------------------------------


def read_email(value: object, slip: Slip) -> str | None:
    """The normal form of an address, or ``None``: what it belongs to counts all the same."""
    if value is None or value == "":
        return None
    address = normal_email(value)
    if address is None:
        slip.flag("email_not_usable")
    return address


def read_phone(value: object, country: str | None, slip: Slip) -> str | None:
    """The E.164 form of a number; ``country`` reads those without a country code."""
    text = read_text(value).strip()
    if not text:
        return None
    number = _known_phone(text, country)
    if number is None:
        slip.flag("phone_not_usable")
    return number


# One purchase comes in two to five deliveries, and reading a number takes longer than all else.
# In a reading of the past a buyer comes back anywhere.
_known_phone = functools.lru_cache(maxsize=16_384)(normal_phone)
