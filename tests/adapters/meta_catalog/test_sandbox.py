"""The stand-in is as strict as the description of Meta's API, and speaks as the Graph API does."""

from __future__ import annotations

import copy
import functools
import json
import random
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from adapters.meta_catalog.destination import MetaCatalogDestination
from adapters.meta_catalog.sandbox import Sandbox
from adapters.town.faults import Fault
from connector.model import Settled
from connector.ports import Shape
from tests.adapters.meta_catalog.items import NOW, item, step, steps

WHOLE = {
    "id": "w1",
    "title": "Thing",
    "description": "Warm.",
    "availability": "in stock",
    "condition": "new",
    "price": "9.99 USD",
    "sale_price": "8 USD",
    "sale_price_effective_date": "2026-11-27T00:00+00:00/2026-12-01T00:00:00Z",
    "link": "https://wool.example/1",
    "image_link": "https://wool.example/1.jpg",
    "additional_image_link": ["https://wool.example/2.jpg"],
    "brand": "Ull",
    "gtin": "7038010001234",
    "item_group_id": "g",
    "google_product_category": 212,
    "color": "Red",
    "gender": "female",
    "age_group": "all ages",
    "status": "active",
    "visibility": "published",
    "inventory": 3,
    "custom_label_0": "winter",
    "custom_number_4": 7,
    "additional_variant_attribute": "Scent:Lime",
}


@pytest.fixture
def accepts(meta: Sandbox) -> Callable[[Any], bool]:
    """Whether the stand-in takes a body and ends up doing all that it asks."""

    def ask(body: Any) -> bool:
        meta.catalog.items.clear()
        form = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in body.items()
        }
        status, said = call(meta, "POST", f"{meta.catalog_id}/items_batch", form)
        if status != 200:
            assert said["error"]["code"] == 100
            return False
        told = look(meta, said["handles"][0])
        assert (told["errors_total_count"] > 0) == bool(told["ids_of_invalid_requests"])
        return told["errors_total_count"] == 0

    return ask


@functools.cache
def _line() -> httpx.Client:
    return httpx.Client(trust_env=False)


def call(
    meta: Sandbox, method: str, path: str, form: dict[str, str] | None = None, **query: str
) -> tuple[int, Any]:
    """A call as anybody might make it, the token in the query."""
    version = "" if path.startswith("/") else "/v26.0/"
    answer = _line().request(
        method,
        f"{meta.url}{version}{path}",
        params={"access_token": meta.access_token, **query},
        data=form,
    )
    return answer.status_code, answer.json()


def look(meta: Sandbox, handle: str, *, with_ids: str = "true") -> Any:
    path = f"{meta.catalog_id}/check_batch_request_status"
    _, said = call(meta, "GET", path, handle=handle, load_ids_of_invalid_requests=with_ids)
    (row,) = said["data"]
    return row


def batch(*requests: Any, **more: Any) -> dict[str, Any]:
    return {"item_type": "PRODUCT_ITEM", "requests": list(requests), **more}


def request(method: str = "CREATE", **fields: Any) -> dict[str, Any]:
    data = {**WHOLE, **fields}
    return {"method": method, "data": {k: v for k, v in data.items() if v is not None}}


def _bodies() -> Iterator[tuple[str, Any]]:
    """Bodies that are right, and every way of making one wrong that the description knows."""
    yield "whole", batch(request())
    yield "update", batch(request("UPDATE"), allow_upsert=True)
    yield "nothing", {"item_type": "PRODUCT_ITEM", "requests": []}
    yield "no type", {"requests": [request()]}
    yield "another type", batch(request(), item_type="HOTEL")
    yield "unknown parameter", batch(request(), foo="1")
    yield "no data", batch({"method": "CREATE"})
    yield "unknown method", batch(request("UPSERT"))
    yield "more than data", batch({**request(), "retailer_id": "w1"})
    yield "delete with more", batch({"method": "DELETE", "data": {"id": "w1", "title": "x"}})
    for name in WHOLE:
        yield f"without {name}", batch(request(**{name: None}))
        for wrong in (1.5, [], {}, "", "x" * 10_001, True, -1, "é <b>"):
            yield f"{name}={wrong!r:.9}", batch(request(**{name: wrong}))
    for name in ("name", "url", "image_url", "retailer_id", "currency", "foo"):
        yield f"with {name}", batch(request(**{name: "x"}))
    for price in ("9,99 USD", "9.999 USD", "USD 9.99", "9.99", "9.99 usd", "-1 USD", "0 USD"):
        yield f"price {price}", batch(request(price=price))
    for length, name in ((100, "id"), (200, "title"), (9_999, "description"), (100, "brand")):
        for more in (0, 1):
            yield f"{name} of {length + more}", batch(request(**{name: "x" * (length + more)}))
    yield "no brand", batch(request(brand=None, gtin=None))
    yield "only gtin", batch(request(brand=None))


