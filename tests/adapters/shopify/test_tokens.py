"""Tokens that end are renewed before they do: by one for all, and the newest pair is never lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import httpx
import pytest

from adapters.shopify.client import Keys, ShopifyClient
from adapters.shopify.tokens import MARGIN
from connector.errors import LaneDown, StoreUnavailable, TryLater

DAY = 86_399
SHOP = {"data": {"shop": {"currencyCode": "NOK"}}}
APP = Keys(client_id="app", client_secrets=("new secret", "old secret"))
UNKNOWN = httpx.Response(401, json={"errors": "[API] Invalid API key or access token"})


class Memory:
    """A token store that is a dictionary, and can be told to fail."""

    def __init__(self, **pairs: Mapping[str, Any]) -> None:
        self.pairs = dict(pairs)
        self.broken = False
        self.puts = 0

    def get(self, name: str) -> Mapping[str, Any] | None:
        return self.pairs.get(name)

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        if self.broken:
            raise StoreUnavailable("the disk is full")
        json.dumps(value)
        self.puts += 1
        self.pairs[name] = value

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()


class Shopify:
    """Grants tokens by its rules and answers queries that bring one of those now good."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.grants: list[dict[str, Any]] = []
        self.used: list[str] = []
        self.good: set[str] = set()
        self.refresh_token = "r0"
        self.lives = DAY
        self.troubles: list[httpx.Response | Exception] = []
        self.secret = "new secret"
        self.before_grant: Callable[[], None] = lambda: None
        self._turn = threading.Lock()

    def handle(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/oauth/access_token"):
            token = request.headers["X-Shopify-Access-Token"]
            self.used.append(token)
            return httpx.Response(200, json=SHOP) if token in self.good else UNKNOWN
        self.before_grant()
        with self._turn:
            return self._grant(json.loads(request.content))

    def _grant(self, words: dict[str, Any]) -> httpx.Response:
        self.grants.append(words)
        if self.troubles:
            trouble = self.troubles.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        if words["client_secret"] != self.secret:
            return httpx.Response(401, json={"error": "invalid_client"})
        number = len(self.grants)
        answer: dict[str, Any] = {"access_token": f"t{number}", "expires_in": self.lives}
        if words["grant_type"] == "refresh_token":
            if words["refresh_token"] != self.refresh_token:
                told = "This request requires an active refresh_token"
                return httpx.Response(
                    401, json={"error": "invalid_request", "error_description": told}
                )
            self.refresh_token = f"r{number}"
            answer |= {"refresh_token": self.refresh_token, "refresh_token_expires_in": 7_775_999}
        self.good = {f"t{number}"}
        return httpx.Response(200, json=answer)

    def client(self, keys: Keys = APP) -> ShopifyClient:
        return ShopifyClient(
            "yarn",
            "https://yarn.myshopify.com",
            keys,
            api_version="2026-10",
            transport=httpx.MockTransport(self.handle),
            sleep=lambda _: None,
            clock=lambda: self.now,
        )


@pytest.fixture
def shopify() -> Shopify:
    return Shopify()


def _pair_keys(store: Memory) -> Keys:
    return Keys(
        client_id="app", client_secrets=("new secret",), access_token="old", token_store=store
    )


def _kept(access: str, refresh: str, until: float) -> dict[str, Any]:
    return {"access_token": access, "refresh_token": refresh, "expires_at": until}


def test_asks_for_a_token(shopify: Shopify) -> None:
    """The app asks with its id and secret, once for as long as the token lives."""
    client = shopify.client()
    for _ in range(3):
        client.ask("shop", {})
    assert [
        {"client_id": "app", "client_secret": "new secret", "grant_type": "client_credentials"}
    ] == shopify.grants
    assert ["t1"] * 3 == shopify.used


def test_renewed_before_it_ends(shopify: Shopify) -> None:
    """Five minutes before its end a token is not used any more."""
    client = shopify.client()
    client.ask("shop", {})
    shopify.now += DAY - MARGIN - 1
    client.ask("shop", {})
    shopify.now += 1
    client.ask("shop", {})
    assert ["t1", "t1", "t2"] == shopify.used


def test_refused_before_its_time(shopify: Shopify) -> None:
    """A token revoked early is replaced, and the question asked again."""
    client = shopify.client()
    client.ask("shop", {})
    shopify.good = set()
    client.ask("shop", {})
    assert ["t1", "t1", "t2"] == shopify.used


def test_new_token_refused_as_well(shopify: Shopify) -> None:
    """When even a new token is not taken, a person has to look; it is not asked for ever."""
    shopify.secret = "new secret"
    client = shopify.client()
    client.ask("shop", {})

    def refuse_all(request: httpx.Request) -> httpx.Response:
        answer = shopify.handle(request)
        shopify.good = set()
        return answer

    client._http = httpx.Client(transport=httpx.MockTransport(refuse_all))
    shopify.good = set()
    with pytest.raises(LaneDown, match="answered 401"):
        client.ask("shop", {})
    assert 2 == len(shopify.grants)


def test_trouble_while_the_old_one_holds(shopify: Shopify) -> None:
    """A renewal that fails is no matter as long as the token we have still holds."""
    client = shopify.client()
    client.ask("shop", {})
    shopify.now += DAY - 60
    shopify.troubles = [httpx.Response(503)] * 4
    client.ask("shop", {})
    assert ["t1", "t1"] == shopify.used
    shopify.now += 61
    shopify.troubles = [httpx.Response(503)] * 4
    with pytest.raises(TryLater, match="asking for a token"):
        client.ask("shop", {})
    assert 2 == len(shopify.used)


def test_old_secret_of_a_rotation(shopify: Shopify) -> None:
    """While the app's secret is rotated, the one that is known is found."""
    shopify.secret = "old secret"
    shopify.client().ask("shop", {})
    assert ["new secret", "old secret"] == [words["client_secret"] for words in shopify.grants]
    assert ["t2"] == shopify.used


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("shop_not_permitted", "own organisation"),
        ("application_cannot_be_found", "installed in this shop"),
        ("app_not_installed", "installed in this shop"),
        ("Eva <eva@example.org>", "no reason told"),
        (None, "no reason told"),
    ],
)
def test_no_token_given(shopify: Shopify, code: Any, expected: str) -> None:
    """Each refusal names what to do about it, and never a secret."""
    shopify.troubles = [httpx.Response(400, json={"error": code})] * 2
    with pytest.raises(LaneDown, match=expected) as caught:
        shopify.client().ask("shop", {})
    assert "secret'" not in str(caught.value)
    assert "new secret" not in str(caught.value)
    assert "eva@" not in str(caught.value)
    assert [] == shopify.used


