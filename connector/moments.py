"""Time: aware UTC datetimes inside, whole microseconds in the store, the shop's zone for days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC; exact, unlike ``timestamp()``."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment that is so many microseconds after 1970 UTC."""
    return EPOCH + timedelta(microseconds=micros)


def parse_utc(text: str | None) -> datetime | None:
    """An ISO 8601 moment as UTC; one without offset is taken as UTC already.

    For fields that a platform documents as UTC. Anything that is not a moment after the year 1
    gives ``None``: shops have sent ``0000-12-31T18:09:24-05:50``.
    """
    if not text or not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``, whole seconds: what people and platforms read."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a moment in a shop's zone."""
    return moment.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day in a shop's zone, as UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
