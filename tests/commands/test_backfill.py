"""``connector backfill``: what an admin types, sees, interrupts and goes on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from connector import running, wiring
from connector.commands import progress, who_works
from connector.engine import Engine
from connector.errors import LaneDown, TryLater
from connector.flow import errands as flow
from connector.model import Customer, Kind, Order, Version
from connector.store import lanes, schema
from tests.commands.conftest import Home
from tests.flow.past import PastShop, odd, recalled

THEN = wiring.wall_clock()


@pytest.fixture(autouse=True)
def past(monkeypatch: pytest.MonkeyPatch) -> Iterator[PastShop]:
    """The shop: three accounts, eight orders, in pages of two."""
    accounts = [
        Customer(shop="wool", id=str(n), version=Version(THEN), email=f"k{n}@example.no")
        for n in range(3)
    ]
    orders = [
        Order(
            shop="wool",
            id=str(100 + n),
            version=Version(THEN),
            number=str(100 + n),
            status="completed",
            currency="NOK",
            total=100,
            placed_at=THEN,
            email=f"k{n % 4}@example.no",
        )
        for n in range(8)
    ]
    shop = PastShop(
        page=2,
        things={
            Kind.CUSTOMER: [recalled(each) for each in accounts],
            Kind.ORDER: [recalled(each) for each in orders],
        },
    )
    monkeypatch.setattr(wiring, "SHOPS", {"woocommerce": lambda *_: shop})
    monkeypatch.setattr(wiring, "_CORES", 1)  # in this process, where the shop is
    monkeypatch.setattr(flow, "_MOST", 2)
    monkeypatch.setattr(who_works, "LOOK", 0.02)
    # Else a worker asks of its own accord what changed lately, and may be the first to read it.
    monkeypatch.setenv("CONNECTOR_SHOPS__WOOL__RECONCILE", "off")
    with capture_logs():  # which would go to standard output here
        yield shop


def test_all_of_a_shop_is_read_and_evaluated(home: Home) -> None:
    """Where no worker runs the command does it all; status shows it, and the books balance."""
    ran = home.run("backfill", "wool")
    assert (0, True) == (ran.exit_code, "order" in ran.text)
    assert ["kind", "read", "applied", "unchanged", "ignored", "quarantined"] == (
        ran.text.splitlines()[0].split()
    )
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[2].split()
    told = home.run("status", "--json").told
    assert told["balanced"] is True
    kinds = told["shops"]["wool"]["errands"]
    assert {"customer": 3, "order": 8, "product": 0} == {k: kinds[k]["read"] for k in kinds}
    assert 4 == told["destinations"]["newsletter"]["due"]
    assert "wool order" in home.run("status").text
    store = home.store()
    with store.read() as conn:
        assert 4 == len(conn.scalars(select(schema.profiles.c.person)).all())
        assert [] == conn.scalars(select(schema.dirty.c.person)).all()
    store.close()


def test_json_tells_the_end(home: Home) -> None:
    """One document, nothing else on standard output and nothing on standard error."""
    ran = home.run("backfill", "wool", "--kinds", "order", "--json")
    assert (0, "") == (ran.exit_code, ran.error)
    [order] = ran.told["kinds"]
    assert ("wool", "order", 8, 8, 0) == (
        ran.told["shop"],
        order["kind"],
        order["read"],
        order["applied"],
        order["quarantined"],
    )
    again = home.run("backfill", "wool", "--kinds", "order", "--json").told["kinds"][0]
    assert (8, 0, 8) == (again["read"], again["applied"], again["unchanged"])


def test_what_was_not_understood_is_told(home: Home, past: PastShop) -> None:
    """Exit code 1, and the way to see it."""
    past.things = {Kind.ORDER: [odd(7)]}
    ran = home.run("backfill", "wool")
    assert (1, True) == (ran.exit_code, "connector parked" in ran.text)
    assert "order.updated of wool: odd" in home.run("parked").text


def test_interrupted_it_goes_on(home: Home, past: PastShop) -> None:
    """Ctrl-C says how to go on; the same command does, without reading anything twice."""
    past.trouble[4] = KeyboardInterrupt()  # type: ignore[assignment]
    stopped = home.run("backfill", "wool", "--kinds", "order")
    assert 130 == stopped.exit_code
    assert "to go on: connector backfill wool" in stopped.error
    ran = home.run("backfill", "wool", "--kinds", "order")
    assert (0, True) == (ran.exit_code, "Going on where it was interrupted." in ran.error)
    assert [None, "4"] == [cursor for _, _, cursor in past.asked]
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[1].split()


def test_restart_begins_anew(home: Home, past: PastShop) -> None:
    """What was not finished is read from its beginning."""
    past.trouble[4] = KeyboardInterrupt()  # type: ignore[assignment]
    home.run("backfill", "wool", "--kinds", "order")
    ran = home.run("backfill", "wool", "--kinds", "order", "--restart")
    assert ["order", "8", "4", "4", "0", "0"] == ran.text.splitlines()[1].split()
    assert [None, None] == [cursor for _, _, cursor in past.asked]


def test_a_shop_that_refuses_us(home: Home, past: PastShop) -> None:
    """It stops, says who mends it and how to go on then."""
    past.trouble[2] = LaneDown("the key is refused", mend="The shop's owner: make a new key.")
    ran = home.run("backfill", "wool", "--kinds", "order")
    assert 1 == ran.exit_code
    assert "shop wool: the key is refused. The shop's owner: make a new key. Then go on:" in (
        ran.error
    )
    assert "the key is refused" in home.run("status").text
    assert 0 == home.run("backfill", "wool").exit_code


def test_a_shop_that_is_busy_is_waited_for(
    home: Home, past: PastShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem is told, and then it goes on by itself."""
    monkeypatch.setattr("connector.policy.retry.FIRST_WAIT", 0.02)
    past.trouble[2] = TryLater("the shop answered 503")
    ran = home.run("backfill", "wool", "--kinds", "order")
    assert (0, True) == (ran.exit_code, "waiting: the shop answered 503" in ran.error)
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[1].split()


