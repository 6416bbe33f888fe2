"""What goes wrong on request: failing answers, straying deliveries, books that stay right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest

from adapters.woocommerce.sandbox import Sandbox


def signed(arrival: Any, secret: bytes = b"whsec & <one>") -> bool:
    digest = hmac.new(secret, arrival.body, hashlib.sha256).digest()
    given = dict(arrival.headers)["X-WC-Webhook-Signature"]
    return base64.b64encode(digest).decode() == given


@pytest.mark.parametrize(
    ("kind", "status", "content", "retry_after"),
    [
        ("500", 500, "application/json", None),
        ("429", 429, "text/html", "7"),
        ("503", 503, "text/html", "7"),
        ("html", 200, "text/html", None),
    ],
)
def test_failing_answers(
    shop: Sandbox,
    rest: httpx.Client,
    kind: str,
    status: int,
    content: str,
    retry_after: str | None,
) -> None:
    """The next answers fail as asked, so many times, and then all is well again."""
    shop.misbehave(answers=kind, times=2, seconds=7)
    for _ in range(2):
        answer = rest.get("/orders")
        assert (status, retry_after) == (answer.status_code, answer.headers.get("Retry-After"))
        assert answer.headers["Content-Type"].startswith(content)
    assert (200, []) == (rest.get("/orders").status_code, rest.get("/orders").json())


@pytest.mark.parametrize("kind", ["torn", "dropped"])
def test_torn_connections(shop: Sandbox, rest: httpx.Client, kind: str) -> None:
    """A torn answer is cut in the middle though the work was done; a dropped one never comes."""
    shop.misbehave(answers=kind)
    with pytest.raises(httpx.TransportError):
        rest.post("/orders", json={})
    assert shop.totals().orders == ({"pending": 1} if kind == "torn" else {})
    assert rest.get("/orders").status_code == 200


def test_slow_answer(shop: Sandbox, rest: httpx.Client) -> None:
    """A slow answer is right, and late."""
    shop.misbehave(answers="slow", seconds=0.2)
    start = time.monotonic()
    assert rest.get("/orders").status_code == 200
    assert time.monotonic() - start >= 0.2


def test_control_page(shop: Sandbox) -> None:
    """Mischief can be asked for over HTTP; an unknown word is refused and plans nothing."""
    url = f"{shop.base_url}/_sandbox/misbehave"
    plan = {"answers": "429", "times": 2, "deliveries": {"duplicated": 0.5}}
    answer = httpx.post(url, json=plan, trust_env=False).json()
    assert answer == {
        "answers": ["429", "429"],
        "deliveries": {"duplicated": 0.5},
        "owner_lost": False,
    }
    refused = httpx.post(url, json={"answers": "explode"}, trust_env=False)
    assert (400, True) == (refused.status_code, "knows no explode" in refused.json()["error"])
    assert shop.mischief.as_json() == answer


def test_duplicated(shop: Sandbox, receiver: Any) -> None:
    """A duplicated delivery arrives twice with the same bytes and signature."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.misbehave(deliveries={"duplicated": 1}, longest_delay=0.02)
    shop.orders.create({})
    assert shop.drain(timeout=5)
    first, second = receiver.deliveries
    assert (first.body, first.headers) == (second.body, second.headers)
    assert (2, 1) == (shop.tally()["posted"], shop.tally()["accepted"])


def test_dropped(shop: Sandbox, receiver: Any) -> None:
    """A dropped delivery never arrives, and the shop does not count it as failed."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.misbehave(deliveries={"dropped": 1})
    shop.orders.create({})
    assert shop.drain(timeout=5)
    assert receiver.deliveries == []
    assert (1, None) == (shop.tally()["dropped"], shop.tally().get("failed"))
    shop.misbehave(deliveries={"dropped": 0})
    shop.orders.create({})
    assert shop.deliver() == 1


def test_forged(shop: Sandbox, receiver: Any) -> None:
    """A forgery comes beside the real delivery wrongly signed; refusing it harms nothing."""
    receiver.answer = lambda arrival: 200 if arrival.topic == "ping" or signed(arrival) else 401
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.misbehave(deliveries={"forged": 1}, longest_delay=0.02)
    for _ in range(8):
        shop.orders.create({})
    assert shop.drain(timeout=5)
    assert [8, 8] == [
        sum(signed(a) is genuine for a in receiver.deliveries) for genuine in (True, False)
    ]
    row = shop.books.row("webhooks", 1)
    assert row is not None
    assert ("active", 0) == (row["status"], row["failures"])


def test_delayed_is_stale(shop: Sandbox, receiver: Any) -> None:
    """A delayed delivery says what was true when it should have come."""
    shop.register(receiver.url, receiver.secret, ["order.updated"])
    shop.misbehave(deliveries={"delayed": 1}, longest_delay=0.05)
    number = shop.orders.create({})["id"]
    assert shop.deliver() == 0
    assert shop.pending() == 1
    shop.misbehave(deliveries={"delayed": 0})
    shop.orders.change(number, {"status": "completed"})
    shop.deliver()
    assert shop.drain(timeout=5)
    told = [json.loads(a.body)["status"] for a in receiver.deliveries]
    assert sorted(told) == ["completed", "pending"]


def test_shuffled(shop: Sandbox, receiver: Any) -> None:
    """Shuffled deliveries all arrive, in another order."""
    shop.register(receiver.url, receiver.secret, ["order.created"])
    shop.misbehave(deliveries={"shuffled": 1})
    made = [shop.orders.create({})["id"] for _ in range(20)]
    shop.deliver()
    told = [json.loads(a.body)["id"] for a in receiver.deliveries]
    assert (made, True) == (sorted(told), told != made)
