"""Another shop than the known one: what it says waits, and goes on when a person says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from connector.engine import Engine
from connector.errors import TryLater
from connector.flow import shop_pins
from connector.model import Kind, Lane, Understood
from connector.ports import Fingerprint, Haul, Recalled
from connector.store import errands, outbox
from connector.store.connect import Store
from tests.test_engine import NOON, FakeShop, Stage, granted, order

PIN = Fingerprint(identity="wool.example", url="wool.example", currency="NOK")
CLONE = replace(PIN, identity="staging.wool.example")


@dataclass
class Known(FakeShop):
    """A shop that says which one it is, and has one order in its past."""

    told: Fingerprint | Exception = PIN
    fingerprints: int = 0
    readings: int = 0
    kinds: Sequence[Kind] = (Kind.ORDER,)

    def fingerprint(self) -> Fingerprint:
        self.fingerprints += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        del kind, since, now
        self.readings += 1
        if cursor is None:
            facts = (order("9"), granted("9"))
            yield Haul(found=[Recalled(id="9", understanding=Understood(facts=facts))], cursor="1")

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        del kind
        yield ["9"]


@pytest.fixture
def shop() -> Known:
    """The known one, until it is told to be another."""
    return Known()


@pytest.fixture
def stage(store: Store, shop: Known) -> Stage:
    """An engine that met the shop; one order is at the destination, another's record is due."""
    stage = Stage(store, shop=shop)
    stage.arrive("order 1")
    stage.engine.drain()
    return stage


def begin_backfill(stage: Stage) -> None:
    with stage.store.write() as conn:
        errands.begin(conn, "wool", errands.BACKFILL, [Kind.ORDER], since=None, now=stage.now)


def restart(stage: Stage) -> None:
    stage.engine = Engine(stage.house)
    stage.engine.drain()


def test_nothing_of_another_shop_is_used(stage: Stage, shop: Known) -> None:
    """Deliveries wait with the reason, its past is not read, nothing is sent; nothing is lost."""
    shop.told = CLONE
    begin_backfill(stage)
    stage.arrive("order 2", "withdraws 1")
    restart(stage)
    assert {"applied": 1, "waiting": 2} == stage.counts()
    assert (["p1@x.example"], 0) == (stage.destination.taken, shop.readings)
    with stage.store.read() as conn:
        [row] = errands.of_shop(conn, "wool", errands.BACKFILL)
        assert row.problem is not None
        assert "another shop answers" in row.problem
        assert "--accept wool" in str(row.mend)
    shop_pins.accept(stage.store, "wool", CLONE, now=stage.now)
    stage.now += timedelta(minutes=6)
    restart(stage)
    assert {"applied": 3} == stage.counts()
    assert {"p1@x.example", "p2@x.example", "p9@x.example"} == set(stage.destination.taken)
    assert shop.readings > 0


def test_it_is_found_out_while_work_goes_on(stage: Stage, shop: Known) -> None:
    """Asked once an hour; one that is halted each minute, until it is the known one again."""
    assert 1 == shop.fingerprints
    stage.now += timedelta(minutes=59)
    stage.engine.drain()
    assert 1 == shop.fingerprints
    shop.told = CLONE
    stage.now += timedelta(minutes=1)
    stage.engine.drain()
    stage.arrive("order 2")
    stage.engine.drain()
    assert (2, {"applied": 1, "waiting": 1}) == (shop.fingerprints, stage.counts())
    shop.told = PIN
    stage.now += timedelta(minutes=6)
    stage.engine.drain()
    assert (3, {"applied": 2}) == (shop.fingerprints, stage.counts())


def test_what_was_due_before_waits_and_withdrawals_do_not(stage: Stage, shop: Known) -> None:
    """To a destination that has no other shop."""
    stage.house = replace(stage.house, sends=False)
    stage.arrive("order 2", "order 3")
    restart(stage)
    with stage.store.write() as conn:
        outbox.mark_due(conn, "newsletter", {"p3@x.example": Lane.WITHDRAWAL}, now=NOON)
    shop.told = CLONE
    stage.house = replace(stage.house, sends=True)
    restart(stage)
    assert ["p1@x.example", "p3@x.example"] == stage.destination.taken
    assert "another shop answers" in str(stage.lane().last_problem)
    shop.told = PIN
    stage.now += timedelta(minutes=2)
    restart(stage)
    assert ["p1@x.example", "p3@x.example", "p2@x.example"] == stage.destination.taken
    assert stage.lane().last_problem is None


def test_a_shop_that_is_away_does_not_stop_its_webhooks(stage: Stage, shop: Known) -> None:
    """It is believed as it was: known, or halted."""
    shop.told = TryLater("no answer")
    stage.arrive("order 2")
    restart(stage)
    assert {"applied": 2} == stage.counts()
    shop.told = CLONE
    stage.now += timedelta(minutes=1)
    stage.engine.drain()
    shop.told = TryLater("no answer")
    stage.arrive("order 3")
    restart(stage)
    assert {"applied": 2, "waiting": 1} == stage.counts()
