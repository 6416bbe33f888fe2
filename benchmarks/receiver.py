"""The receiver: how much of an empty view's speed is left, how long a shop waits, what it holds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from benchmarks import Row, ratio
from benchmarks.door import Running, running
from benchmarks.load import SHOP, TOPIC, order
from connector.model import Arrival
from connector.store import inbox, sql
from connector.store.connect import Store
from connector.store.inbox import Inbox, Verdict
from connector.store.schema import dirty, order_lines

_CONNECTIONS = 32
_RATE = 200
_BATCH = 100


def main(*, quick: bool = False) -> list[Row]:
    """Measure; the rows of the report."""
    return [*_throughput(rounds=1 if quick else 5), *_latency(seconds=3 if quick else 20)]


def _throughput(*, rounds: int) -> list[Row]:
    """Receiver and empty view in turns, so that what else the machine does meets both."""
    rates: dict[str, list[float]] = {"empty_app": [], "whole_app": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            for app, seen in rates.items():
                with running(app, store=f"sqlite:///{folder}/{app}-{turn}.db") as server:
                    seen.append(_flood(server))
    empty, whole = (statistics.median(seen) for seen in rates.values())
    return [
        Row(name="empty Flask view, 32 connections", value=empty, unit="requests/s"),
        Row(name="receiver, committed before the answer", value=whole, unit="requests/s"),
        ratio("receiver / empty Flask view", whole, empty, least=0.6),
    ]


def _latency(*, seconds: int) -> list[Row]:
    """At a steady rate, while a worker's transactions keep the store busy."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/connector.db"
        with running("whole_app", store=store) as server, _worker(store) as worker:
            told = _client(server, "--rate", str(_RATE), "--count", str(_RATE * seconds))
            memory = server.memory()
        written = json.loads(worker.communicate()[0])
    return [
        Row(name="answers at 200 requests/s, median", value=told["p50"] * 1000, unit="ms"),
        Row(
            name="answers at 200 requests/s, 99 in 100",
            value=told["p99"] * 1000,
            unit="ms",
            target="<= 150 ms",
            met=told["p99"] <= 0.150,
        ),
        Row(name="slowest of them", value=told["max"] * 1000, unit="ms"),
        Row(
            name="a worker's transactions meanwhile",
            value=written["transactions"] / written["seconds"],
            unit="/s",
        ),
        Row(
            name="memory of the receiver",
            value=memory,
            unit="MiB",
            target="<= 150 MB",
            met=memory * 1024 * 1024 <= 150e6,
        ),
    ]


def _flood(server: Running) -> float:
    return _client(server, "--seconds", "3", "--count", "50000")["rate"]


def _client(server: Running, *told: str) -> dict[str, float]:
    program = [sys.executable, "-m", "benchmarks.load", "--port", str(server.port)]
    done = subprocess.run(
        [*program, "--connections", str(_CONNECTIONS), *told], stdout=subprocess.PIPE, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@contextmanager
def _worker(store: str) -> Iterator[subprocess.Popen[str]]:
    """A process that does to the store what a worker does, without a pause."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver", store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdin is not None
    worker.stdout.readline()
    try:
        yield worker
    finally:
        worker.stdin.close()
        worker.stdin = None


def work(url: str) -> None:
    """Claim, parse, settle lines, mark people, put back: over and over, until standard input ends.

    The deliveries are its own, so that the work does not run out.
    """
    store = Store.open(url)
    _fill(Inbox(store))
    print("ready", flush=True)
    began = datetime.now(UTC)
    done = 0
    while not _is_over():
        now = datetime.now(UTC)
        with store.write() as conn:
            claimed = inbox.claim(conn, now=now, limit=_BATCH, asking=done > 0)
            bodies = [msgspec.json.decode(delivery.body) for delivery in claimed]
            conn.execute(
                sql.upsert(conn, order_lines),
                [
                    {
                        "shop": SHOP,
                        "order_id": str(body["id"]),
                        "line_id": str(line["id"]),
                        "product_id": str(line["product_id"]),
                        "variant_id": None,
                        "sku": line["sku"],
                        "name": line["name"],
                        "quantity": line["quantity"] + done % 2,
                        "total": 9992,
                    }
                    for body in bodies
                    for line in body["line_items"]
                ],
            )
            conn.execute(
                sql.upsert(conn, dirty),
                [
                    {"person": body["billing"]["email"], "mark": done, "since": now}
                    for body in bodies
                ],
            )
            inbox.finish(
                conn, [Verdict(id=delivery.id, status="waiting") for delivery in claimed], now=now
            )
        done += 1
    seconds = (datetime.now(UTC) - began).total_seconds()
    print(json.dumps({"transactions": done, "seconds": seconds}))


def _fill(into: Inbox) -> None:
    for number in range(_BATCH):
        into.accept(
            Arrival(
                shop=SHOP,
                topic=TOPIC,
                key=b"benchmark %d" % number,
                received_at=datetime.now(UTC),
                headers={},
                body=json.dumps(order(10**12 + number)).encode(),
            )
        )


def _is_over() -> bool:
    import select

    return bool(select.select([sys.stdin], [], [], 0)[0])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1])
    else:
        for row in main():
            print(row)
