"""Pages of a shop that goes on changing: nothing that was there all the time is passed over."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.shopify import pages
from adapters.shopify.answers import Answer
from adapters.shopify.client import Keys, ShopifyClient, query_text
from adapters.shopify.sandbox import Sandbox
from adapters.shopify.sandbox_market import Market
from adapters.shopify.shop import CURRENT_VERSION, ShopifyShop
from connector.errors import LaneDown, TryLater
from connector.model import Kind, Understood

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
FROM_PAGES = '{"type":"pages"}'


class Clock:
    def __init__(self) -> None:
        self.now = END

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(auto=False, clock=clock, keep_alive=True, points=1e9) as shop:
        yield shop


def adapter(sandbox: Sandbox, **settings: Any) -> ShopifyShop:
    given = {"access_token": sandbox.token, "currency": "NOK", "timezone": "Europe/Oslo"}
    return ShopifyShop("yarn", sandbox.domain, sandbox.base_url, **(given | settings))


def many(sandbox: Sandbox, number: int, *, at: datetime = START) -> list[int]:
    """So many customers, all changed at one and the same moment."""
    return [
        int(sandbox.customers.create({"email": f"k{each}@epost.example"}, now=at)["id"])
        for each in range(number)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("since", [None, START - timedelta(days=1)], ids=["all", "changed"])
def test_changes_while_pages_are_turned(
    sandbox: Sandbox, clock: Clock, seed: int, since: datetime | None
) -> None:
    """Between any two pages some are changed, some removed, some new: all that stayed are found."""
    chance = random.Random(seed)
    there = set(many(sandbox, 80))
    stayed, found = set(there), []
    shop = adapter(sandbox)
    for haul in shop.history(Kind.CUSTOMER, since=since, cursor=FROM_PAGES, now=END):
        found += [int(each.id) for each in haul.found]
        clock.now += timedelta(seconds=chance.choice([0, 0, 1]))
        if len(found) > 200:
            continue  # a shop that never rests would keep anybody reading
        for number in chance.sample(sorted(stayed), 6):
            sandbox.customers.change(number, {"note": str(chance.random())}, now=clock.now)
        for number in chance.sample(sorted(stayed), 2):
            sandbox.customers.delete(number, now=clock.now)
            stayed.discard(number)
        sandbox.customers.create({"email": f"n{len(found)}@epost.example"}, now=clock.now)
    shop.close()
    assert set() == stayed - set(found)
    assert len(stayed) < len(there)


@pytest.mark.parametrize("number", [24, 25, 26, 49, 50, 51, 76])
def test_equal_times_at_the_border(sandbox: Sandbox, number: int) -> None:
    """However many share one moment, each is found once."""
    made = many(sandbox, number)
    shop = adapter(sandbox)
    hauls = list(
        shop.history(Kind.CUSTOMER, since=START, cursor=None, now=START + timedelta(days=1))
    )
    shop.close()
    found = [int(each.id) for haul in hauls for each in haul.found]
    assert sorted(made) == sorted(found)
    assert {number} == {haul.total for haul in hauls}


def test_order_of_the_changes(sandbox: Sandbox) -> None:
    """What changed is told oldest first."""
    moments = [START + timedelta(minutes=each * 7 % 60) for each in range(60)]
    for place, moment in enumerate(moments):
        sandbox.customers.create({"email": f"k{place}@epost.example"}, now=moment)
    shop = adapter(sandbox)
    told = [
        each.understanding.facts[0].version.at  # type: ignore[union-attr]
        for haul in shop.history(Kind.CUSTOMER, since=START, cursor=FROM_PAGES, now=END)
        for each in haul.found
        if isinstance(each.understanding, Understood)
    ]
    shop.close()
    assert sorted(moments) == told


def test_parts_that_do_not_fit_into_a_page(sandbox: Sandbox) -> None:
    """A product with more variants than a page shows, an order with more lines, is read whole."""
    variants = [{"value": f"F{each}", "price": "10.00", "sku": f"S{each}"} for each in range(60)]
    made = sandbox.products.create({"title": "Garn", "option": "Farge", "variants": variants})
    ids = [each["id"] for each in made["rest"]["variants"]]
    bought = [{"variant_id": each, "quantity": 1} for each in ids[:55]]
    sandbox.orders.check_out({"email": "ida@epost.example", "line_items": bought})
    shop = adapter(sandbox)
    counts = {}
    for kind in (Kind.PRODUCT, Kind.ORDER):
        for haul in shop.history(kind, since=None, cursor=FROM_PAGES, now=END):
            for each in haul.found:
                assert isinstance(each.understanding, Understood)
                fact: Any = each.understanding.facts[0]
                counts[kind] = len(fact.variants if kind is Kind.PRODUCT else fact.lines)
    shop.close()
    assert {Kind.PRODUCT: 60, Kind.ORDER: 55} == counts


def test_a_place_that_is_not_known_any_more(sandbox: Sandbox) -> None:
    """A cursor that the shop refuses is not insisted on: the list is read from its beginning."""
    made = many(sandbox, 30)
    shop = adapter(sandbox)
    stale = '{"type":"pages","after":"no cursor at all"}'
    found = [
        int(each.id)
        for haul in shop.history(Kind.CUSTOMER, since=None, cursor=stale, now=END)
        for each in haul.found
    ]
    shop.close()
    assert sorted(made) == sorted(found)


def test_ids_of_a_large_shop(sandbox: Sandbox) -> None:
    """All ids, 250 a page, nothing else of anybody."""
    made = many(sandbox, 260)
    shop = adapter(sandbox)
    told = [list(page) for page in shop.ids(Kind.CUSTOMER)]
    shop.close()
    assert [250, 10] == [len(page) for page in told]
    assert sorted(map(str, made)) == sorted(each for page in told for each in page)


# --- Points -----------------------------------------------------------------------------------


def test_no_more_than_the_shop_allows(clock: Clock) -> None:
    """All is read within the shop's points: we wait before asking, and come back where it is long.

    Refused is only what a question costs that was never asked, and once others used all points up.
    """
    slept: list[float] = []

    def rest(seconds: float) -> None:
        slept.append(seconds)
        clock.now += timedelta(seconds=seconds)

    def sandbox_ticks() -> float:
        return clock.now.timestamp()

    with Sandbox(auto=False, clock=clock, points=1000, restore=50, keep_alive=True) as sandbox:
        Market(sandbox, seed=3, start=START).sell(60, (START, END))
        costs: list[Any] = []
        client = ShopifyClient(
            "yarn",
            sandbox.base_url,
            Keys(access_token=sandbox.token),
            api_version=CURRENT_VERSION,
            sleep=rest,
            ticks=sandbox_ticks,
            transport=_Watching(costs),
        )
        before = clock.now
        kinds = (Kind.ORDER, Kind.CUSTOMER, Kind.PRODUCT)
        for kind in kinds:
            _patiently(client, kind, rest)
        sandbox.misbehave(answers="throttled", times=1)
        _patiently(client, Kind.ORDER, rest)
        client.close()
    refused = [each for each in costs if each["actualQueryCost"] is None]
    assert 1 <= len(refused) <= len(kinds) + 1
    passed = (clock.now - before).total_seconds()
    used = sum(each["actualQueryCost"] or 0 for each in costs)
    assert slept
    assert used <= 1000 + 50 * passed
    assert all(each["requestedQueryCost"] <= 1000 for each in costs)


def _patiently(client: ShopifyClient, kind: Kind, rest: Callable[[float], None]) -> None:
    """All pages; after each `TryLater` on from where it was, as long later as was asked."""
    after: str | None = None
    while True:
        try:
            for page in pages.whole(client.ask, kind, since=None, after=after):
                after = page.after
        except TryLater as later:
            rest(later.retry_after or 0)
            continue
        return


class _Watching(httpx.HTTPTransport):
    """Notes what each answer says of its cost; one that was throttled has no actual one."""

    def __init__(self, costs: list[Any]) -> None:
        super().__init__()
        self._costs = costs

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        response.read()
        self._costs.append(response.json()["extensions"]["cost"])
        return response


# --- Answers that make no sense ------------------------------------------------------------------


def asking(*answers: Any) -> Callable[..., Answer]:
    queue = iter(answers)
    return lambda *_: Answer(data=next(queue))


@pytest.mark.parametrize(
    "connection",
    [
        {},
        None,
        {"nodes": [], "pageInfo": None},
        {"nodes": [], "pageInfo": {"hasNextPage": True}},
        {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "a"}},
    ],
    ids=["empty", "null", "no page info", "no cursor", "the same cursor again"],
)
def test_a_list_without_an_end(connection: Any) -> None:
    """A page that does not say where the list goes on is no end of it, and no circle is run."""
    with pytest.raises(TryLater, match="customers"):
        list(pages.whole(asking({"customers": connection}), Kind.CUSTOMER, since=None, after="a"))


def test_a_refusal_in_the_middle_stands(sandbox: Sandbox) -> None:
    """Where pages were turned already, a refusal is told; the hauls until then stand."""
    many(sandbox, 60)
    shop = adapter(sandbox)
    hauls = shop.history(Kind.CUSTOMER, since=None, cursor=FROM_PAGES, now=END)
    assert 25 == len(next(hauls).found)
    sandbox.misbehave(answers="403")
    with pytest.raises(LaneDown):
        next(hauls)
    shop.close()


@pytest.mark.parametrize("many_of", ["customers", "orders", "products"])
def test_pages_go_by_the_last_thing(many_of: str) -> None:
    """No page is asked for by its number, and each by id or by time."""
    text = query_text(f"page_{many_of}")
    assert "after: $after" in text
    assert "sortKey: $sort" in text
    assert "sortKey: ID" in query_text(f"ids_{many_of}")
