"""The stand-in's bodies against those of a real shop: the same keys, the same types, the sums."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adapters.town.slugs import slug
from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_desk import OPT_IN
from adapters.woocommerce.sandbox_orders import order_body
from adapters.woocommerce.sandbox_payloads import php_json
from adapters.woocommerce.sandbox_products import as_variation

Shape = dict[str, set[str]]


def shape(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every path in a body with the JSON type found there; list items share one path."""
    kind = {int: "number", float: "number"}.get(type(value), type(value).__name__)
    yield path, kind
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from shape(inner, f"{path}.{key}")
    elif isinstance(value, list) and not path.endswith("allow"):
        for inner in value:
            yield from shape(inner, f"{path}[]")


def shapes(bodies: list[Any]) -> Shape:
    found: Shape = {}
    for body in bodies:
        for path, kind in shape(body):
            found.setdefault(path, set()).add(kind)
    return found


def real(corpus: Path, *topics: str) -> list[Any]:
    folder = corpus / "fixtures/woocommerce-observed/deliveries"
    found = []
    for topic in topics:
        found += [json.loads(p.read_bytes()) for p in sorted(folder.glob(f"*_{topic}.body"))]
    assert found
    return found


def compare(ours: Shape, theirs: Shape, free: set[str]) -> None:
    """Our paths are theirs with types they have; what only they have must be an item's extra."""

    def known(paths: Shape) -> Shape:
        return {p: k for p, k in paths.items() if not any(p.startswith(f) for f in free)}

    mine, other = known(ours), known(theirs)
    assert {p: k for p, k in mine.items() if p not in other} == {}
    assert {p: (k, other[p]) for p, k in mine.items() if not k <= other[p]} == {}
    missing = {path for path in other if path not in mine}
    assert missing == set()


def world(shop: Sandbox) -> dict[str, list[Any]]:
    """One of each: the goods, the people and the order that the real shop had too."""
    jam = {"name": "Blåbærsyltetøy 350 g", "sku": "SYL-350", "regular_price": "79.90"}
    stock = {"sale_price": "49.90", "manage_stock": True, "stock_quantity": 25}
    extra = {"meta_data": [{"key": "ext_ref", "value": "ERP-1"}]}
    kind = [{"id": 15, "name": "Uncategorized", "slug": "uncategorized"}]
    simple = shop.products.create({**jam, **stock, **extra, "categories": kind})
    axis = {"attributes": [{"name": "Størrelse", "options": ["S"]}], "categories": kind}
    shirt = shop.products.create({"name": "T-skjorte", "type": "variable", **axis})
    size = {"attributes": [{"name": "Størrelse", "option": "S"}], "regular_price": "199.00"}
    small = shop.products.create({**size, "sku": "TS-S"}, parent_id=shirt["id"])
    shop.products.create_coupon({"code": "Sommer-10", "amount": "12.50"})
    address = {"first_name": "Åse", "last_name": "Ødegård", "country": "NO"}
    person = {"email": "ase.odegard@example.org", "first_name": "Åse", "billing": address}
    customer = shop.customers.create({**person, "meta_data": [{"key": "optin", "value": "yes"}]})
    order = shop.orders.create(
        {
            "customer_id": customer["id"],
            "status": "processing",
            "set_paid": True,
            "billing": {**address, "email": person["email"]},
            "line_items": [
                {"product_id": simple["id"], "quantity": 2},
                {"product_id": shirt["id"], "variation_id": small["id"], "quantity": 1},
            ],
            "shipping_lines": [{"method_title": "Flat rate", "total": "7.90"}],
            "fee_lines": [{"name": "Gaveinnpakning", "total": "3.00"}],
            "coupon_lines": [{"code": "sommer-10"}],
            "meta_data": [{"key": "_consent", "value": {"email": True, "sms": False}}],
        }
    )
    box = [{"key": OPT_IN, "value": "1"}]
    lines = [{"product_id": simple["id"], "quantity": 1}]
    lines = {"line_items": lines, "shipping_lines": [{"total": "7.90"}]}
    guest = {**lines, "billing": {"email": "gjest@example.org"}, "meta_data": box}
    checkout = shop.orders.check_out({**guest, "paid": True})
    shop.orders.change(checkout["id"], {"status": "completed"})
    line = checkout["line_items"][0]["id"]
    refund = shop.orders.refund(checkout["id"], lines={line: 1}, reason="retur")
    orders = [order, checkout, shop.orders.get(checkout["id"]), shop.orders.create({})]
    staff = shop.customers.create({"email": "ed@shop.example", "role": "editor"})
    goods = [shop.products.get(made["id"]) for made in (simple, shirt, small)]
    return {
        "order": orders,
        "customer": [shop.customers.get(customer["id"]), staff],
        "product": goods,
        "product_variation": [as_variation(goods[2], shop.site)],
        "refund": [refund],
        "webhook": shop.register("http://127.0.0.1:1/hook", "s" * 20, ["order.created"]),
    }


