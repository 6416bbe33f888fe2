"""One secret a topic: what is captured at one address proves nothing at another."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from adapters.woocommerce.shop import WooCommerceShop
from adapters.woocommerce.subscriptions import TOPICS
from connector.model import Arrival
from connector.ports import Door
from tests.webhooks.conftest import NOW
from webhooks import signatures
from webhooks.app import Threshold, create_app
from webhooks.health import Health

SECRET, OLDER = "a secret of the shop", "the one before it"
BODY = b'{"id":22}'


class Entrance:
    """A door with a list in the place of a store."""

    def __init__(self, door: Door) -> None:
        self.taken: list[Arrival] = []
        self.app: Flask = create_app(
            thresholds={
                "wool": Threshold(
                    shop="wool", door=door, secrets=signatures.spellings([SECRET, OLDER])
                )
            },
            accept=self.taken.append,
            health=lambda: Health(ok=True, store="writable", worker="alive"),
            metrics=lambda: b"",
            clock=lambda: NOW,
        )

    def post(self, path: str, topic: str, secret: str, body: bytes = BODY) -> int:
        digest = hmac.digest(secret.encode(), body, "sha256")
        headers = {
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
        }
        return self.app.test_client().post(path, data=body, headers=headers).status_code


@pytest.fixture
def entrance() -> Entrance:
    """WooCommerce's own door."""
    return Entrance(WooCommerceShop.door)


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_each_topic_takes_its_own(entrance: Entrance, secret: str) -> None:
    """Derived from any of the shop's secrets, so that they can rotate."""
    for topic in TOPICS:
        derived = signatures.topic_secret(secret, topic)
        assert 200 == entrance.post(f"/webhooks/wool/{topic}", topic, derived)
    assert list(TOPICS) == [each.topic for each in entrance.taken]


def test_r4_no_body_passes_under_another_topic(entrance: Entrance) -> None:
    """Every captured body at every other address, and at the shop's own: nothing is kept."""
    for captured in TOPICS:
        derived = signatures.topic_secret(SECRET, captured)
        for topic in TOPICS:
            if topic != captured:
                assert 401 == entrance.post(f"/webhooks/wool/{topic}", topic, derived)
                assert 401 == entrance.post(f"/webhooks/wool/{topic}", captured, derived)
            assert 401 == entrance.post("/webhooks/wool", topic, derived)
    assert [] == entrance.taken


def test_the_plain_secret_is_for_the_shops_own_address(
    entrance: Entrance, capsys: pytest.CaptureFixture[str]
) -> None:
    """There it is taken, as ever; where a topic is named it is refused, and the log says why."""
    assert 200 == entrance.post("/webhooks/wool", "order.created", SECRET)
    capsys.readouterr()
    assert 401 == entrance.post("/webhooks/wool/order.created", "order.created", SECRET)
    said = capsys.readouterr()
    assert "connector webhooks register" in said.out + said.err
    assert 1 == len(entrance.taken)


def test_a_platform_with_one_secret_keeps_it_everywhere() -> None:
    """Shopify signs all with the client secret: there the bound topic alone is compared."""
    entrance = Entrance(replace(WooCommerceShop.door, secret_a_topic=False))
    assert 200 == entrance.post("/webhooks/wool/order.created", "order.created", SECRET)
    assert 401 == entrance.post("/webhooks/wool/order.deleted", "order.created", SECRET)
    assert 1 == len(entrance.taken)


def test_derived_secrets_differ_and_are_plain_text() -> None:
    """Sixty-four hexadecimal digits each, which no form and no HTML can change."""
    derived = {signatures.topic_secret(secret, t) for secret in (SECRET, OLDER) for t in TOPICS}
    assert 30 == len(derived)
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in derived)
    assert not any(signatures.is_respelt(each) for each in derived)


@pytest.mark.parametrize("configured", ["a&amp;b&lt;c 0123456789", "a&b<c 0123456789"])
def test_row_92_a_secret_with_html_signs_in_either_spelling(configured: str) -> None:
    """WooCommerce decodes before it signs; both ways of writing it down are accepted."""
    digest = hmac.digest(b"a&b<c 0123456789", BODY, "sha256")
    header = base64.b64encode(digest).decode()
    assert signatures.verify(BODY, header, signatures.spellings([configured]))
    assert signatures.is_respelt(configured)


def test_a_long_or_odd_topic_in_the_address_is_refused(
    entrance: Entrance, seal_of: Callable[..., str]
) -> None:
    """Whatever stands there, nothing breaks and nothing is kept."""
    for topic in ("x" * 4000, "%ff%00", "..", "order.created/more"):
        assert 401 == entrance.post(f"/webhooks/wool/{topic}", "order.created", SECRET)
    assert [] == entrance.taken
