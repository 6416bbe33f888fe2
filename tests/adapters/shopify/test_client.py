"""The door to the API: what it sends, how it keeps within the points, what each answer means."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from adapters.shopify.client import LARGEST_ANSWER, Keys, ShopifyClient, query_text
from connector.errors import ConfigurationFault, LaneDown, TryLater

Handler = Callable[[httpx.Request], httpx.Response]
Answered = httpx.Response | dict[str, Any] | Exception
URL = "https://yarn.myshopify.com/admin/api/2026-10/graphql.json"
FIXED = Keys(access_token="shpat_secret")
SHOP = {"data": {"shop": {"currencyCode": "NOK"}}}


class World:
    """A shop's answers in turn, a clock that only sleeping moves, and all that was asked."""

    def __init__(self, *answers: Answered) -> None:
        self.answers: Iterator[Answered] = iter(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self.now = 1_000.0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def client(
        self, keys: Keys = FIXED, base: str = "https://yarn.myshopify.com/"
    ) -> ShopifyClient:
        return ShopifyClient(
            "yarn",
            base,
            keys,
            api_version="2026-10",
            transport=httpx.MockTransport(self.handle),
            sleep=self.sleep,
            ticks=lambda: self.now,
            clock=lambda: self.now,
        )


def _cost(asked: float, left: float, rate: float = 50, most: float = 1000) -> dict[str, Any]:
    status = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": 1, "throttleStatus": status}}


def _error(code: str | None, message: str = "secret words", **parts: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}} | parts


def test_asks() -> None:
    """One POST of a query of ours with its variables, and the token in its own header."""
    world = World(SHOP)
    assert {"shop": {"currencyCode": "NOK"}} == world.client().ask("shop", {"id": "1"}).data
    (request,) = world.requests
    assert ("POST", URL) == (request.method, str(request.url))
    assert "shpat_secret" == request.headers["X-Shopify-Access-Token"]
    assert "identity" == request.headers["Accept-Encoding"]
    content = json.loads(request.content)
    assert {"query": query_text("shop"), "variables": {"id": "1"}} == content


def test_null_is_an_answer() -> None:
    """There is no such thing: that is data, too."""
    world = World({"data": {"order": None}})
    assert {"order": None} == world.client().ask("order", {}).data


@pytest.mark.parametrize("base", ["http://yarn.myshopify.com", "http://10.0.0.1", "ftp://x"])
def test_plain_http_is_refused(base: str) -> None:
    """A token never travels in the open."""
    with pytest.raises(ConfigurationFault, match="must be https"):
        World().client(base=base)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8090", "http://[::1]:1", "http://localhost"])
def test_stand_ins_may_be_near(base: str) -> None:
    """On this machine http is good enough."""
    world = World(SHOP)
    world.client(base=base).ask("shop", {})
    assert f"{base}/admin/api/2026-10/graphql.json" == str(world.requests[0].url)


def test_nothing_to_open_with() -> None:
    """Without any key the shop's settings are at fault, by name."""
    with pytest.raises(ConfigurationFault, match=r"shops\.yarn: nothing opens"):
        World().client(Keys(client_id="app"))


@pytest.mark.parametrize("token", ["shpat_\n", "shpat x", "tøken"])
def test_tokens_that_are_none(token: str) -> None:
    """A token that no header takes is a fault of the settings, told without the token."""
    with pytest.raises(ConfigurationFault, match=r"shops\.yarn\.access_token") as caught:
        World().client(Keys(access_token=token))
    assert token not in str(caught.value)


# --- The points ---------------------------------------------------------------------------------


def test_waits_before_it_would_not_fit() -> None:
    """A query that would not fit is not sent until it does."""
    world = World(
        SHOP | {"extensions": _cost(asked=400, left=300)}, SHOP | {"extensions": _cost(400, 0)}
    )
    client = world.client()
    client.ask("order", {})
    client.ask("order", {})
    assert [2.0] == world.slept
    assert 2 == len(world.requests)