def test_refusal_on_a_web_page(shopify: Shopify) -> None:
    """Real refusals come as a web page with the code in it."""
    page = "<p>Oauth error shop_not_permitted: Client credentials cannot be performed.</p>"
    shopify.troubles = [httpx.Response(400, html=page)]
    with pytest.raises(LaneDown, match="no token: shop_not_permitted"):
        shopify.client().ask("shop", {})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, html="x"), LaneDown),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), LaneDown),
        (httpx.Response(422, json={}), TryLater),
        (httpx.Response(200, html="<h1>x</h1>"), TryLater),
        (httpx.Response(200, json={"access_token": ""}), TryLater),
        (httpx.Response(200, json={"access_token": 5}), TryLater),
        (httpx.Response(200, json={"access_token": "a\nb"}), TryLater),
        (httpx.ConnectError("x"), TryLater),
    ],
)
def test_odd_answers_to_a_grant(shopify: Shopify, answer: Any, error: type[Exception]) -> None:
    """What is no token is none."""
    shopify.troubles = [answer] * 4
    with pytest.raises(error):
        shopify.client().ask("shop", {})
    assert [] == shopify.used


def test_one_renews_for_all(shopify: Shopify) -> None:
    """Eight threads at once, a token that ends: one of them asks for the next."""
    barrier = threading.Barrier(8)
    client = shopify.client()
    failures: list[Exception] = []

    def ask() -> None:
        barrier.wait()
        try:
            client.ask("shop", {})
        except Exception as problem:  # noqa: BLE001 - to be seen by the test's own thread
            failures.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures
    assert 1 == len(shopify.grants)
    assert ["t1"] * 8 == shopify.used


# --- Pairs that rotate ---------------------------------------------------------------------------


def test_kept_pair_is_used(shopify: Shopify) -> None:
    """A pair that was kept opens the door, before any other key there is."""
    shopify.good = {"kept"}
    store = Memory(yarn=_kept("kept", "r0", shopify.now + 3600))
    shopify.client(_pair_keys(store)).ask("shop", {})
    assert (["kept"], [], 0) == (shopify.used, shopify.grants, store.puts)


