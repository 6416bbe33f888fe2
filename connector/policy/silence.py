"""When a shop's silence is unlike the shop: how rarely one so long comes by chance.

A purchase makes several deliveries at once, so what is counted are stretches of five minutes in
which anything came. For each hour of the week (UTC) their rate is

    rate = sum(weight * stretches) / sum(weight * hours watched)

over that hour and its two neighbours, with the weights 1/2, 1/4 and 1/4, which also softens the
change to summer time. Over a silence the rates add up to L, the stretches that were to be expected.
Were they known exactly, Poisson's law would give such a silence the chance exp(-L). They are known
from n weeks only; with what these weeks may have had by luck (rates that follow a Gamma law with
n * L counted in n weeks) it is

    (1 + 1/n) ** -(n * L)

which is larger, and becomes exp(-L) as n grows. Any of a week's m stretches may be the one that a
silence follows, so m times that bounds the chance that a week brings such a silence at all. Without
this, a shop with a thousand stretches a week would be taken for silent once a week.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.moments import EPOCH

STRETCH = timedelta(minutes=5)
LOOKED_BACK = timedelta(weeks=4)
"""So far back the rhythm is learned."""
SHORTEST = timedelta(hours=1)
"""No shorter silence is one."""
FEWEST = 50
"""With fewer deliveries a shop has no rhythm."""
RAREST = 0.001
"""A silence that a week brings with less than this chance is unlike the shop."""

_WEEK = timedelta(weeks=1)
_HOUR = timedelta(hours=1)
_HOURS = 168
_WEIGHTS = ((-1, 0.25), (0, 0.5), (1, 0.25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often a shop is heard: ``rates`` in stretches an hour, for each hour of the week.

    The week begins on Thursday at 00:00 UTC, as 1970 did. ``until`` is the end of the last stretch,
    ``weeks`` how long was watched, ``a_week`` how many stretches a week has on average.
    """

    rates: tuple[float, ...]
    weeks: float
    a_week: float
    until: datetime


def learn(heard: Iterable[datetime]) -> Rhythm | None:
    """The rhythm of what was heard at these moments; ``None`` before a week was watched.

    It is watched from the first moment to the last: the silence after it teaches nothing.
    """
    stretches = sorted({(moment - EPOCH) // STRETCH for moment in heard})
    if not stretches:
        return None
    first, until = EPOCH + stretches[0] * STRETCH, EPOCH + (stretches[-1] + 1) * STRETCH
    weeks = (until - first) / _WEEK
    if weeks < 1:
        return None
    came, watched = [0.0] * _HOURS, [0.0] * _HOURS
    for stretch in stretches:
        came[_hour_of(EPOCH + stretch * STRETCH)] += 1
    for hour, share in _hours(first, until):
        watched[hour] += share
    return Rhythm(
        rates=tuple(_smooth(came, hour) / _smooth(watched, hour) for hour in range(_HOURS)),
        weeks=weeks,
        a_week=len(stretches) / weeks,
        until=until,
    )


def chance(rhythm: Rhythm, now: datetime) -> float:
    """At most with this chance a week brings a silence like the one from the last stretch to now.

    From 0 to 1; 1 when nothing was to be expected meanwhile.
    """
    if now <= rhythm.until:
        return 1.0
    whole, _ = divmod(now - rhythm.until, _WEEK)
    expected = whole * sum(rhythm.rates) + sum(
        rhythm.rates[hour] * share for hour, share in _hours(rhythm.until + whole * _WEEK, now)
    )
    bound = math.log(rhythm.a_week) - rhythm.weeks * expected * math.log1p(1 / rhythm.weeks)
    return math.exp(min(bound, 0.0))


def is_unlike(rhythm: Rhythm, now: datetime) -> bool:
    """Whether the silence until now is long, and so rare that it is unlike the shop."""
    return now - rhythm.until >= SHORTEST and chance(rhythm, now) < RAREST


def _smooth(figures: list[float], hour: int) -> float:
    return sum(weight * figures[(hour + step) % _HOURS] for step, weight in _WEIGHTS)


def _hours(since: datetime, until: datetime) -> Iterable[tuple[int, float]]:
    """Each hour of the week that the time from ``since`` to ``until`` touches, and how much."""
    while since < until:
        end = min(EPOCH + ((since - EPOCH) // _HOUR + 1) * _HOUR, until)
        yield _hour_of(since), (end - since) / _HOUR
        since = end


def _hour_of(moment: datetime) -> int:
    return ((moment - EPOCH) // _HOUR) % _HOURS
