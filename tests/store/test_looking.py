"""Looking for work costs the same however much waits: the lanes look twenty times a second."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from connector.store import inbox
from connector.store.connect import Store
from connector.store.schema import deliveries

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Store]:
    """Two thousand deliveries that wait, every second one for a shop that is to be asked later."""
    store = Store.open(f"sqlite:///{tmp_path}/crowded.db")
    with store.write() as conn:
        conn.execute(
            insert(deliveries),
            [
                {
                    "key": b"%d" % number,
                    "shop": "wool",
                    "topic": "order.updated",
                    "received_at": NOON,
                    "headers": {},
                    "body": b" " * 7000,
                    "body_sha256": b"",
                    "attempts": number % 2,
                    "next_attempt_at": NOON + HOUR if number % 2 else None,
                }
                for number in range(2000)
            ],
        )
    yield store
    store.close()


def steps(store: Store, *, asking: bool, limit: int = 1) -> int:
    """How many hundreds of SQLite's instructions one look takes."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    def watch(conn: Any, *_: Any) -> None:
        conn.connection.driver_connection.set_progress_handler(tick, 100)

    event.listen(store.engine, "before_cursor_execute", watch)
    with store.read() as conn:
        inbox.claim(conn, now=NOON, limit=limit, asking=asking)
        conn.connection.driver_connection.set_progress_handler(None, 100)
    event.remove(store.engine, "before_cursor_execute", watch)
    return count


def test_new_deliveries_are_found_past_those_that_ask(crowded: Store) -> None:
    """A shop that is down leaves thousands waiting, and nobody steps over them."""
    assert steps(crowded, asking=False) <= 2


def test_nobody_to_ask_is_seen_at_once(crowded: Store) -> None:
    """With a full inbox of new deliveries the asking lane reads none of them."""
    with crowded.write() as conn:
        conn.execute(update(deliveries).values(attempts=0, next_attempt_at=None))
    assert steps(crowded, asking=True) <= 2


def test_an_idle_lane_reads_nothing_old(crowded: Store) -> None:
    """What is finished is never looked at again, whoever looks."""
    with crowded.write() as conn:
        conn.execute(update(deliveries).values(status="applied", attempts=1))
    assert max(steps(crowded, asking=False), steps(crowded, asking=True)) <= 2


def test_the_index_answers_for_those_that_wait_for_later(crowded: Store) -> None:
    """They are counted off in the index: their bodies are not read."""
    with crowded.read() as conn:
        assert [] == inbox.claim(conn, now=NOON, limit=20, asking=True)
        assert 20 == len(inbox.claim(conn, now=NOON + HOUR, limit=20, asking=True))
    assert steps(crowded, asking=True) <= 120
