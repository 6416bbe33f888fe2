"""What another program said to Meta's catalog, and its answers: each recorded file has its use.

The requests are compared with ours for the same things; the answers are given to our own client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.meta_catalog.sandbox_rules import FIELDS, call_fault, item_faults
from adapters.meta_catalog.variants import variant_fields
from adapters.meta_catalog.words import Plan, body, plan
from adapters.town.faults import Fault
from connector.model import Postponed, Settled
from connector.ports import Shape
from tests.adapters.meta_catalog.items import NOW, item, step, steps

pytestmark = pytest.mark.corpus

BATCH = "fbwoo-request-send-item-updates-sends-item-updates-request-7.json"
HANDLES = "fbwoo-response-send-item-updates-sends-item-updates-request-8.json"
CATALOG = "fbwoo-response-perform-request-performs-successful-request-0.json"
ONE_ITEM = "fbwoo-request-create-product-item-creates-product-item-request-14.json"
GROUP = "fbwoo-request-create-product-group-performs-create-product-group-request-9.json"
SET = "fbwoo-request-create-product-set-item-creates-set-request-20.json"
FEED = "fbsdk-feed-dpa.xml"

COMPARED = {
    BATCH: "the call that we make too: ours of the same item says the same",
    ONE_ITEM: "the older call for one item: our words for the same item, under its older names",
    GROUP: "the older call for a group: its options are our variant fields",
    SET: "the call that makes a product set: `test_sets` compares it with ours",
    FEED: "a feed file: its items' fields are named and written like ours",
}
ANSWERED = {
    HANDLES: "the answer to the call that we make too",
    CATALOG: "the answer when a catalog is looked at",
}
UNUSED: Mapping[str, str] = {
    "fbwoo-response-create-product-item-creates-product-item-request-15.json": "Meta's own id of "
    "an item: we name items by our ids, as items_batch does",
    "fbwoo-response-get-business-configuration-returns-business-configuration-re-5.json": "the "
    "switches of Meta's own plugin for WooCommerce (fbe_business), which we are not",
    "fbwoo-response-get-installation-ids-returns-installation-ids-request-1.json": "the ids that "
    "Meta's own plugin got when it was installed (fbe_installs): ours are configured",
    "rudder-capi-facebook-conversions-cases.json": "events for the Conversions API: for the guest "
    "that sends them, and compared in its tests",
}


def read(corpus: Path, name: str) -> Any:
    return json.loads((corpus / "fixtures" / "meta" / name).read_bytes())


def test_every_file_is_accounted_for(corpus: Path) -> None:
    """No file of the folder is in no table or in two, and no table names a file that is not."""
    files = [path.name for path in (corpus / "fixtures" / "meta").iterdir()]
    assert sorted(files) == sorted([*COMPARED, *ANSWERED, *UNUSED])
    assert all([*COMPARED.values(), *ANSWERED.values(), *UNUSED.values()])


# --- What was asked ---------------------------------------------------------------------------


def test_the_recorded_batch_and_ours(corpus: Path) -> None:
    """Method, id and every field that both name are the same; the others are these."""
    told = read(corpus, BATCH)
    (theirs,) = told["requests"]
    data = theirs["data"]
    amount, currency = data["price"].split()
    planned = plan(
        step(
            None,
            item(
                id=data["id"],
                group=data["item_group_id"],
                title=data["title"],
                description=data["description"],
                url=data["link"],
                image_url=data["image_link"],
                price=int(amount) * 100,
                currency=currency,
                mapped={
                    "brand": data["brand"],
                    "google_product_category": data["google_product_category"],
                },
            ),
        )
    )
    assert isinstance(planned, Plan)
    ours = planned.requests["woo-belt_96"]
    assert theirs.keys() == ours.keys()
    assert "UPDATE" == theirs["method"] == ours["method"]
    said = dict(ours["data"])
    assert ("71 USD", "71.00 USD") == (data.pop("price"), said.pop("price"))
    # A sale that is none is told by saying nothing; whether an item is shown by its status.
    assert {"additional_image_link", "sale_price", "sale_price_effective_date", "visibility"} == (
        data.keys() - said.keys()
    )
    assert {"status"} == said.keys() - data.keys()
    assert {name: data[name] for name in data if name in said} == {
        name: said[name] for name in said if name in data
    }


def test_the_stand_in_and_the_recorded_batch(corpus: Path, meta: Sandbox) -> None:
    """It takes the call as it is, with what we send around the requests; it is strict twice."""
    told = read(corpus, BATCH)
    assert call_fault(told) is None
    (request,) = told["requests"]
    faults = list(item_faults(request["method"], request["data"]))
    assert [True, True] == ["sale_price" in fault for fault in faults]
    ours = MetaCatalogDestination(
        "catalog", meta.catalog_id, meta.access_token, base_url=meta.url, sleep=lambda _: None
    )
    ours.push(steps(item()), now=NOW)
    around = dict(next(form for name, form in meta.bodies if name.endswith("items_batch")))
    around.pop("requests")
    assert {"allow_upsert": True, "item_type": "PRODUCT_ITEM"} == {
        name: json.loads(value) if value in ("true", "false") else value
        for name, value in around.items()
    }
    del told["requests"]
    assert told == {"allow_upsert": True, "item_type": "PRODUCT_ITEM"}


RENAMED = {
    "retailer_id": "id",
    "name": "title",
    "description": "description",
    "image_url": "image_link",
    "url": "link",
    "brand": "brand",
    "availability": "availability",
}
"""The older call's names, and those of items_batch."""