def test_points_come_back_by_themselves() -> None:
    """Time passed is points gained, up to the most there can be."""
    answer = SHOP | {"extensions": _cost(asked=400, left=300)}
    world = World(answer, answer, answer)
    client = world.client()
    client.ask("order", {})
    world.now += 2.0
    client.ask("order", {})
    world.now += 10_000.0
    client.ask("order", {})
    assert [] == world.slept


def test_long_waits_are_for_later() -> None:
    """Who would have to wait long comes back instead; nothing is sent meanwhile."""
    world = World(SHOP | {"extensions": _cost(asked=900, left=0, rate=10)})
    client = world.client()
    client.ask("order", {})
    with pytest.raises(TryLater, match="points are used up") as caught:
        client.ask("order", {})
    assert 90.0 == caught.value.retry_after
    assert ([], 1) == (world.slept, len(world.requests))


def test_a_query_larger_than_the_bucket() -> None:
    """What can never fit is tried when the bucket is full, and not waited for for ever."""
    world = World(
        SHOP | {"extensions": _cost(asked=5000, left=900, rate=100)},
        {"errors": [_error("MAX_COST_EXCEEDED")], "extensions": _cost(5000, 1000)},
    )
    client = world.client()
    client.ask("order", {})
    with pytest.raises(TryLater, match="MAX_COST_EXCEEDED"):
        client.ask("order", {})
    assert [1.0] == world.slept


def test_throttled() -> None:
    """A throttled query is asked again when its points are there."""
    throttled = {"errors": [_error("THROTTLED")], "extensions": _cost(asked=732, left=632)}
    world = World(throttled, SHOP)
    assert "shop" in world.client().ask("shop", {}).data
    assert 2.0 == pytest.approx(sum(world.slept), abs=0.001)
    assert 2 == len(world.requests)


def test_throttled_without_figures() -> None:
    """Throttled four times without a word of when: another time."""
    world = World(*[{"errors": [_error("THROTTLED")]}] * 4)
    with pytest.raises(TryLater, match="throttled"):
        world.client().ask("shop", {})
    assert (4, 3) == (len(world.requests), len(world.slept))


def test_odd_figures_are_not_believed() -> None:
    """Figures that are none change nothing."""
    odd = [
        {},
        {"cost": None},
        {"cost": {"requestedQueryCost": "9"}},
        {"cost": {"requestedQueryCost": 9, "throttleStatus": {"restoreRate": 0}}},
        _cost(asked=9, left=0, rate=0),
        _cost(asked=-1, left=-1, rate=-1),
    ]
    world = World(*[SHOP | {"extensions": each} for each in odd])
    client = world.client()
    for _ in odd:
        client.ask("shop", {})
    assert [] == world.slept


