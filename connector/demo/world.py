"""The demo's small world: two shops with a past, the real connector, platforms that receive."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast
from urllib.request import urlopen

from sqlalchemy import select

from adapters.shopify.sandbox_market import Market as ShopifyMarket
from adapters.town.market import Market
from adapters.woocommerce.sandbox_market import Market as WooCommerceMarket
from connector import letterboxes
from connector.demo import ledger, papers
from connector.demo.ledger import Ledger
from connector.demo.papers import Places
from connector.errors import ConnectorError
from connector.flow import watch
from connector.flow.posts import Post
from connector.ports import Letterbox, Remembering, ShopAdapter, Subscribing
from connector.store import errands
from connector.store.connect import Store
from connector.store.errands import BACKFILL
from connector.store.schema import orders
from connector.wiring import (
    Configured,
    configure,
    draw_up_books,
    open_destination,
    open_shop,
    wall_clock,
)

_KNOWN = select(orders.c.shop, orders.c.order_id)
_PAST = timedelta(days=730)
_START = 30.0  # seconds for the connector to say that it is ready
_STOP = 20.0  # seconds for it to finish what it has in hand


@dataclass(kw_only=True)
class World:
    """Everything in one folder on this machine; the ``with`` block runs it.

    ``past`` is how many orders the shops have had before anybody listened.
    """

    folder: Path
    seed: int
    past: int
    places: Places = field(init=False)
    markets: dict[str, Market] = field(init=False)
    configured: Configured = field(init=False)
    store: Store = field(init=False)
    hooks: str = field(init=False)
    shops: dict[str, ShopAdapter] = field(init=False)
    connector: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.places = Places(seed=self.seed)
        self._live_through_the_past()
        self.hooks = papers.write(self.folder, self.places)
        self.configured = configure(self.folder / "connector.yaml")
        settings = self.configured.settings
        self.shops = {name: open_shop(name, shop) for name, shop in settings.shops.items()}
        self.store = Store.open(settings.store)
        self._ask_for_the_past()
        with (self.folder / "connector.log").open("wb") as log:
            self.connector = subprocess.Popen(
                [sys.executable, "-m", "connector", "run", "--config", "connector.yaml"],
                cwd=self.folder,
                stderr=log,
                start_new_session=True,  # Ctrl-C ends the selling, not what brings it over
                env={k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")},
            )
        self._wait_until_ready()
        self._register_webhooks()
        return self

    def __exit__(self, *_: object) -> None:
        self.connector.terminate()
        try:
            self.connector.wait(_STOP)
        except subprocess.TimeoutExpired:
            self.connector.kill()
            self.connector.wait()
        self.store.close()
        self.places.close()

    def pending(self) -> int:
        """How many webhooks are still to be sent."""
        return self.places.wool.pending() + self.places.yarn.pending()

    def happened(self) -> Counter[str]:
        """What happened in both shops so far, their past included."""
        return sum((market.counts for market in self.markets.values()), Counter())

    def tally(self) -> Counter[str]:
        """What both shops sent so far, and what came of it."""
        return Counter(self.places.wool.tally()) + Counter(self.places.yarn.tally())

    def ledger(self) -> Ledger:
        """What both shops wrote down."""
        return ledger.read(self.places)

    def withdrawn(self) -> frozenset[str]:
        """Who has withdrawn, by the books of the shops."""
        return self.places.wool.totals().withdrawn | self.places.yarn.totals().withdrawn

    def unknown_orders(self) -> int:
        """How many orders the shops show that the connector does not know, or not yet."""
        with self.store.read() as conn:
            known = {(row.shop, row.order_id) for row in conn.execute(_KNOWN)}
        return len(ledger.numbers(self.places) - known)

    def books(self) -> dict[str, Any]:
        """The connector's books, as of now."""
        return draw_up_books(self.configured, self.store)

    def duplicates(self) -> int:
        """Deliveries that the receiver had already, by its own metrics."""
        with urlopen(f"{self.hooks}/metrics", timeout=5) as answer:  # noqa: S310 - our own
            figures = answer.read().decode()
        found = re.search(r"^connector_duplicates_total ([0-9.]+)$", figures, flags=re.MULTILINE)
        return int(float(found[1])) if found else 0

    def is_settled(self) -> bool:
        """Whether nothing is on its way any more, anywhere."""
        if self.pending():
            return False
        books = self.books()
        with self.store.read() as conn:
            dirty = conn.exec_driver_sql("SELECT count(*) FROM dirty").scalar_one()
        return (
            not dirty
            and not any(shop["waiting"] for shop in books["shops"].values())
            and not any(each["due"] for each in books["destinations"].values())
        )

    def syncing(self) -> set[str]:
        """The stores at Mailchimp whose automations are silent now."""
        stores = self.places.mailchimp.sales.stores
        return {name for name, store in list(stores.items()) if store.is_syncing}

    def catch_up(self) -> None:
        """Let happen in the shops what was planned until now."""
        self.markets["wool"].step(self.places.wool.clock())
        self.markets["yarn"].step(self.places.yarn.clock())

    def _live_through_the_past(self) -> None:
        """Two years in which nobody but the shops wrote anything down."""
        today = datetime.now(UTC)
        start = today - _PAST
        self.markets = {
            "wool": WooCommerceMarket(self.places.wool, seed=self.seed, start=start),
            "yarn": ShopifyMarket(self.places.yarn, seed=self.seed + 1, start=start),
        }
        parts = (self.past - self.past // 2, self.past // 2)
        for market, part in zip(self.markets.values(), parts, strict=True):
            market.sell(part, between=(start, today))
        books = self.places.wool.books
        present = {row["id"]: row["email"] for row in books.rows("customers")}
        for row in books.rows("addresses"):
            if row["email"] != present[row["customer_id"]]:
                books.drop("addresses", row["id"])  # nobody who comes now can learn of it

    def _ask_for_the_past(self) -> None:
        """As ``connector backfill`` does it: whoever works next reads it."""
        with self.store.write() as conn:
            for name, shop in self.shops.items():
                kinds = cast("Remembering", shop).kinds
                errands.begin(conn, name, BACKFILL, kinds, since=None, now=wall_clock())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            if self.connector.poll() is not None:
                break
            with contextlib.suppress(OSError):  # not there yet, or not ready (503)
                urlopen(f"{self.hooks}/health/ready", timeout=1).close()  # noqa: S310 - our own
                return
            time.sleep(0.1)
        last = (self.folder / "connector.log").read_text("utf-8").strip().splitlines()[-3:]
        raise ConnectorError("\n".join(["The connector did not start:", *last]))

    def _register_webhooks(self) -> None:
        """As ``connector webhooks register`` does it: with both shops and with Mailchimp."""
        settings = self.configured.settings
        for name, shop in self.shops.items():
            box = letterboxes.letterbox(settings, shop, self.store)
            self._register(name, box, shop, letterboxes.posts(settings, [shop]))
        newsletter = open_destination("newsletter", settings.destinations["newsletter"])
        box = letterboxes.back_letterbox(settings, "newsletter")
        self._register("newsletter", box, newsletter, letterboxes.posts(settings, (), [newsletter]))

    def _register(self, name: str, box: Letterbox, guest: object, posts: Iterable[Post]) -> None:
        done = cast("Subscribing", guest).register_webhooks(box)
        letterboxes.remember(self.store, name, box, done, now=wall_clock())
        for post in posts:  # the worker may have looked for them before
            watch.look(self.store, post, now=wall_clock(), logs=False)
