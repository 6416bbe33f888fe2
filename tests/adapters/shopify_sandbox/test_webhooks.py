"""How deliveries go out: signed, five seconds, eight times more in four hours, then never again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.shopify.sandbox import WANTED, Sandbox
from adapters.shopify.sandbox_webhooks import RETRIES


def digest(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def meet(shop: Sandbox, email: str = "a@b.example") -> int:
    """One delivery: somebody new."""
    return int(shop.customers.create({"email": email})["id"])


def test_headers(shop: Sandbox, receiver: Any) -> None:
    """A delivery says topic, shop, version, its own id, its event's, and when it happened."""
    shop.register(receiver.url, ["customers/create"])
    meet(shop)
    assert shop.deliver() == 1
    headers = receiver.arrivals[0].headers
    told = {k: v for k, v in headers.items() if k.startswith("X-Shopify-")}
    assert list(told) == [
        "X-Shopify-Topic",
        "X-Shopify-Hmac-Sha256",
        "X-Shopify-Shop-Domain",
        "X-Shopify-API-Version",
        "X-Shopify-Webhook-Id",
        "X-Shopify-Triggered-At",
        "X-Shopify-Event-Id",
    ]
    assert told["X-Shopify-API-Version"] == "2026-10"
    assert told["X-Shopify-Shop-Domain"] == "ull-og-pinner.myshopify.com"
    assert told["X-Shopify-Triggered-At"] == "2026-11-23T12:00:00.000001Z"
    assert told["X-Shopify-Hmac-Sha256"] == digest(receiver.arrivals[0].body, shop.secret)


def test_the_secret_is_rotated(shop: Sandbox, receiver: Any, clock: Any) -> None:
    """For an hour after a rotation deliveries are signed with either secret, then with the new."""
    shop.register(receiver.url, ["customers/create"])
    shop.rotate_secret("shpss_new")
    for number in range(40):
        meet(shop, f"p{number}@b.example")
    shop.deliver()
    signers: Counter[str] = Counter()
    for arrival in receiver.arrivals:
        signature = arrival.headers["X-Shopify-Hmac-Sha256"]
        secrets = (shop.secret, "shpss_new")
        signers[next(s for s in secrets if digest(arrival.body, s) == signature)] += 1
    assert set(signers) == {shop.secret, "shpss_new"}
    receiver.arrivals.clear()
    clock.pass_by(hours=1)
    for number in range(40):
        meet(shop, f"q{number}@b.example")
    assert shop.deliver() == 40
    assert all(
        digest(a.body, "shpss_new") == a.headers["X-Shopify-Hmac-Sha256"] for a in receiver.arrivals
    )


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 410, 429, 500, 503])
def test_only_2xx_is_taken(shop: Sandbox, receiver: Any, status: int) -> None:
    """Anything but 2xx is a failure, also a redirect, which is not followed."""
    shop.register(receiver.url, ["customers/create"])
    receiver.status = status
    meet(shop)
    assert shop.deliver() == 1
    assert shop.tally() == {"posted": 1, "failed": 1}
    assert shop.pending() == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_taken(shop: Sandbox, receiver: Any, status: int) -> None:
    """Each 2xx is a success."""
    shop.register(receiver.url, ["customers/create"])
    receiver.status = status
    meet(shop)
    shop.deliver()
    assert shop.tally() == {"posted": 1, "accepted": 1}
    assert shop.pending() == 0


def test_tried_again_as_it_was(shop: Sandbox, receiver: Any, clock: Any) -> None:
    """A failed delivery comes again with its first body and id, though the thing has changed."""
    shop.register(receiver.url, ["customers/create"])
    receiver.status = 500
    number = meet(shop)
    shop.deliver()
    shop.customers.change(number, {"first_name": "Åse"})
    assert shop.deliver() == 0
    clock.pass_by(seconds=RETRIES[0])
    receiver.status = 200
    assert shop.deliver() == 1
    first, second = receiver.arrivals
    assert first.body == second.body
    assert first.headers == second.headers


