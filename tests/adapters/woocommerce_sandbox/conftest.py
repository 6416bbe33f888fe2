"""A stand-in shop that sends only when told, and a receiver that writes down every request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_payloads import TOPICS
from adapters.woocommerce.sandbox_selling import COMPLETED


@dataclass(frozen=True)
class Arrival:
    """One request as it arrived: headers in the order on the wire."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def topic(self) -> str:
        return dict(self.headers).get("X-WC-Webhook-Topic", "ping")


@dataclass
class Receiver:
    """Answers with ``status`` (or what ``answer`` says) and keeps what arrived."""

    url: str = ""
    secret: str = "whsec & <one>"
    status: int = 200
    answer: Callable[[Arrival], int] | None = None
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def topics(self) -> list[str]:
        """The topics of all deliveries, pings left out."""
        return [a.topic for a in self.deliveries]

    @property
    def deliveries(self) -> list[Arrival]:
        """Everything but pings."""
        return [a for a in self.arrivals if a.topic != "ping"]

    @property
    def pings(self) -> int:
        return sum(a.topic == "ping" for a in self.arrivals)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrival = Arrival(self.path, tuple(self.headers.items()), body)
            kept.arrivals.append(arrival)
            self.send_response(kept.answer(arrival) if kept.answer else kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}/webhooks/wool"
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def told(shop: Sandbox, receiver: Receiver) -> Callable[[Callable[[], object]], list[str]]:
    """What the shop tells of an action: the topics, in the order of arrival."""
    shop.register(receiver.url, receiver.secret, (*TOPICS, COMPLETED))

    def tell(action: Callable[[], object]) -> list[str]:
        shop.deliver()
        receiver.arrivals.clear()
        action()
        shop.deliver()
        return receiver.topics

    return tell


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[Sandbox]:
    """A shop that sends its webhooks when a test says so."""
    with Sandbox(auto=False, clock=clock, currency="EUR", url="https://wool.example") as opened:
        yield opened


@pytest.fixture
def rest(shop: Sandbox) -> Iterator[httpx.Client]:
    """A client with a key that may write."""
    base = f"{shop.base_url}/wp-json/wc/v3"
    with httpx.Client(base_url=base, auth=(shop.key, shop.secret), trust_env=False) as client:
        yield client