def test_the_real_order_to_the_cent(shop: Sandbox) -> None:
    """The basket of a real order comes to the real sums: tax, a coupon of 12.5 %, fee, sending."""
    order = world(shop)["order"][0]
    expected = {
        "discount_total": "37.35",
        "discount_tax": "9.34",
        "shipping_total": "7.90",
        "shipping_tax": "1.98",
        "cart_tax": "66.11",
        "total": "340.44",
        "total_tax": "68.09",
        "date_paid": None,
    }
    assert expected == {field: order[field] for field in expected}
    first, second = order["line_items"]
    assert (43.665, "87.33", "24.95") == (first["price"], first["total"], first["subtotal_tax"])
    assert (174.12, "T-skjorte - S", "T-skjorte") == (
        second["price"],
        second["name"],
        second["parent_name"],
    )
    assert order["coupon_lines"][0]["nominal_amount"] == 12.5


@pytest.mark.corpus
def test_orders_look_like_real_ones(shop: Sandbox, corpus: Path) -> None:
    """Orders have the keys of real orders, none more and none less, and their types."""
    theirs = shapes(real(corpus, "order.created", "order.updated"))
    ours = shapes(world(shop)["order"])
    compare(ours, theirs, free={"$.meta_data[].value"})


@pytest.mark.corpus
def test_customers_look_like_real_ones(shop: Sandbox, corpus: Path) -> None:
    """Accounts have the keys and types of real accounts, staff included."""
    theirs = shapes(real(corpus, "customer.created", "customer.updated"))
    compare(shapes(world(shop)["customer"]), theirs, free={"$.meta_data[].value"})


@pytest.mark.corpus
def test_products_look_like_real_ones(shop: Sandbox, corpus: Path) -> None:
    """Products and variations as webhooks carry them have the keys and types of real ones."""
    live = corpus / "fixtures/woocommerce-observed/rest/product_variable_live.body"
    bodies = real(corpus, "product.created", "product.updated")
    theirs = shapes([*bodies, json.loads(live.read_bytes())])
    free = {"$.meta_data[].value", "$.related_ids[]"}
    compare(shapes(world(shop)["product"]), theirs, free=free)


@pytest.mark.corpus
def test_rest_bodies_look_like_real_ones(shop: Sandbox, corpus: Path) -> None:
    """Variations under their parent, refunds and webhooks have the keys and types of real ones."""
    folder = corpus / "fixtures/woocommerce-observed/rest"
    made = world(shop)
    for kind, file in (
        ("product_variation", "variations"),
        ("refund", "order_refunds_lines"),
        ("webhook", "webhooks"),
    ):
        theirs = shapes(json.loads((folder / f"{file}.body").read_bytes()))
        compare(shapes(made[kind]), theirs, free=set())


@pytest.mark.corpus
def test_keys_stand_in_the_real_order(shop: Sandbox, corpus: Path) -> None:
    """The keys of each body stand in the shop's own order."""
    made = world(shop)
    for kind in ("order", "customer", "product"):
        theirs = real(corpus, f"{kind}.created")[0]
        assert list(theirs) == list(made[kind][0])
        for ours, other in ((made[kind][0], theirs),):
            nested = [key for key in other if isinstance(other[key], dict) and key != "_links"]
            assert [list(other[key]) for key in nested] == [list(ours[key]) for key in nested]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("kind", "departs"),
    [
        ("order", set()),
        ("customer", set()),
        ("product", {"$.total_sales: '0' is not of type 'integer'"}),
        ("product_variation", {"$.image: None is not of type 'object'"}),
        ("refund", set()),
        ("webhook", set()),
    ],
)
def test_bodies_keep_to_the_documented_schema(
    shop: Sandbox, corpus: Path, kind: str, departs: set[str]
) -> None:
    """Each body is as documented, save where the real shop departs from it in the same way."""
    file = corpus / f"specs/woocommerce/schemas/{kind}.schema.json"
    check = jsonschema.Draft202012Validator(json.loads(file.read_bytes()))
    bodies = world(shop)[kind]
    faults = [fault for body in bodies for fault in check.iter_errors(body)]
    assert departs == {f"{fault.json_path}: {fault.message}" for fault in faults}
    if departs:
        variation = corpus / "fixtures/woocommerce-observed/rest/variations.body"
        theirs = [*real(corpus, "product.created"), *json.loads(variation.read_bytes())]
        found = {f"{e.json_path}: {e.message}" for body in theirs for e in check.iter_errors(body)}
        assert departs <= found


