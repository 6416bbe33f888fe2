"""Which destinations there are: one that is told of sales as well is two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector import wiring
from connector.errors import ConfigurationFault
from connector.flow.rules import Holds
from connector.flow.targets import record_named, stores_of, targets_of
from connector.model import Kind
from connector.ports import ShopFacts, StoreFacts
from connector.store.schema import records
from connector.wiring import Configured

CONFIG = """\
store: sqlite:///connector.db
mapping: mapping.yaml
shops:
  wool:
    {platform: woocommerce, url: "https://wool.example", timezone: Europe/Oslo, currency: NOK}
  yarn: {platform: shopify, domain: yarn.myshopify.com, timezone: UTC, currency: XAF}
destinations:
  newsletter: {platform: mailchimp, audience: a1b2c3d4e5, base_url: "http://127.0.0.1:9",
               shops: [wool, yarn]}
  quiet: {platform: mailchimp, audience: f6a7b8c9d0, shops: [wool]}
  crm: {platform: files, folder: out}
"""
MAPPING = """\
version: 1
segments: {buyers: {when: "number_of_orders >= 1"}}
destinations:
  newsletter: {ecommerce: true, fields: {FNAME: first_name}}
"""
ENV = """\
CONNECTOR_SHOPS__WOOL__CONSUMER_KEY=ck_1234567890
CONNECTOR_SHOPS__WOOL__CONSUMER_SECRET=cs_1234567890
CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET=0123456789abcdef0123
CONNECTOR_SHOPS__YARN__CLIENT_SECRET=0123456789abcdef0123
CONNECTOR_SHOPS__YARN__ACCESS_TOKEN=shpat_0123456789
CONNECTOR_DESTINATIONS__NEWSLETTER__API_KEY=0123456789abcdef0123456789abcdef-us1
CONNECTOR_DESTINATIONS__QUIET__API_KEY=0123456789abcdef0123456789abcdef-us1
"""


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """A configuration with two audiences, of which one is told of sales."""
    for line in ENV.splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    (tmp_path / "connector.yaml").write_text(CONFIG)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    return wiring.configure(tmp_path / "connector.yaml")


def test_one_that_is_told_of_sales_is_two(configured: Configured) -> None:
    """Beside the people, what is sold to them; with no fields and tags of its own."""
    targets = targets_of(configured.settings, configured.mapping)
    assert [
        ("newsletter", Holds.PEOPLE, None),
        ("newsletter/sales", Holds.SALES, "newsletter"),
        ("quiet", Holds.PEOPLE, None),
        ("crm", Holds.PEOPLE, None),
    ] == [
        (each.name, each.holds, each.members)
        for each in targets
        if each.holds is not Holds.WITHDRAWALS
    ]
    sold = targets[1]
    assert (frozenset({"wool", "yarn"}), {}, {}) == (
        sold.shops,
        sold.mapping.fields,
        sold.mapping.tags(configured.mapping),
    )
    assert {"wool": "https://wool.example", "yarn": "https://yarn.myshopify.com"} == sold.homes
    assert {Kind.PRODUCT, Kind.PROMOTION, Kind.ORDER, Kind.CART} == sold.sells


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("newsletter", ("newsletter", None)),
        ("newsletter/kari@x.example", ("newsletter", "kari@x.example")),
        ("newsletter/sales", ("newsletter/sales", None)),
        ("newsletter/sales/order/wool/1", ("newsletter/sales", "order/wool/1")),
        ("newsletter/salesman@x.example", ("newsletter", "salesman@x.example")),
        ("gone/kari@x.example", ("gone", "kari@x.example")),
    ],
)
def test_a_record_is_named_by_its_destination(text: str, expected: tuple[str, str | None]) -> None:
    """Also one whose name begins as another's does, and one that is configured no more."""
    assert expected == record_named(text, ["newsletter", "newsletter/sales", "crm"])


def test_a_destination_knows_its_stores(configured: Configured) -> None:
    """Each shop is a store of its own, by an id that is ours and the audience's."""
    facts = {
        "wool": ShopFacts(timezone="Europe/Oslo", currency="NOK"),
        "yarn": ShopFacts(timezone="UTC", currency="XAF"),
    }
    settings = configured.settings
    target = targets_of(settings, configured.mapping)[1]
    stores = stores_of(target, settings.destinations["newsletter"], settings, facts)
    assert {
        "wool": StoreFacts(
            shop="wool",
            id="connector-a1b2c3d4e5-wool",
            name="wool",
            currency="NOK",
            domain="wool.example",
            platform="woocommerce",
            money="kr",
            timezone="Europe/Oslo",
        ),
        "yarn": StoreFacts(
            shop="yarn",
            id="connector-a1b2c3d4e5-yarn",
            name="yarn",
            currency="XAF",
            domain="yarn.myshopify.com",
            platform="shopify",
            money="XAF",
            timezone="UTC",
        ),
    } == stores


def test_it_has_its_own_line_and_adapter(configured: Configured) -> None:
    """In the books, in the house, and in its shape: nothing about people's fields."""
    store = wiring.open_store(configured.settings)
    try:
        house = wiring.build_house(configured, store)
        assert {each.name for each in house.rules.targets} == house.destinations.keys()
        assert "newsletter/sales" == house.destinations["newsletter/sales"].name
        with store.write() as conn:
            conn.execute(
                records.insert(),
                {
                    "destination": "newsletter/sales",
                    "key": "order/wool/1",
                    "status": "due",
                    "lane": 2,
                    "revision": 1,
                    "due_since": house.now(),
                },
            )
        books = wiring.draw_up_books(configured, store)
        json.dumps(books)
        assert books["balanced"]
        line = books["destinations"]["newsletter/sales"]
        assert (1, 0, 1, 0) == tuple(line[n] for n in ("records", "settled", "due", "parked"))
        assert 0 == books["destinations"]["newsletter"]["records"]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("pattern", "second", "refused"),
    [
        ("{variant_id}", "woocommerce, url: 'https://yarn.example'", True),
        ("{shop}_{variant_id}", "woocommerce, url: 'https://yarn.example'", False),
        ("{variant_id}", "shopify, domain: yarn.myshopify.com", False),
    ],
)
def test_two_shops_that_count_alike_do_not_overwrite_each_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pattern: str,
    second: str,
    *,
    refused: bool,
) -> None:
    """Both have a thing 12: in one catalog the price of the one would be that of the other."""
    keys = ("CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET", "CLIENT_SECRET")
    for name in (*(f"SHOPS__{shop}__{key}" for shop in ("WOOL", "YARN") for key in keys),
                 "DESTINATIONS__CATALOG__ACCESS_TOKEN"):  # fmt: skip
        monkeypatch.setenv(f"CONNECTOR_{name}", "0123456789abcdef0123")
    (tmp_path / "connector.yaml").write_text(
        "shops:\n  wool: {platform: woocommerce, url: 'https://wool.example'}\n"
        f"  yarn: {{platform: {second}}}\n"
        "destinations:\n  catalog: {platform: meta_catalog, catalog_id: '123'}\n"
    )
    (tmp_path / "mapping.yaml").write_text(
        f"version: 1\ndestinations: {{catalog: {{items: {{id: '{pattern}'}}}}}}\n"
    )
    if refused:
        with pytest.raises(ConfigurationFault, match=r"catalog.items.id: wool and yarn number"):
            wiring.configure(tmp_path / "connector.yaml")
    else:
        assert wiring.configure(tmp_path / "connector.yaml").mapping
