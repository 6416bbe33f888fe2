"""What a date in a query means on the shop's calendar: whole days, and months of unequal length."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector.moments import start_of_day
from mappings.segments.values import Day, Instant, Offset, Unit

# A day to spare at both ends of the calendar, so that every zone's midnight is still a moment.
EARLIEST = date(1, 1, 3)
LATEST = date(9999, 12, 29)
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_DAYS_IN = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS_IN = {Unit.MONTH: 1, Unit.YEAR: 12}


def shift(day: date, count: int, unit: Unit) -> date:
    """The day so many units later (or earlier). 31 March less a month is the last of February.

    What would leave the calendar stays at its end.
    """
    if unit in _DAYS_IN:
        ordinal = day.toordinal() + count * _DAYS_IN[unit]
        if EARLIEST.toordinal() <= ordinal <= LATEST.toordinal():
            return date.fromordinal(ordinal)
        return EARLIEST if count < 0 else LATEST
    year, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS_IN[unit], 12)
    if not EARLIEST.year <= year <= LATEST.year:
        return EARLIEST if count < 0 else LATEST
    last = calendar.monthrange(year, month + 1)[1]
    return _within(date(year, month + 1, min(day.day, last)))


def first_day_reaching(target: date, offset: Offset) -> date:
    """The first today on which the relative date is ``target`` or later."""
    today = shift(target, -offset.count, offset.unit)
    # Only where a short month clamped the day is that one too early, and then the next is right.
    return today if shift(today, offset.count, offset.unit) >= target else today + _DAY


def span(value: Day | Instant | Offset, zone: ZoneInfo, today: date) -> tuple[datetime, datetime]:
    """The first moment of a date or instant, and the first moment after it."""
    match value:
        case Day():
            return _day(_within(value.value), zone)
        case Offset():
            return _day(shift(today, value.count, value.unit), zone)
        case Instant():
            kept = _within(value.value.date())
            if kept != value.value.date():
                return _day(kept, zone)
            moment = value.value.replace(tzinfo=zone).astimezone(UTC)
            return moment, moment + _TICK


@lru_cache(maxsize=4096)
def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return start_of_day(day, zone), start_of_day(day + _DAY, zone)


def _within(day: date) -> date:
    return min(max(day, EARLIEST), LATEST)
