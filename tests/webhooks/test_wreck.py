"""Receiver and worker killed under load: the end is as if nobody had been."""

from __future__ import annotations

import random

from benchmarks.wreck import kill_both


def test_the_end_is_that_of_a_quiet_run() -> None:
    """Three kills of both: nothing lost, everything worked off, nothing doubled."""
    seed = random.SystemRandom().randrange(2**32)
    toll = kill_both(kills=3, seed=seed)
    assert (3, 0, 0, 0, []) == (
        toll.kills,
        toll.missing,
        toll.damaged,
        toll.unfinished,
        toll.apart,
    ), seed
    assert len(toll.acknowledged) > 100, seed
