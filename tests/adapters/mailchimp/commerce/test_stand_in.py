"""The stand-in's stores are as strict as Mailchimp: their shapes, their rules, their batches."""

from __future__ import annotations

import io
import json
import random
import tarfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from jsonschema import Draft202012Validator

from adapters.mailchimp.sandbox import Sandbox
from adapters.mailchimp.sandbox_store_words import BODIES, endpoint, read_body
from tests.adapters.mailchimp.commerce.wares import KARI, NOW, OLA
from tests.adapters.mailchimp.conftest import schemas
from tests.adapters.mailchimp.spoiling import spoilt

_LINE = {"id": "l", "product_id": "p", "product_variant_id": "v", "quantity": 1, "price": "9.90"}
_CUSTOMER = {"id": "c", "email_address": KARI, "opt_in_status": False, "first_name": "K"}
_ADDRESS = {"address1": "x", "city": "y", "country_code": "NO"}
_STORE = {"id": "s", "list_id": "a1b2c3d4e5", "name": "S", "currency_code": "EUR"}
_PRODUCT = {"id": "p", "title": "P", "variants": [{"id": "v", "title": "V", "price": 1.5}]}
_ORDER = {
    "id": "o",
    "customer": _CUSTOMER,
    "currency_code": "EUR",
    "order_total": 9.9,
    "financial_status": "paid",
    "lines": [{**_LINE, "discount": 0}],
}
_CART = {
    "id": "b",
    "customer": _CUSTOMER,
    "currency_code": "EUR",
    "order_total": "9.90",
    "checkout_url": "https://x.example",
    "lines": [_LINE],
}
_RULE = {"id": "r", "description": "d", "amount": 0.1, "type": "percentage", "target": "total"}
_CODE = {"id": "k", "code": "WINTER", "redemption_url": "https://x.example"}
_SENT = {**_ADDRESS, "name": "K", "phone": "1", "latitude": "59.9"}
_S = "/ecommerce/stores/{store_id}"
_R = f"{_S}/promo-rules/{{promo_rule_id}}"

GOOD: dict[str, dict[str, Any]] = {
    "POST /batches": {
        "operations": [{"method": "POST", "path": "/x", "body": "{}", "operation_id": "1"}]
    },
    "POST /ecommerce/stores": {**_STORE, "is_syncing": True, "address": {"longitude": 1}},
    f"PATCH {_S}": {"name": "T", "is_syncing": False, "domain": "x.example"},
    f"POST {_S}/products": {**_PRODUCT, "images": [{"id": "i", "url": "u", "variant_ids": ["v"]}]},
    f"PATCH {_S}/products/{{product_id}}": {"title": "Q", "variants": [{"title": "W"}]},
    f"POST {_S}/products/{{product_id}}/variants": {"id": "w", "title": "W", "price": "1"},
    f"PUT {_S}/products/{{product_id}}/variants/{{variant_id}}": {"id": "w", "title": "W"},
    f"PATCH {_S}/products/{{product_id}}/variants/{{variant_id}}": {"inventory_quantity": 0},
    f"POST {_S}/customers": {**_CUSTOMER, "total_spent": 1, "address": _ADDRESS},
    f"PUT {_S}/customers/{{customer_id}}": {**_CUSTOMER, "sms_phone_number": "1"},
    f"PATCH {_S}/customers/{{customer_id}}": {"first_name": "K", "opt_in_status": False},
    f"POST {_S}/orders": {
        **_ORDER,
        "shipping_address": _SENT,
        "promos": [{"code": "x", "amount_discounted": 1, "type": "fixed"}],
        "outreach": {"id": "x"},
        "tracking_code": "prec",
        "cart_id": 7,
    },
    f"PATCH {_S}/orders/{{order_id}}": {
        "id": "o",
        "customer": {"first_name": "K"},
        "lines": [{"id": "l", "quantity": 2}],
        "order_total": 1,
    },
    f"POST {_S}/orders/{{order_id}}/lines": {**_LINE, "discount": "1"},
    f"PATCH {_S}/orders/{{order_id}}/lines/{{line_id}}": {"quantity": 3, "discount": 0.5},
    f"POST {_S}/carts": {**_CART, "campaign_id": "x", "tax_total": 1},
    f"PATCH {_S}/carts/{{cart_id}}": {"customer": _CUSTOMER, "order_total": 1, "lines": [_LINE]},
    f"POST {_S}/carts/{{cart_id}}/lines": _LINE,
    f"PATCH {_S}/carts/{{cart_id}}/lines/{{line_id}}": {"quantity": 3},
    f"POST {_S}/promo-rules": {**_RULE, "title": "t", "enabled": True},
    f"PATCH {_R}": {"amount": "5", "type": "fixed"},
    f"POST {_R}/promo-codes": {**_CODE, "usage_count": 1},
    f"PATCH {_R}/promo-codes/{{promo_code_id}}": {"enabled": False},
}
_WRONG: tuple[Any, ...] = (
    *(None, True, 0, 1.0, 1.5, -1, "x", "", " ", "0", "1.5", "1e5", "x" * 51),
    *([], {}, ["x"], {"x": 1}, [{}], "fixed", "PUT"),
)


