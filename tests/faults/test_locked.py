"""Another program holds the write lock of an SQLite store."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.store import arrivals

Doorway = Any
_HOLD = """
import sqlite3, sys, time
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
conn.execute("COMMIT")
"""


@contextmanager
def _held_elsewhere(path: Path, seconds: float) -> Iterator[None]:
    """Another process has the lock for so long, from the start of the block on."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), str(seconds)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert b"held\n" == holder.stdout.readline()
    yield
    assert 0 == holder.wait(30)
    holder.stdout.close()


def test_four_seconds_are_waited_for(doorway: Doorway) -> None:
    """Eight webhooks come while the store is locked for 4 s: each gets its 200, none an error."""
    began = time.monotonic()
    with _held_elsewhere(doorway.path, 4.0), ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(doorway.post, (b"%d" % number for number in range(8))))
        assert 3.5 < time.monotonic() - began < 5.5
    assert {200} == {reply.status_code for reply in replies}
    assert {b"%d" % number for number in range(8)} == doorway.held()


def test_longer_is_refused_in_time_and_never_acknowledged(
    doorway: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked for three times our patience (a second here): 503 and Retry-After within it."""
    monkeypatch.setattr(arrivals, "_PATIENCE", 1.0)
    began = time.monotonic()
    with _held_elsewhere(doorway.path, 3.0):
        with ThreadPoolExecutor(8) as crowd:
            replies = list(crowd.map(doorway.post, (b"%d" % number for number in range(8))))
        assert time.monotonic() - began < 2.5
        assert {(503, "30")} == {
            (each.status_code, each.headers["Retry-After"]) for each in replies
        }
        assert (set(), set()) == (doorway.acknowledged, doorway.held())
    assert 200 == doorway.post(b"after").status_code
    assert {b"after"} == doorway.held()
