"""Before anything is sent: whose account is it, and may this machine's clock be believed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from connector.engine import Engine
from connector.flow import accounts
from connector.model import Lane
from connector.ports import Introduction
from connector.store import outbox
from connector.store.connect import Store
from tests.test_engine import NOON, FakeDestination, Stage


@dataclass
class Known(FakeDestination):
    """A destination that says whose it is; its clock is right."""

    account: str = "first"

    def introduce(self) -> Introduction:
        return Introduction(account=self.account, at=NOON)


@pytest.fixture
def stage(store: Store) -> Stage:
    """An engine whose machine has a clock of its own, with two people's records due."""
    stage = Stage(store, destination=Known())
    stage.arrive("order 1", "order 2")
    return stage


def run(stage: Stage, *, off: timedelta = timedelta()) -> None:
    Engine(replace(stage.house, wall=lambda: NOON + off)).drain()


def test_o5_swapped_keys_send_nothing(stage: Stage) -> None:
    """The lane stops before its first call, and says who mends it; confirmed, it goes on."""
    accounts.pin(stage.store, "newsletter", "another", now=NOON)
    run(stage)
    assert ([], 0) == (stage.destination.taken, stage.destination.prepared)
    assert "--accept newsletter" in str(stage.lane().mend)
    accounts.pin(stage.store, "newsletter", "first", now=NOON)
    stage.now += timedelta(hours=1)
    run(stage)
    assert ["p1@x.example", "p2@x.example"] == sorted(stage.destination.taken)


def test_row_100_by_a_clock_a_day_off_nobody_is_added(stage: Stage) -> None:
    """A withdrawal goes all the same; the others wait until the clock is right."""
    store = stage.store
    stage.house = replace(stage.house, sends=False)
    run(stage)
    with store.write() as conn:
        outbox.mark_due(conn, "newsletter", {"p2@x.example": Lane.WITHDRAWAL}, now=NOON)
    stage.house = replace(stage.house, sends=True)
    run(stage, off=timedelta(days=2))
    assert ["p2@x.example"] == stage.destination.taken
    lane = stage.lane()
    assert "only withdrawals are sent" in str(lane.last_problem)
    assert "set the clock" in str(lane.mend)
    stage.now += timedelta(hours=1)
    run(stage, off=timedelta(hours=1))
    assert ["p2@x.example", "p1@x.example"] == stage.destination.taken
    assert stage.lane().last_problem is None
