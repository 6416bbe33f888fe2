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
import select, sqlite3, sys
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
select.select([sys.stdin], [], [], float(sys.argv[2]))
conn.execute("COMMIT")
"""


@contextmanager
def _held_elsewhere(path: Path, seconds: float) -> Iterator[None]:
    """Another process has the lock for so long, or until the end of the block."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert b"held\n" == holder.stdout.readline()
    yield
    holder.communicate(timeout=60)
    assert 0 == holder.returncode


def test_four_seconds_are_waited_for(doorway: Doorway) -> None:
    """Eight webhooks come while the store is locked for 4 s: each gets its 200, none an error."""
    began = time.monotonic()
    with _held_elsewhere(doorway.path, 4.0), ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(doorway.post, (b"%d" % number for number in range(8))))
        assert 3.5 < time.monotonic() - began
    assert {200} == {reply.status_code for reply in replies}
    assert {b"%d" % number for number in range(8)} == doorway.held()


def test_longer_is_refused_in_time_and_never_acknowledged(
    doorway: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked for far longer than our patience (a second here): 503 and Retry-After meanwhile."""
    monkeypatch.setattr(arrivals, "_PATIENCE", 1.0)
    began = time.monotonic()
    with _held_elsewhere(doorway.path, 60.0):
        with ThreadPoolExecutor(8) as crowd:
            replies = list(crowd.map(doorway.post, (b"%d" % number for number in range(8))))
        assert time.monotonic() - began < 30
        assert {(503, "30")} == {
            (each.status_code, each.headers["Retry-After"]) for each in replies
        }
        assert (set(), set()) == (doorway.acknowledged, doorway.held())
    assert 200 == doorway.post(b"after").status_code
    assert {b"after"} == doorway.held()
