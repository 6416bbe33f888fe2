"""The stage of the end-to-end figures: receiver, worker and audience, each a process of its own."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from sqlalchemy import insert

from adapters.mailchimp.sandbox import AUDIENCE, KEY, Sandbox
from benchmarks.orders import SECRET
from benchmarks.pour import pack, pour
from connector.engine import Engine
from connector.moments import EPOCH
from connector.store import lanes
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.wiring import Configured, build_house, configure, draw_up_books

_START = 30.0  # seconds for a process to be ready
_GLANCE = 0.05  # seconds between looks whether all has arrived
_HEAD_END = b"\r\n\r\n"
CONNECTIONS = 32
_NOTHING_LEFT = """
SELECT NOT EXISTS (SELECT 1 FROM deliveries WHERE status = 'waiting')
   AND NOT EXISTS (SELECT 1 FROM dirty)
   AND NOT EXISTS (SELECT 1 FROM records WHERE destination = 'newsletter' AND status = 'due')
"""


@dataclass
class Audience:
    """The Mailchimp stand-in in another process, asked over a pipe."""

    url: str = field(init=False)
    _pipe: Connection = field(init=False)
    _process: BaseProcess = field(init=False)

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_audience, args=(theirs,), daemon=True)
        self._process.start()
        self.url = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join()

    def calls(self) -> Counter[str]:
        """How often each endpoint was called so far."""
        found: Counter[str] = self._ask("calls")
        return found

    def members(self) -> dict[str, dict[str, Any]]:
        """Every contact it holds."""
        found: dict[str, dict[str, Any]] = self._ask("members")
        return found

    def cpu(self) -> float:
        """The seconds of one core that it has used so far."""
        return cpu_seconds(self._process.pid or 0)

    def holds(self, email: str) -> bool:
        """Whether it holds a contact."""
        return bool(self._ask(email))

    def _ask(self, what: str) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()


def _audience(pipe: Connection) -> None:
    with Sandbox() as audience:
        pipe.send(audience.url)
        while asked := pipe.recv():
            match asked:
                case "calls":
                    pipe.send(Counter(audience.calls))
                case "members":
                    pipe.send(audience.members())
                case email:
                    pipe.send(email in audience.members())


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stage:
    """A folder with a store, and the connector's processes on it."""

    audience: str
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    configured: Configured = field(init=False)
    store: Store = field(init=False)
    _since: datetime = EPOCH
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        shutil.copy(Path(__file__).with_name("mapping.yaml"), self.folder / "mapping.yaml")
        (self.folder / "connector.yaml").write_text(
            f"""\
listen: 127.0.0.1:{self.port}
shops:
  wool: {{platform: woocommerce, url: "http://127.0.0.1:9", timezone: Europe/Oslo, currency: NOK}}
destinations:
  newsletter: {{platform: mailchimp, audience: {AUDIENCE}, base_url: "{self.audience}"}}
""",
            encoding="utf-8",
        )
        (self.folder / ".env").write_text(
            f"""\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_{"0" * 40}
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_{"0" * 40}
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET={SECRET.decode()}
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY={KEY}
""",
            encoding="utf-8",
        )
        self.configured = configure(self.folder / "connector.yaml")
        self.store = Store.open(self.configured.settings.store)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.stop(name)
        self.store.close()
        shutil.rmtree(self.folder)

    def start(self, name: str) -> None:
        """Start ``connector serve`` or ``connector work``; returns when it is ready."""
        program = [sys.executable, "-m", "connector", name, "--config", "connector.yaml"]
        self._since = datetime.now(UTC)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                program, cwd=self.folder, stderr=log, env=_quiet_environment()
            )
        ready = self._answers if name == "serve" else self._beats
        deadline = time.monotonic() + _START
        while not ready():
            if self._running[name].poll() is not None or time.monotonic() > deadline:
                raise SystemExit((self.folder / f"{name}.log").read_text("utf-8")[-2000:])
            time.sleep(0.02)

    def stop(self, name: str) -> None:
        """Stop one of them in good order."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(30)

    def fill(self, wares: Sequence[bytes]) -> None:
        """Put requests' bodies into the inbox without a receiver, and let facts settle of them."""
        now = datetime.now(UTC)
        rows = []
        for ware in wares:
            body = ware.partition(_HEAD_END)[2]
            digest = hashlib.sha256(body).digest()
            told = {"shop": "wool", "topic": "order.created", "received_at": now, "headers": {}}
            rows.append({**told, "key": digest, "body": body, "body_sha256": digest})
        with self.store.write() as conn:
            conn.execute(insert(deliveries), rows)
        engine = Engine(build_house(self.configured, self.store))
        while engine.ingest():
            pass

    def pour(self, wares: Sequence[bytes]) -> Pouring:
        """A client with these requests, ready to post them."""
        return Pouring(self.port, wares, self.folder / "wares")

    def post(self, ware: bytes) -> None:
        """Post a single request."""
        pour(self.port, [ware], 1)

    def until_settled(self, longest: float = 600.0) -> float:
        """Wait until nothing waits, is dirty or due; gives that moment of the monotonic clock."""
        deadline = time.monotonic() + longest
        while time.monotonic() < deadline:
            with self.store.read() as conn:
                if conn.exec_driver_sql(_NOTHING_LEFT).scalar_one():
                    return time.monotonic()
            time.sleep(_GLANCE)
        raise SystemExit(f"not settled after {longest:.0f} s: {self.books()}")

    def books(self) -> dict[str, Any]:
        """The connector's books, as of now."""
        return draw_up_books(self.configured, self.store)

    def memory(self, name: str) -> tuple[float, float]:
        """MiB: the most that the largest process of a program ever held, and all of them now.

        In the second, what processes share counts once.
        """
        pids = family(self._running[name].pid)
        most = max(_kilobytes(pid, "status", "VmHWM") for pid in pids)
        return most / 1024, sum(_kilobytes(pid, "smaps_rollup", "Pss") for pid in pids) / 1024

    def cpu(self, name: str) -> float:
        """The seconds of one core that a program and its children have used so far."""
        return sum(cpu_seconds(pid) for pid in family(self._running[name].pid))

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _beats(self) -> bool:
        """Whether the worker has said that it lives since it was started."""
        with self.store.read() as conn:
            beat = lanes.last_beat(conn)
        return beat is not None and beat > self._since


class Pouring:
    """A client process with its requests."""

    def __init__(self, port: int, wares: Sequence[bytes], path: Path) -> None:
        pack(wares, path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pour", str(port), str(CONNECTIONS), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._line()

    def run(self) -> dict[str, float]:
        """Post them all; what the client saw, see `benchmarks.pour.pour`."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        seen: dict[str, float] = json.loads(self._line())
        self._process.wait()
        return seen

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the client ended without a word")
        return line


def _quiet_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}


def family(pid: int) -> list[int]:
    """A process and all that come of it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


def _kilobytes(pid: int, file: str, name: str) -> int:
    text = Path(f"/proc/{pid}/{file}").read_text("ascii", "replace")
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def largest_resident(pid: int) -> float:
    """MiB: the most that a process ever held; 0 of one that has ended."""
    return _kilobytes(pid, "status", "VmHWM") / 1024


def cpu_seconds(pid: int) -> float:
    """What a process has used of one core so far: utime and stime, proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
