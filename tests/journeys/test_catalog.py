"""A shop's shelves on their way to a catalog: it holds exactly what the shop shows."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from adapters.meta_catalog.sandbox import Sandbox as Meta
from adapters.woocommerce.sandbox import Sandbox as Shop
from connector import wiring
from connector.engine import Engine
from connector.model import Arrival
from connector.store import inbox, outbox
from connector.store.connect import Store
from tests.journeys.premises import Clock

MAPPING = """
version: 1
destinations:
  catalog:
    items: {unpublished: UNPUBLISHED}
    fields: {product_type: category}
    labels: {custom_label_0: tag.winter}
"""
PICTURE = [{"src": "https://wool.example/i/1.jpg"}]


class House:
    """The connector between one stand-in shop and one stand-in catalog, without a receiver."""

    def __init__(self, folder: Path, shop: Shop, meta: Meta, clock: Clock, mapping: str) -> None:
        self.shop, self.meta, self.clock = shop, meta, clock
        self.told: list[tuple[str, bytes]] = []
        self._nonce = itertools.count()
        (folder / "mapping.yaml").write_text(mapping, "utf-8")
        (folder / "connector.yaml").write_text(
            f"store: sqlite:///{folder}/c.db\nmapping: mapping.yaml\n"
            f"shops:\n  wool: {{platform: woocommerce, url: '{shop.base_url}', "
            "timezone: Europe/Oslo, currency: NOK}\n"
            f"destinations:\n  catalog: {{platform: meta_catalog, base_url: '{meta.url}', "
            f"catalog_id: '{meta.catalog_id}'}}\n",
            "utf-8",
        )
        env = folder / ".env"
        env.touch(mode=0o600)
        env.write_text(
            "CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_sandbox\n"
            "CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_sandbox\n"
            "CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=a-journey-secret-7f3a19\n"
            f"CONNECTOR_DESTINATIONS__CATALOG__ACCESS_TOKEN={meta.access_token}\n",
            "utf-8",
        )
        self.configured = wiring.configure(folder / "connector.yaml")
        self.store = Store.open(self.configured.settings.store)
        self.engine = Engine(replace(wiring.build_house(self.configured, self.store), now=clock))

    def work(self) -> None:
        """Let the shop tell what it has to tell, and the connector do all that can be done."""
        self.shop.deliver()
        self.engine.drain()

    def accept(self, topic: str, body: bytes, *, again: bool = False) -> None:
        """Take one delivery into the inbox; ``again`` as if it were another one."""
        nonce = f"{next(self._nonce)}".encode() if again else b""
        key = hashlib.sha256(nonce + topic.encode() + body).digest()
        inbox.Inbox(self.store).accept(
            Arrival(
                shop="wool",
                topic=topic,
                key=key,
                received_at=self.clock.skip(seconds=1),
                headers={},
                body=body,
            )
        )

    def books(self) -> dict[str, int]:
        """The catalog's books, balanced."""
        told = wiring.draw_up_books(self.configured, self.store)
        assert told["balanced"]
        book = told["destinations"]["catalog"]
        return {name: book[name] for name in ("settled", "due", "parked")}

    def batches(self) -> int:
        """How many batches the catalog was sent."""
        return self.meta.calls["POST /catalog/items_batch"]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Build a house; its shop's webhooks are noted and go straight into the inbox."""
    clock = Clock()
    houses: list[House] = []

    @Request.application
    def door(request: Request) -> Response:
        body = request.get_data()
        if topic := request.headers.get("X-WC-Webhook-Topic"):
            houses[0].told.append((topic, body))
            houses[0].accept(topic, body)
        return Response("ok")

    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    with Shop(auto=False, clock=clock) as shop, Meta() as meta:
        shop.register(f"http://127.0.0.1:{server.server_port}/", "a-journey-secret-7f3a19")

        def build(unpublished: str = "archive") -> House:
            houses.append(
                House(tmp_path, shop, meta, clock, MAPPING.replace("UNPUBLISHED", unpublished))
            )
            return houses[-1]

        yield build
        for house in houses:
            house.store.close()
        server.shutdown()
        thread.join()
        server.server_close()


