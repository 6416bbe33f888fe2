"""Kills the receiver at random moments and asks whether any delivery it said yes to is missing."""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import Row
from benchmarks.door import Running, running
from benchmarks.load import request

_CLIENTS = 4
_EARLIEST, _LATEST = 0.02, 0.4  # seconds from the first answer to the kill


@dataclass(slots=True)
class Toll:
    """What so many kills did."""

    kills: int = 0
    sent: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)
    missing: set[bytes] = field(default_factory=set)
    unknown: set[bytes] = field(default_factory=set)
    """Rows that nobody sent."""
    damaged: int = 0
    """How often SQLite found its file inconsistent afterwards."""


def kill_often(app: str, *, kills: int, seed: int, stop_at_loss: bool = False) -> Toll:
    """Kill ``app`` so many times over one and the same store. Bodies are known by their SHA-256."""
    chance = random.Random(seed)
    toll = Toll()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "connector.db"
        for turn in range(kills):
            with running(app, store=f"sqlite:///{path}") as server:
                _post_until_killed(server, toll, turn, chance.uniform(_EARLIEST, _LATEST))
            toll.kills += 1
            _compare(path, toll)
            if stop_at_loss and toll.missing:
                break
    return toll


def _post_until_killed(server: Running, toll: Toll, turn: int, after: float) -> None:
    first_answer = threading.Event()
    clients = [
        threading.Thread(target=_post, args=(server.port, f"{turn}-{n}", toll, first_answer))
        for n in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    assert first_answer.wait(20), "the receiver never answered"
    time.sleep(after)
    server.kill()
    for client in clients:
        client.join()


def _post(port: int, name: str, toll: Toll, first_answer: threading.Event) -> None:
    number = 0
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            while True:
                number += 1
                body = json.dumps({"id": number, "by": name, "note": "x" * 500}).encode()
                digest = hashlib.sha256(body).digest()
                toll.sent.add(digest)
                line.sendall(request(body, number))
                if not is_ok(line):
                    return
                toll.acknowledged.add(digest)
                first_answer.set()
    except OSError:
        return  # killed


def is_ok(line: socket.socket) -> bool:
    """Read one answer; true for a 200, false for the end. Anything else is a fault here."""
    have = b""
    while b"\r\n\r\n" not in have or not have.endswith(b"\n"):
        piece = line.recv(4096)
        if not piece:
            return False
        have += piece
    assert have.startswith(b"HTTP/1.1 200 "), have
    return True


def _compare(path: Path, toll: Toll) -> None:
    with sqlite3.connect(path) as conn:
        rows = {digest for (digest,) in conn.execute("SELECT body_sha256 FROM deliveries")}
        [(verdict,)] = conn.execute("PRAGMA quick_check").fetchall()
    conn.close()
    toll.missing |= toll.acknowledged - rows
    toll.unknown |= rows - toll.sent
    toll.damaged += verdict != "ok"


def main(*, kills: int = 200, seed: int | None = None) -> list[Row]:
    """Kill the receiver, and one with a known fault, which must be found out."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    toll = kill_often("whole_app", kills=kills, seed=seed)
    control = kill_often("hasty_app", kills=20, seed=seed, stop_at_loss=True)
    return [
        Row(name="kills", value=toll.kills, unit=f"seed {seed}"),
        Row(name="deliveries acknowledged", value=len(toll.acknowledged)),
        Row(
            name="acknowledged and missing",
            value=len(toll.missing),
            target="0",
            met=not toll.missing,
        ),
        Row(
            name="rows nobody sent, damaged files",
            value=len(toll.unknown) + toll.damaged,
            target="0",
            met=not toll.unknown and not toll.damaged,
        ),
        Row(
            name="kills until the faulty receiver was caught",
            value=control.kills,
            target="<= 20",
            met=bool(control.missing),
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--worker", action="store_true", help="kill the worker as well")
    parser.add_argument("--seed", type=int)
    told = parser.parse_args()
    if told.worker:
        from benchmarks import wreck  # which needs this file

        rows = wreck.main(pairs=told.kills, seed=told.seed)
    else:
        rows = main(kills=told.kills, seed=told.seed)
    for row in rows:
        print(row.name, row.value, row.unit, row.target, {True: "", None: ""}.get(row.met, "NO"))
    sys.exit(any(row.met is False for row in rows))
