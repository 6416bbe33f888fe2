"""``mode: test``: everything is worked out and can be seen, and no stand-in hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from adapters.http.sandbox import Sandbox as Desk
from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.meta_audiences.sandbox import Sandbox as Audiences
from adapters.meta_catalog.sandbox import Sandbox as Catalog
from adapters.meta_conversions.sandbox import Sandbox as Conversions
from adapters.town.platform import Platform
from adapters.woocommerce.sandbox import Sandbox as Shop
from connector import cli, wiring
from connector.engine import Engine
from connector.guests import DESTINATIONS
from connector.model import Kind
from connector.store import errands
from connector.store.connect import Store
from tests.journeys.premises import SECRET, Clock

PEOPLE = tuple(f"p{number}@shop.example" for number in range(6))
MAPPING = """\
version: 1
consent:
  wordings: {mail: "Yes, write to me.", ads: "Yes, you may show me advertisements that fit me."}
  sources:
    - {purpose: email, from: order.meta_data._mail, granted: ["1"], wording: mail}
    - {purpose: ads, from: order.meta_data._ads, granted: ["1"], wording: ads}
segments:
  buyers: {when: "number_of_orders >= 1"}
destinations:
  newsletter: {ecommerce: true, fields: {FNAME: first_name}}
  desk: {fields: {FIRST: first_name}}
  exports: {tables: [customers, orders]}
  catalog:
    labels: {custom_label_0: bestseller}
    items: {bestsellers: {top: 1}}
    sets: {Bestsellers: {label: bestseller}}
  lookalikes: {audiences: {Buyers: {segment: buyers}}}