_NAMES = ("id", "email_address", "opt_in_status", "x")


def _mutated(body: Any, chance: random.Random) -> Any:
    return spoilt(body, chance, wrong=_WRONG, names=_NAMES)


@pytest.mark.corpus
@pytest.mark.parametrize("name", BODIES)
def test_it_refuses_what_the_description_refuses(corpus: Path, name: str) -> None:
    """500 bodies each, good and spoilt: the same verdict as the strict description's."""
    judge = Draft202012Validator(schemas(corpus)[name])
    chance = random.Random(name)
    bodies = [GOOD[name]]
    for number in range(500):
        body = _mutated(GOOD[name], chance)
        bodies.append(_mutated(body, chance) if number % 2 and isinstance(body, dict) else body)
    verdicts = [(body, judge.is_valid(body), _accepts(name, body)) for body in bodies]
    assert [] == [(body, theirs) for body, theirs, ours in verdicts if theirs is not ours]
    assert {True, False} == {theirs for _, theirs, _ in verdicts}


def _accepts(name: str, body: Any) -> bool:
    method, _, path = name.partition(" ")
    try:
        read_body(method, path, msgspec.json.encode(body))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ecommerce/stores/s/products/p/variants/v", f"{_S}/products/{{product_id}}/variants/"),
        ("/ecommerce/stores/stores/orders/orders/lines/lines", f"{_S}/orders/{{order_id}}/lines/"),
        ("/batches/x", "/batches/{batch_id}"),
        ("/archives/abc", "/archives"),
    ],
)
def test_endpoints_have_names(path: str, name: str) -> None:
    """As the description has them, for counting; what is not of the stores has none."""
    assert (endpoint("GET", path) or "").startswith(f"GET {name}")
    assert endpoint("GET", "/lists/x/members") is None


