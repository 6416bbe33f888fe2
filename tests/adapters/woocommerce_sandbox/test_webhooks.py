"""How the stand-in sends: what is on the wire, pings, failures, what is true when it is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from adapters.woocommerce.sandbox import Sandbox


def state(shop: Sandbox, number: int = 1) -> tuple[str, int]:
    row = shop.books.row("webhooks", number)
    assert row is not None
    return row["status"], row["failures"]


def test_ping_inside_the_creation(rest: httpx.Client, receiver: Any) -> None:
    """Creating a webhook pings its address first: a form, unsigned, without the shop's name."""
    given = {"topic": "order.created", "delivery_url": receiver.url, "secret": "s" * 20}
    answer = rest.post("/webhooks", json=given)
    assert (201, "active") == (answer.status_code, answer.json()["status"])
    (ping,) = receiver.arrivals
    assert ping.body == b"webhook_id=1"
    names = [name for name, _ in ping.headers]
    assert [name for name in names if name.startswith("X-WC")] == []
    assert dict(ping.headers)["Content-Type"] == "application/x-www-form-urlencoded"


def test_headers_and_signature(shop: Sandbox, receiver: Any) -> None:
    """A delivery's headers stand in the real order; the secret signs as HTML unescapes it."""
    secret = "x&amp;y&lt;z"
    shop.register(receiver.url, secret, ["order.created"])
    shop.orders.create({"billing": {"first_name": "Åse 🧶", "email": "a/b@epost.example"}})
    assert shop.deliver() == 1
    delivery = receiver.deliveries[0]
    assert [name for name, _ in delivery.headers] == [
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Content-Type",
        "X-WC-Webhook-Source",
        "X-WC-Webhook-Topic",
        "X-WC-Webhook-Resource",
        "X-WC-Webhook-Event",
        "X-WC-Webhook-Signature",
        "X-WC-Webhook-ID",
        "X-WC-Webhook-Delivery-ID",
        "Connection",
        "Content-Length",
    ]
    headers = dict(delivery.headers)
    digest = hmac.new(b"x&y<z", delivery.body, hashlib.sha256).digest()
    assert base64.b64encode(digest).decode() == headers["X-WC-Webhook-Signature"]
    assert headers["X-WC-Webhook-Source"] == "https://wool.example/"
    assert rb"\u00c5se \ud83e\uddf6" in delivery.body
    assert rb"a\/b@epost.example" in delivery.body


