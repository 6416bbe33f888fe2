"""What is not right with our app's webhooks is told exactly as registering would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapters.shopify.sandbox import Sandbox
from adapters.shopify.shop import ShopifyShop
from adapters.shopify.subscriptions import TOPICS, enum_of
from connector.ports import FlawKind, Letterbox, Watchable

ROOT = "https://hooks.example.org/webhooks/yarn"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that sends only when it is told to."""
    with Sandbox(auto=False) as sandbox:
        yield sandbox


def open_shop(sandbox: Sandbox, **settings: Any) -> ShopifyShop:
    given = {"access_token": sandbox.token, "currency": "NOK", "timezone": "Europe/Oslo"}
    return ShopifyShop("yarn", sandbox.domain, sandbox.base_url, **(given | settings))


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[ShopifyShop]:
    """The shop as the connector sees it."""
    shop = open_shop(sandbox)
    yield shop
    shop.close()


def box(*left: str) -> Letterbox:
    return Letterbox(root=ROOT, secret=lambda topic: topic, left=left)


def registered(shop: ShopifyShop) -> dict[str, int]:
    return {each.topic: int(each.id) for each in shop.register_webhooks(box())}


def test_an_empty_shop_lacks_each_topic(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """One flaw a topic; looking makes none."""
    assert isinstance(shop, Watchable)
    flaws = shop.look_at_webhooks(box())
    assert list(TOPICS) == [each.topic for each in flaws]
    assert {FlawKind.MISSING} == {each.kind for each in flaws}
    assert [] == list(sandbox.subscriptions.made())


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        ({"uri": ROOT}, FlawKind.ADDRESS, "the address is not the topic's own"),
        ({"uri": "https://x.example.org/"}, FlawKind.MISSING, "there is no webhook"),
        ({"includeFields": ["id"]}, FlawKind.INCOMPLETE, "it comes parts left out"),
    ],
)
def test_what_was_changed_is_told_and_mended(
    sandbox: Sandbox, shop: ShopifyShop, change: Mapping[str, Any], kind: FlawKind, what: str
) -> None:
    """And nothing else is said."""
    known = registered(shop)
    assert () == shop.look_at_webhooks(box())
    sandbox.subscriptions.change(known["orders/create"], change, sandbox.clock())
    (flaw,) = shop.look_at_webhooks(box())
    assert ("orders/create", kind, what) == (flaw.topic, flaw.kind, flaw.what)
    shop.register_webhooks(box())
    assert () == shop.look_at_webhooks(box())


def test_a_second_one_is_told(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """With the address that is not the topic's own."""
    registered(shop)
    more = {"uri": f"{ROOT}/orders/create/again"}
    sandbox.subscriptions.create(enum_of("orders/create"), more, sandbox.clock())
    kinds = {each.kind for each in shop.look_at_webhooks(box())}
    assert {FlawKind.TWICE, FlawKind.ADDRESS} == kinds


def test_another_version_is_told_of_each(sandbox: Sandbox) -> None:
    """It is the app's, and every webhook has it."""
    shop = open_shop(sandbox, api_version="2026-07")
    registered(shop)
    flaws = shop.look_at_webhooks(box())
    shop.close()
    assert [FlawKind.VERSION] * len(TOPICS) == [each.kind for each in flaws]
    assert {"it comes in version 2026-10 of the API, 2026-07 is expected"} == {
        each.what for each in flaws
    }


def test_a_topic_that_is_left_is_not_touched(sandbox: Sandbox, shop: ShopifyShop) -> None:
    """It stays away."""
    known = registered(shop)
    sandbox.subscriptions.drop(known["orders/create"])
    done = shop.register_webhooks(box("orders/create"))
    assert {*TOPICS} - {"orders/create"} == {each.topic for each in done}
    assert len(TOPICS) - 1 == len(list(sandbox.subscriptions.made()))
