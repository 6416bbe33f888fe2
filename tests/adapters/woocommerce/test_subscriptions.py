"""Webhooks set up through the shop's API, at a stand-in that does as WooCommerce was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.woocommerce.sandbox import WANTED, Sandbox
from adapters.woocommerce.shop import WooCommerceShop
from adapters.woocommerce.subscriptions import TOPICS
from connector.errors import LaneDown, TryLater
from connector.ports import Letterbox

ROOT = "http://127.0.0.1:9/webhooks/wool"  # not a port that a shop calls: no ping goes out


def box(*trusted: str) -> Letterbox:
    return Letterbox(root=ROOT, secret=lambda topic: f"secret of {topic}", trusted=trusted)


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


def kept(sandbox: Sandbox) -> dict[int, dict[str, Any]]:
    """What the shop itself keeps of its webhooks: secret and all."""
    rows = sandbox.books.rows("webhooks")
    return {row["id"]: {**sandbox.sender.get(row["id"]), "secret": row["secret"]} for row in rows}


def made(sandbox: Sandbox, topic: str, **given: str) -> str:
    wanted = {"topic": topic, "delivery_url": f"{ROOT}/{topic}", "secret": "x" * 20, **given}
    return str(sandbox.sender.register(wanted, sandbox.clock())["id"])


def test_an_empty_shop_gets_one_webhook_a_topic(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """Each has an address and a secret of its own topic, and is switched on."""
    done = shop.register_webhooks(box())
    coupons = {f"coupon.{each}" for each in ("created", "updated", "deleted", "restored")}
    assert {*WANTED, *coupons} == set(TOPICS) == {each.topic for each in done}
    assert {"created"} == {each.done for each in done}
    held = kept(sandbox).values()
    assert 15 == len(held)
    for each in held:
        topic = each["topic"]
        assert f"{ROOT}/{topic}" == each["delivery_url"]
        assert f"secret of {topic}" == each["secret"]
        assert "active" == each["status"]


def test_what_is_right_is_left(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """A second call changes nothing, when the ids are known to carry the right secret."""
    first = shop.register_webhooks(box())
    before = kept(sandbox)
    again = shop.register_webhooks(box(*(each.id for each in first)))
    assert {"left as it is"} == {each.done for each in again}
    assert before == kept(sandbox)


@pytest.mark.parametrize(
    ("given", "done"),
    [
        ({"delivery_url": ROOT}, "mended: address"),
        ({"delivery_url": f"{ROOT}/order.deleted"}, "mended: address"),
        ({"status": "disabled"}, "mended: switched off"),
        ({"status": "paused"}, "mended: switched off"),
    ],
)
def test_what_is_wrong_is_mended(
    sandbox: Sandbox, shop: WooCommerceShop, given: dict[str, str], done: str
) -> None:
    """The same webhook, by its id, with the address, the status and the secret put right."""
    number = made(sandbox, "order.created", **given)
    told = {each.id: each.done for each in shop.register_webhooks(box(number))}
    assert done == told[number]
    now = kept(sandbox)[int(number)]
    assert (f"{ROOT}/order.created", "active", "secret of order.created") == (
        now["delivery_url"],
        now["status"],
        now["secret"],
    )
    assert 15 == len(kept(sandbox))


def test_an_unknown_secret_is_set_anew(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """No shop shows a secret again, so one that we did not set is replaced."""
    number = made(sandbox, "order.created")
    told = {each.id: each.done for each in shop.register_webhooks(box())}
    assert "mended: secret" == told[number]
    assert "secret of order.created" == kept(sandbox)[int(number)]["secret"]


def test_a_second_one_for_a_topic_is_removed(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """The better of the two stays, so that each change is told once."""
    plain = made(sandbox, "order.created", delivery_url=ROOT)
    right = made(sandbox, "order.created")
    told = {each.id: each.done for each in shop.register_webhooks(box(right))}
    assert "left as it is" == told[right]
    assert "removed: a second one for the topic" == told[plain]
    assert int(plain) not in kept(sandbox)
    assert 15 == len(kept(sandbox))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.2:9/webhooks/wool/order.created",
        "http://127.0.0.1:9/webhooks/woolly/order.created",
        "http://127.0.0.1:99/webhooks/wool/order.created",
        "http://127.0.0.1:9/else",
    ],
)
def test_webhooks_of_others_are_never_touched(
    sandbox: Sandbox, shop: WooCommerceShop, address: str
) -> None:
    """Not changed, not removed, not counted as ours; even when they are switched off."""
    number = int(made(sandbox, "order.created", delivery_url=address, status="disabled"))
    before = kept(sandbox)[number]
    told = shop.register_webhooks(box())
    assert before == kept(sandbox)[number]
    assert str(number) not in {each.id for each in told}
    assert 16 == len(kept(sandbox))


def test_topics_that_are_not_used_are_left(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """One of ours on an action harms nothing and may have its reason."""
    number = int(made(sandbox, "action.woocommerce_add_to_cart"))
    before = kept(sandbox)[number]
    shop.register_webhooks(box())
    assert before == kept(sandbox)[number]


def test_all_pages_of_the_list_are_read(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """Beyond the hundred that one page holds."""
    for number in range(105):
        made(sandbox, "order.created", delivery_url=f"http://127.0.0.2:9/{number}")
    assert 105 == len(shop.list_webhooks())


def test_a_key_that_only_reads_is_told_so(sandbox: Sandbox) -> None:
    """Nothing is made, and the error says which permission is lacking."""
    shop = WooCommerceShop("wool", sandbox.base_url, sandbox.read_key, sandbox.secret, "NOK")
    with pytest.raises(LaneDown, match="authentication_error") as told:
        shop.register_webhooks(box())
    assert "'Read/Write'" in told.value.mend
    assert {} == kept(sandbox)
    shop.close()


def test_a_lost_answer_is_not_asked_for_again() -> None:
    """A POST is made once: it may have been done although its answer was lost."""
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if request.method == "GET":
            return httpx.Response(200, json=[])
        raise httpx.ReadTimeout("slow")

    shop = WooCommerceShop(
        "wool", "https://wool.example", "ck", "cs", "NOK", transport=httpx.MockTransport(answer)
    )
    with pytest.raises(TryLater, match="POST /wp-json/wc/v3/webhooks: no answer"):
        shop.register_webhooks(box())
    assert ["GET", "POST"] == seen


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_write_follows_no_redirect(status: int) -> None:
    """O3: the key is not carried to another host."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.method == "GET":
            return httpx.Response(200, json=[])
        return httpx.Response(status, headers={"Location": "https://evil.example/"})

    shop = WooCommerceShop(
        "wool", "https://wool.example", "ck", "cs", "NOK", transport=httpx.MockTransport(answer)
    )
    with pytest.raises(LaneDown, match=r"a redirect to https://evil\.example"):
        shop.register_webhooks(box())
    assert {"wool.example"} == set(asked)


@pytest.mark.parametrize("row", [{"id": "7"}, {"id": 7, "topic": "order.created"}, {}])
def test_a_list_of_something_else_is_not_believed(row: dict[str, Any]) -> None:
    """The call fails as a whole before anything is changed."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=[row]))
    shop = WooCommerceShop("wool", "https://wool.example", "ck", "cs", "NOK", transport=transport)
    with pytest.raises(TryLater, match="a webhook without"):
        shop.list_webhooks()