def test_delivery_id_is_not_unique(
    shop: Sandbox, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything one webhook sends within a second carries the same delivery id."""
    monkeypatch.setattr("adapters.woocommerce.sandbox_webhooks.time.time", lambda: 1_795_403_492.5)
    shop.register(receiver.url, receiver.secret, ["order.created"])
    for _ in range(3):
        shop.orders.create({})
    assert shop.deliver() == 3
    ids = [dict(a.headers)["X-WC-Webhook-Delivery-ID"] for a in receiver.deliveries]
    assert (3, 1, 32) == (len(ids), len(set(ids)), len(ids[0]))


def test_payload_is_what_is_true_when_sent(shop: Sandbox, receiver: Any) -> None:
    """Five quick changes make one delivery with the last state, and created may say completed."""
    shop.register(receiver.url, receiver.secret, ["order.created", "order.updated"])
    number = shop.orders.create({})["id"]
    for status in ("on-hold", "pending", "processing", "on-hold", "completed"):
        shop.orders.change(number, {"status": status})
    assert shop.deliver() == 2
    told = [(a.topic, json.loads(a.body)["status"]) for a in receiver.deliveries]
    assert told == [("order.created", "completed"), ("order.updated", "completed")]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("orders", "woocommerce_rest_shop_order_invalid_id"),
        ("customers", "wc_user_invalid_id"),
        ("products", "woocommerce_rest_product_invalid_id"),
    ],
)
def test_gone_before_delivery(shop: Sandbox, receiver: Any, kind: str, code: str) -> None:
    """What is gone when its turn comes is delivered as a REST error, validly signed."""
    topic = f"{kind.removesuffix('s')}.created"
    shop.register(receiver.url, receiver.secret, [topic])
    room = getattr(shop, kind)
    room.delete(room.create({"name": "x", "email": "x@epost.example"})["id"])
    shop.deliver()
    (delivery,) = receiver.deliveries
    assert (topic, code) == (delivery.topic, json.loads(delivery.body)["code"])
    digest = hmac.new(b"whsec & <one>", delivery.body, hashlib.sha256).digest()
    signature = dict(delivery.headers)["X-WC-Webhook-Signature"]
    assert base64.b64encode(digest).decode() == signature


def test_owner_lost_their_rights(shop: Sandbox, receiver: Any) -> None:
    """Without rights of its owner a webhook goes on, signed and successful, saying nothing."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.misbehave(owner_lost=True)
    shop.orders.create({})
    shop.deliver()
    code = json.loads(receiver.deliveries[0].body)["code"]
    assert ("woocommerce_rest_cannot_view", ("active", 0)) == (code, state(shop))


def test_pings_until_exactly_200(shop: Sandbox, receiver: Any) -> None:
    """A receiver that says 202 gets a ping after every delivery; 200 ends it."""
    receiver.status = 202
    shop.register(receiver.url, receiver.secret, ["order.created"])
    for _ in range(3):
        shop.orders.create({})
    shop.deliver()
    assert (3, 4) == (len(receiver.deliveries), receiver.pings)
    receiver.status = 200
    for _ in range(2):
        shop.orders.create({})
    shop.deliver()
    assert (5, 5) == (len(receiver.deliveries), receiver.pings)


def test_seventh_failure_disables(shop: Sandbox, rest: httpx.Client, receiver: Any) -> None:
    """Nothing is sent twice; the seventh failure in a row disables, and later events are lost."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    receiver.status = 500
    for failures in range(1, 7):
        shop.orders.create({})
        shop.deliver()
        assert state(shop) == ("active", failures)
    shop.orders.create({})
    shop.orders.create({})
    shop.deliver()
    assert state(shop) == ("disabled", 6)
    assert shop.deliver() == 0
    assert len(receiver.deliveries) == 7
    assert rest.get("/webhooks/1").json()["status"] == "disabled"
    shop.orders.create({})
    assert shop.pending() == 0


def test_reactivation_keeps_the_count(shop: Sandbox, rest: httpx.Client, receiver: Any) -> None:
    """Made active again, one more failure disables it at once; a success clears the count."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.books.mark("webhooks", 1, failures=6)
    rest.put("/webhooks/1", json={"status": "active"})
    receiver.status = 404
    shop.orders.create({})
    shop.deliver()
    assert state(shop) == ("disabled", 6)
    rest.put("/webhooks/1", json={"status": "active"})
    receiver.status = 201
    shop.orders.create({})
    shop.deliver()
    assert state(shop) == ("active", 0)


@pytest.mark.parametrize(
    ("status", "failures"),
    [(204, 0), (299, 0), (301, 0), (302, 0), (303, 1), (307, 1), (400, 1), (429, 1), (503, 1)],
)
def test_what_counts_as_success(shop: Sandbox, receiver: Any, status: int, failures: int) -> None:
    """2xx succeed, and 301 and 302 too though they lose the delivery; all else fails."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    receiver.status = status
    shop.orders.create({})
    shop.deliver()
    assert state(shop) == ("active", failures)
    assert len(receiver.deliveries) == 1


def test_nobody_listens(shop: Sandbox, rest: httpx.Client) -> None:
    """A webhook to a closed port is created all the same, and each attempt is a failure."""
    given = {"topic": "order.created", "delivery_url": "http://127.0.0.1:1/x", "secret": "s"}
    assert rest.post("/webhooks", json=given).status_code == 201
    shop.orders.create({})
    shop.deliver()
    assert state(shop) == ("active", 1)


def test_password_in_the_address(shop: Sandbox, receiver: Any) -> None:
    """An address with a password is accepted at creation and never delivered to."""
    url = receiver.url.replace("//", "//u:p@")
    shop.register(url, receiver.secret, ["order.created"])
    shop.orders.create({})
    shop.deliver()
    assert receiver.arrivals == []
    assert state(shop) == ("active", 1)


def test_stock_ports(receiver: Any) -> None:
    """A stock WordPress sends to ports 80, 443 and 8080 only."""
    with Sandbox(auto=False, stock_ports=True) as shop:
        shop.register(receiver.url, receiver.secret, ["order.created"])
        shop.orders.create({})
        shop.deliver()
        assert state(shop) == ("active", 1)
    assert receiver.arrivals == []


def test_new_address_is_pinged(rest: httpx.Client, shop: Sandbox, receiver: Any) -> None:
    """A changed address is pinged at once; a changed name is not, once a ping succeeded."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    rest.put("/webhooks/1", json={"name": "n"})
    assert receiver.pings == 1
    rest.put("/webhooks/1", json={"delivery_url": receiver.url + "?token=1"})
    assert receiver.pings == 2
    assert receiver.arrivals[-1].path.endswith("?token=1")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"topic": "order.sold"}, "woocommerce_rest_webhook_invalid_topic"),
        ({"topic": "order.created"}, "woocommerce_rest_webhook_invalid_delivery_url"),
    ],
)
def test_bad_webhooks(rest: httpx.Client, receiver: Any, given: dict[str, str], code: str) -> None:
    """A webhook needs a topic that exists and a web address; else none is made."""
    answer = rest.post("/webhooks", json={"delivery_url": "ftp://x", **given})
    assert (400, code) == (answer.status_code, answer.json()["code"])
    assert rest.get("/webhooks").json() == []
    assert receiver.arrivals == []


