"""What the receiver said yes to survives the power failing at any moment."""

from __future__ import annotations

import random
from dataclasses import replace

from benchmarks.power import Toll, as_it_is, careless, cut_often


def test_nothing_acknowledged_is_lost() -> None:
    """Forty cuts amid writes: every delivery and verdict is there, whole, in a sound file."""
    seed = random.SystemRandom().randrange(2**32)
    toll = cut_often(as_it_is, cuts=40, seed=seed)
    assert toll.acknowledged > 200, seed
    assert Toll(cuts=40) == replace(toll, acknowledged=0), seed


def test_a_store_that_does_not_wait_for_the_disk_is_caught() -> None:
    """The same cuts find out ``synchronous=NORMAL``: the harness can see a loss."""
    toll = cut_often(careless, cuts=40, seed=1, stop_at_loss=True)
    assert toll.missing > 0
    assert toll.torn == toll.damaged == 0


def test_the_same_seed_does_the_same() -> None:
    """A loss can be looked at again."""
    assert cut_often(careless, cuts=10, seed=5) == cut_often(careless, cuts=10, seed=5)