def test_many_threads_share_the_points() -> None:
    """Five threads that ask at once do not spend the same points five times."""
    calls: list[float] = []
    world = World()
    answer = SHOP | {"extensions": _cost(asked=100, left=250, rate=100)}

    def handle(_: httpx.Request) -> httpx.Response:
        calls.append(world.now)
        return httpx.Response(200, json=answer if len(calls) == 1 else SHOP)

    world.handle = handle  # type: ignore[method-assign, assignment]
    client = world.client()
    client.ask("shop", {})
    threads = [threading.Thread(target=client.ask, args=("shop", {})) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 6 == len(calls)
    assert 1 <= len(world.slept)
    assert 250 + 100 * sum(world.slept) >= 500


# --- Errors in an answer ------------------------------------------------------------------------


def test_access_denied() -> None:
    """The scope that lacks is named, so that somebody can give it; nothing else is repeated."""
    message = "Access denied for order field. Required access: `read_orders` access scope. Eva"
    denied = {"data": {"order": None}, "errors": [_error("ACCESS_DENIED", message)]}
    with pytest.raises(LaneDown) as caught:
        World(denied).client().ask("order", {})
    assert "query order: access denied, read_orders is needed" == caught.value.reason
    assert "read_orders" in caught.value.mend
    assert "Eva" not in str(caught.value)


def test_protected_data() -> None:
    """Customer data needs an approval beside the scope."""
    message = "This app is not approved to access the Customer object."
    with pytest.raises(LaneDown, match="protected customer data"):
        World({"errors": [_error("ACCESS_DENIED", message)]}).client().ask("customer", {})


def test_denied_fields() -> None:
    """One field denied leaves the rest."""
    errors = [
        _error("ACCESS_DENIED", path=["order", "refunds", 0, "note"]),
        _error("ACCESS_DENIED", path=["order", "refunds", 1, "note"]),
        _error("ACCESS_DENIED", path=None),
    ]
    answer = World({"data": {"order": {"id": "1"}}, "errors": errors}).client().ask("order", {})
    assert ({"order": {"id": "1"}}, ("order.refunds.note", "")) == (answer.data, answer.denied)


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT"])
def test_trouble_on_their_side(code: str) -> None:
    """Shopify's own trouble passes: asked again within the call, then another time."""
    troubled = {"errors": [_error(code)]}
    world = World(troubled, SHOP)
    world.client().ask("shop", {})
    assert 2 == len(world.requests)
    with pytest.raises(TryLater, match=code):
        World(*[troubled] * 4).client().ask("shop", {})


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([_error("undefinedField")], "not understood"),
        ([{"message": "Field 'productz' doesn't exist on type 'Shop'"}], "not understood"),
        ([_error("SHOP_INACTIVE")], "SHOP_INACTIVE"),
    ],
)
def test_stops_for_a_person(errors: list[Any], expected: str) -> None:
    """A question that this API version does not know, or a shop that is closed, needs a person."""
    world = World({"errors": errors})
    with pytest.raises(LaneDown, match=expected) as caught:
        world.client().ask("shop", {})
    assert "secret words" not in str(caught.value)
    assert 1 == len(world.requests)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": []},
        {"errors": ["x"]},
        {"data": {"shop": {}}, "errors": [_error("odd", path=["shop"])]},
        httpx.Response(200, html="<h1>One moment</h1>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b'{"data":{"shop":{},"shop":{}}}'),
        httpx.Response(200, content=b"[]"),
        httpx.Response(500),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(408),
        httpx.ConnectError("10.0.0.1 eva@example.org"),
        httpx.ReadTimeout("x"),
    ],
)
def test_rows_105_122_and_124_asked_again(answer: Any) -> None:
    """Rows 105, 122 and 124: no answer is asked again within the call, then another time."""
    world = World(answer, SHOP)
    world.client().ask("shop", {})
    assert 2 == len(world.requests)
    world = World(*[answer] * 4)
    with pytest.raises(TryLater) as caught:
        world.client().ask("shop", {})
    assert "eva" not in str(caught.value)
    assert (4, 3) == (len(world.requests), len(world.slept))


def test_an_error_that_is_not_graphqls() -> None:
    """``{"errors": "Not Found"}`` with 200 says nothing: another time."""
    world = World({"errors": "Not Found"})
    with pytest.raises(TryLater, match="not GraphQL"):
        world.client().ask("shop", {})
    assert 1 == len(world.requests)


# --- Answers by their status --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (402, "frozen"),
        (403, "scopes"),
        (404, "myshopify.com"),
        (423, "locked"),
        (430, "malicious"),
    ],
)
def test_statuses_for_a_person(status: int, expected: str) -> None:
    """Each refusal names who mends it, and nothing is asked again meanwhile."""
    world = World(httpx.Response(status, json={"errors": "eva@example.org"}))
    with pytest.raises(LaneDown) as caught:
        world.client().ask("shop", {})
    assert f"query shop: the shop answered {status}" == caught.value.reason
    assert expected in caught.value.mend
    assert "eva" not in str(caught.value)
    assert 1 == len(world.requests)


@pytest.mark.parametrize("status", [401, 403])
def test_walls(status: int) -> None:
    """A web page with a refusal is not Shopify's word about our token."""
    world = World(httpx.Response(status, html="<h1>Blocked</h1>"))
    with pytest.raises(LaneDown, match="proxy or firewall"):
        world.client().ask("shop", {})
    assert 1 == len(world.requests)


