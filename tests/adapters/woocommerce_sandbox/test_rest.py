"""The stand-in's REST API: who may ask, lists and their edges, refusals word for word."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.woocommerce.sandbox import Sandbox

LISTED = "Sorry, you cannot list resources."


def orders(shop: Sandbox, clock: Any, count: int) -> list[int]:
    made = []
    for _ in range(count):
        made.append(shop.orders.create({})["id"])
        clock.pass_by(minutes=1)
    return made


@pytest.mark.parametrize(
    ("auth", "code", "message"),
    [
        (None, "woocommerce_rest_cannot_view", LISTED),
        (("ck_other", "cs_sandbox"), "woocommerce_rest_cannot_view", LISTED),
        (
            ("ck_sandbox", "cs_wrong"),
            "woocommerce_rest_authentication_error",
            "Consumer secret is invalid.",
        ),
    ],
)
def test_who_may_not_read(shop: Sandbox, auth: Any, code: str, message: str) -> None:
    """No key and an unknown one are refused alike, a wrong secret in other words."""
    answer = httpx.get(f"{shop.base_url}/wp-json/wc/v3/orders", auth=auth, trust_env=False)
    expected = {"code": code, "message": message, "data": {"status": 401}}
    assert (401, expected) == (answer.status_code, answer.json())


def test_key_in_the_query(shop: Sandbox) -> None:
    """Key and secret may stand in the query."""
    query = {"consumer_key": shop.key, "consumer_secret": shop.secret}
    url = f"{shop.base_url}/wp-json/wc/v3/orders"
    assert httpx.get(url, params=query, trust_env=False).status_code == 200


def test_reading_key_does_not_write(shop: Sandbox) -> None:
    """A key for reading reads, and writing with it is refused: nothing is made."""
    url, auth = f"{shop.base_url}/wp-json/wc/v3/orders", (shop.read_key, shop.secret)
    assert httpx.get(url, auth=auth, trust_env=False).status_code == 200
    answer = httpx.post(url, auth=auth, json={}, trust_env=False)
    expected = "The API key provided does not have write permissions."
    assert (401, expected) == (answer.status_code, answer.json()["message"])
    assert shop.totals().orders == {}


def test_tls_only() -> None:
    """A stock shop takes keys only behind TLS."""
    with Sandbox(auto=False, tls_only=True) as shop:
        url, auth = f"{shop.base_url}/wp-json/wc/v3/orders", (shop.key, shop.secret)
        secure = {"X-Forwarded-Proto": "https"}
        assert httpx.get(url, auth=auth, trust_env=False).status_code == 401
        assert httpx.get(url, auth=auth, headers=secure, trust_env=False).status_code == 200


def test_pages(shop: Sandbox, rest: httpx.Client, clock: Any) -> None:
    """Pages add up to all orders, newest first unless asked otherwise, with totals and links."""
    made = orders(shop, clock, 5)
    first = rest.get("/orders", params={"per_page": 2})
    assert ("5", "3") == (first.headers["X-WP-Total"], first.headers["X-WP-TotalPages"])
    assert 'rel="next"' in first.headers["Link"]
    assert "per_page=2&page=2" in first.headers["Link"]
    assert "prev" not in first.headers["Link"]
    query = {"per_page": 2, "orderby": "id", "order": "asc"}
    pages = [rest.get("/orders", params={**query, "page": n}).json() for n in (1, 2, 3)]
    assert [2, 2, 1] == [len(page) for page in pages]
    assert made == [order["id"] for page in pages for order in page]
    assert made[::-1][:2] == [order["id"] for order in first.json()]


def test_page_past_the_end(shop: Sandbox, rest: httpx.Client, clock: Any) -> None:
    """A page past the end is empty, says so, and links back to a page that is refused."""
    orders(shop, clock, 3)
    answer = rest.get("/orders", params={"per_page": 2, "page": 999})
    assert (200, [], "0") == (answer.status_code, answer.json(), answer.headers["X-WP-Total"])
    assert "page=0" in answer.headers["Link"]
    assert rest.get("/orders", params={"page": 0}).status_code == 400


@pytest.mark.parametrize(
    ("path", "parameter", "told"),
    [
        ("/orders?per_page=101", "per_page", "must be between 1 (inclusive) and 100 (inclusive)"),
        ("/orders?page=0", "page", "must be greater than or equal to 1"),
        ("/orders?after=yesterday", "after", "Invalid date."),
        ("/orders?status=nope", "status", "is not one of"),
        ("/customers?orderby=age", "orderby", "is not one of"),
        ("/products?page=x", "page", "is not of type integer"),
    ],
)
def test_bad_parameters(rest: httpx.Client, path: str, parameter: str, told: str) -> None:
    """A parameter that the platform refuses is refused by its name."""
    answer = rest.get(path)
    body = answer.json()
    assert (400, "rest_invalid_param") == (answer.status_code, body["code"])
    assert body["message"] == f"Invalid parameter(s): {parameter}"
    assert told in body["data"]["params"][parameter]


def test_modified_after(shop: Sandbox, rest: httpx.Client, clock: Any) -> None:
    """The filter is exclusive, and a date without offset is the shop's time unless said."""
    first, second = orders(shop, clock, 2)
    moment = shop.orders.get(first)["date_modified_gmt"]

    def found(**query: str) -> list[int]:
        return [order["id"] for order in rest.get("/orders", params=query).json()]

    assert found(modified_after=moment, dates_are_gmt="true") == [second]
    assert found(modified_after=moment + "Z") == [second]
    assert found(modified_after=moment) == [second, first]  # an hour earlier in Oslo
    assert found(modified_before=moment, dates_are_gmt="true") == []


