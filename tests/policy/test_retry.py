"""Retries: spread, capped, never sooner than asked, and a week long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import TryLater
from connector.model import Parked, Postponed
from connector.policy import retry

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOURS_4 = 4 * 3600
FRACTIONS = st.floats(0, 1)
ASKED = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(st.integers(1, 10_000), ASKED, FRACTIONS)
def test_a_wait_stays_in_its_range(attempts: int, asked: float | None, fraction: float) -> None:
    """From half of 5 s · 2ⁿ to 4 hours, and never sooner than asked for, up to 4 hours."""
    shortest = min(HOURS_4, 5 * 2 ** (attempts - 1)) / 2
    waited = retry.wait(attempts, asked, fraction)
    assert shortest <= waited <= HOURS_4
    if asked is not None and asked > 0:
        assert waited >= min(asked, HOURS_4)


@pytest.mark.parametrize(
    ("attempts", "fraction", "expected"),
    [
        (1, 0.0, 2.5),
        (1, 1.0, 5.0),
        (2, 1.0, 10.0),
        (4, 0.5, 30.0),
        (12, 1.0, 10_240.0),
        (13, 1.0, 14_400.0),
        (13, 0.0, 7_200.0),
        (95, 1.0, 14_400.0),
    ],
)
def test_waits_double_up_to_the_cap(attempts: int, fraction: float, expected: float) -> None:
    """5 s, 10 s, 20 s … 4 hours, each spread over its upper half."""
    assert expected == retry.wait(attempts, None, fraction)


@given(st.floats(0, 1))
def test_attempts_span_a_week_before_parking(fraction: float) -> None:
    """However the dice fall, a record is tried for seven days, and then parked."""
    now, attempts = NOW, 1
    trouble = Postponed(reason="503")
    while isinstance(
        verdict := retry.decide(attempts=attempts, trouble=trouble, now=now, fraction=fraction),
        datetime,
    ):
        assert verdict > now
        now, attempts = verdict, attempts + 1
    assert now - NOW >= timedelta(days=7)
    assert attempts == 96


def test_parking_says_why_and_who_mends_it() -> None:
    """The last trouble is named."""
    verdict = retry.decide(
        attempts=96, trouble=TryLater("answered 503", retry_after=1), now=NOW, fraction=0.5
    )
    expected = Parked(
        reason="not taken in 96 attempts: answered 503",
        mend="Look at what the destination says about this record, then release it",
    )
    assert expected == verdict


def test_what_the_answer_asked_for_is_kept() -> None:
    """A Retry-After longer than our own wait decides."""
    verdict = retry.decide(
        attempts=1, trouble=Postponed(reason="429", retry_after=120), now=NOW, fraction=0.5
    )
    assert NOW + timedelta(seconds=120) == verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("2.5", 2.5),
        ("0", 0.0),
        ("-30", 0.0),
        ("1000000000", 14_400.0),
        ("1e9", 14_400.0),
        ("9" * 300, 14_400.0),
        ("Mon, 23 Nov 2026 10:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 11:01:30 +0100", 90.0),
        ("Mon, 23 Nov 2026 10:01:30 -0000", 90.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 14_400.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("12 parsecs", None),
        ("Mon, 99 Nov 2026 10:01:30 GMT", None),
        ("٣٠ minutes", None),
    ],
)
def test_every_form_of_retry_after(text: str | None, expected: float | None) -> None:
    """Seconds, dates, nothing, the past, a billion, and what makes no sense."""
    assert expected == retry.parse_retry_after(text, NOW)


@given(st.text() | st.from_regex(r"[+-]?[0-9eE.:, ]{1,40}", fullmatch=True))
def test_no_header_can_hurt(text: str) -> None:
    """Any text is at most four hours, and never an error."""
    seconds = retry.parse_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds <= HOURS_4