@pytest.mark.corpus
def test_real_bodies_survive_our_json(corpus: Path) -> None:
    """Real bodies, read and written again, are the same bytes: escapes, numbers and all."""
    folder = corpus / "fixtures/woocommerce-observed/deliveries"
    files = sorted(folder.glob("*.*.body"))
    assert len(files) > 80
    for file in files:
        raw = file.read_bytes()
        assert raw == php_json(json.loads(raw)), file.name


def test_json_as_php_writes_it() -> None:
    """Slashes are escaped, everything beyond ASCII too, emoji as two halves."""
    assert php_json({"a/b": "Ø🧶</p>"}) == rb'{"a\/b":"\u00d8\ud83e\uddf6<\/p>"}'


def test_names_are_escaped_once(shop: Sandbox) -> None:
    """Account and product names lose tags and escape ampersands; billing stays as it was typed."""
    given = {"first_name": "<b>Smith</b> & Sons", "last_name": 'O\'Brien "Q"'}
    person = {"email": "s@epost.example", **given, "billing": given}
    body = shop.customers.create(person)
    assert ("Smith &amp; Sons", 'O\'Brien "Q"') == (body["first_name"], body["last_name"])
    assert body["billing"]["first_name"] == "<b>Smith</b> & Sons"
    again = shop.customers.change(body["id"], {"first_name": body["first_name"]})
    assert again["first_name"] == "Smith &amp; Sons"
    assert shop.products.create({"name": "Strikk & drikk"})["name"] == "Strikk &amp; drikk"


def test_temporary_meta_goes_away(shop: Sandbox) -> None:
    """The checkout's debugging field is in the new order and gone at the next change."""
    order = shop.orders.check_out({})
    before = [field["key"] for field in order["meta_data"]]
    after = [field["key"] for field in shop.orders.change(order["id"], {})["meta_data"]]
    assert before == ["is_vat_exempt", "_debug_log_source_pending_deletion"]
    assert after == ["is_vat_exempt"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Blåbærsyltetøy 350 g", "blabaersyltetoy-350-g"), ("Łódź & Þórunn", "lodz-thorunn")],
)
def test_slugs(title: str, expected: str) -> None:
    """Addresses are plain ASCII."""
    assert expected == slug(title)


def test_totals_of_any_basket(shop: Sandbox) -> None:
    """Whatever is in the basket, an order's total is the sum of its parts, tax included."""
    chance = random.Random(7)
    shop.products.create_coupon({"code": "x", "amount": "33.33"})
    prices = [f"{chance.randint(0, 99999) / 100:.2f}" for _ in range(6)]
    goods = [shop.products.create({"name": p, "regular_price": p})["id"] for p in prices]
    for _ in range(100):
        lines = [
            {"product_id": chance.choice(goods), "quantity": chance.randint(1, 9)}
            for _ in range(chance.randint(0, 5))
        ]
        coupon = [{"code": "x"}] if chance.random() < 0.5 else []
        order = shop.orders.create({"line_items": lines, "coupon_lines": coupon})
        cents = {k: round(float(order[k]) * 100) for k in ("total", "total_tax", "discount_total")}
        net = sum(round(float(line["total"]) * 100) for line in order["line_items"])
        gross = sum(round(float(line["subtotal"]) * 100) for line in order["line_items"])
        assert cents["total"] == net + cents["total_tax"]
        assert cents["discount_total"] == gross - net
        assert json.loads(order_body(order)) == order