def test_statuses(shop: Sandbox, rest: httpx.Client, clock: Any) -> None:
    """Orders in the trash are listed only when the trash is asked for."""
    kept, thrown = orders(shop, clock, 2)
    rest.delete(f"/orders/{thrown}")

    def found(status: str) -> list[int]:
        return [order["id"] for order in rest.get("/orders", params={"status": status}).json()]

    assert [kept] == found("any") == found("pending") == found("pending,completed")
    assert [thrown] == found("trash")
    assert found("completed") == []
    assert rest.get(f"/orders/{thrown}").json()["status"] == "trash"
    assert rest.delete(f"/orders/{thrown}").status_code == 410
    assert rest.delete(f"/orders/{thrown}?force=true").status_code == 200
    assert rest.get(f"/orders/{thrown}").status_code == 404


def test_coupons(rest: httpx.Client) -> None:
    """The list shows what is published or private: no draft, and nothing in the trash."""
    made = [rest.post("/coupons", json={"code": f"C{n}"}).json()["id"] for n in range(4)]
    rest.put(f"/coupons/{made[1]}", json={"status": "draft"})
    rest.put(f"/coupons/{made[2]}", json={"status": "private", "amount": "7.00"})
    assert (200, 410) == tuple(rest.delete(f"/coupons/{made[3]}").status_code for _ in range(2))

    def found(**query: str) -> list[int]:
        return [each["id"] for each in rest.get("/coupons", params=query).json()]

    assert [made[0], made[2]] == found(orderby="id", order="asc")
    assert [made[2]] == found(code="c2")
    told = [rest.get(f"/coupons/{number}").json() for number in made]
    assert ["publish", "draft", "private", "trash"] == [each["status"] for each in told]
    assert "7.00" == told[2]["amount"]
    assert 200 == rest.delete(f"/coupons/{made[0]}?force=true").status_code
    assert 404 == rest.get(f"/coupons/{made[0]}").status_code


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/coupons/99", "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID."),
        ("/orders/99", "woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
        ("/products/99", "woocommerce_rest_product_invalid_id", "Invalid ID."),
        ("/customers/99", "wc_user_invalid_id", "Invalid user ID."),
        (
            "/nothing",
            "rest_no_route",
            "No route was found matching the URL and request method.",
        ),
    ],
)
def test_not_found(rest: httpx.Client, path: str, code: str, message: str) -> None:
    """What is not there is answered in the platform's words."""
    answer = rest.get(path)
    expected = {"code": code, "message": message, "data": {"status": 404}}
    assert (404, expected) == (answer.status_code, answer.json())


def test_order_of_nothing(rest: httpx.Client) -> None:
    """An empty body makes an order, and its place is told."""
    answer = rest.post("/orders")
    order = answer.json()
    assert (201, "pending", "0.00") == (answer.status_code, order["status"], order["total"])
    assert answer.headers["Location"].endswith(f"/wp-json/wc/v3/orders/{order['id']}")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"status": "nope"}', "rest_invalid_param"),
        (b'{"status": ', "rest_invalid_json"),
        (b"[]", "rest_invalid_json"),
        (b'{"customer_id": 77}', "woocommerce_rest_invalid_customer_id"),
        (b'{"coupon_lines": [{"code": "gone"}]}', "woocommerce_rest_invalid_coupon"),
        (b'{"line_items": [{"product_id": 5}]}', "woocommerce_rest_product_invalid_id"),
    ],
)
def test_bad_orders(rest: httpx.Client, shop: Sandbox, body: bytes, code: str) -> None:
    """A bad order is refused and none is made."""
    answer = rest.post("/orders", content=body)
    assert code == answer.json()["code"]
    assert 400 <= answer.status_code < 500
    assert shop.totals().orders == {}