"""


@dataclass
class Fair:
    """A shop with a past, one destination of each platform, and a connector between them."""

    folder: Path
    mode: str
    clock: Clock
    shop: Shop
    audience: Audience
    desk: Desk
    catalog: Catalog
    audiences: Audiences
    conversions: Conversions
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        thing = self._put_on_sale()
        for number, email in enumerate(PEOPLE):
            self._buy(number, email, thing)
        self._write_files()
        self.configured = wiring.configure(self.config)
        self.store = wiring.open_store(self.configured.settings)
        house = wiring.build_house(self.configured, self.store)
        assert DESTINATIONS.keys() == {
            each.platform for each in self.configured.settings.destinations.values()
        }
        with self.store.write() as conn:
            kinds = [Kind.CUSTOMER, Kind.ORDER, Kind.PRODUCT]
            errands.begin(conn, "wool", errands.BACKFILL, kinds, since=None, now=self.clock.now)
        self.engine = Engine(replace(house, now=self.clock))

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "connector.yaml"

    @property
    def platforms(self) -> Mapping[str, Platform]:
        """The stand-ins of the destinations, by the destinations' names."""
        return {
            "newsletter": self.audience,
            "desk": self.desk,
            "catalog": self.catalog,
            "lookalikes": self.audiences,
            "purchases": self.conversions,
        }

    def work(self) -> None:
        """Let the worker do everything that can be done, today and tomorrow."""
        for _ in range(4):
            self.engine.drain()
            self.engine.watch()
            self.clock.skip(hours=8)

    def calls(self) -> dict[str, int]:
        """How often each stand-in of a destination was called."""
        return {name: sum(each.calls.values()) for name, each in self.platforms.items()}

    def in_shop(self) -> list[Any]:
        """Everything that the shop has."""
        tables = ("orders", "customers", "products", "webhooks")
        return [[tuple(row) for row in self.shop.books.rows(table)] for table in tables]

    def command(self, *arguments: str) -> str:
        """Run ``connector …`` here; gives what it says."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wiring, "clock_of", lambda _: self.clock)
            ran = CliRunner().invoke(cli.cli, [*arguments, "--config", str(self.config)])
        assert 0 == ran.exit_code, ran.output
        return ran.stdout

    def _put_on_sale(self) -> int:
        made = self.shop.products.create(
            {
                "name": "Lue",
                "regular_price": "100",
                "images": [{"src": "https://wool.example/i/1.jpg"}],
                "categories": [{"id": 3, "name": "Luer"}],
            }
        )
        return int(made["id"])

    def _buy(self, number: int, email: str, thing: int) -> None:
        self.shop.orders.create(
            {
                "status": "processing",
                "billing": {"email": email, "first_name": f"Kari {number}", "country": "NO"},
                "line_items": [{"product_id": thing, "quantity": 1}],
                "meta_data": [{"key": key, "value": "1"} for key in ("_mail", "_ads")],
            },
            now=self.clock.skip(seconds=1),
        )

    def _write_files(self) -> None:
        (self.folder / "mapping.yaml").write_text(MAPPING, "utf-8")
        self.config.write_text(
            f"mode: {self.mode}\nstore: sqlite:///{self.folder}/c.db\nmapping: mapping.yaml\n"
            f"shops:\n  wool: {{platform: woocommerce, url: '{self.shop.base_url}', "
            "timezone: Europe/Oslo, currency: NOK}\n"
            "destinations:\n"
            f"  newsletter: {{platform: mailchimp, audience: {self.audience.audience}, "
            f"base_url: '{self.audience.url}'}}\n"
            f"  desk: {{platform: http, url: '{self.desk.address}'}}\n"
            "  exports: {platform: files, folder: exports}\n"
            f"  catalog: {{platform: meta_catalog, base_url: '{self.catalog.url}', "
            f"catalog_id: '{self.catalog.catalog_id}'}}\n"
            f"  lookalikes: {{platform: meta_audiences, base_url: '{self.audiences.url}', "
            f"ad_account: {self.audiences.ad_account}}}\n"
            f"  purchases: {{platform: meta_conversions, base_url: '{self.conversions.url}', "
            f"pixel_id: '{self.conversions.pixel_id}'}}\n",
            "utf-8",
        )
        secrets = {
            "CONNECTOR_SECRET_KEY": "a-journey-secret-key-of-more-than-32-bytes",
            "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY": self.shop.key,
            "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET": self.shop.secret,
            "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET": SECRET,
            "CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY": self.audience.api_key,
            "CONNECTOR_DESTINATIONS__DESK__SIGNING_SECRET": self.desk.secret,
            "CONNECTOR_DESTINATIONS__CATALOG__ACCESS_TOKEN": self.catalog.access_token,
            "CONNECTOR_DESTINATIONS__LOOKALIKES__ACCESS_TOKEN": self.audiences.access_token,
            "CONNECTOR_DESTINATIONS__PURCHASES__ACCESS_TOKEN": self.conversions.access_token,
        }
        env = self.folder / ".env"
        env.touch(mode=0o600)
        env.write_text("".join(f"{k}={v}\n" for k, v in secrets.items()), "utf-8")


@pytest.fixture
def fair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fair]:
    """In the mode that the test names."""
    clock = Clock()
    with ExitStack() as stack:
        built = Fair(
            tmp_path,
            request.param,
            clock,
            stack.enter_context(Shop(auto=False, clock=clock)),
            stack.enter_context(Audience(clock=clock)),
            stack.enter_context(Desk()),
            stack.enter_context(Catalog()),
            stack.enter_context(Audiences()),
            stack.enter_context(Conversions(clock=clock)),
        )
        yield built
        built.store.close()


@pytest.mark.parametrize("fair", ["test"], indirect=True)
def test_nothing_leaves_and_what_would_can_be_seen(fair: Fair) -> None:
    """Not one call, not one file; the shop is read and not written to; an erasure waits too."""
    before = fair.in_shop()
    fair.work()
    fair.command("erase", PEOPLE[0], "--yes")
    fair.work()
    assert dict.fromkeys(fair.platforms, 0) == fair.calls()
    assert not (fair.folder / "exports").exists()
    assert before == fair.in_shop()
    told: dict[str, Any] = json.loads(fair.command("status", "--json"))
    assert ("test", True) == (told["mode"], told["balanced"])
    books = told["destinations"]
    assert {
        "newsletter": len(PEOPLE),
        "desk": len(PEOPLE),
        "exports": len(PEOPLE) + 1,  # the erased person's order, which names nobody any more
        "catalog": 1,
        "lookalikes": len(PEOPLE),
    } == {name: books[name]["due"] for name in (*fair.platforms, "exports") if name != "purchases"}
    assert books["purchases"]["due"] > 0
    assert books["newsletter/sales"]["due"] > 0
    assert {0} == {book["settled"] for book in books.values()}
    assert "nothing leaves" in fair.command("status")


@pytest.mark.parametrize("fair", ["live"], indirect=True)
def test_the_same_world_live_is_heard_everywhere(fair: Fair) -> None:
    """So the silence above is the mode's doing."""
    fair.work()
    assert [] == [name for name, number in fair.calls().items() if not number]
    assert (fair.folder / "exports" / "manifest.json").exists()
    assert set(PEOPLE) == fair.desk.records().keys() == fair.audience.members().keys()
