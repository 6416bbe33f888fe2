"""Pages that are believed and pages that are not; and how gently the shop is asked for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from adapters.woocommerce.client import LARGEST_LIST, WooCommerceClient
from adapters.woocommerce.lists import GoneError, ListReader
from adapters.woocommerce.politeness import Manners, PoliteReader
from connector.errors import LaneDown, TryLater
from connector.model import Kind

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


class Shop:
    """A shop of so many things; ``spoil`` may answer otherwise. Time passes by waiting alone."""

    def __init__(self, count: int = 250) -> None:
        self.count = count
        self.asked: list[dict[str, str]] = []
        self.waits: list[float] = []
        self.ticks = 1000.0
        self.spoil: Callable[[dict[str, str]], httpx.Response | None] = lambda _: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.asked.append(query)
        return self.spoil(query) or self.page(query)

    def page(self, query: dict[str, str], **more: str) -> httpx.Response:
        offset, size = int(query.get("offset", 0)), int(query["per_page"])
        ids = range(1, self.count + 1)[offset : offset + size]
        if query["order"] == "desc":
            ids = range(self.count, 0, -1)[:size]
        headers = {"X-WP-Total": str(self.count), "Date": self.date()} | more
        return httpx.Response(200, headers=headers, json=[{"id": number} for number in ids])

    def date(self, ago: float = 0) -> str:
        now = NOON + timedelta(seconds=self.ticks - 1000 - ago)
        return format_datetime(now, usegmt=True)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.ticks += seconds

    def polite(self, **manners: Any) -> PoliteReader:
        client = WooCommerceClient(
            "https://wool.example",
            "ck",
            "cs",
            transport=httpx.MockTransport(self.answer),
            sleep=self.sleep,
            ticks=lambda: self.ticks,
        )
        return PoliteReader(client, Manners(**manners), sleep=self.sleep, ticks=lambda: self.ticks)

    def reader(self, **manners: Any) -> ListReader:
        return ListReader(self.polite(**manners))


def _times(count: int, answer: Callable[[dict[str, str]], httpx.Response | None]) -> Any:
    """The first so many answers, and none after them."""
    left = [count]

    def spoil(query: dict[str, str]) -> httpx.Response | None:
        left[0] -= 1
        return answer(query) if left[0] >= 0 else None

    return spoil


def test_a_page_as_it_is() -> None:
    """The order that is asked for, the place, and no address twice."""
    shop = Shop()
    reader = shop.reader()
    first, last = (reader.by_id("orders", {"_fields": "id"}, at) for at in (0, 200))
    assert (list(range(1, 101)), 250, False) == (
        [record.id for record in first.records],
        first.total,
        first.is_last,
    )
    assert (list(range(201, 251)), True) == ([record.id for record in last.records], last.is_last)
    once = {key: value for key, value in shop.asked[0].items() if key != "_"}
    assert {
        "_fields": "id",
        "orderby": "id",
        "order": "asc",
        "per_page": "100",
        "offset": "0",
    } == once
    assert 2 == len({query["_"] for query in shop.asked})
    assert [] == shop.waits


def test_changes_are_asked_for_in_utc() -> None:
    """The bound is the second before, and said to be UTC; the oldest change comes first."""
    shop = Shop(0)
    shop.reader().by_change("orders", {}, NOON, 0)
    (query,) = shop.asked
    assert ("2026-11-23T12:00:00", "true", "modified", "asc") == tuple(
        query[name] for name in ("modified_after", "dates_are_gmt", "orderby", "order")
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("2026-11-23T12:00:02", 1), ("2026-11-23T12:00:01", 2)], "out of order"),
        ([("2026-11-23T12:00:00", 1)], "before the time"),
        ([("2026-11-22T12:00:00", 1), ("2026-11-23T12:00:01", 2)], "before the time"),
    ],
)
def test_changes_that_are_none(rows: list[tuple[str, int]], why: str) -> None:
    """A list that heeds neither the order nor the bound is not believed."""
    shop = Shop()
    told = [{"id": number, "date_modified_gmt": changed} for changed, number in rows]
    shop.spoil = lambda _: httpx.Response(200, headers={"X-WP-Total": str(len(told))}, json=told)
    with pytest.raises(TryLater, match=why):
        shop.reader().by_change("orders", {}, NOON, 0)
    assert 4 == len(shop.asked)


def test_a_page_that_is_older_than_those_before_it() -> None:
    """Its date gives it away, though nobody says that it comes from a cache."""
    shop = Shop()
    reader = shop.reader()
    reader.by_id("orders", {}, 0)
    shop.spoil = _times(1, lambda query: shop.page(query, Date=shop.date(ago=86_400)))
    assert 101 == reader.by_id("orders", {}, 100).records[0].id
    assert 3 == len(shop.asked)
    shop.spoil = lambda query: shop.page(query, Date=shop.date(ago=86_400))
    with pytest.raises(TryLater, match="dated before"):
        reader.by_id("orders", {}, 200)


def test_clocks_that_differ_a_little() -> None:
    """Two machines of one shop need not agree to the minute."""
    shop = Shop()
    reader = shop.reader()
    for ago in (0, 250, 0, 250):
        shop.spoil = lambda query, ago=ago: shop.page(  # type: ignore[misc]
            query, Date=shop.date(ago=ago)
        )
        reader.by_id("orders", {}, 0)
    assert 4 == len(shop.asked)


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_without_a_date(date: str) -> None:
    """A shop that tells no time is read all the same."""
    shop = Shop()
    shop.spoil = lambda query: shop.page(query, Date=date)
    assert 100 == len(shop.reader().by_id("orders", {}, 0).records)


@pytest.mark.parametrize("total", ["", "many", "-5", "1" * 30])
def test_without_a_count(total: str) -> None:
    """Where no total is told, the end is where a page is not full."""
    shop = Shop()
    shop.spoil = lambda query: shop.page(query, **{"X-WP-Total": total})
    reader = shop.reader()
    pages = [reader.by_id("orders", {}, at) for at in (0, 100, 200)]
    assert [False, False, True] == [page.is_last for page in pages]
    shop.count = 200
    assert [False, True] == [reader.by_id("orders", {}, at).is_last for at in (100, 200)]


@pytest.mark.parametrize(
    ("ids", "total", "why"),
    [
        (list(range(1, 60)), 250, "59 things where the shop counts 100"),
        ([], 250, "0 things where the shop counts 100"),
        (list(range(1, 102)), 250, "101 things, and 100 were asked for"),
        ([1, 2, 3], 2, "3 things where the shop counts 2"),
        ([3, 2, 1], 3, "out of order"),
        ([1, 1, 2], 3, "out of order"),
    ],
)
def test_pages_that_cannot_be(ids: list[int], total: int, why: str) -> None:
    """Asked for four times, and then the shop is to be tried later."""
    shop = Shop()
    told = [{"id": number} for number in ids]
    shop.spoil = lambda _: httpx.Response(200, headers={"X-WP-Total": str(total)}, json=told)
    with pytest.raises(TryLater, match=f"GET orders: the page is not believed, it.*{why}"):
        shop.reader().by_id("orders", {}, 0)
    assert 4 == len(shop.asked)


def test_a_few_that_are_never_shown() -> None:
    """What the shop counts and never shows, the same each time, keeps nobody from the rest."""
    shop = Shop()

    def hide(query: dict[str, str]) -> httpx.Response:
        shown = [{"id": number} for number in range(1, 101) if number not in {17, 60}]
        return httpx.Response(200, headers={"X-WP-Total": "250"}, json=shown)

    shop.spoil = hide
    page = shop.reader().by_id("orders", {}, 0)
    assert (98, 4) == (len(page.records), len(shop.asked))


def test_a_few_that_are_others_each_time() -> None:
    """If it is not the same few each time, it is not the shop's books that are at fault."""
    shop = Shop()

    def hide(query: dict[str, str]) -> httpx.Response:
        hidden = len(shop.asked)
        shown = [{"id": number} for number in range(1, 101) if number != hidden]
        return httpx.Response(200, headers={"X-WP-Total": "250"}, json=shown)

    shop.spoil = hide
    with pytest.raises(TryLater, match="99 things where the shop counts 100"):
        shop.reader().by_id("orders", {}, 0)


