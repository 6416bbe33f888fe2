"""Kills receiver and worker at random moments under load; afterwards all must be as if nobody had.

Everything real: ``connector serve`` and ``connector work`` on one SQLite file, and the Mailchimp
stand-in, which lives through it all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from adapters.mailchimp.sandbox import Sandbox
from benchmarks import Row
from benchmarks.crash import is_ok
from benchmarks.end_state import differences, end_state
from benchmarks.orders import Town
from benchmarks.stage import Stage
from connector.engine import Engine
from connector.store import inbox
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.wiring import build_house

_CLIENTS = 4
_LONGEST = 1.5  # seconds from the first answer until both are dead, at most
_START = 30.0  # seconds for a receiver to answer
_A_TURN = 400  # deliveries a turn at most: enough that the load never ends before the kill
_ARRIVED = [
    deliveries.c[name]
    for name in ("id", "key", "shop", "topic", "received_at", "headers", "body", "body_sha256")
]
_MIDWAY = """
SELECT EXISTS (SELECT 1 FROM deliveries WHERE status = 'waiting')
    OR EXISTS (SELECT 1 FROM dirty)
    OR EXISTS (SELECT 1 FROM records WHERE status = 'due')
"""
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Toll:
    """What so many kills of both did."""

    kills: int = 0
    acknowledged: set[bytes] = field(default_factory=set)
    """The SHA-256 of every body that was said yes to."""
    missing: int = 0
    damaged: int = 0
    unfinished: int = 0
    """Deliveries that are neither applied nor unchanged when all is done."""
    at_work: int = 0
    """Deliveries that workers finished before they were killed."""
    midway: int = 0
    """Kills that left something waiting, to be evaluated, or due."""
    apart: list[str] = field(default_factory=list)
    """What differs from a run without kills, in the store and in the audience."""


def kill_both(*, kills: int, seed: int) -> Toll:
    """Kill receiver and worker so many times over one store; then let it come to rest."""
    chance = random.Random(seed)
    toll = Toll()
    town = Town(seed)
    with Sandbox() as audience, Stage(audience.url) as stage:
        for _ in range(kills):
            wares = town.season(_A_TURN).wares
            with _dying(stage, "work") as worker, _dying(stage, "serve") as receiver:
                _under_load(stage, wares, toll, {"serve": receiver, "work": worker}, chance)
            toll.kills += 1
            _count(stage, toll)
        with stage.store.read() as conn:
            toll.at_work = sum(inbox.count(conn).get("wool", {}).values())
            toll.at_work -= inbox.count(conn).get("wool", {}).get("waiting", 0)
        _come_to_rest(stage, stage.store)
        _compare(stage, audience.members(), toll)
    return toll


@contextmanager
def _dying(stage: Stage, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the connector's programs, in a process group of its own."""
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("CONNECTOR_")}
    with (stage.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", name, "--config", "connector.yaml"],
            cwd=stage.folder,
            stderr=log,
            env=quiet,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and its children at once, as the kernel would when memory runs out."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _under_load(
    stage: Stage,
    wares: list[bytes],
    toll: Toll,
    victims: Mapping[str, subprocess.Popen[bytes]],
    chance: random.Random,
) -> None:
    first_answer = threading.Event()
    shares = [wares[at::_CLIENTS] for at in range(_CLIENTS)]
    clients = [
        threading.Thread(target=_post, args=(stage.port, share, toll, first_answer))
        for share in shares
    ]
    for client in clients:
        client.start()
    assert first_answer.wait(_START), "the receiver never answered"
    began = time.monotonic()
    # The worker may die before it is up, or in full swing; the receiver before it or after it.
    moments = sorted((chance.uniform(0.02, _LONGEST), name) for name in victims)
    for moment, name in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        _kill(victims[name])
    for client in clients:
        client.join()


def _post(port: int, wares: list[bytes], toll: Toll, first_answer: threading.Event) -> None:
    line = _connect(port)
    if line is None:
        return
    with line, suppress(OSError):  # killed
        for ware in wares:
            line.sendall(ware)
            if not is_ok(line):
                return
            toll.acknowledged.add(hashlib.sha256(ware.partition(_HEAD_END)[2]).digest())
            first_answer.set()
            time.sleep(0.005)


def _connect(port: int) -> socket.socket | None:
    """A connection as soon as somebody listens; none if nobody ever does."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except OSError:
            time.sleep(0.02)
    return None


def _count(stage: Stage, toll: Toll) -> None:
    with sqlite3.connect(stage.folder / "connector.db") as conn:
        held = {digest for (digest,) in conn.execute("SELECT body_sha256 FROM deliveries")}
        [(verdict,)] = conn.execute("PRAGMA quick_check").fetchall()
        [(midway,)] = conn.execute(_MIDWAY).fetchall()
    conn.close()
    toll.missing = max(toll.missing, len(toll.acknowledged - held))
    toll.damaged += verdict != "ok"
    toll.midway += midway


def _come_to_rest(stage: Stage, store: Store) -> None:
    Engine(build_house(stage.configured, store)).drain()


def _compare(stage: Stage, members: Mapping[str, Any], toll: Toll) -> None:
    """The same deliveries once more, on an empty store and to an empty audience, without kills."""
    with stage.store.read() as conn:
        counts = inbox.count(conn)["wool"]
    toll.unfinished = sum(counts.values()) - counts.get("applied", 0) - counts.get("unchanged", 0)
    with Sandbox() as audience, Stage(audience.url) as clean:
        with stage.store.read() as held, clean.store.write() as conn:
            for rows in held.execute(select(*_ARRIVED).order_by(_ARRIVED[0])).partitions(500):
                conn.execute(deliveries.insert(), [row._asdict() for row in rows])
        _come_to_rest(clean, clean.store)
        toll.apart = differences(end_state(clean.store), end_state(stage.store))
        toll.apart += _members_apart(audience.members(), members)


def _members_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    kept = [
        {
            json.dumps(
                [email, held["status"], held["fields"], sorted(held["tags"])], sort_keys=True
            )
            for email, held in members.items()
        }
        for members in (one, other)
    ]
    return [f"member {line}" for line in sorted(kept[0] ^ kept[1])]


def main(*, pairs: int = 200, seed: int | None = None) -> list[Row]:
    """Kill both, and compare the end with that of a quiet run."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    toll = kill_both(kills=pairs, seed=seed)
    return [
        Row(name="kills of receiver and worker", value=toll.kills, unit=f"seed {seed}"),
        Row(name="deliveries acknowledged", value=len(toll.acknowledged)),
        Row(name="finished by workers that were then killed", value=toll.at_work),
        Row(name="kills that left work half done", value=toll.midway),
        Row(name="acknowledged and missing", value=toll.missing, target="0", met=not toll.missing),
        Row(name="damaged files", value=toll.damaged, target="0", met=not toll.damaged),
        Row(
            name="deliveries not worked off in the end",
            value=toll.unfinished,
            target="0",
            met=not toll.unfinished,
        ),
        Row(
            name="rows and contacts that differ from a run without kills",
            value=len(toll.apart),
            target="0",
            met=not toll.apart,
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wreck", description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int)
    told = parser.parse_args()
    found = main(pairs=told.pairs, seed=told.seed)
    for row in found:
        print(row.name, row.value, row.unit, row.target, {True: "", None: ""}.get(row.met, "NO"))
    sys.exit(any(row.met is False for row in found))
