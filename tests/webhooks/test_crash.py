"""What the receiver said yes to survives being killed at any moment."""

from __future__ import annotations

import random

from benchmarks.crash import kill_often


def test_nothing_acknowledged_is_lost() -> None:
    """Twenty kills under load: every acknowledged delivery is there, and nothing else."""
    seed = random.SystemRandom().randrange(2**32)
    toll = kill_often("whole_app", kills=20, seed=seed)
    assert toll.kills == 20
    assert len(toll.acknowledged) > 200, seed
    assert (set(), set(), 0) == (toll.missing, toll.unknown, toll.damaged), seed


def test_a_receiver_that_answers_too_early_is_caught() -> None:
    """The same kills find out one that answers before it commits: the harness can see a loss."""
    toll = kill_often("hasty_app", kills=10, seed=1, stop_at_loss=True)
    assert toll.missing