def test_what_a_list_belongs_to_is_gone() -> None:
    """A product that went away has no variations to list."""
    shop = Shop()
    gone = {"code": "woocommerce_rest_product_invalid_id", "data": {"status": 404}}
    shop.spoil = lambda _: httpx.Response(404, json=gone)
    with pytest.raises(GoneError):
        shop.reader().by_id("products/7/variations", {}, 0)


def test_too_much_at_once() -> None:
    """A page that is too large or too slow is asked for in smaller ones from then on."""
    shop = Shop()

    def spoil(query: dict[str, str]) -> httpx.Response | None:
        if int(query["per_page"]) > 50:
            return httpx.Response(200, content=b"[" + b" " * LARGEST_LIST + b"]")
        if int(query["per_page"]) > 25:
            raise httpx.ReadTimeout("slow")
        return None

    shop.spoil = spoil
    reader = shop.reader()
    assert 25 == len(reader.by_id("orders", {}, 0).records)
    assert 25 == len(reader.by_id("orders", {}, 24).records)
    assert ["100", "50", "25", "25"] == [query["per_page"] for query in shop.asked]


def test_too_much_even_of_little() -> None:
    """A shop that cannot give six things in time is to be tried later."""
    shop = Shop()

    def spoil(query: dict[str, str]) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    shop.spoil = spoil
    with pytest.raises(TryLater, match="GET orders"):
        shop.reader().by_id("orders", {}, 0)
    assert ["100", "50", "25", "12", "6"] == [query["per_page"] for query in shop.asked]