def test_pair_is_rotated_and_kept(shopify: Shopify) -> None:
    """Each refresh token is good for one use: the next pair is kept before it is used."""
    shopify.lives = 3600
    store = Memory(yarn=_kept("kept", "r0", shopify.now + MARGIN))
    client = shopify.client(_pair_keys(store))
    client.ask("shop", {})
    shopify.now += 3600
    client.ask("shop", {})
    assert ["r0", "r1"] == [words["refresh_token"] for words in shopify.grants]
    assert ["t1", "t2"] == shopify.used
    assert _kept("t2", "r2", shopify.now + 3600) == store.pairs["yarn"]
    again = shopify.client(_pair_keys(store))
    again.ask("shop", {})
    assert "t2" == shopify.used[-1]
    assert 2 == len(shopify.grants)


def test_pair_without_an_end(shopify: Shopify) -> None:
    """A pair whose end nobody noted is renewed at once."""
    store = Memory(yarn={"access_token": "kept", "refresh_token": "r0", "expires_at": None})
    shopify.client(_pair_keys(store)).ask("shop", {})
    assert ["t1"] == shopify.used


def test_another_process_was_faster(shopify: Shopify) -> None:
    """Two processes, one pair: the slower one takes what the faster one kept."""
    store = Memory(yarn=_kept("kept", "r0", shopify.now))
    first, second = shopify.client(_pair_keys(store)), shopify.client(_pair_keys(store))
    first.ask("shop", {})
    second.ask("shop", {})
    assert (1, ["t1", "t1"]) == (len(shopify.grants), shopify.used)


def test_both_at_the_same_moment(shopify: Shopify) -> None:
    """The refresh token was used up between our look and our question: the store knows."""
    store = Memory(yarn=_kept("kept", "r0", shopify.now))
    client = shopify.client(_pair_keys(store))

    def somebody_else() -> None:
        shopify.before_grant = lambda: None
        shopify.client(_pair_keys(store)).ask("shop", {})

    shopify.before_grant = somebody_else
    client.ask("shop", {})
    assert ["t1", "t1"] == shopify.used
    assert ["r0", "r0"] == [words["refresh_token"] for words in shopify.grants]


def test_used_up(shopify: Shopify) -> None:
    """A refresh token that is dead needs the shop's owner; the mend says what to do."""
    store = Memory(yarn=_kept("kept", "dead", shopify.now))
    with pytest.raises(LaneDown, match="open the app in the shop's admin"):
        shopify.client(_pair_keys(store)).ask("shop", {})
    assert ([], 0) == (shopify.used, store.puts)


def test_store_fails_after_the_grant(shopify: Shopify) -> None:
    """The old refresh token is dead by then: the new pair waits until it can be kept."""
    store = Memory(yarn=_kept("kept", "r0", shopify.now))
    client = shopify.client(_pair_keys(store))
    store.broken = True
    with pytest.raises(StoreUnavailable):
        client.ask("shop", {})
    store.broken = False
    client.ask("shop", {})
    assert (["t1"], 1) == (shopify.used, len(shopify.grants))
    assert "r1" == store.pairs["yarn"]["refresh_token"]


def test_lost_answer_is_asked_again(shopify: Shopify) -> None:
    """A refresh whose answer was lost is tried again with the same token within the call."""
    shopify.troubles = [httpx.Response(520), httpx.ReadTimeout("x")]
    store = Memory(yarn=_kept("kept", "r0", shopify.now))
    shopify.client(_pair_keys(store)).ask("shop", {})
    assert ["r0"] * 3 == [words["refresh_token"] for words in shopify.grants]
    assert ["t3"] == shopify.used


def test_store_without_a_pair(shopify: Shopify) -> None:
    """A store that has none, or only half of one, leaves the other keys to open."""
    shopify.good = {"old"}
    for store in (Memory(), Memory(yarn={"access_token": "x"}), Memory(yarn={})):
        shopify.client(_pair_keys(store)).ask("shop", {})
    assert ["old"] * 3 == shopify.used
    assert [] == shopify.grants


def test_half_a_pair_later(shopify: Shopify) -> None:
    """A pair that lost its second half cannot be renewed."""
    store = Memory(yarn=_kept("kept", "r0", shopify.now))
    client = shopify.client(_pair_keys(store))
    store.pairs["yarn"] = {"access_token": "kept", "expires_at": shopify.now}
    with pytest.raises(LaneDown, match="no refresh token is kept"):
        client.ask("shop", {})
    assert [] == shopify.grants
