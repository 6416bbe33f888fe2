"""What becomes of a webhook that is what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.door import DOOR
from connector.errors import ConfigurationFault, StoreUnavailable
from webhooks.app import Threshold, create_app
from webhooks.receiver import delivery_key
from webhooks.signatures import digest

House = Any
Sign = Callable[..., dict[str, str]]
BODY = b'{"id": 7, "email": "aino@shop.example"}'


def test_a_signed_delivery_arrives_whole(house: House) -> None:
    """Body, topic, shop, time and the kept headers are handed on as they came."""
    assert house.post(BODY).status_code == 200
    [arrival] = house.arrivals
    assert (arrival.shop, arrival.topic, arrival.body) == ("wool", "order.updated", BODY)
    assert arrival.body_sha256 == digest(BODY)
    assert arrival.received_at.isoformat() == "2026-11-23T10:00:00+00:00"
    assert arrival.headers == {
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Delivery-ID": "d1",
        "X-WC-Webhook-Source": "https://wool.example/",
        "User-Agent": arrival.headers["User-Agent"],
    }


def test_a_shop_may_have_letters_of_its_own(house: House) -> None:
    """A name beyond ASCII is found under its percent-encoded address."""
    assert house.post(BODY, path="/webhooks/garn-bl%C3%A5").status_code == 200
    assert [arrival.shop for arrival in house.arrivals] == ["garn-blå"]


@pytest.mark.parametrize("topic", ["order.updated", "orders/create", "action.wc/x", ""])
def test_a_bound_topic_must_be_the_headers(house: House, sign: Sign, topic: str) -> None:
    """A captured body does not pass for another topic, whatever its header says."""
    address = f"/webhooks/wool/{topic}"
    assert house.post(BODY, sign(BODY, topic=topic), address).status_code == 200
    assert house.post(BODY, sign(BODY, topic="order.deleted"), address).status_code == 401
    assert house.post(BODY, sign(BODY, topic=topic + " x"), address).status_code == 401
    assert [arrival.topic for arrival in house.arrivals] == [topic]


def test_a_missing_topic_is_not_the_bound_one(house: House, sign: Sign) -> None:
    """Without the header the address alone does not say what this is."""
    headers = sign(BODY, topic=None)
    assert house.post(BODY, headers, "/webhooks/wool/order.updated").status_code == 401
    assert house.arrivals == []
    assert house.post(BODY, headers).status_code == 200
    assert [arrival.topic for arrival in house.arrivals] == [""]


def test_ignored_topics_are_answered_and_not_kept(house: House, sign: Sign) -> None:
    """A topic that is configured away costs no row; elsewhere it is kept. Unsigned it is 401."""
    coupon = sign(BODY, topic="coupon.created")
    assert house.post(BODY, coupon).status_code == 200
    assert house.arrivals == []
    assert house.post(BODY, coupon | {"X-WC-Webhook-Signature": "AAAA"}).status_code == 401
    there = sign(BODY, topic="coupon.created", secret=b"another shop's own secret")
    assert house.post(BODY, there, "/webhooks/yarn").status_code == 200
    assert [arrival.shop for arrival in house.arrivals] == ["yarn"]


def test_keys_differ_in_every_part() -> None:
    """Same-second deliveries with one id are apart by topic and body; fields do not run over."""
    keys = {
        delivery_key(shop, delivery, topic, digest(body))
        for shop, delivery, topic, body in [
            ("wool", "d1", "order.updated", b"1"),
            ("wool", "d1", "order.updated", b"2"),
            ("wool", "d1", "order.created", b"1"),
            ("wool", "d2", "order.updated", b"1"),
            ("yarn", "d1", "order.updated", b"1"),
            ("woold", "1", "order.updated", b"1"),
            ("wool", "d1o", "rder.updated", b"1"),
        ]
    }
    assert len(keys) == 7
    assert {len(key) for key in keys} == {32}


def test_a_delivery_sent_again_has_the_same_key(house: House, sign: Sign) -> None:
    """Received twice, it is one delivery; headers without meaning do not part it."""
    house.post(BODY)
    house.post(BODY, sign(BODY, source="https://www.wool.example/"))
    house.post(BODY, sign(BODY, delivery="d2"))
    first, again, other = (arrival.key for arrival in house.arrivals)
    assert first == again
    assert first != other


def test_long_headers_are_cut(house: House, sign: Sign) -> None:
    """Headers are not signed: nobody fills the store with them."""
    assert house.post(BODY, sign(BODY, source="s" * 9000, topic="t" * 9000)).status_code == 200
    [arrival] = house.arrivals
    assert len(arrival.headers["X-WC-Webhook-Source"]) == 500
    assert len(arrival.topic) == 500


def test_a_full_store_is_503_with_a_time_to_come_again(
    house: House, unavailable: StoreUnavailable, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not written down is not acknowledged, and the sender is not told why."""
    house.problem = unavailable
    reply = house.post(BODY)
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert b"secret-place" not in reply.data
    assert "disk full" in capsys.readouterr().out