def call(mc: Sandbox, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One call as anybody may make it; gives its status and its JSON."""
    answer = requests.request(
        method, f"{mc.url}/3.0{path}", json=body, auth=("x", mc.api_key), timeout=5
    )
    return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def shop(mc: Sandbox) -> str:
    """A store with one product; gives its address."""
    assert 200 == call(mc, "POST", "/ecommerce/stores", _STORE)[0]
    assert 200 == call(mc, "POST", "/ecommerce/stores/s/products", _PRODUCT)[0]
    return "/ecommerce/stores/s"


def test_stores(mc: Sandbox, shop: str) -> None:
    """Once each, for the audience alone; deleted, everything in it is gone."""
    status, said = call(mc, "POST", "/ecommerce/stores", _STORE)
    assert (400, True) == (status, "already exists" in said["detail"])
    assert 400 == call(mc, "POST", "/ecommerce/stores", {**_STORE, "id": "t", "list_id": "x"})[0]
    assert ["s"] == [each["id"] for each in call(mc, "GET", "/ecommerce/stores")[1]["stores"]]
    assert 200 == call(mc, "DELETE", shop)[0]
    assert 404 == call(mc, "GET", f"{shop}/products/p")[0]


def test_products(mc: Sandbox, shop: str) -> None:
    """Not without a variant, not twice; read in pages; its variants one by one."""
    for body in (_PRODUCT, {**_PRODUCT, "id": "q", "variants": []}):
        assert 400 == call(mc, "POST", f"{shop}/products", body)[0]
    for number in range(11):
        call(mc, "POST", f"{shop}/products", {**_PRODUCT, "id": str(number)})
    sizes = [
        len(call(mc, "GET", f"{shop}/products{query}")[1]["products"])
        for query in ("", "?count=1000", "?count=5&offset=10")
    ]
    assert [10, 12, 2] == sizes
    one = f"{shop}/products/p/variants"
    assert 200 == call(mc, "PUT", f"{one}/w", {"id": "w", "title": "W"})[0]
    assert 400 == call(mc, "POST", one, {"id": "w", "title": "W"})[0]
    assert 204 == call(mc, "DELETE", f"{one}/v")[0]
    assert ["w"] == [v["id"] for v in call(mc, "GET", f"{shop}/products/p")[1]["variants"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lines": []}, "at least one line"),
        ({"lines": [_LINE, _LINE]}, "more than once"),
        ({"lines": [{**_LINE, "product_id": "x"}]}, "A product with the provided ID does not"),
        ({"lines": [{**_LINE, "product_variant_id": "x"}]}, "variant ID does not exist"),
        ({"customer": {"id": "new"}}, "needs an email address"),
        ({"customer": {"id": "c", "email_address": OLA}}, "may not be changed"),
        ({"customer": {"id": "d", "email_address": KARI}}, "already exists"),
        ({"id": "first"}, "An order with the provided ID already exists"),
    ],
)
def test_orders_that_are_refused(mc: Sandbox, shop: str, change: Any, words: str) -> None:
    """Each for its own reason, and nothing of it is there."""
    assert 200 == call(mc, "POST", f"{shop}/orders", {**_ORDER, "id": "first"})[0]
    status, said = call(mc, "POST", f"{shop}/orders", {**_ORDER, **change})
    assert (400, True) == (status, words in said["detail"])
    assert {"first"} == set(mc.sales.stores["s"].orders)
    assert {"c"} == set(mc.sales.stores["s"].customers)


def test_what_a_sale_does_to_a_contact(mc: Sandbox, shop: str) -> None:
    """A stranger becomes transactional, nobody else moves; a claimed permission is noted."""
    mc.sign_up(OLA)
    mc.unsubscribe(OLA)
    for email, number in ((KARI, "1"), (OLA, "2")):
        who = {"id": number, "email_address": email, "opt_in_status": False}
        call(mc, "POST", f"{shop}/orders", {**_ORDER, "id": number, "customer": who})
    assert {KARI: "transactional", OLA: "unsubscribed"} == {
        email: each["status"] for email, each in mc.members().items()
    }
    for email, number in ((KARI, "1"), (OLA, "2")):
        who = {"id": number, "email_address": email, "opt_in_status": True}
        call(mc, "PUT", f"{shop}/customers/{number}", who)
    assert {KARI: "subscribed", OLA: "unsubscribed"} == {
        email: each["status"] for email, each in mc.members().items()
    }
    assert ["1", "2"] == mc.sales.opt_ins
    mc.sales.opt_ins.clear()


def test_mails_are_set_off_unless_it_is_syncing(mc: Sandbox, shop: str) -> None:
    """By a new order, by a state that changes, by a cart."""
    call(mc, "PATCH", shop, {"is_syncing": True})
    call(mc, "POST", f"{shop}/orders", _ORDER)
    call(mc, "POST", f"{shop}/carts", _CART)
    assert [] == mc.sales.fired
    call(mc, "PATCH", shop, {"is_syncing": False})
    call(mc, "PATCH", f"{shop}/orders/o", {"fulfillment_status": "shipped", "order_total": 1})
    call(mc, "POST", f"{shop}/orders", {**_ORDER, "id": "2"})
    call(mc, "POST", f"{shop}/carts", {**_CART, "id": "2"})
    assert [("s", "o", "shipped"), ("s", "2", "paid"), ("s", "2", "cart")] == mc.sales.fired


def test_the_last_line_stays(mc: Sandbox, shop: str) -> None:
    """An order is never without; a line of an unknown product does not come in."""
    call(mc, "POST", f"{shop}/orders", _ORDER)
    lines = f"{shop}/orders/o/lines"
    assert 400 == call(mc, "DELETE", f"{lines}/l")[0]
    assert 400 == call(mc, "POST", lines, {**_LINE, "id": "m", "product_id": "x"})[0]
    assert 200 == call(mc, "POST", lines, {**_LINE, "id": "m"})[0]
    assert 200 == call(mc, "PATCH", f"{lines}/m", {"quantity": 7})[0]
    assert 204 == call(mc, "DELETE", f"{lines}/l")[0]
    found = call(mc, "GET", f"{shop}/orders/o")[1]["lines"]
    assert [("m", 7)] == [(each["id"], each["quantity"]) for each in found]


def test_every_list_comes_in_pages(mc: Sandbox, shop: str) -> None:
    """Ten rows unless more are asked for, a thousand at most, and only the fields asked for."""
    bodies = {"orders": _ORDER, "carts": _CART, "promo-rules": _RULE, "products": _PRODUCT}
    for kind, body in bodies.items():
        for number in range(1, 13):
            assert 200 == call(mc, "POST", f"{shop}/{kind}", {**body, "id": f"n{number}"})[0]
        name = kind.replace("-", "_")
        usual = call(mc, "GET", f"{shop}/{kind}")[1]
        last = call(mc, "GET", f"{shop}/{kind}?count=5&offset=10")[1]
        assert usual["total_items"] == last["total_items"]
        assert (10, last["total_items"] - 10) == (len(usual[name]), len(last[name]))
        assert 400 == call(mc, "GET", f"{shop}/{kind}?count=1001")[0]
    fields = "orders.id,orders.lines.quantity,orders.customer.id,orders.nothing"
    said = call(mc, "GET", f"{shop}/orders?count=1&fields={fields}")[1]
    assert {"orders": [{"id": "n1", "lines": [{"quantity": 1}], "customer": {"id": "c"}}]} == said
    assert "codes" not in call(mc, "GET", f"{shop}/promo-rules")[1]["promo_rules"][0]


def test_fifty_variants_are_shown_with_their_product(mc: Sandbox, shop: str) -> None:
    """The others have an address of their own."""
    variants = [{"id": f"v{number}", "title": "V"} for number in range(60)]
    call(mc, "POST", f"{shop}/products", {**_PRODUCT, "id": "wide", "variants": variants})
    assert 50 == len(call(mc, "GET", f"{shop}/products/wide")[1]["variants"])
    every = call(mc, "GET", f"{shop}/products/wide/variants?count=1000")[1]
    assert (60, 60) == (len(every["variants"]), every["total_items"])


def test_what_is_forgotten_is_answered_as_taken(mc: Sandbox, shop: str) -> None:
    """Nothing of it is kept: not the new one, not the change, not the removal."""
    call(mc, "POST", f"{shop}/orders", _ORDER)
    before = call(mc, "GET", f"{shop}/orders/o")[1]
    mc.sales.forgotten |= {"o", "new"}
    assert 200 == call(mc, "POST", f"{shop}/orders", {**_ORDER, "id": "new"})[0]
    assert 7 == call(mc, "PATCH", f"{shop}/orders/o", {"order_total": 7})[1]["order_total"]
    assert 204 == call(mc, "DELETE", f"{shop}/orders/o")[0]
    assert 404 == call(mc, "GET", f"{shop}/orders/new")[0]
    assert before == call(mc, "GET", f"{shop}/orders/o")[1]
    assert 200 == call(mc, "POST", f"{shop}/orders", {**_ORDER, "id": "other"})[0]
    mc.sales.forgotten.clear()
    assert 204 == call(mc, "DELETE", f"{shop}/orders/o")[0]
    assert {"other"} == set(mc.sales.stores["s"].orders)


def test_percentages_are_shares(mc: Sandbox, shop: str) -> None:
    """More than one is refused."""
    assert 400 == call(mc, "POST", f"{shop}/promo-rules", {**_RULE, "amount": 10})[0]
    assert 200 == call(mc, "POST", f"{shop}/promo-rules", _RULE)[0]
    assert 200 == call(mc, "POST", f"{shop}/promo-rules/r/promo-codes", _CODE)[0]
    assert 400 == call(mc, "PATCH", f"{shop}/promo-rules/r", {"type": "percentage", "amount": 2})[0]


def test_a_batch_is_worked_on_late() -> None:
    """Not before it was looked at, then wholly; its archive is open for ten minutes."""
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    with Sandbox(clock=clock) as mc:
        call(mc, "POST", "/ecommerce/stores", _STORE)
        operations = [
            {
                "method": "POST",
                "path": "/ecommerce/stores/s/products",
                "operation_id": name,
                "body": json.dumps({**_PRODUCT, "id": name} if name != "bad" else {}),
            }
            for name in ("a", "b", "bad")
        ]
        name = call(mc, "POST", "/batches", {"operations": operations})[1]["id"]
        assert "started" == call(mc, "GET", f"/batches/{name}")[1]["status"]
        assert {} == mc.sales.stores["s"].products
        said = call(mc, "GET", f"/batches/{name}")[1]
        assert ("finished", 3, 1) == (
            said["status"],
            said["finished_operations"],
            said["errored_operations"],
        )
        assert {"a", "b"} == set(mc.sales.stores["s"].products)
        url = said["response_body_url"]
        with tarfile.open(fileobj=io.BytesIO(requests.get(url, timeout=5).content)) as tar:
            files = [tar.extractfile(each) for each in tar if each.isreg()]
            results = [row for file in files if file for row in json.loads(file.read())]
        assert {"a": 200, "b": 200, "bad": 400} == {
            each["operation_id"]: each["status_code"] for each in results
        }
        assert {"a", "b", None} == {json.loads(each["response"]).get("id") for each in results}
        assert 400 == requests.get(url, auth=("x", mc.api_key), timeout=5).status_code
        now[0] += timedelta(minutes=10)
        assert 403 == requests.get(url, timeout=5).status_code
        fresh = call(mc, "GET", f"/batches/{name}")[1]["response_body_url"]
        assert 200 == requests.get(fresh, timeout=5).status_code
        now[0] += timedelta(days=7)
        stale = call(mc, "GET", f"/batches/{name}")[1]["response_body_url"]
        assert 403 == requests.get(stale, timeout=5).status_code


def test_batches_are_listed_refused_and_stopped(mc: Sandbox) -> None:
    """No more than 500 wait; one that is stopped is never worked on."""
    one = {"operations": [{"method": "GET", "path": "/ecommerce/stores"}]}
    mc.sales.polls = 1_000
    names = [call(mc, "POST", "/batches", one)[1]["id"] for _ in range(500)]
    assert 429 == call(mc, "POST", "/batches", one)[0]
    assert 400 == call(mc, "POST", "/batches", {"operations": [{"method": "GET"}]})[0]
    assert 204 == call(mc, "DELETE", f"/batches/{names[0]}")[0]
    assert [404, 404] == [call(mc, way, f"/batches/{names[0]}")[0] for way in ("GET", "DELETE")]
    assert names[1:] == [each["id"] for each in call(mc, "GET", "/batches")[1]["batches"]]
