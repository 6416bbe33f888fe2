"""The door to the REST API: what it asks, and what it makes of every kind of answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from adapters.woocommerce.client import LARGEST_ANSWER, WooCommerceClient
from adapters.woocommerce.verdicts import Found, Missing
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Kind

Handler = Callable[[httpx.Request], httpx.Response]


def _client(handler: Handler, waits: list[float] | None = None) -> WooCommerceClient:
    return WooCommerceClient(
        "https://wool.example/shop/",
        "ck_key",
        "cs_secret",
        transport=httpx.MockTransport(handler),
        sleep=(waits if waits is not None else []).append,
    )


def _answers(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A handler that gives these answers in turn, and the requests it was asked."""
    seen: list[httpx.Request] = []
    queue = iter(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = next(queue)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, seen


def _error(code: str, status: int) -> httpx.Response:
    body = {"code": code, "message": "secret words", "data": {"status": status}}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Kind.ORDER, "orders/22"),
        (Kind.CUSTOMER, "customers/22"),
        (Kind.PRODUCT, "products/22"),
        (Kind.VARIANT, "products/22"),
    ],
)
def test_asks_for_one_thing(kind: Kind, path: str) -> None:
    """One GET below the shop's own address, with the keys as Basic authentication."""
    handle, seen = _answers(httpx.Response(200, json={"id": 22}))
    assert isinstance(_client(handle).thing(kind, "22"), Found)
    (request,) = seen
    assert "GET" == request.method
    assert f"https://wool.example/shop/wp-json/wc/v3/{path}" == str(request.url)
    expected = "Basic " + base64.b64encode(b"ck_key:cs_secret").decode()
    assert expected == request.headers["Authorization"]
    assert "identity" == request.headers["Accept-Encoding"]


def test_keys_stay_within_woocommerce() -> None:
    """The site's root is public, and since 11.1 refuses WooCommerce's keys: none are sent."""
    handle, seen = _answers(httpx.Response(200, json={"gmt_offset": 1}))
    _client(handle).clock()
    assert "Authorization" not in seen[0].headers
    assert "/shop/wp-json/?_fields=gmt_offset,timezone_string" == seen[0].url.raw_path.decode()


@pytest.mark.parametrize(
    "code",
    [
        "woocommerce_rest_shop_order_invalid_id",
        "woocommerce_rest_product_invalid_id",
        "wc_user_invalid_id",
        "woocommerce_rest_invalid_id",
    ],
)
def test_missing(code: str) -> None:
    """Only WooCommerce's own word makes a thing missing."""
    handle, _ = _answers(_error(code, 404))
    assert Missing() == _client(handle).thing(Kind.ORDER, "22")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, html="<h1>Not Found</h1>"),
        httpx.Response(404),
        httpx.Response(404, json={"code": "somebody_invalid_id", "data": {"status": 404}}),
        httpx.Response(404, json={"code": "wc_user_invalid_id", "data": {"status": 200}}),
        httpx.Response(404, json={"error": "not found"}),
        httpx.Response(410, json={"code": "wc_user_invalid_id", "data": {"status": 404}}),
    ],
)
def test_other_not_found_is_no_confirmation(answer: httpx.Response) -> None:
    """A page not found by somebody else says nothing about the order."""
    handle, _ = _answers(answer)
    with pytest.raises(TryLater, match="the shop answered 4"):
        _client(handle).thing(Kind.ORDER, "22")


def test_no_route() -> None:
    """WooCommerce switched off, or plain permalinks: a person has to look."""
    handle, _ = _answers(_error("rest_no_route", 404))
    with pytest.raises(LaneDown, match="Permalinks"):
        _client(handle).thing(Kind.ORDER, "22")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("woocommerce_rest_cannot_view", 401),
        ("woocommerce_rest_authentication_error", 401),
        ("woocommerce_rest_cannot_view", 403),
    ],
)
def test_keys_refused(code: str, status: int) -> None:
    """A refused key stops everything; the mend also names TLS, which looks the same from here."""
    handle, seen = _answers(_error(code, status))
    with pytest.raises(LaneDown) as caught:
        _client(handle).thing(Kind.ORDER, "22")
    assert f"GET /wp-json/wc/v3/orders/22: the shop answered {status} {code}" == caught.value.reason
    assert "X-Forwarded-Proto" in caught.value.mend
    assert "secret words" not in str(caught.value)
    assert 1 == len(seen)


@pytest.mark.parametrize("status", [401, 403])
def test_turned_away_before_wordpress(status: int) -> None:
    """A firewall's page is no word of WooCommerce's about the keys."""
    handle, _ = _answers(httpx.Response(status, html="<h1>Blocked</h1>"))
    with pytest.raises(LaneDown, match="firewall"):
        _client(handle).thing(Kind.ORDER, "22")


def test_redirects_are_not_followed() -> None:
    """The keys go to no other address; where it leads is told without path and query."""
    away = httpx.Response(301, headers={"Location": "https://www.wool.example/x?token=1"})
    handle, seen = _answers(away)
    with pytest.raises(LaneDown) as caught:
        _client(handle).thing(Kind.ORDER, "22")
    assert caught.value.reason.endswith("a redirect to https://www.wool.example")
    assert 1 == len(seen)


