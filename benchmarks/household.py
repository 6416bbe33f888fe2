"""A whole house on a clock that is moved by hand: files, store, a worker in this thread, Mailchimp.

Its shops are stand-ins of both platforms, its audience is one of its own; all answer over HTTP on
this machine, and what is asked of each is counted by endpoint.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeAlias

import httpx

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.shopify.sandbox import Sandbox as ShopifySandbox
from adapters.shopify.shop import ShopifyShop
from adapters.woocommerce.sandbox import Sandbox as WooCommerceSandbox
from adapters.woocommerce.shop import WooCommerceShop
from connector.engine import Engine
from connector.house import House
from connector.model import Kind
from connector.ports import DestinationAdapter, Remembering, ShopAdapter
from connector.store import errands
from connector.store.connect import Store
from connector.store.errands import BACKFILL
from connector.wiring import Configured, build_house, configure, draw_up_books

SEALED_WITH = "a-benchmarks-own-secret-of-some-length"
AUDIENCE = "newsletter"
MAPPING = Path(__file__).with_name("both_shops.yaml")
_LOOK = 0.02  # seconds until a shop that is being read is asked again
_ASKED = re.compile(r"^\s*(query|mutation)\s+\w+[^{]*\{\s*(\w+)")
_READING = ("GET", "query")
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")

StandIn: TypeAlias = WooCommerceSandbox | ShopifySandbox
Refit: TypeAlias = Callable[[DestinationAdapter], DestinationAdapter]


@dataclass
class Clock:
    """The one clock of the stand-ins and of who works with them."""

    now: datetime

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def skip(self, **span: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(**span)


class Line(httpx.HTTPTransport):
    """The line to a shop. ``calls`` counts its requests: REST by path, GraphQL by field."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Count, and let it pass."""
        self.calls[_name_of(request)] += 1
        return super().handle_request(request)

    def changing(self) -> int:
        """How many calls could have changed something."""
        return sum(many for name, many in self.calls.items() if not name.startswith(_READING))


@dataclass(kw_only=True)
class Household:
    """One configuration with its store, closed and thrown away at the end.

    ``refit`` puts another adapter in the place of the audience's own.
    """

    shops: Mapping[str, StandIn]
    audience: Audience
    clock: Clock
    mapping: str = field(default_factory=lambda: MAPPING.read_text("utf-8"))
    refit: Refit = lambda adapter: adapter
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    lines: dict[str, Line] = field(default_factory=dict)
    configured: Configured = field(init=False)
    store: Store = field(init=False)
    house: House = field(init=False)
    engine: Engine = field(init=False)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, self.folder)
            _write_files(self)
            self.configured = configure(self.folder / "connector.yaml")
            self.store = Store.open(self.configured.settings.store)
            self._move_in()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._rest()
        self.store.close()
        shutil.rmtree(self.folder)

    def change_mapping(self, text: str) -> None:
        """Another mapping, and a worker that starts with it."""
        self._rest()
        self.mapping = text
        _write_files(self)
        self.configured = configure(self.folder / "connector.yaml")
        self._move_in()

    def work(self) -> None:
        """Do everything that can be done now."""
        self.engine.drain()

    def read_past(self) -> None:
        """Read the whole past of every shop, as ``connector backfill`` has a worker do it."""
        for name, shop in self.house.shops.items():
            assert isinstance(shop, Remembering)
            with self.store.write() as conn:
                errands.begin(conn, name, BACKFILL, shop.kinds, since=None, now=self.clock.now)
        self.work()
        while behind := self.unread():
            time.sleep(_LOOK)  # of the machine's clock: a shop that writes a file takes its time
            self.work()
            assert not [row.mend for row in behind if row.mend], behind

    def unread(self) -> Sequence[errands.Errand]:
        """What is being read of the shops' past and not finished."""
        with self.store.read() as conn:
            return [row for row in errands.unfinished(conn) if row.errand == BACKFILL]

    def read(self, shop: str) -> Mapping[Kind, errands.Errand]:
        """What the last reading of a shop's past came to."""
        with self.store.read() as conn:
            return {row.kind: row for row in errands.of_shop(conn, shop, BACKFILL)}

    def books(self) -> Mapping[str, Any]:
        """The books, as of now."""
        return draw_up_books(self.configured, self.store)

    def _move_in(self) -> None:
        house = build_house(self.configured, self.store)
        self.lines = {name: Line() for name in self.shops}
        adapters = {
            name: _adapter(name, shop, self.lines[name]) for name, shop in self.shops.items()
        }
        refitted = {AUDIENCE: self.refit(house.destinations[AUDIENCE])}
        self.house = replace(
            house, shops=adapters, destinations=refitted, now=self.clock, apart={}, posts=()
        )
        self.engine = Engine(self.house)

    def _rest(self) -> None:
        self.engine.reader.rest()
        self.engine.reconciler.rest()


