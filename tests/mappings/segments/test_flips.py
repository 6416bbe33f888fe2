"""When a segment changes merely because time passes, by example."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.model import Profile
from mappings.segments.attributes import ATTRIBUTES, InColumn, Kind
from mappings.segments.flips import has_relative_dates, next_flip
from mappings.segments.parse import parse_query

OSLO = ZoneInfo("Europe/Oslo")


def flip(text: str, bought: str | None, now: str) -> str | None:
    """The next flip for somebody who last bought then, in UTC text."""
    profile = Profile(person="p", last_order_at=datetime.fromisoformat(bought) if bought else None)
    found = next_flip(
        parse_query(text), profile, zone=OSLO, now=datetime.fromisoformat(now).astimezone(UTC)
    )
    return None if found is None else found.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.parametrize(
    ("text", "bought", "now", "expected"),
    [
        # Bought on 1 June (Oslo): lapsed when that is before -365d, from 2 June a year later.
        ("< -365d", "2025-06-01T10:00Z", "2026-01-01T00:00Z", "2026-06-01T22:00Z"),
        ("< -365d", "2025-06-01T22:30Z", "2026-01-01T00:00Z", "2026-06-02T22:00Z"),
        ("< -365d", "2025-06-01T10:00Z", "2026-06-01T21:59Z", "2026-06-01T22:00Z"),
        ("< -365d", "2025-06-01T10:00Z", "2026-06-01T22:00Z", None),
        # Winter time from summer time: midnight moves by an hour.
        (">= -30d", "2026-10-10T10:00Z", "2026-10-12T00:00Z", "2026-11-09T23:00Z"),
        ("= today", "2026-10-25T10:00Z", "2026-10-25T10:00Z", "2026-10-25T23:00Z"),
        # Two turns: into the window, and out of it.
        ("= -7d", "2026-11-01T10:00Z", "2026-11-01T10:00Z", "2026-11-07T23:00Z"),
        ("= -7d", "2026-11-01T10:00Z", "2026-11-07T23:00Z", "2026-11-08T23:00Z"),
        ("BETWEEN -365d AND -90d", "2026-01-01T10:00Z", "2026-01-02T00:00Z", "2026-03-31T22:00Z"),
        ("BETWEEN -365d AND -90d", "2026-01-01T10:00Z", "2026-05-02T00:00Z", "2027-01-01T23:00Z"),
        # The 31st is never a month ago in a month that follows a shorter one.
        ("= -1m", "2026-01-31T10:00Z", "2026-02-01T00:00Z", None),
        ("> -1m", "2026-01-31T10:00Z", "2026-02-01T00:00Z", "2026-02-28T23:00Z"),
        (">= -1y", "2028-02-29T10:00Z", "2028-03-01T10:00Z", "2029-02-28T23:00Z"),
        # Nothing moves.
        ("< 2026-01-01", "2025-06-01T10:00Z", "2025-01-01T00:00Z", None),
        ("IS NULL", "2025-06-01T10:00Z", "2025-01-01T00:00Z", None),
        ("< -365d", None, "2025-01-01T00:00Z", None),
        ("< -999999y", "2025-06-01T10:00Z", "2026-01-01T00:00Z", None),
    ],
)
def test_next_flip(text: str, bought: str | None, now: str, expected: str | None) -> None:
    """The next midnight of the shop at which the date moves over what is known."""
    assert expected == flip(f"last_order_date {text}", bought, now)


def test_the_earliest_of_several_clauses() -> None:
    """Of many clauses, also under NOT and OR, the first to flip counts."""
    text = "NOT last_order_date > -90d OR last_order_date < -30d AND number_of_orders = 1"
    assert "2026-01-31T23:00Z" == flip(text, "2026-01-01T10:00Z", "2026-01-02T00:00Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last_order_date > -90d", True),
        ("number_of_orders = 1 OR NOT last_order_date = today", True),
        ("last_order_date BETWEEN 2026-01-01 AND today", True),
        ("products_purchased MATCHES (date > -90d)", True),
        ("anniversary('metafields.facts.birth_date') = 2001-12-24", True),
        ("products_purchased MATCHES (date > 2026-01-01)", False),
        ("last_order_date > 2026-01-01", False),
        ("in_segment('lapsed')", False),
    ],
)
def test_has_relative_dates(text: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Only dates that move with the calendar make a segment change by itself."""
    assert expected is has_relative_dates(parse_query(text))


def test_dates_are_called_the_same_in_profile_and_store() -> None:
    """Flips read from a profile what the store keeps in the column of that name."""
    names = {each.name for each in fields(Profile)}
    for attribute in ATTRIBUTES.values():
        if attribute.kind is Kind.DATE and isinstance(attribute.source, InColumn):
            assert attribute.source.column.name in names