@pytest.mark.parametrize(
    "hiccup",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("torn"),
        httpx.Response(500, html="<h1>Critical error</h1>"),
        httpx.Response(502),
        httpx.Response(408),
        httpx.Response(200, html="<h1>Maintenance</h1>"),
        httpx.Response(200),
    ],
)
def test_hiccups_are_tried_three_times(hiccup: httpx.Response | Exception) -> None:
    """What passes by itself is asked again within the call, after growing random waits."""
    waits: list[float] = []
    handle, seen = _answers(hiccup, hiccup, httpx.Response(200, json={"id": 22}))
    assert isinstance(_client(handle, waits).thing(Kind.ORDER, "22"), Found)
    assert 3 == len(seen)
    assert 2 == len(waits)
    assert all(0 <= wait <= 2 for wait in waits)

    handle, seen = _answers(hiccup, hiccup, hiccup)
    with pytest.raises(TryLater, match="GET /wp-json/wc/v3/orders/22: ") as caught:
        _client(handle, waits).thing(Kind.ORDER, "22")
    assert 3 == len(seen)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "99999"}, 86_400.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        (
            {
                "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
                "Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT",
            },
            90.0,
        ),
        (
            {
                "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
                "Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT"}, None),
    ],
)
def test_too_many_requests(headers: dict[str, str], expected: float | None) -> None:
    """A shop that asks for patience is not asked again in this call, and its wait is passed on."""
    waits: list[float] = []
    handle, seen = _answers(httpx.Response(429, headers=headers))
    with pytest.raises(TryLater) as caught:
        _client(handle, waits).thing(Kind.ORDER, "22")
    assert expected == caught.value.retry_after
    assert (1, []) == (len(seen), waits)


def test_maintenance_with_a_time() -> None:
    """WordPress in maintenance says when to come back."""
    handle, seen = _answers(httpx.Response(503, headers={"Retry-After": "600"}))
    with pytest.raises(TryLater) as caught:
        _client(handle).thing(Kind.ORDER, "22")
    assert (600.0, 1) == (caught.value.retry_after, len(seen))


class _Endless(httpx.SyncByteStream):
    """A body without end, which counts what was read of it."""

    def __init__(self) -> None:
        self.chunks = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.chunks += 1
            yield b" " * 65536

    def close(self) -> None:
        self.closed = True


def test_endless_answer() -> None:
    """An answer is read up to its limit and dropped."""
    bodies = [_Endless() for _ in range(3)]
    handle, _ = _answers(*(httpx.Response(200, stream=body) for body in bodies))
    with pytest.raises(TryLater, match="larger than"):
        _client(handle).thing(Kind.ORDER, "22")
    assert all(body.closed for body in bodies)
    assert all(body.chunks <= LARGEST_ANSWER // 65536 + 1 for body in bodies)


def test_answer_in_drops() -> None:
    """An answer that never falls silent but never ends is dropped after half a minute."""
    ticking = iter(range(0, 10_000, 20))
    client = WooCommerceClient(
        "https://wool.example",
        "ck",
        "cs",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=_Endless())),
        sleep=lambda _: None,
        ticks=lambda: float(next(ticking)),
    )
    with pytest.raises(TryLater, match="longer than 30 s"):
        client.thing(Kind.ORDER, "22")


def test_pages_of_variations() -> None:
    """Pages are asked for until one is not full."""

    def page(first: int, count: int) -> httpx.Response:
        return httpx.Response(200, json=[{"id": first + n} for n in range(count)])

    handle, seen = _answers(page(1, 100), page(101, 100), page(201, 7))
    ids = [item["id"] for item in _client(handle).variations("11")]
    assert list(range(1, 208)) == ids
    assert ["1", "2", "3"] == [request.url.params["page"] for request in seen]
    assert {"100"} == {request.url.params["per_page"] for request in seen}
    assert "/shop/wp-json/wc/v3/products/11/variations" == seen[0].url.path


@pytest.mark.parametrize("body", [{}, [1], {"items": []}])
def test_variations_that_are_no_list(body: Any) -> None:
    """Anything but a list of objects is no answer."""
    handle, _ = _answers(httpx.Response(200, json=body))
    with pytest.raises(TryLater, match="no list of variations"):
        list(_client(handle).variations("11"))


def test_variations_of_a_product_gone() -> None:
    """A product that went meanwhile has none."""
    handle, _ = _answers(_error("woocommerce_rest_product_invalid_id", 404))
    assert [] == list(_client(handle).variations("11"))


def test_byte_order_mark_of_a_plugin() -> None:
    """A plugin's file saved with a byte order mark puts one before every answer."""
    handle, _ = _answers(httpx.Response(200, content=b"\xef\xbb\xbf" + json.dumps([]).encode()))
    assert [] == list(_client(handle).variations("11"))


@pytest.mark.parametrize("address", ["http://wool.example", "http://10.0.0.5:8080", "ftp://x"])
def test_keys_never_travel_in_clear(address: str) -> None:
    """Without https only this machine is a shop's address."""
    with pytest.raises(ConfigurationFault, match="https"):
        WooCommerceClient(address, "ck", "cs")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:80"]
)
def test_stand_ins_on_this_machine(address: str) -> None:
    """A stand-in on loopback needs no https."""
    WooCommerceClient(address, "ck", "cs").close()
