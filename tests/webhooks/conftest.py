"""A door without a store behind it, and a real one in a process of its own."""

from __future__ import annotations

import base64
import hmac
import json
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from benchmarks.door import DOOR, Running, running
from benchmarks.load import SECRET, SHOP
from connector.errors import StoreUnavailable
from connector.model import Arrival
from webhooks.app import Threshold, create_app
from webhooks.health import Health
from webhooks.status import Counters, render_metrics

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
OTHER_SECRET = b"another shop's own secret"
LIMIT = 1000
PING = re.compile(rb"webhook_id=\d{1,10}")


def seal(body: bytes, secret: bytes = SECRET) -> str:
    """The signature of a body."""
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


def signed(body: bytes, *, secret: bytes = SECRET, **changed: str | None) -> dict[str, str]:
    """The headers of a delivery; ``changed`` replaces some by their short names, or drops them."""
    names = {
        "topic": "X-WC-Webhook-Topic",
        "signature": "X-WC-Webhook-Signature",
        "delivery": "X-WC-Webhook-Delivery-ID",
        "source": "X-WC-Webhook-Source",
        "type": "Content-Type",
    }
    headers = {
        "topic": "order.updated",
        "signature": seal(body, secret),
        "delivery": "d1",
        "source": "https://wool.example/",
        "type": "application/json",
        **changed,
    }
    return {names[name]: value for name, value in headers.items() if value is not None}


@dataclass
class House:
    """The application with a list in the place of a store."""

    arrivals: list[Arrival] = field(default_factory=list)
    problem: Exception | None = None
    health: Health = field(
        default_factory=lambda: Health(ok=True, store="writable", worker="alive")
    )
    counters: Counters = field(default_factory=Counters)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        door = replace(DOOR, ping=PING)
        self.app = create_app(
            thresholds={
                SHOP: Threshold(shop=SHOP, door=door, secrets=(SECRET, b"the secret before this")),
                "yarn": Threshold(shop="yarn", door=door, secrets=(OTHER_SECRET,)),
                "garn-blå": Threshold(shop="garn-blå", door=door, secrets=(SECRET,)),
            },
            accept=self.accept,
            health=lambda: self.health,
            metrics=lambda: render_metrics(
                {"balanced": True, "shops": {}, "destinations": {}},
                self.counters,
                accepted=len(self.arrivals),
            ),
            clock=lambda: NOW,
            counters=self.counters,
            limit=LIMIT,
            ignored_topics={SHOP: {"coupon.created"}},
        )

    def accept(self, arrival: Arrival) -> None:
        """Take an arrival, or have the problem that a test gave."""
        if self.problem is not None:
            raise self.problem
        self.arrivals.append(arrival)

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = f"/webhooks/{SHOP}"
    ) -> TestResponse:
        """Post a body, rightly signed unless headers are given."""
        given = signed(body) if headers is None else headers
        return self.app.test_client().post(path, data=body, headers=dict(given))


@pytest.fixture
def house() -> House:
    """A fresh application and what it took."""
    return House()


@pytest.fixture
def sign() -> Callable[..., dict[str, str]]:
    """`signed`, for tests: they cannot import a conftest."""
    return signed


@pytest.fixture
def seal_of() -> Callable[..., str]:
    """`seal`, as above."""
    return seal


@pytest.fixture
def unavailable() -> StoreUnavailable:
    """What a store says that cannot take a delivery."""
    return StoreUnavailable("the store sqlite:////srv/secret-place.db cannot be used: disk full")


@dataclass(frozen=True)
class Real:
    """A real granian with a real store, spoken to in bytes."""

    server: Running
    path: Path

    def ask(self, *parts: bytes | float, patience: float = 8.0) -> bytes:
        """Send the parts (a number waits so many seconds); all that comes until the other closes.

        What comes is followed by ``<open>`` if the connection is still open at the end.
        """
        with socket.create_connection(("127.0.0.1", self.server.port)) as line:
            line.settimeout(patience)
            have = b""
            try:
                for part in parts:
                    if isinstance(part, bytes):
                        line.sendall(part)
                    else:
                        time.sleep(part)
                while piece := line.recv(65536):
                    have += piece
            except TimeoutError:
                return have + b"<open>"
            except OSError as problem:
                return have + f"<{type(problem).__name__}>".encode()
            return have

    def bodies(self) -> list[bytes]:
        """The bodies in the store."""
        with sqlite3.connect(self.path) as conn:
            rows = conn.execute("SELECT body FROM deliveries ORDER BY id").fetchall()
        conn.close()
        return [body for (body,) in rows]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A receiver whose patience with silent senders is one second."""
    path = tmp_path_factory.mktemp("door") / "connector.db"
    with running("whole_app", store=f"sqlite:///{path}", silence=1.0) as server:
        yield Real(server, path)


@pytest.fixture
def observed(corpus: Path) -> list[tuple[str, dict[str, str], bytes]]:
    """Every delivery of a real shop's day: its name, headers and exact body."""
    folder = corpus / "fixtures" / "woocommerce-observed" / "deliveries"
    found: list[tuple[str, dict[str, str], bytes]] = []
    for told in sorted(folder.glob("[0-9]*.json")):
        record: dict[str, Any] = json.loads(told.read_bytes())
        found.append((told.stem, dict(record["headers"]), told.with_suffix(".body").read_bytes()))
    assert found
    return found