@pytest.mark.corpus
def test_it_refuses_what_the_description_refuses_and_takes_what_it_takes(
    corpus: Path, accepts: Callable[[Any], bool]
) -> None:
    """Both, for every body above."""
    valid = _validator(corpus)
    bodies = dict(_bodies())
    assert 230 < len(bodies)
    # It goes further in one thing: an empty text where something must stand makes no new item.
    beyond = {"brand=''"}
    differing = {
        name: (valid.is_valid(body), taken)
        for name, body in bodies.items()
        if (taken := accepts(body)) != valid.is_valid(body) and name not in beyond
    }
    assert {} == differing


@pytest.mark.corpus
def test_every_body_we_send_is_right(
    corpus: Path, meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Items as shops have them, made, changed, archived, emptied, deleted: each as described."""
    valid = _validator(corpus)
    chance = random.Random(7)
    held = {number: _random_item(chance, number) for number in range(150)}
    outcomes = catalog.push(steps(*held.values()), now=NOW)
    for _ in range(4):
        changes = []
        for number, before in held.items():
            if isinstance(outcomes[before.key], Settled):
                after = _random_item(chance, number) if chance.random() < 0.9 else None
                changes.append(step(before, after))
                held[number] = after or before
        outcomes = {**outcomes, **catalog.push(changes, now=NOW)}
    bodies = [body for _, body in meta.bodies]
    assert 5 == len(bodies)
    assert {"UPDATE", "DELETE"} == {each["method"] for b in bodies for each in b["requests"]}
    assert [] == [error.message[:200] for b in bodies for error in valid.iter_errors(b)]


def _random_item(chance: random.Random, number: int) -> Any:
    def maybe(*values: Any) -> Any:
        return chance.choice([None, *values])

    mapped = {
        "brand": maybe("Ull", "x" * 150, " "),
        "gtin": maybe("7038010001234", "12"),
        "gender": maybe("Female", "x"),
        "condition": maybe("new", "used", "broken"),
        "color": maybe("Red"),
        "product_type": maybe("Klær"),
        "title": maybe("Mapped"),
        "link": maybe("https://wool.example/mapped", "nowhere"),
        "custom_label_1": maybe("x" * 200, "new"),
    }
    return item(
        number,
        id=chance.choice([f"wool_{number}", f"sku_{number}"]),
        description=maybe("<p>Warm &amp; soft</p>", "x" * 9_999, "<script>x"),
        price=chance.choice([100, 19_900, 5]),
        sale_price=maybe(99, 4, 50_000),
        sale_from=maybe("2026-11-27T00:00:00Z"),
        sale_to=maybe("2026-12-01T00:00:00Z"),
        currency=chance.choice(["NOK", "JPY", "EUR"]),
        stock=maybe("in_stock", "out_of_stock", "on_backorder"),
        status=chance.choice(["active", "archived"]),
        sku=maybe("S-1", "x" * 300),
        options=maybe({"Farge": "Rød", "Lukt": "Ull"}, {"Size": "x" * 500}, {"A": "b" * 900}),
        mapped={name: value for name, value in mapped.items() if value is not None},
    )


def _validator(corpus: Path) -> jsonschema.Draft202012Validator:
    schema = corpus / "specs/meta/schemas/items_batch.request.schema.json"
    return jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8")))


def test_ids_of_invalid_requests_are_told_only_when_asked_for(meta: Sandbox) -> None:
    """As Meta documents it; the faults themselves are."""
    form = {k: json.dumps(v) for k, v in batch(request(price="free")).items()}
    form["item_type"] = "PRODUCT_ITEM"
    _, said = call(meta, "POST", f"{meta.catalog_id}/items_batch", form)
    handle = said["handles"][0]
    assert ["w1"] == look(meta, handle)["ids_of_invalid_requests"]
    told = look(meta, handle, with_ids="false")
    assert ([], 1, 0) == (
        told["ids_of_invalid_requests"],
        told["errors_total_count"],
        told["errors"][0]["line"],
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("me", {"access_token": "EAAwrong"}, 401, 190),
        ("/v21.0/me", {}, 400, 2635),
        ("/me", {}, 400, 2635),
        ("1", {}, 400, 100),
        ("{catalog}", {"fields": "id,colour"}, 400, 100),
        ("{catalog}/feeds", {}, 400, 2500),
        ("{catalog}/check_batch_request_status", {"handle": "x"}, 400, 100),
        ("{catalog}/products", {"fields": "id,title"}, 400, 100),
        ("{catalog}/products", {"after": "Nw=="}, 400, 2642),
        ("{catalog}/products", {"after": "?"}, 400, 2642),
    ],
)
def test_errors_are_the_graph_api_s(
    meta: Sandbox, path: str, query: dict[str, str], status: int, code: int
) -> None:
    """With code, type and a trace."""
    found, said = call(meta, "GET", path.format(catalog=meta.catalog_id), **query)
    assert (status, code, "OAuthException") == (found, said["error"]["code"], said["error"]["type"])


def test_the_catalog_can_be_read_back(meta: Sandbox, catalog: MetaCatalogDestination) -> None:
    """A page at a time, under the names that reading has."""
    catalog.push(steps(*(item(number) for number in range(30))), now=NOW)
    _, me = call(meta, "GET", "me")
    _, shown = call(meta, "GET", meta.catalog_id, fields="name,product_count")
    assert ("100", 30) == (me["id"], shown["product_count"])
    read: list[Any] = []
    after: dict[str, str] = {}
    while True:
        fields = "retailer_id,name,price,availability"
        _, page = call(meta, "GET", f"{meta.catalog_id}/products", fields=fields, **after)
        read += page["data"]
        if "next" not in page["paging"]:
            break
        after = {"after": page["paging"]["cursors"]["after"]}
    assert [f"wool_{number}" for number in range(30)] == [each["retailer_id"] for each in read]
    assert {"id", "retailer_id", "name", "price", "availability"} == read[0].keys()


def test_it_forgets_what_is_emptied_and_keeps_what_is_not_named(meta: Sandbox) -> None:
    """An update changes what it names."""
    meta.put("w1", **copy.deepcopy(WHOLE))
    data = {"id": "w1", "color": "", "title": "New"}
    form = {
        "item_type": "PRODUCT_ITEM",
        "requests": json.dumps([{"method": "UPDATE", "data": data}]),
    }
    call(meta, "POST", f"{meta.catalog_id}/items_batch", form)
    held = meta.items()["w1"]
    assert ("New", "Ull", False) == (held["title"], held["brand"], "color" in held)


@pytest.mark.corpus
def test_recorded_calls_of_meta_s_own_plugin(
    corpus: Path, meta: Sandbox, catalog: MetaCatalogDestination
) -> None:
    """Each recorded file is understood, or is of an API that is not spoken here."""
    recorded = {path.name: path for path in (corpus / "fixtures/meta").iterdir()}
    not_spoken = {
        "fbsdk-feed-dpa.xml": "a feed that Meta fetches: nothing here writes feeds",
        "rudder-capi-facebook-conversions-cases.json": "the Conversions API",
        **{
            f"fbwoo-{name}.json": "another edge of the plugin's"
            for name in (
                "request-create-product-group-performs-create-product-group-request-9",
                "request-create-product-item-creates-product-item-request-14",
                "request-create-product-set-item-creates-set-request-20",
                "response-create-product-item-creates-product-item-request-15",
                "response-get-business-configuration-returns-business-configuration-re-5",
                "response-get-installation-ids-returns-installation-ids-request-1",
            )
        },
    }
    sent = json.loads(
        recorded.pop(
            "fbwoo-request-send-item-updates-sends-item-updates-request-7.json"
        ).read_text()
    )
    taken = recorded.pop("fbwoo-response-send-item-updates-sends-item-updates-request-8.json")
    shown = recorded.pop("fbwoo-response-perform-request-performs-successful-request-0.json")
    assert not_spoken.keys() == recorded.keys()

    # What the plugin sends and we do not: an empty price, which the description refuses.
    data = sent["requests"][0]["data"]
    faults = {error.json_path for error in _validator(corpus).iter_errors(sent)}
    assert {f"$.requests[0].data.{name}" for name in data if data[name] == ""} == faults
    ours = item(url=data["link"], image_url=data["image_link"], price=7_100, currency="USD")
    catalog.push(steps(ours), now=NOW)
    (ours_sent,) = meta.bodies[-1][1]["requests"]
    assert sent["item_type"] == meta.bodies[-1][1]["item_type"]
    assert sent["requests"][0].keys() == ours_sent.keys()
    assert "UPDATE" == ours_sent["method"]
    assert {"id", "title", "link", "image_link", "price"} <= ours_sent["data"].keys() & data.keys()

    # Its recorded answers, read by our client.
    _misanswer(meta, "POST /catalog/items_batch", taken.read_bytes())
    handle = json.loads(taken.read_text())["handles"][0]
    catalog.push(steps(item(2)), now=NOW)
    assert any(urllib.parse.quote(handle) in address for address in meta.seen)
    _misanswer(meta, "GET /catalog", shown.read_bytes())
    assert [] == list(catalog.prepare(Shape(fields={})))


def _misanswer(meta: Sandbox, endpoint: str, body: bytes) -> None:
    fault = Fault(status=200, kind="application/json", body=body)
    meta.misbehave(fault, endpoint=endpoint)