def changing(calls: Mapping[str, int]) -> int:
    """How many of these calls to an audience could have changed something."""
    return sum(many for name, many in calls.items() if name.startswith(_CHANGING))


def _name_of(request: httpx.Request) -> str:
    path = request.url.path.removeprefix("/wp-json/")
    if not path.endswith("graphql.json"):
        return f"{request.method} {re.sub(r'/[0-9]+', '/{id}', path)}"
    query = json.loads(request.content)["query"]
    found = _ASKED.match(query)
    assert found, query
    return f"{found[1]} {found[2]}"


def _adapter(name: str, shop: StandIn, line: Line) -> ShopAdapter:
    if isinstance(shop, WooCommerceSandbox):
        return WooCommerceShop(
            name, shop.base_url, shop.key, shop.secret, shop.currency, shop.timezone, transport=line
        )
    return ShopifyShop(
        name,
        shop.domain,
        shop.base_url,
        client_secrets=[shop.secret],
        access_token=shop.token,
        currency=shop.currency,
        timezone=shop.timezone,
        transport=line,
    )


def _write_files(household: Household) -> None:
    shops, audience, folder = household.shops, household.audience, household.folder
    sections = [_section(name, shop) for name, shop in shops.items()]
    secrets = [line for name, shop in shops.items() for line in _secrets(name.upper(), shop)]
    (folder / "mapping.yaml").write_text(household.mapping, encoding="utf-8")
    (folder / "connector.yaml").write_text(
        "mapping: mapping.yaml\nkeep_bodies: 3650d\nshops:\n"
        + "".join(f"  {section}\n" for section in sections)
        + f"destinations:\n  {AUDIENCE}: {{platform: mailchimp, audience: {audience.audience}, "
        f"base_url: '{audience.url}', shops: [{', '.join(shops)}]}}\n",
        encoding="utf-8",
    )
    env = folder / ".env"
    env.touch(mode=0o600)
    secrets.append(f"CONNECTOR_DESTINATIONS__{AUDIENCE.upper()}__API_KEY={audience.api_key}")
    env.write_text("\n".join(secrets), encoding="utf-8")


def _section(name: str, shop: StandIn) -> str:
    """The shop's settings. It is told nothing: it goes on saying what it said."""
    where = f"timezone: {shop.timezone}, currency: {shop.currency}, write_back: nothing"
    if isinstance(shop, WooCommerceSandbox):
        return f"{name}: {{platform: woocommerce, url: '{shop.base_url}', {where}}}"
    address = f"domain: {shop.domain}, base_url: '{shop.base_url}'"
    return f"{name}: {{platform: shopify, {address}, {where}}}"


def _secrets(name: str, shop: StandIn) -> list[str]:
    if isinstance(shop, WooCommerceSandbox):
        told = {
            "CONSUMER_KEY": shop.key,
            "CONSUMER_SECRET": shop.secret,
            "WEBHOOK_SECRET": SEALED_WITH,
        }
    else:
        told = {"ACCESS_TOKEN": shop.token, "CLIENT_SECRET": shop.secret}
    return [f"CONNECTOR_SHOPS__{name}__{what}={secret}" for what, secret in told.items()]
