"""Taking turns on SQLite: the threads of a worker leave room for the receiver between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.store import connect, precedence
from connector.store.connect import Store
from connector.store.precedence import Precedence


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Store]:
    """A store in one file: only SQLite has one writer at a time."""
    store = Store.open(f"sqlite:///{tmp_path}/turns.db")
    yield store
    store.close()


def test_no_other_thread_slips_past_one_that_gives_way(
    lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many write in this process, a receiver that asks for its turn comes before them."""
    monkeypatch.setattr(precedence, "_LONGEST", 30)
    door = Precedence(str(lite.file))
    door.ask()
    began: list[float] = []

    def write() -> None:
        with lite.write():
            began.append(time.monotonic())

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not began:
        time.sleep(0.01)
    time.sleep(0.2)
    assert 1 == len(began)
    gone = time.monotonic()
    door.thank()
    for thread in threads:
        thread.join()
    assert 3 == len(began)
    assert min(began[1:]) >= gone
    door.close()


def test_a_failed_write_lets_the_next_one_in(lite: Store) -> None:
    """The turn is given back also when the block raises."""

    def stumble() -> None:
        with lite.write():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    with lite.write() as conn:
        assert 1 == conn.exec_driver_sql("SELECT 1").scalar_one()


def test_nobody_waits_for_ever(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that does not end makes the others give up with a sentence, not hang."""
    monkeypatch.setattr(connect, "PATIENCE", 0.05)
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lite.write():
            holds.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(10)
    with pytest.raises(StoreUnavailable, match="another part of this program"), lite.write():
        pass
    done.set()
    holder.join()
