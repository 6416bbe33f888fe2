"""A stand-in shop that sends only when told, and a receiver that writes down every request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import EVERYTHING, Sandbox

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Arrival:
    """One request as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def topic(self) -> str:
        return self.headers["X-Shopify-Topic"]

    @property
    def value(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers with ``status`` (or what ``answer`` says) and keeps what arrived."""

    url: str = ""
    status: int = 200
    answer: Callable[[Arrival], int] | None = None
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def topics(self) -> list[str]:
        return [arrival.topic for arrival in self.arrivals]

    def of(self, topic: str) -> list[Arrival]:
        """What arrived of one topic."""
        return [arrival for arrival in self.arrivals if arrival.topic == topic]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrival = Arrival(dict(self.headers.items()), body)
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
    kept.url = f"http://127.0.0.1:{server.server_port}/webhooks/yarn"
    yield kept
    server.shutdown()
    server.server_close()


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = NOON

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
    with Sandbox(auto=False, clock=clock, currency="EUR") as opened:
        yield opened


@pytest.fixture
def told(shop: Sandbox, receiver: Receiver, clock: Clock) -> Callable[..., list[Arrival]]:
    """What the shop tells of an action, in the order of arrival."""
    shop.register(receiver.url, EVERYTHING)

    def tell(action: Callable[[], object]) -> list[Arrival]:
        shop.deliver()
        receiver.arrivals.clear()
        clock.pass_by(seconds=1)
        action()
        shop.deliver()
        return list(receiver.arrivals)

    return tell


@pytest.fixture
def ask(shop: Sandbox) -> Iterator[Callable[..., Any]]:
    """Ask the shop's GraphQL: the answer's JSON."""
    with httpx.Client(base_url=shop.base_url, trust_env=False) as http:

        def post(query: str, token: str | None = None, **variables: Any) -> Any:
            response = http.post(
                "/admin/api/2026-10/graphql.json",
                json={"query": query, "variables": variables},
                headers={"X-Shopify-Access-Token": token or shop.token},
            )
            assert response.status_code == 200, response.text
            return response.json()

        yield post


@pytest.fixture
def goods(shop: Sandbox) -> Any:
    """A product in two colours, one of them counted."""
    variants = [
        {"value": "Rød", "price": "12.50", "sku": "YA-1", "quantity": 9},
        {"value": "Blå", "price": "10", "compare_at_price": "15.00", "sku": "YA-2"},
    ]
    return shop.products.create({"title": "Tjukk ull", "option": "Farge", "variants": variants})


@pytest.fixture
def buy(shop: Sandbox, goods: Any) -> Callable[..., Any]:
    """Somebody buys two balls of red yarn."""

    def purchase(email: str = "kari@epost.example", **more: Any) -> Any:
        red = goods["rest"]["variants"][0]["id"]
        address = {"first_name": "Kari", "last_name": "Ødegård", "country_code": "NO"}
        basket = {"line_items": [{"variant_id": red, "quantity": 2}], "shipping": "5.00"}
        return shop.orders.check_out({"email": email, "address": address, **basket, **more})

    return purchase
