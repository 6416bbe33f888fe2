"""From a shop's orders to Meta: a catalog with product sets, an audience, purchases told once."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from adapters.meta_audiences.sandbox import Sandbox as Audiences
from adapters.meta_catalog.sandbox import Sandbox as Catalog
from adapters.meta_conversions.sandbox import Sandbox as Conversions
from adapters.woocommerce.sandbox import Sandbox as Shop
from connector import wiring
from connector.engine import Engine
from connector.match_keys import digest, email
from connector.model import Arrival
from connector.store import inbox
from connector.store.connect import Store
from tests.journeys.premises import Clock

KARI, OLA = "kari@shop.example", "ola@shop.example"
MAPPING = """
version: 1
consent:
  wordings: {ads-2026: "Yes, you may show me advertisements that fit me."}
  sources:
    - {purpose: ads, from: order.meta_data._ads, granted: ["1"], withdrawn: ["0"],
       wording: ads-2026}
segments:
  returning: {when: "number_of_orders >= 2"}
destinations:
  catalog:
    labels: {custom_label_0: bestseller}
    items: {bestsellers: {top: 1}}
    sets:
      Bestsellers: {label: bestseller}
      New: {label: new_arrival}
      Hats: {category: Luer}
  lookalikes:
    audiences: {Comes back: {segment: returning, value: amount_spent}}
"""


@dataclass
class Street:
    """The connector between one stand-in shop and Meta's three stand-ins."""

    folder: Path
    shop: Shop
    catalog: Catalog
    audiences: Audiences
    conversions: Conversions
    clock: Clock
    store: Store = field(init=False)
    engine: Engine = field(init=False)
    _nonce: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        (self.folder / "mapping.yaml").write_text(MAPPING, "utf-8")
        (self.folder / "connector.yaml").write_text(
            f"store: sqlite:///{self.folder}/c.db\nmapping: mapping.yaml\n"
            f"shops:\n  wool: {{platform: woocommerce, url: '{self.shop.base_url}', "
            "timezone: Europe/Oslo, currency: NOK}\n"
            f"destinations:\n"
            f"  catalog: {{platform: meta_catalog, base_url: '{self.catalog.url}', "
            f"catalog_id: '{self.catalog.catalog_id}'}}\n"
            f"  lookalikes: {{platform: meta_audiences, base_url: '{self.audiences.url}', "
            f"ad_account: {self.audiences.ad_account}}}\n"
            f"  purchases: {{platform: meta_conversions, base_url: '{self.conversions.url}', "
            f"pixel_id: '{self.conversions.pixel_id}'}}\n",
            "utf-8",
        )
        env = self.folder / ".env"
        env.touch(mode=0o600)
        tokens = {
            "CATALOG": self.catalog.access_token,
            "LOOKALIKES": self.audiences.access_token,
            "PURCHASES": self.conversions.access_token,
        }
        env.write_text(
            "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_sandbox\n"
            "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_sandbox\n"
            "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=a-journey-secret-7f3a19\n"
            + "".join(
                f"CONNECTOR_DESTINATIONS__{name}__ACCESS_TOKEN={token}\n"
                for name, token in tokens.items()
            ),
            "utf-8",
        )
        configured = wiring.configure(self.folder / "connector.yaml")
        self.store = Store.open(configured.settings.store)
        self.engine = Engine(replace(wiring.build_house(configured, self.store), now=self.clock))
        self.configured = configured

    def accept(self, topic: str, body: bytes) -> None:
        """Take one delivery into the inbox."""
        inbox.Inbox(self.store).accept(
            Arrival(
                shop="wool",
                topic=topic,
                key=hashlib.sha256(b"%d" % next(self._nonce)).digest(),
                received_at=self.clock.skip(seconds=1),
                headers={},
                body=body,
            )
        )

    def work(self) -> None:
        """Let the shop tell what it has to tell, and the connector do all that can be done."""
        self.shop.deliver()
        self.engine.drain()

    def sell(self, name: str, category: str) -> int:
        """Put a thing on the shelves; gives its id."""
        made = self.shop.products.create(
            {
                "name": name,
                "regular_price": "100",
                "images": [{"src": "https://wool.example/i/1.jpg"}],
                "categories": [{"id": len(category), "name": category}],
            }
        )
        return int(made["id"])

    def buy(self, who: str, thing: int, pieces: int = 1, **given: Any) -> int:
        """Let somebody buy; gives the order's id."""
        meta = [{"key": "_ads", "value": given.pop("ads")}] if "ads" in given else []
        made = self.shop.orders.create(
            {
                "status": "processing",
                "billing": {"email": who, "first_name": "Kari", "country": "NO"},
                "line_items": [{"product_id": thing, "quantity": pieces}],
                "meta_data": meta,
                **given,
            },
            now=self.clock.skip(seconds=1),
        )
        return int(made["id"])

    def books(self) -> dict[str, Any]:
        """The books of the destinations, balanced."""
        told = wiring.draw_up_books(self.configured, self.store)
        assert told["balanced"]
        books: dict[str, Any] = told["destinations"]
        return books


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """A street whose shop's webhooks go straight into the inbox."""
    clock = Clock()
    built: list[Street] = []

    @Request.application
    def door(request: Request) -> Response:
        body = request.get_data()
        if topic := request.headers.get("X-WC-Webhook-Topic"):
            built[0].accept(topic, body)
        return Response("ok")

    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    with ExitStack() as stack:
        shop = stack.enter_context(Shop(auto=False, clock=clock))
        shop.register(f"http://127.0.0.1:{server.server_port}/", "a-journey-secret-7f3a19")
        built.append(
            Street(
                tmp_path,
                shop,
                stack.enter_context(Catalog()),
                stack.enter_context(Audiences()),
                stack.enter_context(Conversions(clock=clock)),
                clock,
            )
        )
        yield built[0]
        built[0].store.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_only_who_allowed_ads_is_told_of(street: Street) -> None:
    """Kari allowed it and comes back; Ola buys as much, and Meta never hears of him."""
    hat = street.sell("Lue", "Luer")
    first, second = (street.buy(KARI, hat, ads="1") for _ in range(2))
    for _ in range(3):
        street.buy(OLA, hat)
    street.work()
    assert {str(first), str(second)} == street.conversions.purchases().keys()
    inside = street.audiences.inside(digest(email, KARI))
    assert ["Comes back"] == list(inside)
    spent = sum(float(street.shop.orders.get(each)["total"]) for each in (first, second))
    assert spent == inside["Comes back"]["LOOKALIKE_VALUE"]
    assert {} == street.audiences.inside(digest(email, OLA))
    event = street.conversions.purchases()[str(first)]
    assert [f"wool_{hat}"] == event["custom_data"]["content_ids"]
    assert {f"wool_{hat}"} == street.catalog.items().keys()
    books = street.books()
    assert {"lookalikes", "purchases", "catalog"} <= books.keys()
    assert (0, 0) == (books["purchases"]["due"], books["purchases"]["parked"])


