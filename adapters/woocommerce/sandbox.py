"""A stand-in WooCommerce shop: a real HTTP server on this machine, with books and webhooks.

`Sandbox` in a ``with`` block serves at ``base_url``; `main` runs one as a program of its own.
It behaves as WooCommerce 11.0 was measured to; the tests name each behaviour.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from adapters.town.totals import Totals
from adapters.town.wire import Wire
from adapters.woocommerce.sandbox_accounts import Accounts
from adapters.woocommerce.sandbox_answers import Key, Office
from adapters.woocommerce.sandbox_archive import Archive
from adapters.woocommerce.sandbox_books import open_books
from adapters.woocommerce.sandbox_desk import Desk
from adapters.woocommerce.sandbox_mischief import Mischief
from adapters.woocommerce.sandbox_payloads import Body, Site, php_json
from adapters.woocommerce.sandbox_rest import build
from adapters.woocommerce.sandbox_selling import Orders
from adapters.woocommerce.sandbox_shelves import Shelves
from adapters.woocommerce.sandbox_totals import add_up
from adapters.woocommerce.sandbox_webhooks import Sender
from adapters.woocommerce.sandbox_wire import SAFE_PORTS

WANTED = (
    *("order.created", "order.updated", "order.deleted", "order.restored"),
    *("customer.created", "customer.updated", "customer.deleted"),
    *("product.created", "product.updated", "product.deleted", "product.restored"),
)
"""The topics that a connector registers for."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Sandbox:
    """The shop. Opened by making it, served between `start` and `close`.

    ``auto`` sends webhooks by itself, ``queue_seconds`` after the first is queued (a real shop
    takes 10 to 60 s); without it `deliver` sends. ``keep_alive`` reuses the connection to the
    receiver, which a real shop does not. ``stock_ports`` sends to ports 80, 443 and 8080 only, and
    ``tls_only`` takes keys only behind TLS, as a stock shop. ``path`` keeps the books in a file.
    ``archived_orders`` of a long past are shown instead of those in the books. `visitors` counts
    the requests to the REST API.
    """

    port: int = 0
    key: str = "ck_sandbox"
    secret: str = "cs_sandbox"  # noqa: S105 the key of a shop that is none
    read_key: str = "ck_reader"
    url: str | None = None
    name: str = "Ull og Pinner"
    timezone: str = "Europe/Oslo"
    currency: str = "NOK"
    tax_percent: int = 25
    path: str | None = None
    seed: int = 0
    clock: Callable[[], datetime] = _wall_clock
    auto: bool = True
    queue_seconds: float = 0
    keep_alive: bool = False
    stock_ports: bool = False
    tls_only: bool = False
    timeout: float = 60
    archived_orders: int = 0
    base_url: str = field(init=False)

    def __post_init__(self) -> None:
        unbuilt = Flask("woocommerce-sandbox")  # the application needs to know its address first
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self.port, unbuilt, threaded=True, request_handler=_Quiet
        )
        self.base_url = f"http://127.0.0.1:{self._server.port}"
        self.site = Site(
            url=self.url or self.base_url,
            name=self.name,
            timezone=self.timezone,
            currency=self.currency,
            tax_percent=self.tax_percent,
        )
        self.books = open_books(self.path)
        self.mischief = Mischief(chance=random.Random(self.seed))
        ports = SAFE_PORTS if self.stock_ports else None
        self._wire = Wire(timeout=self.timeout, keep_alive=self.keep_alive, ports=ports)
        self.sender = Sender(self.site, self.books, self._wire, self.mischief)
        desk = Desk(
            site=self.site, books=self.books, clock=self.clock, announce=self.sender.announce
        )
        self.customers = Accounts(desk)
        self.products = Shelves(desk)
        self.orders = Orders(desk, self.customers, self.products)
        keys = (
            Key(key=self.key, secret=self.secret),
            Key(key=self.read_key, secret=self.secret, may_write=False),
        )
        office = Office(
            desk=desk,
            orders=self.orders,
            customers=self.customers,
            products=self.products,
            sender=self.sender,
            mischief=self.mischief,
            keys=keys,
            tls_only=self.tls_only,
            archive=(
                Archive(site=self.site, orders=self.archived_orders)
                if self.archived_orders
                else None
            ),
        )
        self.visitors = office.visitors
        app = build(office)
        self._add_controls(app)
        self._server.app = app
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Serve, and send webhooks when ``auto``."""
        jobs: list[Callable[[], None]] = [lambda: self._server.serve_forever(poll_interval=0.05)]
        if self.auto:
            jobs.append(self._keep_sending)
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()
        return self

    def close(self) -> None:
        """Stop serving and sending; the books are closed."""
        self._closed.set()
        with self.sender.waiting:
            self.sender.waiting.notify_all()
        if self._threads:
            self._server.shutdown()
        for thread in self._threads:
            thread.join(timeout=5)
        self._server.server_close()
        self._wire.close()
        self.books.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def register(self, url: str, secret: str, topics: Sequence[str] = WANTED) -> list[Body]:
        """Make one webhook for each topic, all to the same address; each is pinged at once."""
        wanted = {"delivery_url": url, "secret": secret}
        return [self.sender.register({**wanted, "topic": t}, self.clock()) for t in topics]

    def deliver(self) -> int:
        """Send what is queued now; gives how many requests that were (pings not counted)."""
        return self.sender.run()

    def drain(self, timeout: float = 30) -> bool:
        """Send until nothing is queued, delayed or on its way; whether that came about in time."""
        return self.sender.drain(timeout)

    def pending(self) -> int:
        """How many deliveries are still to come."""
        return self.sender.pending()

    def tally(self) -> Mapping[str, int]:
        """What was sent so far: posted, accepted, failed, pings, and what mischief did."""
        return dict(self.sender.tally)

    def totals(self) -> Totals:
        """What the shop itself believes."""
        return add_up(self.books)

    def misbehave(self, **plan: Any) -> None:
        """Let things go wrong: the arguments of `Mischief.plan`."""
        self.mischief.plan(**plan)

    def _keep_sending(self) -> None:
        while not self._closed.is_set():
            with self.sender.waiting:
                self.sender.waiting.wait_for(
                    lambda: self._closed.is_set() or self.sender.pending() > 0, timeout=1
                )
            if self._closed.wait(self.queue_seconds) or not self.sender.pending():
                continue
            if not self.sender.run(until=time.monotonic() + 0.5):
                self._closed.wait(0.005)  # only strays are left, and none is due

    def _add_controls(self, app: Flask) -> None:
        @app.post("/_sandbox/misbehave")
        def misbehave() -> Response:
            try:
                self.misbehave(**request.get_json())
            except (TypeError, ValueError) as fault:
                return _plain({"error": str(fault)}, 400)
            return _plain(self.mischief.as_json())

        @app.get("/_sandbox/tally")
        def tally() -> Response:
            return _plain({**self.tally(), "pending": self.pending()})

        @app.get("/_sandbox/totals")
        def totals() -> Response:
            told = {
                name: sorted(value) if isinstance(value, frozenset) else value
                for name, value in asdict(self.totals()).items()
            }
            return _plain(told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a shop until interrupted: ``python -m adapters.woocommerce.sandbox --help``."""
    from adapters.woocommerce.sandbox_market import Market

    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in WooCommerce shop.")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--hook", metavar="URL", help="where webhooks go")
    parser.add_argument("--hook-secret", default="whsec_sandbox_0123456789")
    parser.add_argument("--key", default="ck_sandbox")
    parser.add_argument("--secret", default="cs_sandbox")
    parser.add_argument("--currency", default="NOK")
    parser.add_argument("--books", metavar="FILE", help="keep the books in a file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0, help="orders a second")
    parser.add_argument("--orders", type=int, help="stop selling after so many")
    parser.add_argument("--archive", type=int, default=0, help="orders of a long past to show")
    asked = parser.parse_args(arguments)
    shop = Sandbox(
        port=asked.port,
        key=asked.key,
        secret=asked.secret,
        currency=asked.currency,
        path=asked.books,
        seed=asked.seed,
        keep_alive=True,
        archived_orders=asked.archive,
    )
    with shop:
        if asked.hook:
            shop.register(asked.hook, asked.hook_secret)
        market = Market(shop, seed=asked.seed, start=shop.clock())
        print(f"selling at {shop.base_url}", flush=True)  # noqa: T201 a program says where it is
        try:
            if asked.rate:
                market.run(asked.rate, orders=asked.orders)
            threading.Event().wait()
        except KeyboardInterrupt:
            return


class _Quiet(WSGIRequestHandler):
    def send_response(self, code: int, message: str | None = None) -> None:
        """The first line and the server's name; the date is the answer's own, which may be old."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 werkzeug's name
        """A stand-in says nothing of each request."""


def _plain(body: Any, status: int = 200) -> Response:
    return Response(php_json(body), status, content_type="application/json")


if __name__ == "__main__":
    main()
