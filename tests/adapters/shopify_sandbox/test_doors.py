"""What opens the API: tokens that end, pairs that rotate; and how answers fail when told to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import Sandbox
from adapters.shopify.sandbox_mischief import ANSWERS

QUERY = {"query": "{ shop { name } }"}
PATH = "/admin/api/2026-10/graphql.json"
DAY, HOUR = 86_399, 3600


@pytest.fixture
def http(shop: Sandbox) -> Iterator[httpx.Client]:
    """A client that sends no token by itself."""
    with httpx.Client(base_url=shop.base_url, trust_env=False, timeout=5) as client:
        yield client


def opens(http: httpx.Client, token: str) -> bool:
    """Whether a token is taken."""
    response = http.post(PATH, json=QUERY, headers={"X-Shopify-Access-Token": token})
    assert response.status_code in {200, 401}
    assert ("errors" in response.json()) == (response.status_code == 401)
    return response.status_code == 200


def grant(http: httpx.Client, shop: Sandbox, kind: str, **more: str) -> httpx.Response:
    words = {"client_id": shop.client_id, "client_secret": shop.secret, "grant_type": kind}
    return http.post("/admin/oauth/access_token", json={**words, **more})


def test_without_a_token(http: httpx.Client) -> None:
    """No token and a wrong one are refused with 401, whatever is asked."""
    assert http.post(PATH, json=QUERY).status_code == 401
    assert not opens(http, "shpat_wrong")
    assert not opens(http, "")


def test_a_custom_app_of_old(http: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """The token of a custom app does not end."""
    clock.pass_by(days=4000)
    assert opens(http, shop.token)


def test_for_a_day(http: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """The app's own id and secret get a token for a day; it then ends by the shop's clock."""
    response = grant(http, shop, "client_credentials")
    told = response.json()
    assert response.status_code == 200
    assert told.keys() == {"access_token", "scope", "expires_in"}
    assert told["expires_in"] == DAY
    assert set(told["scope"].split(",")) == shop.scopes
    clock.pass_by(seconds=DAY - 1)
    assert opens(http, told["access_token"])
    clock.pass_by(seconds=1)
    assert not opens(http, told["access_token"])


def test_as_a_form(http: httpx.Client, shop: Sandbox) -> None:
    """A token may be asked for in a form's encoding."""
    words = {"client_id": shop.client_id, "client_secret": shop.secret}
    words["grant_type"] = "client_credentials"
    assert http.post("/admin/oauth/access_token", data=words).status_code == 200