def test_customers(rest: httpx.Client, shop: Sandbox) -> None:
    """Customers are listed without staff, found by address, refused twice, never trashed."""
    made = rest.post("/customers", json={"email": "Åse@epost.example", "first_name": "A & B"})
    assert (201, "A &amp; B") == (made.status_code, made.json()["first_name"])
    shop.customers.create({"email": "ed@wool.example", "role": "editor"})
    number = made.json()["id"]
    assert [number] == [c["id"] for c in rest.get("/customers").json()]
    assert len(rest.get("/customers", params={"role": "all"}).json()) == 2
    query = {"email": "Åse@EPOST.example"}
    assert [number] == [c["id"] for c in rest.get("/customers", params=query).json()]
    twice = rest.post("/customers", json={"email": "Åse@epost.example"})
    assert (400, "registration-error-email-exists") == (twice.status_code, twice.json()["code"])
    kept = rest.delete(f"/customers/{number}")
    assert (501, "Customers do not support trashing.") == (kept.status_code, kept.json()["message"])
    assert rest.get(f"/customers/{number}").status_code == 200
    assert rest.delete(f"/customers/{number}?force=true").status_code == 200
    assert rest.get(f"/customers/{number}").status_code == 404


def test_customer_without_address(rest: httpx.Client, shop: Sandbox) -> None:
    """An account needs an e-mail address."""
    assert rest.post("/customers", json={"first_name": "x"}).status_code == 400
    assert shop.totals().customers == 0


def test_variations(rest: httpx.Client) -> None:
    """A variable product shows its variations' ids and lowest price; they look different."""
    axis = {"name": "Størrelse", "options": ["S", "M"]}
    parent = rest.post(
        "/products", json={"name": "Genser", "type": "variable", "attributes": [axis]}
    )
    number = parent.json()["id"]
    path = f"/products/{number}/variations"
    made = [
        rest.post(
            path,
            json={"regular_price": price, "attributes": [{"name": "Størrelse", "option": size}]},
        ).json()
        for size, price in (("S", "509.00"), ("M", "399"))
    ]
    shown = rest.get(f"/products/{number}").json()
    ids = [variation["id"] for variation in made]
    assert (ids, "399") == (shown["variations"], shown["price"])
    assert ids[::-1] == [variation["id"] for variation in rest.get(path).json()]
    one = rest.get(f"{path}/{ids[0]}").json()
    assert ("S", number, "variation") == (one["name"], one["parent_id"], one["type"])
    assert "name" in rest.get(f"/products/{ids[0]}").json()
    assert [number] == [product["id"] for product in rest.get("/products").json()]
    assert rest.get(f"/products/{ids[0]}/variations/{ids[1]}").status_code == 404


def test_refunds(rest: httpx.Client, shop: Sandbox) -> None:
    """A refund is positive by itself and negative in the order; its lines are negative."""
    product = shop.products.create({"name": "Garn", "regular_price": "49.90"})["id"]
    lines = [{"product_id": product, "quantity": 3}]
    order = rest.post("/orders", json={"status": "processing", "line_items": lines}).json()
    path = f"/orders/{order['id']}/refunds"
    given = {"line_items": [{"id": order["line_items"][0]["id"], "quantity": 1}], "reason": "retur"}
    refund = rest.post(path, json=given)
    assert (201, "62.38") == (refund.status_code, refund.json()["amount"])
    (line,) = refund.json()["line_items"]
    assert (-1, "-49.90", "-12.48", 49.9) == tuple(
        line[field] for field in ("quantity", "total", "total_tax", "price")
    )
    assert [refund.json()] == rest.get(path).json()
    entry = {"id": refund.json()["id"], "reason": "retur", "total": "-62.38", "total_tax": "-12.48"}
    assert [entry] == rest.get(f"/orders/{order['id']}").json()["refunds"]
    assert rest.post(path, json={"amount": "0"}).status_code == 400


def test_what_the_shop_says_of_itself(rest: httpx.Client, shop: Sandbox) -> None:
    """Name, zone and currency; the root needs no key."""
    query = {"_fields": "name,timezone_string,gmt_offset"}
    root = httpx.get(f"{shop.base_url}/wp-json/", params=query, trust_env=False).json()
    expected = {"name": "Ull og Pinner", "timezone_string": "Europe/Oslo", "gmt_offset": 1}
    assert expected == root
    assert rest.get("/data/currencies/current").json()["code"] == "EUR"
    settings = {s["id"]: s["value"] for s in rest.get("/settings/general").json()}
    assert settings["woocommerce_currency"] == "EUR"
    assert rest.get("/settings/general/woocommerce_currency").json()["value"] == "EUR"


def test_some_fields(rest: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """Only the fields that were asked for."""
    (number,) = orders(shop, clock, 1)
    query = {"_fields": "id,status"}
    assert [{"id": number, "status": "pending"}] == rest.get("/orders", params=query).json()