def stock(house: House) -> dict[str, int]:
    """Put a simple product, one on sale, and a variable one with two variations on the shelves."""
    products = house.shop.products
    plain = products.create(
        {
            "name": "Sokker & votter",
            "regular_price": "99.50",
            "description": "<p>Av <b>ull</b>.</p>",
            "images": PICTURE,
            "categories": [{"id": 1, "name": "Klær"}],
            "tags": [{"id": 2, "name": "winter"}],
        }
    )
    cheap = products.create(
        {"name": "Lue", "regular_price": "200", "sale_price": "149.90", "images": PICTURE}
    )
    jumper = products.create({"name": "Genser", "type": "variable", "images": PICTURE})
    ids = {"plain": plain["id"], "cheap": cheap["id"], "jumper": jumper["id"]}
    for size, quantity in (("M", 3), ("L", 0)):
        house.clock.skip(seconds=5)
        ids[size] = products.create(
            {
                "regular_price": "899",
                "images": PICTURE,
                "manage_stock": True,
                "stock_quantity": quantity,
                "attributes": [
                    {"name": "Størrelse", "option": size},
                    {"name": "Farge", "option": "Rød"},
                    {"name": "Krage", "option": "Høy"},
                ],
            },
            parent_id=jumper["id"],
        )["id"]
    house.clock.skip(seconds=5)
    products.change(jumper["id"], {"short_description": "Varm."})
    house.work()
    return ids


def test_the_catalog_holds_what_the_shop_shows(world: Callable[..., House]) -> None:
    """Simple products and variations, prices, sale, stock; the parent of variations is no item."""
    house = world()
    ids = stock(house)
    items = house.meta.items()
    assert {f"wool_{ids[name]}" for name in ("plain", "cheap", "M", "L")} == items.keys()
    assert {
        "id": f"wool_{ids['plain']}",
        "title": "Sokker & votter",
        "description": "Av ull.",
        "availability": "in stock",
        "condition": "new",
        "price": "99.50 NOK",
        "link": house.shop.products.get(ids["plain"])["permalink"],
        "image_link": "https://wool.example/i/1.jpg",
        "item_group_id": f"wool_{ids['plain']}",
        "status": "active",
        "product_type": "Klær",
        "custom_label_0": "winter",
        "mpn": f"wool_{ids['plain']}",
    } == items[f"wool_{ids['plain']}"]
    on_sale = items[f"wool_{ids['cheap']}"]
    assert ("200.00 NOK", "149.90 NOK") == (on_sale["price"], on_sale["sale_price"])
    medium, large = items[f"wool_{ids['M']}"], items[f"wool_{ids['L']}"]
    assert ("in stock", "out of stock") == (medium["availability"], large["availability"])
    assert {medium["item_group_id"], large["item_group_id"]} == {f"wool_{ids['jumper']}"}
    assert ("Genser - M, Rød, Høy", "M", "Rød", "Krage:Høy", "Varm.") == (
        medium["title"],
        medium["size"],
        medium["color"],
        medium["additional_variant_attribute"],
        medium["description"],
    )
    assert {"settled": 4, "due": 0, "parked": 0} == house.books()


def test_nothing_is_sent_for_what_the_catalog_has(world: Callable[..., House]) -> None:
    """Every delivery once more, in another order and as other deliveries: no call."""
    house = world()
    stock(house)
    before, sent = house.meta.items(), house.batches()
    told = random.Random(4).sample(house.told, len(house.told))
    for topic, body in told:
        house.accept(topic, body, again=True)
    house.engine.drain()
    assert (before, sent) == (house.meta.items(), house.batches())