def test_since_and_kinds_are_handed_on(home: Home, past: PastShop) -> None:
    """A day is its first moment in UTC; kinds are read in the shop's own order."""
    ran = home.run("backfill", "wool", "--since", "2026-01-31", "--kinds", "order,customer")
    assert 0 == ran.exit_code
    assert [(Kind.CUSTOMER, "2026-01-31"), (Kind.ORDER, "2026-01-31")] == [
        (kind, since and since.date().isoformat()) for kind, since, _ in past.asked
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("linen",), "There is no shop linen. There are: wool."),
        (("wool", "--kinds", "coupon"), "There are: customer, order, product."),
        (("wool", "--since", "yesterday"), "or a day such as 2026-11-23"),
    ],
)
def test_what_cannot_be_asked_for(home: Home, arguments: tuple[str, ...], said: str) -> None:
    """The answer names what could be, and nothing is begun."""
    ran = home.run("backfill", *arguments)
    assert (2, True) == (ran.exit_code, said in ran.error)
    assert {} == home.run("status", "--json").told["shops"]["wool"]["errands"]


def test_a_platform_without_a_past(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says that this version knows no way."""
    monkeypatch.setattr(wiring, "open_shop", lambda *_: object())
    ran = home.run("backfill", "wool")
    assert (1, True) == (ran.exit_code, "The past of wool cannot be read" in ran.error)


@pytest.fixture
def worker(home: Home) -> Iterator[Callable[[], threading.Event]]:
    """A worker that works in a thread, as `connector work` does."""
    configured = wiring.configure(home.config)
    store = wiring.open_store(configured.settings)
    stop = threading.Event()
    engine = Engine(wiring.build_house(configured, store))
    thread = threading.Thread(target=engine.run, args=(stop,))
    thread.start()
    while True:
        with store.read() as conn:
            if lanes.last_beat(conn):
                break
        time.sleep(0.01)
    yield lambda: stop
    stop.set()
    thread.join()
    store.close()


def test_a_worker_that_runs_does_it(
    home: Home, past: PastShop, worker: Callable[[], threading.Event]
) -> None:
    """The command asks, watches and tells the end; the worker reads, evaluates and delivers."""
    ran = home.run("backfill", "wool")
    assert (0, True) == (ran.exit_code, "A worker runs and does it" in ran.error)
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[2].split()
    past.trouble[0] = LaneDown("the key is refused", mend="The shop's owner: make a new key.")
    refused = home.run("backfill", "wool")
    assert (1, True) == (refused.exit_code, "the key is refused" in refused.error)


def test_a_worker_that_dies_is_stood_in_for(
    home: Home,
    past: PastShop,
    worker: Callable[[], threading.Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once no sign of life has come for a while, the command goes on by itself."""
    stop = worker()
    monkeypatch.setattr(who_works, "_SILENT", who_works._SILENT * 0)
    past.trouble[4] = _Stopping(stop)
    ran = home.run("backfill", "wool", "--kinds", "order")
    assert 0 == ran.exit_code
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[1].split()


def test_a_worker_that_starts_meanwhile_goes_on(home: Home, past: PastShop) -> None:
    """It waits until the command lets go of the store; it does not end, nor its receiver."""
    store = wiring.open_store(wiring.configure(home.config).settings)
    engine = Engine(wiring.build_house(wiring.configure(home.config), store))
    stop, starting = threading.Event(), threading.Event()

    def begin_to_work() -> None:
        with store.appointed():
            starting.set()
            running.work_in_turn(engine, stop)

    thread = threading.Thread(target=begin_to_work)
    past.trouble[4] = _Starting(thread, starting)
    ran = home.run("backfill", "wool", "--kinds", "order")
    assert (0, True) == (ran.exit_code, "A worker runs and does it" in ran.error)
    assert ["order", "8", "8", "0", "0", "0"] == ran.text.splitlines()[1].split()
    stop.set()
    thread.join()
    with store.read() as conn:
        assert lanes.last_beat(conn) is not None
    store.close()


class _Starting(TryLater):
    """Starts a worker when it is raised: it finds that somebody works on the store."""

    def __init__(self, thread: threading.Thread, starting: threading.Event) -> None:
        super().__init__("the shop answered 503")
        self._thread, self._starting = thread, starting

    @property
    def retry_after(self) -> float:  # type: ignore[override]
        if not self._starting.is_set():
            self._thread.start()
            self._starting.wait()
        return 0.0

    @retry_after.setter
    def retry_after(self, _: Any) -> None:
        """Given by the parent."""


class _Stopping(TryLater):
    """Stops the worker when it is raised: from then on nobody works."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__("the shop answered 503")
        self._stop = stop

    @property
    def retry_after(self) -> float:  # type: ignore[override]
        self._stop.set()
        return 0.0

    @retry_after.setter
    def retry_after(self, _: Any) -> None:
        """Given by the parent."""


def test_a_line_of_progress() -> None:
    """How much of how much, how fast, how long still, and what is in the way."""
    row: Any = type("Row", (), {"kind": "order", "read": 12_400, "total": 50_000, "problem": None})
    assert "wool order: 12,400 of 50,000 read, 3,100/s, 12 s left" == progress.line(
        "wool", row, 3100.0
    )
    row.total, row.problem = None, "the shop answered 503"
    assert "wool order: 12,400 read; waiting: the shop answered 503" == progress.line(
        "wool", row, None
    )
    assert ("119 s", "2 min", "3 h") == tuple(progress.lasts(s) for s in (119, 120, 10_800))
