"""What is not right with the shop's webhooks is told exactly as registering would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.shop import WooCommerceShop
from adapters.woocommerce.subscriptions import TOPICS
from connector.ports import FlawKind, Letterbox, Watchable

ROOT = "http://127.0.0.1:9/webhooks/wool"  # not a port that a shop calls: no ping goes out


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that sends only when it is told to."""
    with Sandbox(auto=False, stock_ports=True) as sandbox:
        yield sandbox


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[WooCommerceShop]:
    """The shop as the connector sees it, with a key that may write."""
    shop = WooCommerceShop("wool", sandbox.base_url, sandbox.key, sandbox.secret, "NOK")
    yield shop
    shop.close()


def box(*trusted: str, left: tuple[str, ...] = ()) -> Letterbox:
    return Letterbox(root=ROOT, secret=lambda topic: topic, trusted=trusted, left=left)


def registered(shop: WooCommerceShop) -> dict[str, str]:
    return {each.topic: each.id for each in shop.register_webhooks(box())}


def test_an_empty_shop_lacks_each_topic(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """One flaw a topic; looking makes none."""
    assert isinstance(shop, Watchable)
    flaws = shop.look_at_webhooks(box())
    assert list(TOPICS) == [each.topic for each in flaws]
    assert {FlawKind.MISSING} == {each.kind for each in flaws}
    assert [] == sandbox.books.rows("webhooks")


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        ({"status": "disabled"}, FlawKind.OFF, "the webhook is disabled"),
        ({"status": "paused"}, FlawKind.OFF, "the webhook is paused"),
        ({"delivery_url": ROOT}, FlawKind.ADDRESS, "the address is not the topic's own"),
        ({"delivery_url": "http://127.0.0.2:9/x"}, FlawKind.MISSING, "there is no webhook"),
    ],
)
def test_what_was_changed_is_told_and_mended(
    sandbox: Sandbox, shop: WooCommerceShop, change: Mapping[str, str], kind: FlawKind, what: str
) -> None:
    """And nothing else is said."""
    known = registered(shop)
    ids = known.values()
    assert () == shop.look_at_webhooks(box(*ids))
    sandbox.sender.change(int(known["order.updated"]), change, sandbox.clock())
    (flaw,) = shop.look_at_webhooks(box(*ids))
    assert ("order.updated", kind, what) == (flaw.topic, flaw.kind, flaw.what)
    again = {each.id for each in shop.register_webhooks(box(*ids))}
    assert () == shop.look_at_webhooks(box(*ids, *again))


def test_a_secret_that_nobody_here_set_is_told(shop: WooCommerceShop) -> None:
    """No platform shows a secret, so it is known of those only that were set from here."""
    known = registered(shop)
    others = [number for topic, number in known.items() if topic != "order.updated"]
    (flaw,) = shop.look_at_webhooks(box(*others))
    assert ("order.updated", FlawKind.SECRET) == (flaw.topic, flaw.kind)


def test_a_second_one_is_told(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """With how many there are."""
    known = registered(shop)
    more = {"topic": "order.updated", "delivery_url": f"{ROOT}/order.updated", "secret": "x" * 20}
    number = str(sandbox.sender.register(more, sandbox.clock())["id"])
    (flaw,) = shop.look_at_webhooks(box(*known.values(), number))
    assert (FlawKind.TWICE, "there are 2 webhooks") == (flaw.kind, flaw.what)


def test_a_topic_that_is_left_is_not_touched(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """It stays off, and missing where it is."""
    known = registered(shop)
    number = int(known["order.updated"])
    sandbox.sender.change(number, {"status": "disabled"}, sandbox.clock())
    sandbox.sender.delete(int(known["order.created"]))
    left = ("order.created", "order.updated")
    done = shop.register_webhooks(box(*known.values(), left=left))
    assert {*TOPICS} - {*left} == {each.topic for each in done}
    assert "disabled" == sandbox.sender.get(number)["status"]
    assert len(TOPICS) - 1 == len(sandbox.books.rows("webhooks"))
