"""A stand-in Shopify shop: a real HTTP server on this machine, with GraphQL, tokens and webhooks.

`Sandbox` in a ``with`` block serves at ``base_url``; `main` runs one as a program of its own.
It behaves as Shopify's pages of 2026-10 say; the tests name each behaviour.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from adapters.shopify.sandbox_bulk import Bulk
from adapters.shopify.sandbox_checkouts import Checkouts
from adapters.shopify.sandbox_customers import Customers
from adapters.shopify.sandbox_demands import Demands
from adapters.shopify.sandbox_desk import Announcement, Desk, open_books
from adapters.shopify.sandbox_discounts import Discounts
from adapters.shopify.sandbox_doors import Bucket, Doors
from adapters.shopify.sandbox_files import Files
from adapters.shopify.sandbox_flood import Flood
from adapters.shopify.sandbox_graphql import Engine
from adapters.shopify.sandbox_http import Office, build
from adapters.shopify.sandbox_mischief import Mischief
from adapters.shopify.sandbox_root import Root
from adapters.shopify.sandbox_selling import Orders
from adapters.shopify.sandbox_shelves import Shelves
from adapters.shopify.sandbox_subscriptions import COMPLIANCE, Subscriptions, enum_of
from adapters.shopify.sandbox_totals import add_up
from adapters.shopify.sandbox_webhooks import RETRIES, Sender
from adapters.shopify.sandbox_wire import Secrets
from adapters.shopify.sandbox_words import Site
from adapters.town.books import Body
from adapters.town.totals import Totals
from adapters.town.wire import Wire

WANTED = (
    *("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled"),
    *("orders/delete", "refunds/create", "customers/create", "customers/update"),
    *("customers/enable", "customers/delete", "customers/merge"),
    *("customers_email_marketing_consent/update", "customers_marketing_consent/update"),
    *("customer.tags_added", "customer.tags_removed"),
    *("products/create", "products/update", "products/delete", "app/uninstalled"),
)
"""The topics that a connector registers for."""
EVERYTHING = (*WANTED, "inventory_levels/update")
"""All topics that this shop ever tells of, those of the law aside."""
SCOPES = frozenset(
    {
        *("read_customers", "read_customer_merge", "read_orders", "read_all_orders"),
        *("read_products", "read_inventory", "write_customers"),
    }
)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Sandbox:
    """The shop. Opened by making it, served between `start` and `close`.

    ``auto`` sends webhooks by itself, ``queue_seconds`` after the first is queued; without it
    `deliver` sends. ``points`` and ``restore`` are the bucket of the Admin API. ``admin_schema`` is
    the file of its whole schema: with it, queries must be valid there and use nothing deprecated.
    ``retries`` are the seconds between the tries of a failed delivery. ``path`` keeps the books in
    a file.
    """

    port: int = 0
    domain: str = "ull-og-pinner.myshopify.com"
    client_id: str = "sandbox-app"
    secret: str = "shpss_sandbox_0123456789"  # noqa: S105 the secret of an app that is none
    token: str = "shpat_sandbox"  # noqa: S105 as its secret
    scopes: frozenset[str] = SCOPES
    name: str = "Ull og Pinner"
    timezone: str = "Europe/Oslo"
    currency: str = "NOK"
    tax_percent: int = 25
    taxes_included: bool = True
    most_variants: int = 100
    points: float = 1000
    restore: float = 50
    admin_schema: Path | None = None
    retries: Sequence[float] = RETRIES
    path: str | None = None
    seed: int = 0
    clock: Callable[[], datetime] = _wall_clock
    auto: bool = True
    queue_seconds: float = 0
    keep_alive: bool = False
    timeout: float = 5
    base_url: str = field(init=False)

    def __post_init__(self) -> None:
        unbuilt = Flask("shopify-sandbox")  # the application needs to know its address first
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self.port, unbuilt, threaded=True, request_handler=_Quiet
        )
        self.base_url = f"http://127.0.0.1:{self._server.port}"
        self.site = Site(
            domain=self.domain,
            name=self.name,
            storefront=f"https://{self.domain}",
            timezone=self.timezone,
            currency=self.currency,
            tax_percent=self.tax_percent,
            taxes_included=self.taxes_included,
            most_variants=self.most_variants,
        )
        chance, mood = random.Random(self.seed), random.Random(self.seed + 1)
        self.books = open_books(self.path)
        self.mischief = Mischief(chance=mood)
        self.secrets = Secrets(current=self.secret, clock=self.clock, chance=chance)
        self.subscriptions = Subscriptions(self.books, self.site, self.scopes)
        self._wire = Wire(timeout=self.timeout, connect_timeout=1, keep_alive=self.keep_alive)
        desk = Desk(
            site=self.site,
            books=self.books,
            clock=self.clock,
            chance=chance,
            announce=self._announce,
            hides=lambda: self.mischief.hides,
        )
        self.sender = Sender(
            self.site,
            self.subscriptions,
            self.secrets,
            self._wire,
            self.mischief,
            desk.name,
            self.retries,
        )
        self.customers = Customers(desk)
        self.products = Shelves(desk)
        self.orders = Orders(desk, self.customers, self.products)
        self.discounts = Discounts(desk)
        self.checkouts = Checkouts(desk, self.customers, self.products, self.orders)
        self.doors = Doors(
            client_id=self.client_id,
            secrets=self.secrets,
            token=self.token,
            scopes=self.scopes,
            clock=self.clock,
            name=desk.name,
        )
        self.demands = Demands(desk, self.customers, self.doors)
        self.bucket = Bucket(most=self.points, restore=self.restore, clock=self.clock)
        self.bulk = Bulk(Files(clock=self.clock), self.base_url, self.clock)
        root = Root(
            desk,
            customers=self.customers,
            orders=self.orders,
            shelves=self.products,
            discounts=self.discounts,
            subscriptions=self.subscriptions,
            scopes=self.scopes,
            bulk=self.bulk,
        )
        engine = Engine(root=root.fields, bucket=self.bucket, admin=self.admin_schema)
        self.bulk.engine = engine
        self._server.app = build(
            Office(
                engine=engine,
                doors=self.doors,
                mischief=self.mischief,
                files=self.bulk.files,
                tally=lambda: {**self.tally(), "pending": self.pending()},
                totals=self.totals,
            )
        )
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

    def register(self, url: str, topics: Sequence[str] = WANTED) -> list[Body]:
        """Subscribe to each topic at one address, and name it for what the law demands."""
        now, to = self.clock(), {"uri": url}
        for topic in COMPLIANCE:
            self.subscriptions.create(enum_of(topic), to, now, by_app=True)
        return [self.subscriptions.create(enum_of(topic), to, now) for topic in topics]

    def rotate_secret(self, new: str, *, overlap: timedelta = timedelta(hours=1)) -> None:
        """Give the app a new secret; within ``overlap`` deliveries are signed with either."""
        self.secrets.rotate(new, overlap)

    def deliver(self, *, fast_forward: bool = False) -> int:
        """Send what is due, or with ``fast_forward`` all tries to come; gives how many requests."""
        return self.sender.run(fast_forward=fast_forward)

    def drain(self, timeout: float = 30) -> bool:
        """Send until nothing is queued, as if hours had passed; whether that came about in time."""
        return self.sender.drain(timeout)

    def pending(self) -> int:
        """How many deliveries are still to come, further tries included."""
        return self.sender.pending()

    def tally(self) -> Mapping[str, int]:
        """What was sent so far: posted, accepted, failed, given up, and what mischief did."""
        return dict(self.sender.tally)

    def totals(self) -> Totals:
        """What the shop itself believes."""
        return add_up(self.books)

    def misbehave(self, **plan: Any) -> None:
        """Let things go wrong: the arguments of `Mischief.plan`."""
        self.mischief.plan(**plan)

    def _announce(self, told: Announcement) -> None:
        self.sender.announce(told)

    def _keep_sending(self) -> None:
        while not self._closed.is_set():
            with self.sender.waiting:
                self.sender.waiting.wait_for(
                    lambda: self._closed.is_set() or self.sender.due() > 0, timeout=0.2
                )
            if self._closed.wait(self.queue_seconds) or not self.sender.due():
                continue
            self.sender.run(until=time.monotonic() + 0.5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a shop until interrupted: ``python -m adapters.shopify.sandbox --help``."""
    from adapters.shopify.sandbox_market import Market

    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in Shopify shop.")
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--hook", metavar="URL", help="where webhooks go")
    parser.add_argument("--secret", default="shpss_sandbox_0123456789")
    parser.add_argument("--token", default="shpat_sandbox")
    parser.add_argument("--currency", default="NOK")
    parser.add_argument("--books", metavar="FILE", help="keep the books in a file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0, help="orders a second")
    parser.add_argument("--orders", type=int, help="stop selling after so many")
    parser.add_argument("--flood", type=int, help="let bulk operations show so many orders")
    asked = parser.parse_args(arguments)
    shop = Sandbox(
        port=asked.port,
        secret=asked.secret,
        token=asked.token,
        currency=asked.currency,
        path=asked.books,
        seed=asked.seed,
        keep_alive=True,
    )
    if asked.flood:
        shop.bulk.flood = Flood(orders=asked.flood)
    with shop:
        if asked.hook:
            shop.register(asked.hook)
        market = Market(shop, seed=asked.seed, start=shop.clock())
        print(f"selling at {shop.base_url}", flush=True)  # noqa: T201 a program says where it is
        try:
            if asked.rate:
                market.run(asked.rate, orders=asked.orders)
            threading.Event().wait()
        except KeyboardInterrupt:
            return


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 werkzeug's name
        """A stand-in says nothing of each request."""


if __name__ == "__main__":
    main()