def test_fixed_token_refused() -> None:
    """A token that stays has no successor: a person has to put another one in place."""
    world = World(httpx.Response(401, json={"errors": "[API] Invalid API key or access token"}))
    with pytest.raises(LaneDown, match="does not take our access token") as caught:
        world.client().ask("shop", {})
    assert "shpat" not in str(caught.value)
    assert 1 == len(world.requests)


def test_redirects_are_not_followed() -> None:
    """Row 110: a redirect could lead the token anywhere; only its host is told."""
    world = World(httpx.Response(302, headers={"Location": "https://evil.example/x?token=1"}))
    with pytest.raises(LaneDown, match=r"a redirect to https://evil\.example\.") as caught:
        world.client().ask("shop", {})
    assert "token=1" not in str(caught.value)
    assert 1 == len(world.requests)


def test_redirect_to_nowhere() -> None:
    """A redirect without a place to go to is one all the same; to no address, no answer."""
    with pytest.raises(LaneDown, match="a redirect to nowhere"):
        World(httpx.Response(301)).client().ask("shop", {})
    lost = httpx.Response(301, headers={"Location": "https://evil:port/"})
    with pytest.raises(TryLater, match="no answer"):
        World(*[lost] * 4).client().ask("shop", {})


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"Retry-After": "2.0"}, 2.0),
        ({"Retry-After": "3"}, 3.0),
        (
            {
                "Retry-After": "Mon, 23 Nov 2026 12:00:05 GMT",
                "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
            },
            5,
        ),
        (
            {
                "Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT",
                "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
            },
            0,
        ),
    ],
)
def test_row_121_retry_after(headers: dict[str, str], slept: float) -> None:
    """Row 121: 429 says when to come back, in either form."""
    world = World(httpx.Response(429, headers=headers), SHOP)
    world.client().ask("shop", {})
    assert [slept] == world.slept


@pytest.mark.parametrize("value", ["-1", "soon", "9" * 30, "1e9", ""])
def test_odd_retry_after(value: str) -> None:
    """What is no time is not waited for."""
    world = World(httpx.Response(503, headers={"Retry-After": value}), SHOP)
    world.client().ask("shop", {})
    assert all(seconds <= 2 for seconds in world.slept)


def test_long_retry_after() -> None:
    """A long wait is for later, and told."""
    world = World(httpx.Response(429, headers={"Retry-After": "120"}))
    with pytest.raises(TryLater) as caught:
        world.client().ask("shop", {})
    assert 120.0 == caught.value.retry_after
    assert ([], 1) == (world.slept, len(world.requests))


@pytest.mark.parametrize("status", [400, 406, 410, 422])
def test_other_statuses(status: int) -> None:
    """Whatever else it answers, nothing is known: another time."""
    world = World(httpx.Response(status, json={}))
    with pytest.raises(TryLater, match=str(status)):
        world.client().ask("shop", {})
    assert 1 == len(world.requests)


def test_row_126_endless_answers() -> None:
    """Row 126: of an endless answer no more is read than an answer can be long."""

    class Endless(httpx.SyncByteStream):
        read = 0

        def __iter__(self) -> Iterator[bytes]:
            while True:
                self.read += 1
                yield b"x" * 2**20

    endless = Endless()
    world = World(*[httpx.Response(200, stream=endless) for _ in range(4)])
    with pytest.raises(TryLater, match="larger than"):
        world.client().ask("shop", {})
    assert 4 * (LARGEST_ANSWER // 2**20 + 1) == endless.read


def test_row_125_dripping_answers() -> None:
    """Row 125: an answer that drips is hung up on after half a minute."""
    world = World()

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                world.now += 10.0
                yield b" "

    world.answers = iter([httpx.Response(200, stream=Drip()) for _ in range(4)])
    with pytest.raises(TryLater, match="took longer than 30 s"):
        world.client().ask("shop", {})
    assert 4 == len(world.requests)