def test_changes_arrive_each_with_one_item(world: Callable[..., House]) -> None:
    """A price, an empty shelf, a sale that ends; the others are not sent again."""
    house = world()
    ids = stock(house)
    house.clock.skip(minutes=1)
    products = house.shop.products
    products.change(ids["plain"], {"stock_status": "outofstock", "regular_price": "110"})
    products.change(ids["cheap"], {"sale_price": ""})
    house.work()
    items = house.meta.items()
    plain, cheap = items[f"wool_{ids['plain']}"], items[f"wool_{ids['cheap']}"]
    assert ("out of stock", "110.00 NOK") == (plain["availability"], plain["price"])
    assert cheap["price"] == cheap["sale_price"] == "200.00 NOK"
    assert cheap["sale_price_effective_date"].endswith("/1970-01-02T00:00:00Z")
    _, last = house.meta.bodies[-1]
    assert {f"wool_{ids['plain']}", f"wool_{ids['cheap']}"} == {
        each["data"]["id"] for each in last["requests"]
    }


@pytest.mark.parametrize("unpublished", ["archive", "delete"])
def test_what_is_not_shown_any_more_goes_as_the_mapping_says(
    world: Callable[..., House], unpublished: str
) -> None:
    """A draft is archived and out of stock, or deleted; published again, it is back."""
    house = world(unpublished)
    ids = stock(house)
    house.clock.skip(minutes=1)
    house.shop.products.change(ids["plain"], {"status": "draft"})
    house.work()
    gone = house.meta.items().get(f"wool_{ids['plain']}")
    if unpublished == "archive":
        assert gone is not None
        assert ("archived", "out of stock") == (gone["status"], gone["availability"])
    else:
        assert gone is None
    assert f"wool_{ids['plain']}" not in house.meta.shown()
    house.clock.skip(minutes=1)
    house.shop.products.change(ids["plain"], {"status": "publish"})
    house.work()
    assert "in stock" == house.meta.shown()[f"wool_{ids['plain']}"]["availability"]


def test_a_draft_never_gets_there(world: Callable[..., House]) -> None:
    """What was never shown is not brought to be archived."""
    house = world()
    house.shop.products.create(
        {"name": "Prøve", "regular_price": "10", "images": PICTURE, "status": "draft"}
    )
    house.work()
    assert ({}, 0) == (house.meta.items(), house.batches())
    assert {"settled": 1, "due": 0, "parked": 0} == house.books()


def test_what_is_deleted_in_the_shop_is_deleted(world: Callable[..., House]) -> None:
    """Once the shop confirms it; and never what somebody else put into the catalog."""
    house = world()
    ids = stock(house)
    house.meta.put("theirs", title="By hand", price="1.00 NOK")
    house.clock.skip(minutes=1)
    house.shop.products.trash(ids["plain"])
    house.shop.products.trash(ids["jumper"])
    house.work()
    assert {f"wool_{ids['cheap']}", "theirs"} == house.meta.items().keys()


def test_a_false_deletion_deletes_nothing(world: Callable[..., House]) -> None:
    """A delivery that says so, of a product that the shop still has."""
    house = world()
    ids = stock(house)
    before = house.meta.items()
    house.accept("product.deleted", json.dumps({"id": ids["plain"]}).encode())
    house.engine.drain()
    assert before == house.meta.items()


def test_a_variation_removed_for_good_goes_with_the_next_word_of_its_product(
    world: Callable[..., House],
) -> None:
    """WooCommerce tells nothing of that: the product's own list does."""
    house = world()
    ids = stock(house)
    house.clock.skip(minutes=1)
    house.shop.products.delete(ids["L"])
    house.shop.products.change(ids["jumper"], {"description": "Bare i M."})
    house.work()
    assert f"wool_{ids['L']}" not in house.meta.items()
    assert "Bare i M." == house.meta.items()[f"wool_{ids['M']}"]["description"]


def test_one_bad_item_is_one_bad_item(world: Callable[..., House]) -> None:
    """No picture: parked with what to do, and the others go through; mended, it follows."""
    house = world()
    bad = house.shop.products.create({"name": "Uten bilde", "regular_price": "10"})
    stock(house)
    assert 4 == len(house.meta.items())
    with house.store.read() as conn:
        (parked,) = outbox.parked(conn, limit=9)
    assert (f"wool/{bad['id']}", "no_image") == (parked["key"], parked["reason"])
    assert "picture" in parked["mend"]
    house.clock.skip(minutes=1)
    house.shop.products.change(bad["id"], {"images": PICTURE})
    house.work()
    assert 5 == len(house.meta.items())
    assert {"settled": 5, "due": 0, "parked": 0} == house.books()