def test_eight_tries_in_four_hours(shop: Sandbox, receiver: Any, clock: Any) -> None:
    """A delivery that nobody takes is tried eight times more within four hours; it is then over."""
    assert sum(RETRIES) == timedelta(hours=4).total_seconds()
    shop.register(receiver.url, ["customers/create"])
    receiver.status = 503
    meet(shop)
    moments = []
    for _ in range(5 * 60):
        moments += [clock.now] * shop.deliver()
        clock.pass_by(minutes=1)
    assert len(moments) == 9 == len(receiver.arrivals)
    assert moments[-1] - moments[0] <= timedelta(hours=4, minutes=5)
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert gaps == sorted(gaps)
    assert shop.pending() == 0


def test_given_up_and_deleted(shop: Sandbox, receiver: Any) -> None:
    """After the last try its subscription is deleted, but not the others, nor the app's own."""
    shop.register(receiver.url, ["customers/create", "orders/create"])
    receiver.status = 500
    meet(shop)
    assert shop.deliver(fast_forward=True) == 9
    assert shop.tally() == {"posted": 9, "failed": 9, "given up": 1, "deleted": 1}
    assert [each["topic"] for each in shop.subscriptions.made()] == ["ORDERS_CREATE"]
    meet(shop, "other@b.example")
    assert shop.deliver(fast_forward=True) == 0
    shop.demands.redact_shop()
    assert shop.deliver(fast_forward=True) == 9
    shop.demands.redact_shop()
    assert shop.deliver(fast_forward=True) == 9


def test_a_success_in_between_saves_it(shop: Sandbox, receiver: Any, clock: Any) -> None:
    """Failures in a row delete a subscription; one that took something meanwhile stays."""
    shop.register(receiver.url, ["customers/create"])
    receiver.answer = lambda arrival: 500 if b"bad@" in arrival.body else 200
    meet(shop, "bad@b.example")
    shop.deliver()
    meet(shop, "good@b.example")
    assert shop.deliver(fast_forward=True) == 9
    assert shop.tally()["given up"] == 1
    assert len(shop.subscriptions.made()) == 1


def test_five_seconds(receiver: Any, clock: Any) -> None:
    """Who does not answer in time has not taken it."""
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, Sandbox(auto=False, clock=clock, timeout=0.2) as shop:
        assert Sandbox.timeout == 5
        shop.register(f"http://127.0.0.1:{silent.getsockname()[1]}/", ["customers/create"])
        meet(shop)
        before = time.monotonic()
        assert shop.deliver() == 1
        assert time.monotonic() - before < 2
        assert shop.tally() == {"posted": 1, "failed": 1}


def test_the_address_it_had(shop: Sandbox, receiver: Any) -> None:
    """What is on its way goes to the address that the subscription had when it happened."""
    made = shop.register(receiver.url, ["customers/create"])[0]
    meet(shop)
    other = receiver.url.replace("yarn", "other")
    shop.subscriptions.change(made["id"], {"uri": other}, shop.clock())
    assert shop.deliver() == 1
    assert shop.sender.sent[0].letter.to.url == receiver.url


def test_only_the_fields_asked_for(shop: Sandbox, receiver: Any) -> None:
    """A subscription may ask for some of the fields, and has a name of its own."""
    wanted = {"uri": receiver.url, "includeFields": ["id", "updated_at"], "name": "people"}
    shop.subscriptions.create("CUSTOMERS_CREATE", wanted, shop.clock())
    number = meet(shop)
    shop.deliver()
    at = "2026-11-23T13:00:00+01:00"
    assert receiver.arrivals[0].value == {"id": number, "updated_at": at}
    assert receiver.arrivals[0].headers["X-Shopify-Name"] == "people"


