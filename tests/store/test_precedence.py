"""A shop at the door writes before the worker takes its next turn."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.model import Arrival
from connector.store.connect import Store
from connector.store.inbox import Inbox
from connector.store.precedence import Precedence


@pytest.fixture
def signs(tmp_path: Path) -> Iterator[tuple[Precedence, Precedence]]:
    """Two programs' views of the sign of one store."""
    ours, theirs = (Precedence(str(tmp_path / "c.db")) for _ in range(2))
    yield ours, theirs
    ours.close()
    theirs.close()


def taken(precedence: Precedence) -> float:
    """The seconds for which it gives way."""
    began = time.monotonic()
    precedence.give_way()
    return time.monotonic() - began


def test_nobody_waits_so_nobody_gives_way(signs: tuple[Precedence, Precedence]) -> None:
    """Without a sign there is no pause."""
    ours, _ = signs
    assert min(taken(ours) for _ in range(5)) < 0.1


def test_the_worker_goes_on_when_the_sign_is_down(signs: tuple[Precedence, Precedence]) -> None:
    """It holds back as long as the sign is up, and not longer; putting it up twice is once."""
    ours, theirs = signs
    held_back = []
    for _ in range(5):
        theirs.ask()
        theirs.ask()
        timer = threading.Timer(0.1, theirs.thank)
        timer.start()
        held_back.append(taken(ours))
        timer.join()
    assert 0.05 < min(held_back) < 0.24
    assert min(taken(ours) for _ in range(5)) < 0.1


def test_the_worker_does_not_hold_back_for_ever(signs: tuple[Precedence, Precedence]) -> None:
    """A sign that stays up costs a quarter of a second."""
    ours, theirs = signs
    theirs.ask()
    assert 0.24 < min(taken(ours) for _ in range(3)) < 0.6
    theirs.thank()


def test_the_sign_of_a_killed_program_is_down(
    signs: tuple[Precedence, Precedence], tmp_path: Path
) -> None:
    """Whoever dies with the sign up does not hinder anybody."""
    ours, _ = signs
    program = (
        "import sys, time; from connector.store.precedence import Precedence; "
        "Precedence(sys.argv[1]).ask(); print('up', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "c.db")], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"up\n"
    assert taken(ours) > 0.24
    other.kill()
    other.communicate()
    assert min(taken(ours) for _ in range(5)) < 0.1


def test_an_arrival_waits_for_one_turn_of_the_worker_only(tmp_path: Path) -> None:
    """Against a worker that writes back to back, each arrival is in after the turn under way."""
    path = tmp_path / "c.db"
    store = Store.open(f"sqlite:///{path}")
    inbox = Inbox(store)
    turn = 0.05
    over = threading.Event()

    def work() -> None:
        precedence = Precedence(str(path))
        conn = sqlite3.connect(path, isolation_level=None)
        while not over.is_set():
            conn.execute("BEGIN IMMEDIATE")
            time.sleep(turn)
            conn.execute("COMMIT")
            precedence.give_way()
        conn.close()
        precedence.close()

    worker = threading.Thread(target=work)
    worker.start()
    waits = []
    for number in range(15):
        began = time.monotonic()
        inbox.accept(
            Arrival(
                shop="wool",
                topic="x",
                key=hashlib.sha256(b"%d" % number).digest(),
                received_at=datetime.now(UTC),
                headers={},
                body=b"{}",
            )
        )
        waits.append(time.monotonic() - began)
    over.set()
    worker.join()
    inbox.close()
    store.close()
    assert sorted(waits)[7] < 2 * turn
    assert inbox.accepted == 15
