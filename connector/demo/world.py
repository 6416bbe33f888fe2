"""The demo's small world: two shops that sell, the real connector, two platforms that receive."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.meta_catalog.sandbox import Sandbox as Catalog
from adapters.shopify.sandbox import Sandbox as Shopify
from adapters.shopify.sandbox_market import Market as ShopifyMarket
from adapters.town.market import Market
from adapters.town.totals import Totals
from adapters.woocommerce.sandbox import Sandbox as WooCommerce
from adapters.woocommerce.sandbox_market import Market as WooCommerceMarket
from connector.errors import ConnectorError
from connector.store.connect import Store
from connector.wiring import Configured, configure, draw_up_books

_START = 30.0  # seconds for the connector to say that it is ready
_STOP = 20.0  # seconds for it to finish what it has in hand


@dataclass(kw_only=True)
class World:
    """Everything in one folder on this machine; the ``with`` block runs it."""

    folder: Path
    seed: int
    wool: WooCommerce = field(init=False)
    yarn: Shopify = field(init=False)
    audience: Audience = field(init=False)
    catalog: Catalog = field(init=False)
    markets: tuple[Market, ...] = field(init=False)
    configured: Configured = field(init=False)
    store: Store = field(init=False)
    connector: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.wool = WooCommerce(seed=self.seed, keep_alive=True).start()
        self.yarn = Shopify(seed=self.seed, keep_alive=True).start()
        self.audience = Audience().start()
        self.catalog = Catalog().start()
        secret, port = secrets.token_hex(24), _free_port()
        self._write_files(secret, port)
        self.configured = configure(self.folder / "connector.yaml")
        self.store = Store.open(self.configured.settings.store)
        with (self.folder / "connector.log").open("wb") as log:
            self.connector = subprocess.Popen(
                [sys.executable, "-m", "connector", "run", "--config", "connector.yaml"],
                cwd=self.folder,
                stderr=log,
                env={k: v for k, v in os.environ.items() if not k.startswith("CONNECTOR_")},
            )
        self.hooks = f"http://127.0.0.1:{port}"
        self._wait_until_ready()
        self.wool.register(f"{self.hooks}/webhooks/wool", secret)
        self.yarn.register(f"{self.hooks}/webhooks/yarn")
        today = datetime.now(UTC)
        self.markets = (
            WooCommerceMarket(self.wool, seed=self.seed, start=today),
            ShopifyMarket(self.yarn, seed=self.seed + 1, start=today),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.connector.terminate()
        try:
            self.connector.wait(_STOP)
        except subprocess.TimeoutExpired:
            self.connector.kill()
            self.connector.wait()
        self.store.close()
        self.wool.close()
        self.yarn.close()
        self.audience.stop()
        self.catalog.stop()

    def pending(self) -> int:
        """How many webhooks are still to be sent."""
        return self.wool.pending() + self.yarn.pending()

    def sold(self) -> Counter[str]:
        """What happened in both shops so far."""
        return sum((market.counts for market in self.markets), Counter())

    def tally(self) -> Counter[str]:
        """What both shops sent so far, and what came of it."""
        return Counter(self.wool.tally()) + Counter(self.yarn.tally())

    def truth(self) -> Totals:
        """What both shops together believe; their amounts are of one currency."""
        wool, yarn = self.wool.totals(), self.yarn.totals()
        return Totals(
            customers=wool.customers + yarn.customers,
            orders=Counter(wool.orders) + Counter(yarn.orders),
            orders_without_address=wool.orders_without_address + yarn.orders_without_address,
            refunds=wool.refunds + yarn.refunds,
            refunded=wool.refunded + yarn.refunded,
            revenue=_added(wool.revenue, yarn.revenue),
            purchases=_added(wool.purchases, yarn.purchases),
            people=wool.people | yarn.people,
            opted_in=wool.opted_in | yarn.opted_in,
            withdrawn=wool.withdrawn | yarn.withdrawn,
        )

    def books(self) -> dict[str, Any]:
        """The connector's books, as of now."""
        return draw_up_books(self.configured, self.store)

    def duplicates(self) -> int:
        """Deliveries that the receiver had already, by its own metrics."""
        figures = httpx.get(f"{self.hooks}/metrics", timeout=5).text
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

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            if self.connector.poll() is not None:
                break
            try:
                if httpx.get(f"{self.hooks}/health/ready", timeout=1).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        last = (self.folder / "connector.log").read_text("utf-8").strip().splitlines()[-3:]
        raise ConnectorError("\n".join(["The connector did not start:", *last]))

    def _write_files(self, secret: str, port: int) -> None:
        """What ``connector init`` would ask for: two files and the secrets."""
        shutil.copy(Path(__file__).with_name("mapping.yaml"), self.folder / "mapping.yaml")
        (self.folder / "connector.yaml").write_text(
            f"""\
store: sqlite:///connector.db
mapping: mapping.yaml
listen: 127.0.0.1:{port}
shops:
  wool:
    platform: woocommerce
    url: {self.wool.base_url}
  yarn:
    platform: shopify
    domain: {self.yarn.domain}
    base_url: {self.yarn.base_url}
destinations:
  newsletter:
    platform: mailchimp
    audience: {self.audience.audience}
    base_url: {self.audience.url}
    shops: [wool, yarn]
  catalog:
    platform: meta_catalog
    catalog_id: "{self.catalog.catalog_id}"
    base_url: {self.catalog.url}
  exports:
    platform: files
    folder: exports
""",
            encoding="utf-8",
        )
        env = self.folder / ".env"
        env.touch(mode=0o600)
        env.write_text(
            f"""\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY={self.wool.key}
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET={self.wool.secret}
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET={secret}
CONNECTOR_SHOPS__YARN__CLIENT_SECRET={self.yarn.secret}
CONNECTOR_SHOPS__YARN__ACCESS_TOKEN={self.yarn.token}
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY={self.audience.api_key}
CONNECTOR_DESTINATIONS__CATALOG__ACCESS_TOKEN={self.catalog.access_token}
""",
            encoding="utf-8",
        )


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