def test_an_emptied_shop_does_not_empty_the_catalog_unasked(world: Callable[..., House]) -> None:
    """What would make it more than half within a day waits for a person, and goes once released."""
    house = world("delete")
    made = [
        house.shop.products.create(
            {"name": f"Ting {number}", "regular_price": "10", "images": PICTURE}
        )["id"]
        for number in range(60)
    ]
    house.work()
    assert 60 == len(house.meta.items())
    house.clock.skip(minutes=1)
    for number in made[:50]:
        house.shop.products.trash(number)
    house.work()
    assert 40 == len(house.meta.items())  # the shop is asked about 20 at a time
    assert {"settled": 30, "due": 0, "parked": 30} == house.books()
    with house.store.read() as conn:
        parked = outbox.parked(conn, limit=99)
    assert {"held_by_breaker"} == {row["reason"] for row in parked}
    assert all("connector parked --release catalog" in row["mend"] for row in parked)
    with house.store.write() as conn:
        assert 30 == outbox.release(conn, "catalog", None, now=house.clock())
    house.engine.drain()
    assert {f"wool_{number}" for number in made[50:]} == house.meta.items().keys()
    assert {"settled": 60, "due": 0, "parked": 0} == house.books()


def test_any_order_ends_in_the_same_catalog(
    world: Callable[..., House], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same deliveries shuffled and doubled, into another store and an empty catalog."""
    house = world()
    ids = stock(house)
    house.clock.skip(minutes=1)
    house.shop.products.change(ids["plain"], {"regular_price": "120"})
    house.shop.products.trash(ids["L"])
    house.work()
    for seed in range(3):
        with Meta() as meta:
            folder = tmp_path_factory.mktemp(f"again{seed}")
            mapping = MAPPING.replace("UNPUBLISHED", "archive")
            again = House(folder, house.shop, meta, house.clock, mapping)
            told = random.Random(seed).sample(house.told * 2, 2 * len(house.told))
            for at, (topic, body) in enumerate(told):
                again.accept(topic, body, again=True)
                if at % 3 == 0:
                    again.engine.drain()
            again.engine.drain()
            assert house.meta.items() == meta.items()
            again.store.close()


def test_what_meta_lost_is_found_and_put_right(world: Callable[..., House]) -> None:
    """A new price, a new item and a removal that Meta answered for and did not do."""
    house = world("delete")
    ids = stock(house)
    meta, products = house.meta, house.shop.products
    names = {name: f"wool_{ids[name]}" for name in ("plain", "cheap", "M", "L")}
    house.clock.skip(minutes=10)
    meta.keep_old(names["plain"], "price")
    meta.lose(names["L"])
    products.change(ids["plain"], {"regular_price": "120.00"})
    products.change(ids["L"], {"status": "draft"})
    scarf = products.create({"name": "Skjerf", "regular_price": "80", "images": PICTURE})["id"]
    meta.lose(f"wool_{scarf}")
    meta.put("another-tool-1", title="Not ours", availability="in stock")
    house.work()
    items = meta.items()
    assert "99.50 NOK" == items[names["plain"]]["price"]
    assert names["L"] in items
    assert f"wool_{scarf}" not in items
    house.clock.skip(hours=25)
    house.work()
    items = meta.items()
    assert "120.00 NOK" == items[names["plain"]]["price"]
    assert {*names.values(), f"wool_{scarf}", "another-tool-1"} - {names["L"]} == items.keys()
    told = wiring.draw_up_books(house.configured, house.store)["destinations"]["catalog"]
    figures = ("compared", "differed", "repaired", "left")
    assert (5, 3, 3, 0) == tuple(told["agreement"][name] for name in figures)
    calls = dict(meta.calls)
    house.clock.skip(hours=25)
    house.work()
    looks = {name: number - calls.get(name, 0) for name, number in meta.calls.items()}
    assert {"GET /catalog/products": 1} == {
        name: number for name, number in looks.items() if number
    }
