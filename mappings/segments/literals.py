"""Telling numbers, dates and offsets apart, with a message for each way to get one wrong."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from mappings.segments.faults import QueryFault
from mappings.segments.values import Day, Fraction, Instant, Literal, Offset, Place, Unit, Whole

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_FRACTION = re.compile(r"[+-]?\d+\.\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", re.ASCII)
_OFFSET = re.compile(r"([+-]\d{1,6})([dwmy])", re.ASCII)
_OFFSET_LIKE = re.compile(r"[+-]\d+[A-Za-z].*", re.ASCII)
_DATE_LIKE = re.compile(r"\d+-\d.*|.*[T:].*", re.ASCII)
_AGO_LIKE = re.compile(r"\d+_\w+_ago", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_LONGEST_WHOLE = 25  # Python refuses to read numbers of thousands of digits
_LONGEST_SHOWN = 40

# The four words that 2026-10 replaces by offsets; no other number of days has one:
# https://shopify.dev/changelog/updated-function-syntax-on-the-segment-query-language
_AGO = {
    "7_days_ago": (-7, Unit.DAY),
    "30_days_ago": (-30, Unit.DAY),
    "90_days_ago": (-90, Unit.DAY),
    "12_months_ago": (-12, Unit.MONTH),
}


def read_number_or_date(text: str, place: Place) -> Literal:
    """The value that ``text``, which begins like a number, stands for. Raises `QueryFault`."""
    if _WHOLE.fullmatch(text):
        return _whole(text, place)
    if _FRACTION.fullmatch(text):
        return Fraction(Decimal(text), place)
    if _DAY.fullmatch(text):
        return Day(_calendar(text, place).date(), place)
    if _INSTANT.fullmatch(text):
        return Instant(_calendar(text, place), place)
    offset = _OFFSET.fullmatch(text)
    if offset:
        return Offset(int(offset[1]), Unit(offset[2]), place)
    if text in _AGO:
        return Offset(*_AGO[text], place)
    raise QueryFault(_complaint(text), place, suggestion=_instead(text))


def _whole(text: str, place: Place) -> Whole:
    value = int(text) if len(text) <= _LONGEST_WHOLE else None
    if value is None or value not in _INT64:
        raise QueryFault(f"'{_shown(text)}' is beyond 64 bits", place)
    return Whole(value, place)


def _calendar(text: str, place: Place) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        what = "moment" if "T" in text else "day of the calendar"
        raise QueryFault(f"'{text}' is no {what}", place) from None


def _complaint(text: str) -> str:
    shown = _shown(text)
    if _OFFSET_LIKE.fullmatch(text):
        return (
            f"'{shown}' is no offset: a whole number of d, w, m or y, without a time, such as -30d"
        )
    if _AGO_LIKE.fullmatch(text):
        return f"'{shown}' is no date: write an offset such as -30d"
    if _DATE_LIKE.fullmatch(text):
        return f"'{shown}' is no date: write 2026-01-31 or 2026-01-31T16:00:00"
    return f"'{shown}' is no number: digits, and a point before decimals"


def _instead(text: str) -> str | None:
    days = re.fullmatch(r"(\d{1,6})_(day|week|month|year)s?_ago", text, re.ASCII)
    return f"-{days[1]}{days[2][0]}" if days else None


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
