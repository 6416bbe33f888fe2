"""The lanes: what pauses, what goes on, and what is never held up by another."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from connector import running
from connector.engine import Engine
from connector.errors import LaneDown, StoreUnavailable, TryLater
from connector.house import House
from connector.model import (
    Arrival,
    Change,
    Claim,
    Deleted,
    Delivery,
    Evidence,
    Ignored,
    Kind,
    Order,
    Outcome,
    Purpose,
    Quarantined,
    Settled,
    Understanding,
    Understood,
    Version,
    Wish,
)
from connector.ports import Door, Finding, Shape, ShopFacts
from connector.store import inbox, lanes
from connector.store.connect import Store
from connector.store.inbox import Inbox
from tests.one_destination import rules_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = """
version: 1
destinations:
  newsletter: {fields: {ORDERS: number_of_orders}}
"""


@dataclass
class FakeShop:
    """A shop whose deliveries say in words what they are."""

    name: str = "wool"
    answers: list[Understanding | Exception] = field(default_factory=list)
    door: Door = field(
        default_factory=lambda: Door(
            signature_header="S", topic_header="T", delivery_header="D", kept_headers=()
        )
    )

    def understand(self, delivery: Delivery) -> Understanding:
        word, _, rest = delivery.body.decode().partition(" ")
        match word:
            case "order":
                return Understood(facts=(order(rest), granted(rest)))
            case "grants":
                return Understood(facts=(granted(rest),))
            case "withdraws":
                return Understood(facts=(replace(granted(rest), claim=Claim.WITHDRAW),))
            case "gone":
                return Understood(wishes=(Wish(kind=Kind.ORDER, id=rest, expected_gone=True),))
            case "huge":
                return Understood(facts=(replace(order(rest), total=2**70),))
            case "odd":
                return Quarantined(reason="odd", mend="Kari")
            case _:
                return Ignored(reason="not used")

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def describe(self) -> ShopFacts:
        return ShopFacts(timezone="Europe/Oslo", currency="NOK")


@dataclass
class FakeDestination:
    """A destination that takes everything, unless it has a trouble."""

    name: str = "newsletter"
    batch_size: int = 2
    trouble: list[Exception] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    prepared: int = 0
    flushed: int = 0

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        self.prepared += 1
        return (Finding(what="odd field", mend="Kari"),)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        if self.trouble:
            raise self.trouble.pop(0)
        self.taken += [change.key for change in changes]
        return {change.key: Settled() for change in changes}

    def flush(self) -> None:
        self.flushed += 1


def order(number: str) -> Order:
    return Order(
        shop="wool",
        id=number,
        version=Version(NOON),
        number=number,
        status="processing",
        currency="NOK",
        total=100,
        placed_at=NOON,
        email=f"p{number}@x.example",
    )


def granted(number: str) -> Evidence:
    return Evidence(
        contact=f"p{number}@x.example",
        purpose=Purpose.EMAIL,
        claim=Claim.GRANT,
        source="wool",
        at=NOON,
        received_at=NOON,
    )


@dataclass
class Stage:
    """An engine with fakes around it and a clock to turn."""

    store: Store
    shop: FakeShop = field(default_factory=FakeShop)
    destination: FakeDestination = field(default_factory=FakeDestination)
    now: datetime = NOON
    sends: bool = True

    def __post_init__(self) -> None:
        self.house = House(
            store=self.store,
            shops={"wool": self.shop},
            destinations={"newsletter": self.destination},
            rules=rules_of(MAPPING),
            now=lambda: self.now,
            sends=self.sends,
        )
        self.engine = Engine(self.house)
        self.inbox = Inbox(self.store)

    def arrive(self, *words: str) -> None:
        for word in words:
            self.inbox.accept(
                Arrival(
                    shop="wool",
                    topic="t",
                    key=word.encode(),
                    received_at=NOON,
                    headers={},
                    body=word.encode(),
                )
            )

    def counts(self) -> dict[str, int]:
        with self.store.read() as conn:
            return inbox.count(conn).get("wool", {})

    def lane(self) -> lanes.LaneState:
        with self.store.read() as conn:
            return lanes.read(conn, "newsletter")


@pytest.fixture
def stage(store: Store) -> Stage:
    """Everything on an empty store."""
    return Stage(store)


def test_each_delivery_ends_in_one_column(stage: Stage) -> None:
    """Applied, ignored, quarantined; and the destination gets what the orders say."""
    stage.arrive("order 1", "order 2", "order 3", "odd thing", "blog post")
    stage.engine.drain()
    assert {"applied": 3, "ignored": 1, "quarantined": 1} == stage.counts()
    assert ["p1@x.example", "p2@x.example", "p3@x.example"] == sorted(stage.destination.taken)
    assert (1, 1) == (stage.destination.prepared, stage.destination.flushed)


def test_a_replay_changes_nothing_and_sends_nothing(stage: Stage) -> None:
    """All deliveries again: unchanged, and no call."""
    stage.arrive("order 1", "order 2")
    stage.engine.drain()
    with stage.store.write() as conn:
        assert 2 == inbox.replay(conn)
    stage.engine.drain()
    assert {"unchanged": 2} == stage.counts()
    assert 2 == len(stage.destination.taken)


def test_one_delivery_that_cannot_be_stored_does_not_hold_up_the_others(stage: Stage) -> None:
    """It is quarantined alone; its neighbours are applied."""
    stage.arrive("order 1", "huge 2", "order 3")
    stage.engine.drain()
    assert {"applied": 2, "quarantined": 1} == stage.counts()
    with stage.store.read() as conn:
        assert ["not_storable"] == [row.reason for row in inbox.quarantined(conn, limit=9)]


def test_what_lacks_something_goes_round_once_more_and_is_asked(stage: Stage) -> None:
    """A silent shop is asked again later; what needs no answer is not held up."""
    gone = Deleted(shop="wool", kind=Kind.ORDER, id="1", version=Version(NOON, 1))
    stage.shop.answers = [TryLater("no answer"), Understood(facts=(gone,))]
    stage.arrive("gone 1", "order 2")
    stage.engine.drain()
    assert {"applied": 1, "waiting": 1} == stage.counts()
    stage.now += timedelta(minutes=1)
    stage.engine.drain()
    assert {"applied": 2} == stage.counts()


def test_a_destination_that_is_down_is_left_alone_then_caught_up(stage: Stage) -> None:
    """The first failure pauses the lane for a breath; afterwards nothing is missing."""
    stage.destination.trouble = [TryLater("down")]
    stage.arrive("order 1", "order 2", "order 3")
    stage.engine.drain()
    assert [] == stage.destination.taken
    assert ("down", None) == (stage.lane().last_problem, stage.lane().mend)
    stage.now += timedelta(seconds=10)
    stage.engine.drain()
    assert 3 == len(stage.destination.taken)
    assert (None, 0) == (stage.lane().last_problem, stage.lane().failures)


def test_a_refused_key_says_who_mends_it_and_is_prepared_anew(stage: Stage) -> None:
    """Credentials refused: paused for a minute with the mend, then everything from the start."""
    stage.destination.trouble = [LaneDown("the key is refused", mend="Give a new API key.")]
    stage.arrive("order 1")
    stage.engine.drain()
    assert ("the key is refused", "Give a new API key.") == (
        stage.lane().last_problem,
        stage.lane().mend,
    )
    stage.now += timedelta(seconds=59)
    stage.engine.drain()
    assert [] == stage.destination.taken
    stage.now += timedelta(seconds=2)
    stage.engine.drain()
    assert (["p1@x.example"], 2) == (stage.destination.taken, stage.destination.prepared)


def test_what_was_mended_is_over_although_nothing_is_due(stage: Stage) -> None:
    """Who acted sees that it was right, and does not wait for the next order to see it."""
    stage.arrive("grants 1")
    stage.engine.drain()
    with stage.store.write() as conn:
        lanes.write(
            conn,
            "newsletter",
            lanes.LaneState(failures=3, last_problem="the key is refused", mend="A new key."),
            now=NOON,
        )
    stage.engine.drain()
    with stage.store.read() as conn:
        state = lanes.read(conn, "newsletter")
    assert (0, None, None) == (state.failures, state.last_problem, state.mend)


def test_mode_test_computes_everything_and_sends_nothing(store: Store) -> None:
    """The records are due, and stay so."""
    stage = Stage(store, sends=False)
    stage.arrive("order 1")
    stage.engine.drain()
    assert {"applied": 1} == stage.counts()
    assert ([], 0) == (stage.destination.taken, stage.destination.prepared)


def test_the_lanes_run_by_themselves_until_told_to_stop(store: Store) -> None:
    """Threads take a delivery to the destination within a second, and end when asked."""
    stage = Stage(store)
    stage.house = replace(stage.house, now=lambda: datetime.now(UTC))
    stop = threading.Event()
    runner = threading.Thread(target=Engine(stage.house).run, args=(stop,))
    runner.start()
    stage.arrive("order 1")
    deadline = time.monotonic() + 20
    while not stage.destination.taken and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    runner.join(timeout=20)
    assert ["p1@x.example"] == stage.destination.taken
    assert not runner.is_alive()
    with store.read() as conn:
        assert lanes.last_beat(conn) is not None


def test_a_second_worker_is_kept_off_an_sqlite_store(store: Store, store_url: str) -> None:
    """On SQLite it is refused with the reason; on PostgreSQL it may work."""
    other = Store.open(store_url)
    with store.only_worker():
        if store.dialect == "sqlite":
            with pytest.raises(StoreUnavailable, match="another worker already works"):
                other.only_worker().__enter__()
        else:
            with other.only_worker():
                pass
    other.close()


def test_a_worker_waits_for_a_command_and_not_for_another_worker(
    store: Store, store_url: str
) -> None:
    """Who reads a shop's past is done some day; the receiver that runs beside it goes on."""
    stage, other = Stage(store), Store.open(store_url)
    stage.house = replace(stage.house, now=lambda: datetime.now(UTC))
    stage.arrive("order 1")
    stop = threading.Event()
    runner = threading.Thread(target=running.work_in_turn, args=(Engine(stage.house), stop))
    with other.only_worker():
        runner.start()
        if store.dialect == "sqlite":
            time.sleep(0.2)
            assert ([], True) == (stage.destination.taken, runner.is_alive())
    deadline = time.monotonic() + 20
    while not stage.destination.taken and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    runner.join(timeout=20)
    assert (["p1@x.example"], False) == (stage.destination.taken, runner.is_alive())
    with store.appointed():
        assert (store.dialect == "sqlite") == other.has_worker()
        if store.dialect == "sqlite":
            with pytest.raises(StoreUnavailable, match="another worker already works"):
                other.appointed().__enter__()
    assert not other.has_worker()
    other.close()


def test_both_deliveries_of_one_batch_that_say_something_new_are_applied(stage: Stage) -> None:
    """A grant and a withdrawal of one person in one batch: neither is booked as unchanged."""
    stage.arrive("grants 1", "withdraws 1")
    stage.engine.drain()
    assert {"applied": 2} == stage.counts()