def test_a_purchase_is_told_once_and_a_withdrawal_ends_it(street: Street) -> None:
    """Completed, refunded, told of again: one event. Then nothing more, and out of the audience."""
    hat = street.sell("Lue", "Luer")
    first = street.buy(KARI, hat, ads="1")
    street.buy(KARI, hat, ads="1")
    street.work()
    street.shop.orders.change(first, {"status": "completed"}, now=street.clock.skip(minutes=5))
    street.work()
    street.shop.orders.refund(first, amount="50.00", now=street.clock.skip(minutes=5))
    street.work()
    assert (2, 2) == (len(street.conversions.purchases()), street.conversions.pixel.told)
    street.clock.skip(days=1)
    street.buy(KARI, hat, ads="0")
    street.work()
    assert (2, 2) == (len(street.conversions.purchases()), street.conversions.pixel.told)
    assert {} == street.audiences.inside(digest(email, KARI))


def test_an_order_that_waited_too_long_is_never_told(street: Street) -> None:
    """It was paid on the eighth day: settled, with the reason, and no call for it."""
    hat = street.sell("Lue", "Luer")
    late = street.buy(KARI, hat, ads="1", status="on-hold")
    street.work()
    assert {} == street.conversions.purchases()
    street.shop.orders.change(late, {"status": "processing"}, now=street.clock.skip(days=8))
    street.work()
    assert {} == street.conversions.purchases()
    assert 0 == street.conversions.calls["POST /pixel/events"]
    assert 0 == street.books()["purchases"]["due"]


def test_product_sets_follow_what_sells_and_what_is_new(street: Street) -> None:
    """Made at the start, and right within the hour, though no product was changed."""
    hat, scarf = street.sell("Lue", "Luer"), street.sell("Skjerf", "Skjerf")
    street.work()
    assert {"Bestsellers", "New", "Hats"} == {
        each["name"] for each in street.catalog.sets().values()
    }
    both = sorted([f"wool_{hat}", f"wool_{scarf}"])
    street.clock.skip(hours=1)
    street.work()
    assert ([f"wool_{hat}"], both, []) == (
        street.catalog.in_set("Hats"),
        street.catalog.in_set("New"),
        street.catalog.in_set("Bestsellers"),
    )
    street.buy(OLA, scarf, 3)
    street.buy(OLA, hat, 1)
    street.work()
    street.clock.skip(hours=1)
    street.work()
    assert [f"wool_{scarf}"] == street.catalog.in_set("Bestsellers")
    street.clock.skip(days=31)
    street.work()
    assert ([], []) == (street.catalog.in_set("New"), street.catalog.in_set("Bestsellers"))
