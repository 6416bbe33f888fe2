"""Pacing: never faster than allowed, never slower than needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.policy import pacing

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_a_burst_goes_through_and_the_next_waits() -> None:
    """Three tokens at once, then one each half second."""
    bucket = pacing.full(rate=2, burst=3, now=NOW)
    waits = []
    for _ in range(4):
        bucket, wait = pacing.take(bucket, NOW)
        waits.append(wait)
    assert waits == [0, 0, 0, 0.5]
    assert pacing.take(bucket, NOW + timedelta(seconds=0.5))[1] == 0


def test_waiting_takes_nothing() -> None:
    """Who is told to wait has not paid."""
    empty = pacing.Bucket(rate=1, burst=1, tokens=0.25, at=NOW)
    after, wait = pacing.take(empty, NOW)
    assert (empty, 0.75) == (after, wait)


def test_what_is_larger_than_the_bucket_takes_all_of_it() -> None:
    """A cost above the burst is not refused for ever."""
    after, wait = pacing.take(pacing.full(rate=1, burst=2, now=NOW), NOW, cost=500)
    assert (0.0, 0.0) == (after.tokens, wait)


def test_a_clock_set_back_stalls_nothing() -> None:
    """A day back: nothing is filled for the day, and the next second fills again."""
    bucket = pacing.Bucket(rate=1, burst=5, tokens=0, at=NOW)
    yesterday = NOW - timedelta(days=1)
    bucket, wait = pacing.take(bucket, yesterday)
    assert wait == 1
    assert pacing.take(bucket, yesterday + timedelta(seconds=1))[1] == 0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (1, 0), (-1, 1)])
def test_a_bucket_that_never_fills_is_refused(rate: float, burst: float) -> None:
    """No rate or no room is a mistake of whoever asks."""
    with pytest.raises(ValueError, match="above 0"):
        pacing.full(rate=rate, burst=burst, now=NOW)


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 20)), max_size=60),
)
def test_never_more_than_burst_and_rate_allow(
    rate: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    """In any span, at most a burst and the rate times the span is taken; waits are exact."""
    bucket, now, taken = pacing.full(rate=rate, burst=burst, now=NOW), NOW, 0.0
    for micros, cost in steps:
        now += timedelta(microseconds=micros)
        bucket, wait = pacing.take(bucket, now, cost)
        taken += 0 if wait else min(cost, burst)
        assert taken <= burst + rate * (now - NOW).total_seconds() + 1e-6
        if wait:
            soon = now + timedelta(seconds=wait, microseconds=1)
            assert pacing.take(bucket, soon, cost)[1] == pytest.approx(0, abs=1e-6)