def test_the_newest() -> None:
    """The greatest id there is, asked for by itself; 0 in an empty shop."""
    shop = Shop()
    assert 250 == shop.reader().newest("orders", {})
    shop.count = 0
    assert 0 == shop.reader().newest("orders", {})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, json={"id": 7, "status": "completed"}), True),
        (httpx.Response(200, json={"id": 7, "role": "customer"}), True),
        (httpx.Response(200, json={"id": 7, "status": "trash"}), False),
        (httpx.Response(404, json={"code": "wc_user_invalid_id", "data": {"status": 404}}), False),
    ],
)
def test_one_thing_by_itself(answer: httpx.Response, expected: bool) -> None:  # noqa: FBT001 - a case
    """It is there unless it is in the trash, or WooCommerce itself says that it is not."""
    shop = Shop()
    shop.spoil = lambda _: answer
    assert expected is shop.reader().has(Kind.ORDER, 7)


@pytest.mark.parametrize("answer", [httpx.Response(200, json=[]), httpx.Response(404, text="no")])
def test_one_thing_of_which_nothing_is_learned(answer: httpx.Response) -> None:
    """Another answer says neither."""
    shop = Shop()
    shop.spoil = lambda _: answer
    with pytest.raises(TryLater):
        shop.reader().has(Kind.ORDER, 7)


def test_others_than_were_asked_for() -> None:
    """Things by their ids: a shop that shows others as well did not heed them."""
    shop = Shop(3)
    with pytest.raises(TryLater, match="not asked for"):
        shop.reader().these("products", {}, [1, 2])
    found = shop.reader().these("products", {}, [1, 2, 3, 9])
    assert [1, 2, 3] == [record.id for record in found.records]
    assert "1,2,3,9" == shop.asked[-1]["include"]


# --- Manners ----------------------------------------------------------------------------------


def test_waits_grow_and_end() -> None:
    """Five times in all, each pause twice the one before."""
    shop = Shop()
    shop.spoil = lambda _: httpx.Response(500)
    with pytest.raises(TryLater, match="GET orders: the shop answered 500"):
        shop.polite().listed("orders", {"per_page": 100, "order": "asc"})
    assert ([0.5, 1.0, 2.0, 4.0], 5) == (shop.waits, len(shop.asked))


@pytest.mark.parametrize("status", [429, 503])
def test_as_long_as_the_shop_asks(status: int) -> None:
    """A pause that is asked for is kept, in seconds or as a date; a long one is the caller's."""
    shop = Shop()
    later = {"Retry-After": "9"}, {"Retry-After": shop.date(-11), "Date": shop.date()}
    answers = iter(later)
    shop.spoil = _times(2, lambda _: httpx.Response(status, headers=next(answers)))
    shop.polite().listed("orders", {"per_page": 100, "order": "asc"})
    assert [9.0, 11.0] == shop.waits
    shop.spoil = lambda _: httpx.Response(status, headers={"Retry-After": "21"})
    asked = len(shop.asked)
    with pytest.raises(TryLater) as caught:
        shop.polite().listed("orders", {"per_page": 100, "order": "asc"})
    assert (21, 1) == (caught.value.retry_after, len(shop.asked) - asked)


def test_a_refused_key_is_not_asked_again() -> None:
    """A person must act first."""
    shop = Shop()
    refused = {"code": "woocommerce_rest_cannot_view", "data": {"status": 401}}
    shop.spoil = lambda _: httpx.Response(401, content=json.dumps(refused))
    with pytest.raises(LaneDown):
        shop.polite().listed("orders", {})
    assert 1 == len(shop.asked)


def test_fewer_at_once_after_trouble_and_more_after_calm() -> None:
    """Half as many after each trouble, one more after twenty good answers, up to the agreed."""
    shop = Shop()
    polite = shop.polite(at_once=4)
    asked = {"per_page": 100, "order": "asc"}
    allowed = [polite._allowed]
    shop.spoil = _times(1, lambda _: httpx.Response(500))
    polite.listed("orders", asked)
    allowed.append(polite._allowed)
    polite.hold(1)
    allowed.append(polite._allowed)
    for _ in range(80):
        polite.listed("orders", asked)
        if polite._allowed != allowed[-1]:
            allowed.append(polite._allowed)
    assert [4, 2, 1, 2, 3, 4] == allowed


def test_fewer_at_once_when_it_is_slow() -> None:
    """A shop that needs nine seconds for a page is left more room."""
    shop = Shop()
    polite = shop.polite(at_once=4)

    def slowly(query: dict[str, str]) -> None:
        shop.ticks += 9

    shop.spoil = slowly
    for _ in range(5):
        polite.listed("orders", {"per_page": 100, "order": "asc"})
    assert 1 == polite._allowed


@pytest.mark.parametrize("wrong", [{"at_once": 0}, {"a_second": 0.0}, {"a_second": -1.0}])
def test_manners_that_make_no_sense(wrong: dict[str, Any]) -> None:
    """Nobody can be asked less than once."""
    with pytest.raises(ValueError, match="at least once"):
        Manners(**wrong)