def test_an_unforeseen_fault_is_a_plain_500(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not acknowledged, and neither reply nor log quotes the fault: it may hold the body."""
    house.problem = RuntimeError("aino@shop.example broke it")
    reply = house.post(BODY)
    assert reply.status_code == 500
    told = capsys.readouterr().out
    assert "RuntimeError" in told
    assert "conftest.py:" in told
    assert "aino" not in told + reply.text
    assert house.arrivals == []


def test_replies_and_logs_tell_nothing(
    house: House, sign: Sign, capsys: pytest.CaptureFixture[str]
) -> None:
    """Threat R16: each reply is a kind and a number; no log line quotes body, secret or seal."""
    numbers = set()
    headers = sign(BODY, secret=b"a wrong secret, a wrong secret")
    for path in ("/webhooks/wool", "/webhooks/none", "/elsewhere", "/webhooks/wool/other"):
        reply = house.post(BODY, headers, path)
        status, number = reply.text.splitlines()
        assert status.startswith(str(reply.status_code))
        assert number.startswith("request ")
        numbers.add(number)
    assert len(numbers) == 4
    told = capsys.readouterr().out
    assert "bad_signature" in told
    assert "unknown_shop" in told
    for private in ("aino", headers["X-WC-Webhook-Signature"], "benchmark's own secret"):
        assert private not in told


def test_a_flood_of_bad_requests_is_logged_a_few_times(
    house: House, sign: Sign, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten lines a minute of one kind, however many come; the metrics count them all."""
    headers = sign(BODY, signature="AAAA")
    for _ in range(50):
        house.post(BODY, headers)
    assert 10 <= capsys.readouterr().out.count("bad_signature") <= 20  # a minute may turn meanwhile
    assert house.counters.rejected() == {"bad_signature": 50}


def test_a_threshold_needs_a_secret() -> None:
    """A shop without a secret has no door, not an open one."""
    for secrets in ((), (b"",), (b"a good long secret!!", b"")):
        with pytest.raises(ConfigurationFault, match="shop wool"):
            Threshold(shop="wool", door=DOOR, secrets=secrets)


@pytest.mark.corpus
def test_a_real_shops_day(observed: list[tuple[str, dict[str, str], bytes]], corpus: Path) -> None:
    """Every delivery of a real shop is kept under a key of its own, every ping is answered."""
    from adapters.woocommerce.shop import WooCommerceShop
    from webhooks.signatures import usable_secrets

    secret = (corpus / "fixtures/woocommerce-observed/SECRET.txt").read_text("utf-8").split("\n")[0]
    kept: list[Any] = []
    app = create_app(
        thresholds={
            "real": Threshold(
                shop="real", door=WooCommerceShop.door, secrets=usable_secrets(secret, what="X")
            )
        },
        accept=kept.append,
        health=lambda: pytest.fail("not asked"),
        metrics=lambda: b"",
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )
    pings = 0
    for name, headers, body in observed:
        reply = app.test_client().post("/webhooks/real", data=body, headers=headers)
        assert reply.status_code == 200, name
        pings += name.endswith("_ping")
    assert pings > 0
    assert len(kept) == len(observed) - pings
    assert len({arrival.key for arrival in kept}) == len(kept)
    assert len({arrival.headers["X-WC-Webhook-Delivery-ID"] for arrival in kept}) < len(kept)
    assert json.loads(kept[0].body)
