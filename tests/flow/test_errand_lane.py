"""The errand lane of a worker: it lets webhooks go first, and never starves for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from connector.engine import Engine
from connector.flow import errands as flow
from connector.house import House
from connector.model import Kind
from connector.store import errands, schema
from connector.store.errands import BACKFILL
from tests.flow.conftest import NOON, World
from tests.flow.past import PastShop, recalled


@pytest.fixture
def house(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose shop has six orders, read two at a time; a backfill is asked for."""
    monkeypatch.setattr(flow, "_MOST", 2)
    world = make_world()
    past = [recalled(world.order(number, f"k{number}@example.no")) for number in range(6)]
    with world.store.write() as conn:
        errands.begin(conn, "wool", BACKFILL, (Kind.ORDER,), since=None, now=NOON)
    return House(
        store=world.store,
        shops={"wool": PastShop(page=2, things={Kind.ORDER: past})},
        destinations={"newsletter": world.destination},
        rules=world.rules,
        now=lambda: NOON,
    )


def wait_in_the_inbox(house: House) -> None:
    row: dict[str, Any] = {"key": b"1", "shop": "wool", "topic": "order.updated", "body": b"{}"}
    with house.store.write() as conn:
        conn.execute(
            insert(schema.deliveries),
            [{**row, "received_at": NOON, "headers": {}, "body_sha256": b""}],
        )


def test_while_webhooks_wait_it_works_every_other_time(house: House) -> None:
    """And every time when none does."""
    engine = Engine(house)
    assert 1 == engine._errand_in_turn()
    wait_in_the_inbox(house)
    assert [0, 1, 0, 1] == [engine._errand_in_turn() for _ in range(4)]
    engine.ingest()
    assert [1, 0] == [engine._errand_in_turn() for _ in range(2)]


def test_a_running_worker_carries_it_out(house: House) -> None:
    """Read, evaluated and delivered, without anybody else doing anything."""
    stop = threading.Event()
    thread = threading.Thread(target=Engine(house).run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + 20
    settled = select(schema.records.c.key).where(schema.records.c.status == "settled")
    keys: list[str] = []
    while len(keys) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
        with house.store.read() as conn:
            keys = list(conn.scalars(settled))
    stop.set()
    thread.join()
    assert {f"k{number}@example.no" for number in range(6)} == set(keys)
    with house.store.read() as conn:
        [row] = errands.everything(conn)
    assert (6, 6, NOON) == (row.read, row.applied, row.finished_at)
