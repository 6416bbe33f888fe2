"""A stand-in shop that tells two houses what happens: one hears all of it, the other not."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from sqlalchemy import insert, select

from adapters.shopify import asking
from adapters.shopify.sandbox import SCOPES
from adapters.shopify.sandbox import Sandbox as ShopifySandbox
from adapters.shopify.sandbox_market import Market as ShopifyMarket
from adapters.shopify.shop import ShopifyShop
from adapters.woocommerce.sandbox import Sandbox as WooSandbox
from adapters.woocommerce.sandbox_market import Market as WooMarket
from adapters.woocommerce.shop import WooCommerceShop
from benchmarks.end_state import differences, end_state
from connector.engine import Engine
from connector.flow import reconcile
from connector.house import House
from connector.store import agreement, errands, schema
from connector.store.connect import Store
from connector.store.errands import BACKFILL
from tests.flow.conftest import MAPPING, NOON, Memory
from tests.one_destination import rules_of

TEN = timedelta(minutes=10)
ADDRESS = "http://127.0.0.1:9/webhooks/wool"
_TOPICS = ("X-WC-Webhook-Topic", "X-Shopify-Topic")
_QUERIES = Path(asking.__file__).parent / "queries"
_NAMES = {each.read_text("utf-8"): each.stem for each in _QUERIES.glob("*.graphql")}


@dataclass
class Clock:
    """The one clock of the shop and its houses."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