def test_secret_is_never_shown(rest: httpx.Client, shop: Sandbox, receiver: Any) -> None:
    """REST shows no secret; one that was not given is random, of fifty characters."""
    given = {"topic": "order.created", "delivery_url": receiver.url}
    assert "secret" not in rest.post("/webhooks", json=given).json()
    row = shop.books.row("webhooks", 1)
    assert row is not None
    assert len(row["secret"]) == 50


def test_deleted_webhook_sends_nothing(rest: httpx.Client, shop: Sandbox, receiver: Any) -> None:
    """What was queued for a webhook that is gone is not sent."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.orders.create({})
    assert rest.delete("/webhooks/1").status_code == 501
    assert rest.delete("/webhooks/1?force=true").status_code == 200
    assert shop.deliver() == 0
    assert receiver.deliveries == []


@pytest.mark.parametrize("keep_alive", [True, False])
def test_sends_by_itself(receiver: Any, keep_alive: bool) -> None:  # noqa: FBT001 a parameter
    """Left to itself the shop sends everything, and drain waits for the end of it."""
    with Sandbox(keep_alive=keep_alive) as shop:
        shop.register(receiver.url, receiver.secret, ["order.created"])
        for _ in range(50):
            shop.orders.create({})
        assert shop.drain(timeout=10)
        assert sorted(receiver.topics) == ["order.created"] * 50
        assert shop.tally()["accepted"] == 50
    closing = {dict(a.headers).get("Connection") for a in receiver.arrivals}
    assert closing == ({None} if keep_alive else {"close"})


def test_books_in_a_file(tmp_path: Any, receiver: Any) -> None:
    """A shop whose books are in a file knows its webhooks and its numbers after a restart."""
    path = str(tmp_path / "books.db")
    with Sandbox(auto=False, path=path) as shop:
        shop.register(receiver.url, receiver.secret, ["order.created"])
        first = shop.orders.create({})["id"]
    with Sandbox(auto=False, path=path) as shop:
        second = shop.orders.create({})["id"]
        assert (first + 1, 1) == (second, shop.deliver())
        assert shop.totals().orders == {"pending": 2}