def test_pairs_rotate(http: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """An offline token lasts an hour; its refresh token gets a new pair, and is then replaced."""
    first = shop.doors.install()
    assert first["expires_in"] == HOUR
    clock.pass_by(seconds=HOUR)
    assert not opens(http, first["access_token"])
    second = grant(http, shop, "refresh_token", refresh_token=first["refresh_token"]).json()
    assert opens(http, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]
    third = grant(http, shop, "refresh_token", refresh_token=second["refresh_token"])
    assert third.status_code == 200
    old = grant(http, shop, "refresh_token", refresh_token=first["refresh_token"])
    assert (old.status_code, old.json()["error"]) == (400, "invalid_request")


def test_a_lost_answer(http: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """The old refresh token serves on until the new one is used, but no more than 30 days."""
    first = shop.doors.install()["refresh_token"]
    assert grant(http, shop, "refresh_token", refresh_token=first).status_code == 200
    clock.pass_by(days=29)
    again = grant(http, shop, "refresh_token", refresh_token=first)
    assert again.status_code == 200
    clock.pass_by(days=2)
    assert grant(http, shop, "refresh_token", refresh_token=first).status_code == 400
    newest = again.json()["refresh_token"]
    clock.pass_by(days=91)
    assert grant(http, shop, "refresh_token", refresh_token=newest).status_code == 400


def test_who_gets_no_token(http: httpx.Client, shop: Sandbox) -> None:
    """A wrong app, a wrong secret, a shop of others, an unknown grant: no token, and why."""
    words = {"client_id": shop.client_id, "client_secret": shop.secret}
    kind = {"grant_type": "client_credentials"}
    for given, status, code in (
        ({**words, **kind, "client_id": "x"}, 400, "application_cannot_be_found"),
        ({**words, **kind, "client_secret": "x"}, 401, "invalid_client"),
        ({**words, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "application_cannot_be_found"),
    ):
        response = http.post("/admin/oauth/access_token", json=given)
        assert (response.status_code, response.json()["error"]) == (status, code)
    shop.doors.permitted = False
    response = grant(http, shop, "client_credentials")
    assert (response.status_code, response.json()["error"]) == (400, "shop_not_permitted")


def test_the_old_secret_ends(http: httpx.Client, shop: Sandbox, clock: Any) -> None:
    """After a rotation both secrets get tokens for an hour, then only the new one."""
    shop.rotate_secret("shpss_new")
    assert grant(http, shop, "client_credentials").status_code == 200
    assert grant(http, shop, "client_credentials", client_secret="shpss_new").status_code == 200
    clock.pass_by(hours=1)
    assert grant(http, shop, "client_credentials").status_code == 401
    assert grant(http, shop, "client_credentials", client_secret="shpss_new").status_code == 200


def test_the_app_is_gone(http: httpx.Client, shop: Sandbox, receiver: Any) -> None:
    """Uninstalled: told once more, and then no token opens anything."""
    shop.register(receiver.url, ["app/uninstalled"])
    day = grant(http, shop, "client_credentials").json()["access_token"]
    shop.demands.uninstall()
    shop.deliver()
    assert receiver.topics == ["app/uninstalled"]
    assert receiver.arrivals[0].value["myshopify_domain"] == shop.domain
    assert not opens(http, day)
    assert not opens(http, "shpat_sandbox")


def ask(http: httpx.Client, shop: Sandbox) -> httpx.Response:
    return http.post(PATH, json=QUERY, headers={"X-Shopify-Access-Token": shop.token})


@pytest.mark.parametrize("kind", ["401", "402", "403", "423", "429"])
def test_refused(http: httpx.Client, shop: Sandbox, kind: str) -> None:
    """A refusal in JSON: its status, once, and then all is well again."""
    shop.misbehave(answers=kind, seconds=2)
    response = ask(http, shop)
    assert response.status_code == int(kind)
    assert isinstance(response.json()["errors"], str)
    assert response.headers.get("Retry-After") == ("2.0" if kind == "429" else None)
    assert ask(http, shop).json()["data"] == {"shop": {"name": "Ull og Pinner"}}


@pytest.mark.parametrize(
    ("kind", "status"), [("430", 430), ("500", 500), ("503", 503), ("html", 200)]
)
def test_a_web_page(http: httpx.Client, shop: Sandbox, kind: str, status: int) -> None:
    """A web page where JSON was expected."""
    shop.misbehave(answers=kind)
    response = ask(http, shop)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert ask(http, shop).status_code == 200


def test_an_internal_error(http: httpx.Client, shop: Sandbox) -> None:
    """An error of GraphQL's own: status 200 and no data."""
    shop.misbehave(answers="internal")
    answer = ask(http, shop).json()
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "data" not in answer


@pytest.mark.parametrize("kind", ["torn", "dropped"])
def test_no_whole_answer(http: httpx.Client, shop: Sandbox, kind: str) -> None:
    """Half an answer, or none: the connection breaks."""
    shop.misbehave(answers=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(http, shop)
    assert ask(http, shop).status_code == 200


def test_a_late_answer(http: httpx.Client, shop: Sandbox) -> None:
    """A slow answer comes, late; also a token can be late."""
    shop.misbehave(answers="slow", seconds=0.2, times=2)
    for request in (lambda: ask(http, shop), lambda: grant(http, shop, "client_credentials")):
        before = time.monotonic()
        assert request().status_code == 200
        assert time.monotonic() - before >= 0.2


def test_asked_for_over_http(http: httpx.Client, shop: Sandbox) -> None:
    """Mischief can be asked for over HTTP; an unknown word is refused and plans nothing."""
    plan = {"answers": "500", "times": 2, "deliveries": {"dropped": 0.5}, "hides": True}
    answer = http.post("/_sandbox/misbehave", json=plan).json()
    assert answer == {"answers": ["500", "500"], "deliveries": {"dropped": 0.5}, "hides": True}
    response = http.post("/_sandbox/misbehave", json={"answers": "418"})
    assert response.status_code == 400
    assert "the sandbox knows no 418" in response.json()["error"]
    assert all(word in response.json()["error"] for word in ANSWERS)
    assert shop.mischief.as_json() == answer


def test_other_addresses(http: httpx.Client, shop: Sandbox) -> None:
    """What is not there is not found; a body without a query is a bad request."""
    assert http.get("/admin/api/2026-10/orders.json").status_code == 404
    assert http.get(PATH).status_code == 404
    headers = {"X-Shopify-Access-Token": shop.token}
    for content in (b"", b"[]", b"{}", json.dumps({"query": 3}).encode()):
        assert http.post(PATH, content=content, headers=headers).status_code == 400