class Counting(httpx.HTTPTransport):
    """Counts the requests to each endpoint, with what is asked there."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.before: Callable[[], None] | None = None
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path
        if name.endswith("graphql.json"):
            name = _NAMES.get(json.loads(request.content)["query"], "?")
        self.calls[name.removeprefix("/wp-json/wc/v3/")] += 1
        if self.before is not None:
            self.before()
        return self.answer(request) or super().handle_request(request)


@dataclass
class Hearer:
    """One house; of what is delivered it loses a share."""

    store: Store
    engine: Engine
    destination: Memory
    transport: Counting
    clock: Clock
    loses: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    lost: int = 0
    heard: int = 0

    def take(self, topic: str, body: bytes) -> None:
        if self.chance.random() < self.loses:
            self.lost += 1
            return
        self.heard += 1
        row: dict[str, Any] = {"shop": "wool", "topic": topic, "body": body, "headers": {}}
        key = f"{self.heard}".encode()
        with self.store.write() as conn:
            conn.execute(
                insert(schema.deliveries),
                [{**row, "key": key, "received_at": self.clock.now, "body_sha256": b""}],
            )

    def work(self) -> None:
        self.engine.drain()

    def backfill(self) -> None:
        [shop] = self.engine.reader._shops.values()
        with self.store.write() as conn:
            errands.begin(conn, "wool", BACKFILL, shop.kinds, since=None, now=self.clock.now)
        self.work()

    def known(self) -> agreement.Agreement:
        with self.store.read() as conn:
            return agreement.read(conn, "wool")

    def state(self) -> Mapping[str, list[str]]:
        """What is so, but which of two bodies that say the same was read.

        A webhook about a permission names no country, and what the shop shows of it does.
        """
        told = {
            table: [re.sub(r',?"version_tie":\d+', "", row) for row in rows]
            for table, rows in end_state(self.store).items()
        }
        told["evidence"] = [re.sub(r'"country":[^,]+,', "", row) for row in told["evidence"]]
        return {table: sorted(rows) for table, rows in told.items()}

    def sent(self) -> int:
        return sum(len(batch) for batch in self.destination.pushed)

    def rows(self, errand: str) -> dict[str, errands.Errand]:
        with self.store.read() as conn:
            return {row.kind.value: row for row in errands.of_shop(conn, "wool", errand)}

    def promotions(self) -> dict[str, bool]:
        """Each known promotion, and whether it is deleted."""
        query = select(schema.promotions.c.promotion_id, schema.promotions.c.deleted)
        with self.store.read() as conn:
            return {row.promotion_id: row.deleted for row in conn.execute(query)}

    def orders(self) -> dict[str, bool]:
        """Each known order, and whether it is deleted."""
        query = select(schema.orders.c.order_id, schema.orders.c.deleted)
        with self.store.read() as conn:
            return {row.order_id: row.deleted for row in conn.execute(query)}


class _Post:
    """Stands in the place of the shop's wire."""

    def __init__(self, hearers: Sequence[Hearer]) -> None:
        self._hearers = hearers

    def post(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        topic = next((headers[name] for name in _TOPICS if name in headers), None)
        if topic is not None:  # a ping has none
            for hearer in self._hearers:
                hearer.take(topic, body)
        return 200

    def close(self) -> None:
        return


@dataclass
class Town:
    """The shop, the town that buys there, and who hears of it."""

    platform: str
    sandbox: Any
    market: Any
    clock: Clock
    whole: Hearer
    lossy: Hearer

    def live(self, span: timedelta, orders: int) -> None:
        """So many orders happen in that time; both work off what they hear."""
        until = self.clock.now + span
        self.market.sell(orders, (self.clock.now, until))
        self.clock.now = until
        self.sandbox.deliver()
        for hearer in (self.whole, self.lossy):
            hearer.work()

    @property
    def codes(self) -> Any:
        """By what the shop makes, changes and deletes its codes."""
        if self.platform == "shopify":
            return self.sandbox.discounts
        goods = self.sandbox.products
        return SimpleNamespace(
            create=lambda given: goods.create_coupon({"amount": "10.00", **given}),
            change=goods.change_coupon,
            delete=goods.delete_coupon,
        )

    def skip(self, **time: float) -> None:
        self.clock.now += timedelta(**time)

    def differences(self) -> list[str]:
        return differences(self.whole.state(), self.lossy.state())


@contextmanager
def opened(
    platform: str,
    folder: Path,
    seed: int = 1,
    store: Store | None = None,
    scopes: frozenset[str] = SCOPES | {"read_discounts"},
) -> Iterator[Town]:
    """A town on this platform whose past both houses have read; ``store`` is the lossy one's.

    ``scopes`` are those of our app at a Shopify shop.
    """
    clock = Clock()
    make = WooSandbox if platform == "woocommerce" else ShopifySandbox
    more: dict[str, Any] = {}
    if platform == "shopify":
        more = {"points": 100_000, "scopes": scopes}
    with make(auto=False, clock=clock, seed=seed, **more) as sandbox:
        whole = Store.open(f"sqlite:///{folder}/whole.db")
        lossy = store or Store.open(f"sqlite:///{folder}/lossy.db")
        houses = [_house(platform, sandbox, each, clock) for each in (whole, lossy)]
        sandbox.sender._wire = _Post(houses)
        market = (WooMarket if platform == "woocommerce" else ShopifyMarket)(
            sandbox, seed=seed, start=clock.now
        )
        if platform == "woocommerce":
            sandbox.register(ADDRESS, "a-secret-of-the-lossy-town")
        else:
            sandbox.register(ADDRESS)
        town = Town(platform, sandbox, market, clock, *houses)
        try:
            town.live(timedelta(hours=1), 8)
            for house in houses:
                house.backfill()
            yield town
        finally:
            for house in houses:
                house.engine.reconciler.rest()
                house.engine.reader.rest()
                house.store.close()


def _house(platform: str, sandbox: Any, store: Store, clock: Clock) -> Hearer:
    rules = rules_of(MAPPING, shop=platform)
    transport, destination = Counting(), Memory()
    shop: Any
    if platform == "woocommerce":
        shop = WooCommerceShop(
            "wool", sandbox.base_url, sandbox.key, sandbox.secret, "NOK", transport=transport
        )
    else:
        shop = ShopifyShop(
            "wool",
            sandbox.domain,
            sandbox.base_url,
            access_token=sandbox.token,
            currency="NOK",
            transport=transport,
        )
    house = House(
        store=store,
        shops={"wool": shop},
        destinations={"newsletter": destination},
        rules=rules,
        now=clock,
        reconcile={"wool": TEN},
    )
    return Hearer(store, Engine(house), destination, transport, clock)


def begin(house: Hearer, **more: Any) -> None:
    """Ask for a pass, as the command does."""
    [shop] = house.engine.reader._shops.values()
    with house.store.write() as conn:
        reconcile.begin(conn, "wool", shop, now=house.clock.now, **more)


def reconciled(house: Hearer, **more: Any) -> None:
    """A pass, seen through."""
    begin(house, **more)
    house.work()


def delete_an_order(town: Town, *, number: int = 0) -> str:
    """One of the orders goes for good, and nobody is told."""
    orders = sorted(town.lossy.orders(), key=int)
    chosen = orders[number]
    town.sandbox.orders.delete(int(chosen))
    town.sandbox.deliver()
    return chosen


def fresh(house: Hearer) -> None:
    """As after a restart."""
    house.engine = Engine(house.engine._house)
