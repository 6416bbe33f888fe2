"""A silence unlike the shop is found, and chance is seldom taken for one."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.policy import silence
from connector.policy.silence import Rhythm

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Rate = Callable[[datetime], float]


def steady(_: datetime) -> float:
    """Six purchases in every hour."""
    return 6.0


def shopping_hours(moment: datetime) -> float:
    """Eight an hour by day, one in the evening, none at night, half of it on Sundays."""
    by_hour = 8.0 if 8 <= moment.hour < 20 else 1.0 if 6 <= moment.hour < 23 else 0.0
    return by_hour * (0.5 if moment.weekday() == 6 else 1.0)


def small(_: datetime) -> float:
    """One purchase in four hours."""
    return 0.25


def traffic(rate: Rate, days: int, seed: int) -> list[datetime]:
    """Purchases after Poisson's law, each with four deliveries within a minute."""
    chance = random.Random(seed)
    most, at, came = 8.0, MONDAY, []
    while at < MONDAY + days * DAY:
        at += HOUR * chance.expovariate(most)
        if chance.random() < rate(at) / most:
            came += [at + timedelta(seconds=15 * each) for each in range(4)]
    return came


def rhythm_of(*rates: float, weeks: float = 4.0) -> Rhythm:
    """The same rates again and again through a week."""
    every = tuple(rates[hour % len(rates)] for hour in range(168))
    return Rhythm(rates=every, weeks=weeks, a_week=sum(every), until=MONDAY)


@pytest.mark.parametrize("rate", [steady, shopping_hours, small])
def test_chance_is_seldom_taken_for_silence(rate: Rate) -> None:
    """Three weeks of each of twelve shops, to the end of every gap: none is made up."""
    made_up = 0
    for seed in range(12):
        came = sorted(traffic(rate, 49, seed))
        gaps = [
            (before, after)
            for before, after in itertools.pairwise(came)
            if after - before >= HOUR and before >= MONDAY + 28 * DAY
        ]
        for before, after in gaps:
            begun = bisect.bisect_left(came, before - silence.LOOKED_BACK)
            known = silence.learn(came[begun : bisect.bisect_right(came, before)])
            assert known is not None
            made_up += silence.is_unlike(known, after)
    assert 0 == made_up


@pytest.mark.parametrize(
    ("rate", "stops", "within"),
    [(steady, 12, 3.5), (shopping_hours, 9, 3.5), (small, 12, 72)],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_real_silence_is_found(rate: Rate, stops: int, within: float, seed: int) -> None:
    """A shop that stops on a Tuesday is noticed within hours; one that sells little, in days."""
    end = MONDAY + 29 * DAY + stops * HOUR
    came = [each for each in traffic(rate, 35, seed) if each < end]
    known = silence.learn([each for each in came if each >= came[-1] - silence.LOOKED_BACK])
    assert known is not None
    assert not silence.is_unlike(known, end + timedelta(minutes=30))
    assert silence.is_unlike(known, end + within * HOUR)


@pytest.mark.parametrize("seed", range(5))
def test_a_night_is_no_silence(seed: int) -> None:
    """A shop that never sells at night is silent then by its nature."""
    came = [each for each in traffic(shopping_hours, 35, seed) if each < MONDAY + 30 * DAY]
    known = silence.learn([each for each in came if each >= came[-1] - silence.LOOKED_BACK])
    assert known is not None
    assert not silence.is_unlike(known, MONDAY + 30 * DAY + 6 * HOUR)


def test_several_deliveries_of_one_purchase_count_once() -> None:
    """Twenty at once say no more of the rhythm than one does."""
    hours = [MONDAY + each * HOUR for each in range(24 * 28)]
    burst = [each + timedelta(seconds=n) for each in hours for n in range(20)]
    assert silence.learn(hours) == silence.learn(burst)


def test_the_formula_by_hand() -> None:
    """Two stretches an hour for four weeks, ten hours of silence: 336 * 1.25 ** -80."""
    known = rhythm_of(2.0)
    expected = 336 * 1.25**-80
    assert math.isclose(expected, silence.chance(known, MONDAY + 10 * HOUR), rel_tol=1e-9)


def test_the_rates_by_hand() -> None:
    """Twice in an hour of each of four weeks, once at their end: spread over neighbours."""
    known = silence.learn(
        [MONDAY + timedelta(weeks=week, minutes=minute) for week in range(4) for minute in (0, 30)]
        + [MONDAY + timedelta(weeks=4, minutes=-5)]
    )
    assert known is not None
    monday = 4 * 24  # the week begins on Thursday
    assert [0.0625, 0.625, 1.0625, 0.5, 0.0] == [
        known.rates[monday + step] for step in range(-2, 3)
    ]
    assert (4, 2.25, 2.25) == (known.weeks, known.a_week, sum(known.rates))
    assert MONDAY + timedelta(weeks=4) == known.until


@pytest.mark.parametrize(
    "heard", [[], [MONDAY], [MONDAY, MONDAY + 6 * DAY]], ids=["nothing", "once", "six days"]
)
def test_before_a_week_was_watched_there_is_no_rhythm(heard: list[datetime]) -> None:
    """Nothing is known of the other days."""
    assert silence.learn(heard) is None


def test_no_silence_is_shorter_than_an_hour() -> None:
    """However busy the shop."""
    busy = rhythm_of(12.0 * 100)
    assert not silence.is_unlike(busy, MONDAY + timedelta(minutes=59))
    assert silence.is_unlike(busy, MONDAY + HOUR)


rates = st.lists(st.floats(0, 12), min_size=1, max_size=168).filter(any)
hours = st.floats(0, 2_000)


@given(rates, st.floats(1, 4), hours, hours)
def test_a_longer_silence_is_never_more_likely(
    some: list[float], weeks: float, one: float, other: float
) -> None:
    """And a chance is a chance: from 0 to 1."""
    known = rhythm_of(*some, weeks=weeks)
    shorter, longer = sorted((one, other))
    likely = silence.chance(known, MONDAY + shorter * HOUR)
    unlikely = silence.chance(known, MONDAY + longer * HOUR)
    assert 0 <= unlikely <= likely * (1 + 1e-9)
    assert 1 >= likely


@given(rates, hours)
def test_what_is_known_longer_is_known_better(some: list[float], silent: float) -> None:
    """Two weeks make a silence no more likely than one, and never less than Poisson's law."""
    now = MONDAY + silent * HOUR
    after_one = silence.chance(rhythm_of(*some, weeks=1), now)
    after_two = silence.chance(rhythm_of(*some, weeks=2), now)
    after_many = silence.chance(rhythm_of(*some, weeks=1e9), now)
    assert after_one * (1 + 1e-6) >= after_two
    assert after_two * (1 + 1e-6) >= after_many


@given(st.lists(st.integers(0, 60 * 24 * 28), min_size=1, max_size=300))
def test_whatever_was_heard_gives_rates_that_can_be(minutes: list[int]) -> None:
    """No rate is below nothing or above twelve stretches an hour; right after, all is likely."""
    heard = [MONDAY + timedelta(minutes=each) for each in minutes]
    known = silence.learn(heard)
    if known is None:
        assert max(heard) - min(heard) < timedelta(weeks=1)
        return
    assert all(0 <= rate <= 12.0001 for rate in known.rates)
    assert math.isclose(1.0, silence.chance(known, max(heard)))
