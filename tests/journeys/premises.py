"""The whole connector on this machine, for a test: two files, a receiver, a worker, the command."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox_payloads import Site
from adapters.woocommerce.sandbox_wire import headers_for
from connector import cli, log_lines, reception, wiring
from connector.engine import Engine
from connector.store import inbox
from connector.store.connect import Store
from connector.store.schema import deliveries
from connector.store.sql import insert_missing

CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def post(url: str, headers: Iterable[tuple[str, str]], body: bytes) -> int:
    """Post exact bytes under exactly these headers, in their order; gives the status."""
    target = urlsplit(url)
    line = http.client.HTTPConnection(target.netloc, timeout=20)
    try:
        line.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            line.putheader(name, value)
        line.endheaders(body)
        return line.getresponse().status
    finally:
        line.close()


SECRET = "a-journey-secret-7f3a19"
TOKEN = "a-journey-token-4be2c7"


def signed(
    topic: str, body: bytes, secret: str = SECRET, *, url: str = "https://shop.example"
) -> list[tuple[str, str]]:
    """The headers under which the shop at ``url`` would send this body."""
    site = Site(url=url)
    told = headers_for(site, webhook=3, topic=topic, body=body, secret=secret, second=len(body))
    return [("Host", "localhost"), *told.items(), ("Content-Length", str(len(body)))]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Clock:
    """The one clock of a small world; it moves when it is told to."""

    now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def skip(self, **time: float) -> datetime:
        """Let so much time pass."""
        self.now += timedelta(**time)
        return self.now


@dataclass(kw_only=True)
class Tenant:
    """A shop as the configuration names it."""

    url: str
    webhook_secret: str = SECRET
    key: str = "ck_sandbox"
    secret: str = "cs_sandbox"
    settings: str = "timezone: Europe/Oslo, currency: NOK"


@dataclass(kw_only=True)
class Premises:
    """One configuration with its store; the worker runs in the test's own thread by `work`."""

    folder: Path
    shops: Mapping[str, Tenant]
    audience: Audience
    mapping: str
    store_url: str
    clock: Clock
    port: int = field(default_factory=free_port)
    store: Store = field(init=False)
    engine: Engine = field(init=False)
    _nonces: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._write_files()
        self.configured = wiring.configure(self.config)
        self.store = wiring.open_store(self.configured.settings)
        house = wiring.build_house(self.configured, self.store)
        self.engine = Engine(replace(house, now=self.clock))

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "connector.yaml"

    @property
    def hook(self) -> str:
        """Where shops post."""
        return f"http://127.0.0.1:{self.port}/webhooks"

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def work(self) -> None:
        """Let the worker do everything that can be done now."""
        self.engine.drain()

    def books(self) -> dict[str, Any]:
        """The books as of now."""
        return wiring.draw_up_books(self.configured, self.store)

    def replay(self) -> int:
        """Take every delivery up again; how many those are."""
        with self.store.write() as conn:
            return inbox.replay(conn)

    def arrive(
        self, told: Iterable[tuple[str, bytes]], *, shop: str = "wool", distinct: bool = False
    ) -> None:
        """Write deliveries into the inbox a second apart; ``distinct`` ones are never the same."""
        rows = []
        for topic, body in told:
            nonce = f"{next(self._nonces)}" if distinct else ""
            rows.append(
                {
                    "key": hashlib.sha256(f"{nonce} {topic} ".encode() + body).digest(),
                    "shop": shop,
                    "topic": topic,
                    "received_at": self.clock.skip(seconds=1),
                    "headers": {},
                    "body": body,
                    "body_sha256": hashlib.sha256(body).digest(),
                }
            )
        with self.store.write() as conn:
            conn.execute(insert_missing(conn, deliveries), rows)

    def command(self, *arguments: str) -> tuple[int, Any]:
        """Run ``connector …`` on this configuration; its exit code and its JSON or text."""
        with self._in_process():
            ran = CliRunner().invoke(cli.cli, [*arguments, "--config", str(self.config)])
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        text = ran.stdout
        return ran.exit_code, json.loads(text) if "--json" in arguments else text

    def mailable(self) -> dict[str, Any]:
        """What Mailchimp holds of those whom it may mail or may ask; others are as good as absent.

        Somebody who withdrew is absent there if that was known before they were ever sent, and
        unsubscribed otherwise.
        """
        return {
            email: {name: held[name] for name in ("status", "fields", "tags")}
            for email, held in self.audience.members().items()
            if held["status"] not in ("unsubscribed", "archived", "cleaned")
        }

    def changing_calls(self) -> dict[str, int]:
        """How often each endpoint that changes something was called so far."""
        calls = dict(self.audience.calls)
        return {name: n for name, n in calls.items() if name.startswith(CHANGING)}

    @contextmanager
    def receiver(self) -> Iterator[None]:
        """The real program ``connector serve`` in a process of its own."""
        program = [sys.executable, "-m", "connector", "serve", "--config", str(self.config)]
        around = {k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")}
        around["CONNECTOR_CLOCK"] = self.clock.now.isoformat()
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(program, cwd=self.folder, stderr=log, env=around)
        try:
            self._wait_for(process)
            yield
        finally:
            process.terminate()
            process.wait(20)

    @contextmanager
    def door(self) -> Iterator[None]:
        """The same receiver in a thread, on this world's clock, which ``serve`` cannot share."""
        with self._in_process():
            app = reception.receiver_app()
            server = make_server("127.0.0.1", self.port, app, threaded=True, request_handler=_Quiet)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()
                server.server_close()

    @contextmanager
    def _in_process(self) -> Iterator[None]:
        """A program's surroundings: its clock is ours, and what it leaves open ends with it."""
        opened: list[Store] = []
        really_open = Store.open

        def open_and_note(*arguments: Any, **more: Any) -> Store:
            opened.append(really_open(*arguments, **more))
            return opened[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "open", open_and_note)
            patch.setattr(wiring, "clock_of", lambda _: self.clock)
            patch.setattr(reception, "clock_of", lambda _: self.clock)
            patch.setattr(cli, "clock_of", lambda _: self.clock)
            patch.setattr(log_lines, "speak_in_lines", lambda: None)  # pytest owns standard error
            patch.setenv(reception.CONFIG, str(self.config))
            try:
                yield
            finally:
                for store in opened:
                    store.close()

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            try:
                line.request("GET", "/health/live")
                if line.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                line.close()
        raise AssertionError((self.folder / "serve.log").read_text("utf-8"))

    def _write_files(self) -> None:
        shops = "\n".join(
            f"  {name}: {{platform: woocommerce, url: '{shop.url}', {shop.settings}}}"
            for name, shop in self.shops.items()
        )
        self.folder.joinpath("mapping.yaml").write_text(self.mapping, encoding="utf-8")
        self.config.write_text(
            f"store: '{self.store_url}'\n"
            "keep_bodies: 3650d\n"
            "mapping: mapping.yaml\n"
            f"listen: 127.0.0.1:{self.port}\n"
            f"public_url: http://127.0.0.1:{self.port}\n"
            f"shops:\n{shops}\n"
            "destinations:\n"
            f"  newsletter: {{platform: mailchimp, audience: {self.audience.audience}, "
            f"base_url: '{self.audience.url}', shops: [{', '.join(self.shops)}]}}\n",
            encoding="utf-8",
        )
        secrets = {
            "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY": self.audience.api_key,
            "CONNECTOR_DESTINATIONS__NEWSLETTER__WEBHOOK_TOKEN": TOKEN,
            "CONNECTOR_SECRET_KEY": "a-journey-secret-key-of-more-than-32-bytes",
            **{
                f"CONNECTOR_SHOPS__{name.upper()}__{what}": value
                for name, shop in self.shops.items()
                for what, value in (
                    ("CONSUMER_KEY", shop.key),
                    ("CONSUMER_SECRET", shop.secret),
                    ("WEBHOOK_SECRET", shop.webhook_secret),
                )
            },
        }
        env = self.folder / ".env"
        env.touch(mode=0o600)
        env.write_text("".join(f"{k}={v}\n" for k, v in secrets.items()), encoding="utf-8")


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing of each request."""
