"""Another shop than the known one: what it says waits, and goes on when a person says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from connector.engine import Engine
from connector.errors import TryLater
from connector.flow import shop_pins
from connector.model import (
    Arrival,
    DataRequest,
    Delivery,
    Kind,
    Lane,
    Quarantined,
    Understanding,
    Understood,
)
from connector.ports import Fingerprint, Haul, Recalled
from connector.store import errands, flagged, inbox, outbox
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


# --- A copy of the shop that delivers beside it --------------------------------------------------


class Copied(Known):
    """A shop that can tell its own deliveries from a copy's, which are about it all the same."""

    def understand(self, delivery: Delivery) -> Understanding:
        if delivery.body.startswith(b"demand"):
            due = NOON + timedelta(days=30)
            demand = DataRequest(shop="wool", request_id="1", due_at=due, email="p1@x.example")
            return Understood(facts=(demand,))
        return super().understand(delivery)

    def stray(self, delivery: Delivery, known: Fingerprint) -> Quarantined | None:
        source = delivery.headers.get("Source", known.identity)
        return None if source == known.identity else Quarantined(reason="another_site", mend="Kari")


@pytest.fixture
def copied(store: Store) -> Stage:
    """An engine that met such a shop; one order is at the destination."""
    stage = Stage(store, shop=Copied())
    arrive_from(PIN.identity, stage, "order 1")
    stage.engine.drain()
    return stage


def arrive_from(source: str, stage: Stage, *words: str) -> None:
    """Deliveries that say from which site they come."""
    for word in words:
        stage.inbox.accept(
            Arrival(
                shop="wool",
                topic="t",
                key=f"{source} {word}".encode(),
                received_at=NOON,
                headers={"Source": source},
                body=word.encode(),
            )
        )


def set_aside(stage: Stage) -> list[str]:
    """Why deliveries are in quarantine, the newest first."""
    with stage.store.read() as conn:
        return [row.reason for row in inbox.quarantined(conn, limit=99)]


def release(stage: Stage) -> None:
    with stage.store.write() as conn:
        inbox.replay(conn, shop="wool")


def test_what_a_copy_delivers_is_set_aside(copied: Stage) -> None:
    """Kept with the reason, nothing of it is used, and the shop's own goes on being applied."""
    arrive_from(CLONE.identity, copied, "order 2", "withdraws 1", "gone 1", "blog post", "odd one")
    arrive_from(PIN.identity, copied, "order 3")
    copied.engine.drain()
    assert {"applied": 2, "ignored": 1, "quarantined": 4} == copied.counts()
    assert ["odd", *["another_site"] * 3] == set_aside(copied)
    assert ["p1@x.example", "p3@x.example"] == copied.destination.taken
    release(copied)
    copied.engine.drain()  # the shop is where it was: a copy it remains
    assert {"unchanged": 2, "ignored": 1, "quarantined": 4} == copied.counts()
    assert ["p1@x.example", "p3@x.example"] == copied.destination.taken


def test_a_shop_that_moved_is_taken_up_when_a_person_says_so(copied: Stage) -> None:
    """At once, by a worker that goes on; what came from there meanwhile loses nothing."""
    arrive_from(CLONE.identity, copied, "order 2")
    copied.engine.drain()
    assert ["another_site"] == set_aside(copied)
    shop_pins.accept(copied.store, "wool", CLONE, now=copied.now)
    release(copied)
    arrive_from(CLONE.identity, copied, "order 3")
    copied.engine.drain()
    assert {"unchanged": 1, "applied": 2} == copied.counts()
    assert {"p1@x.example", "p2@x.example", "p3@x.example"} == set(copied.destination.taken)
    arrive_from(PIN.identity, copied, "order 4")
    copied.engine.drain()
    assert ["another_site"] == set_aside(copied)


def test_a_delivery_from_elsewhere_makes_the_shop_be_asked(copied: Stage) -> None:
    """Within a minute, not an hour: has it moved, then what it delivers waits for a person."""
    shop = copied.shop
    assert isinstance(shop, Copied)
    shop.told = CLONE
    arrive_from(CLONE.identity, copied, "order 2")
    copied.engine.drain()
    assert 1 == shop.fingerprints
    copied.now += timedelta(minutes=1)
    copied.engine.drain()
    arrive_from(CLONE.identity, copied, "order 3")
    copied.engine.drain()
    assert 2 == shop.fingerprints
    assert {"applied": 1, "quarantined": 1, "waiting": 1} == copied.counts()
    shop.told = PIN
    copied.now += timedelta(minutes=5)
    copied.engine.drain()
    assert ["another_site", "another_site"] == set_aside(copied)
    assert 3 == shop.fingerprints
    for expected in (4, 4):  # once more for the one that had waited; then nothing came for an hour
        copied.now += timedelta(minutes=59)
        copied.engine.drain()
        assert expected == shop.fingerprints


def test_it_is_known_before_the_shop_answers(copied: Stage) -> None:
    """A worker that starts while the shop is away remembers which one it is."""
    shop = copied.shop
    assert isinstance(shop, Copied)
    shop.told = TryLater("no answer")
    arrive_from(CLONE.identity, copied, "order 2")
    restart(copied)
    assert ["another_site"] == set_aside(copied)


def test_a_demand_that_a_copy_passes_on_is_told_apart(copied: Stage) -> None:
    """A person's time runs, wherever the demand came from."""
    arrive_from(CLONE.identity, copied, "order 2", "demand")
    copied.engine.drain()
    assert ["another_site", "another_site"] == set_aside(copied)
    with copied.store.read() as conn:
        assert {"wool": 1} == flagged.alarming(conn)