def test_the_recorded_single_item_in_our_words(corpus: Path) -> None:
    """The same item is told by us with the same values; its price, in cents there, is exact."""
    told = read(corpus, ONE_ITEM)
    said = body(
        item(
            id=told["retailer_id"],
            title=told["name"],
            description=told["description"],
            url=told["url"],
            image_url=told["image_url"],
            price=told["price"],
            sale_price=told["sale_price"],
            currency=told["currency"],
            mapped={"brand": told["brand"], "product_type": told["category"]},
        ).fields
    )
    assert said is not None
    assert {ours: told[theirs] for theirs, ours in RENAMED.items()} == {
        ours: said[ours] for ours in RENAMED.values()
    }
    assert f"{Decimal(told['price']) / 100:.2f} {told['currency']}" == said["price"]
    assert 0 == told["sale_price"]
    assert "sale_price" not in said
    assert told["category"] == said["product_type"]


def test_the_recorded_group_in_our_words(corpus: Path) -> None:
    """What the shop calls a choice is the field that the other program chose for it."""
    told = read(corpus, GROUP)
    assert ["color", "size"] == [choice["product_field"] for choice in told["variants"]]
    for choice in told["variants"]:
        for option in choice["options"]:
            assert {choice["product_field"]: option} == variant_fields({choice["label"]: option})


def test_the_feed_in_our_words(corpus: Path) -> None:
    """Of six items every field that we send has our name, our spelling of prices and words."""
    text = (corpus / "fixtures" / "meta" / FEED).read_text("utf-8")
    items = re.findall(r"<item>(.*?)</item>", text, re.DOTALL)
    assert 6 == len(items)
    for each in items:
        own = re.sub(r"<g:shipping>.*?</g:shipping>", "", each, flags=re.DOTALL)
        fields = dict(re.findall(r"<g:(\w+)>([^<]*)<", own))
        amount, currency = fields["price"].split()
        said = body(
            item(
                id=fields["id"],
                title=fields["title"],
                description=fields["description"],
                url=fields["link"],
                image_url=fields["image_link"],
                price=int(Decimal(amount) * 100),
                currency=currency,
                mapped={"brand": fields["brand"]},
            ).fields
        )
        assert said is not None
        assert {"google_product_category"} == fields.keys() - said.keys()
        assert {name: said[name] for name in fields if name in said} == {
            name: value for name, value in fields.items() if name in said
        }
        assert fields.keys() <= FIELDS.keys()


# --- What was answered ------------------------------------------------------------------------


def _answer(meta: Sandbox, endpoint: str, told: Any, times: int = 1) -> None:
    fault = Fault(status=200, kind="application/json", body=msgspec.json.encode(told))
    meta.misbehave(fault, endpoint=endpoint, times=times)


def test_the_recorded_handle(corpus: Path, meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """It is what the batch is asked about by; while nothing is known of it, nothing is settled."""
    told = read(corpus, HANDLES)
    _answer(meta, "POST /catalog/items_batch", told)
    started = {"data": [{"handle": told["handles"][0], "status": "started"}]}
    _answer(meta, "GET /catalog/check_batch_request_status", started, times=1_000)
    outcomes = catalog.push(steps(item()), now=NOW)
    assert ["wool/1"] == list(outcomes)
    waiting = outcomes["wool/1"]
    assert isinstance(waiting, Postponed)
    assert waiting.sent
    assert 1 == meta.calls["POST /catalog/items_batch"]
    finished = {"data": [{**started["data"][0], "status": "finished", "errors_total_count": 0}]}
    meta.behave()
    _answer(meta, "GET /catalog/check_batch_request_status", finished)
    assert {"wool/1": Settled()} == catalog.push(steps(item()), now=NOW + timedelta(minutes=5))
    assert 1 == meta.calls["POST /catalog/items_batch"]


def test_the_recorded_catalog(corpus: Path, meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """Its id is whose it is, as text to the last digit; that it says no more is no fault."""
    told = read(corpus, CATALOG)
    _answer(meta, "GET /catalog", told, times=2)
    assert told["id"] == catalog.introduce().account == "726635365295186"
    assert [] == list(catalog.prepare(Shape(fields={})))
