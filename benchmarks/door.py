"""The receiver as a process of its own, for figures and for crashes; and two that it is held to."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from benchmarks.load import SECRET, SHOP
from connector.model import Arrival
from connector.ports import Door
from connector.store.connect import Store
from connector.store.inbox import Inbox
from webhooks.app import Threshold, create_app
from webhooks.health import Health
from webhooks.patience import Patience
from webhooks.serve import serve
from webhooks.status import Counters, render_metrics

_STORE = "BENCHMARK_STORE"
_PATIENCE = "BENCHMARK_PATIENCE"
_START = 20.0  # seconds a process may take to listen
DOOR = Door(
    signature_header="X-WC-Webhook-Signature",
    topic_header="X-WC-Webhook-Topic",
    delivery_header="X-WC-Webhook-Delivery-ID",
    kept_headers=("X-WC-Webhook-Source", "X-WC-Webhook-ID", "User-Agent"),
    ping=None,
)


def whole_app() -> Flask:
    """The receiver as it is, on the store that the environment names."""
    inbox = Inbox(Store.open(os.environ[_STORE]))
    return _app(inbox, accept_soon=True)


def waiting_app() -> Flask:
    """The same, as on a server that cannot answer later: each request holds its thread."""
    return _app(Inbox(Store.open(os.environ[_STORE])), accept_soon=False)


def empty_app() -> Flask:
    """A view that does nothing: as fast as Flask on this server can be."""
    app = Flask("empty")

    @app.post("/webhooks/<shop>")
    def receive(shop: str) -> str:
        return shop and ""

    return app


def hasty_app() -> Flask:
    """A receiver with the fault that a crash must show: it answers before it commits."""
    inbox = Inbox(Store.open(os.environ[_STORE]))
    later: queue.SimpleQueue[Arrival] = queue.SimpleQueue()

    def write() -> None:
        while True:
            arrival = later.get()
            time.sleep(0.002)
            inbox.accept(arrival)

    threading.Thread(target=write, daemon=True).start()
    hasty = _Hasty(later)
    return _app(hasty, accept_soon=False)


class _Hasty:
    accepted = duplicates = 0

    def __init__(self, later: queue.SimpleQueue[Arrival]) -> None:
        self._later = later

    def accept(self, arrival: Arrival) -> None:
        """Say yes, and write it down some time."""
        self._later.put(arrival)


def _app(inbox: Inbox | _Hasty, *, accept_soon: bool) -> Flask:
    counters = Counters()
    books = {"balanced": True, "shops": {}, "destinations": {}}
    silence = float(os.environ.get(_PATIENCE, "9.5"))
    return create_app(
        thresholds={SHOP: Threshold(shop=SHOP, door=DOOR, secrets=(SECRET,))},
        accept=inbox.accept,
        accept_soon=inbox.accept_soon if accept_soon and isinstance(inbox, Inbox) else None,
        health=lambda: Health(ok=True, store="writable", worker="none here"),
        metrics=lambda: render_metrics(
            books, counters, accepted=inbox.accepted, duplicates=inbox.duplicates
        ),
        clock=lambda: datetime.now(UTC),
        counters=counters,
        patience=Patience(silence=silence, longest=3 * silence),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server process group that listens."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def worker(self) -> int:
        """The process that answers requests; granian keeps another to watch over it."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        return int(children[0])

    def memory(self) -> float:
        """MiB that the process which answers has in memory (``VmRSS``)."""
        for line in Path(f"/proc/{self.worker}/status").read_text("ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def kill(self) -> None:
        """End all of it at once, as the kernel would when memory runs out."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(app: str, *, store: str = "", silence: float | None = None) -> Iterator[Running]:
    """Serve one of the applications above (or any ``module:function``) until the block ends."""
    port = free_port()
    environment = {**os.environ, _STORE: store, "CONNECTOR_STORE": store}
    if silence is not None:
        environment[_PATIENCE] = str(silence)
    target = app if ":" in app else f"{__name__}:{app}"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.door", target, str(port)],
        env=environment,
        start_new_session=True,
    )
    try:
        _wait_until_it_answers(port, process)
        yield Running(port=port, process=process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(_START)


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_START) as line:
                line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if line.recv(1):
                    return
        except OSError:
            time.sleep(0.01)
    raise AssertionError("the server did not start")


if __name__ == "__main__":
    serve(sys.argv[1], "127.0.0.1", int(sys.argv[2]))