def test_many_subscriptions_of_one_topic(shop: Sandbox, receiver: Any) -> None:
    """Each subscription gets a delivery of its own, with its own id and the same event's."""
    shop.register(receiver.url, ["customers/create"])
    second = {"uri": receiver.url + "/second"}
    shop.subscriptions.create("CUSTOMERS_CREATE", second, shop.clock())
    meet(shop)
    assert shop.deliver() == 2
    first, other = receiver.arrivals
    assert first.headers["X-Shopify-Webhook-Id"] != other.headers["X-Shopify-Webhook-Id"]
    assert first.headers["X-Shopify-Event-Id"] == other.headers["X-Shopify-Event-Id"]


@pytest.fixture
def strayed(shop: Sandbox, receiver: Any) -> Callable[..., list[Any]]:
    """Twenty people come; what arrives when deliveries stray."""
    shop.register(receiver.url, ["customers/create"])

    def come(**rates: float) -> list[Any]:
        shop.misbehave(deliveries=rates, longest_delay=600)
        for number in range(20):
            meet(shop, f"p{number:02}@b.example")
        assert shop.drain()
        return list(receiver.arrivals)

    return come


def emails(arrivals: list[Any]) -> list[str]:
    return [arrival.value["email"] for arrival in arrivals]


def test_twice(strayed: Callable[..., list[Any]], shop: Sandbox) -> None:
    """Duplicated: the same body under the same id."""
    arrived = strayed(duplicated=1)
    pairs = Counter((a.headers["X-Shopify-Webhook-Id"], a.body) for a in arrived)
    assert list(pairs.values()) == [2] * 20
    assert shop.tally()["accepted"] == 20


def test_out_of_order(strayed: Callable[..., list[Any]]) -> None:
    """Shuffled: everything comes, in another order."""
    came = emails(strayed(shuffled=1))
    assert sorted(came) == [f"p{n:02}@b.example" for n in range(20)]
    assert came != sorted(came)


def test_late(strayed: Callable[..., list[Any]], shop: Sandbox) -> None:
    """Delayed: everything comes, later."""
    came = emails(strayed(delayed=0.5))
    assert sorted(came) == [f"p{n:02}@b.example" for n in range(20)]
    assert came != sorted(came)
    assert 0 < shop.tally()["delayed"] < 20


def test_lost(strayed: Callable[..., list[Any]], shop: Sandbox) -> None:
    """Dropped: it never comes, and the shop does not know."""
    assert strayed(dropped=1) == []
    assert shop.tally() == {"dropped": 20}


def test_forged(strayed: Callable[..., list[Any]], shop: Sandbox) -> None:
    """Forged: beside each delivery one whose signature is of another body."""
    arrived = strayed(forged=1)
    right = [a for a in arrived if digest(a.body, shop.secret) == signature(a)]
    assert len(arrived) == 40
    assert len(right) == 20


def signature(arrival: Any) -> str:
    return str(arrival.headers["X-Shopify-Hmac-Sha256"])


@pytest.fixture
def busy() -> Iterator[Sandbox]:
    """A shop that sends by itself."""
    with Sandbox(keep_alive=True) as opened:
        yield opened


def test_by_itself(busy: Sandbox, receiver: Any) -> None:
    """A shop sends by itself what happens in it."""
    busy.register(receiver.url, WANTED)
    for number in range(30):
        meet(busy, f"p{number}@b.example")
    deadline = time.monotonic() + 10
    while busy.pending() and time.monotonic() < deadline:
        time.sleep(0.01)
    busy.drain()
    assert receiver.topics == ["customers/create"] * 30


def test_the_same_seed_tells_the_same(clock: Any, receiver: Any) -> None:
    """With the same seed and clock, ids, events and bodies are the same again."""
    tellings = []
    for seed in (4, 4, 5):
        receiver.arrivals.clear()
        with Sandbox(auto=False, clock=clock, seed=seed) as shop:
            shop.register(receiver.url, WANTED)
            meet(shop)
            shop.deliver()
        tellings.append([(tuple(a.headers.items())[1:], a.body) for a in receiver.arrivals])
    assert tellings[0] == tellings[1]
    assert tellings[0] != tellings[2]
