"""Lists of the stand-in shop as a reader of its past asks for them, and how they go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_archive import Archive
from adapters.woocommerce.sandbox_payloads import Site

ASC = {"orderby": "id", "order": "asc"}


def ids(answer: httpx.Response) -> list[int]:
    assert 200 == answer.status_code
    return [thing["id"] for thing in answer.json()]


def counted(answer: httpx.Response) -> tuple[str, str]:
    return answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]


@pytest.fixture
def orders(shop: Sandbox, clock: Any) -> list[int]:
    """Seven orders, a minute apart."""
    made = []
    for _ in range(7):
        made.append(shop.orders.create({})["id"])
        clock.pass_by(minutes=1)
    return made


def test_from_any_place(rest: httpx.Client, orders: list[int]) -> None:
    """``offset`` goes before ``page``; the totals are of the whole list."""
    answer = rest.get("/orders", params={**ASC, "per_page": 3, "offset": 2, "page": 9})
    assert (orders[2:5], ("7", "3")) == (ids(answer), counted(answer))


def test_past_the_end(rest: httpx.Client, orders: list[int]) -> None:
    """A page past the end is empty and says that all of it is."""
    for beyond in ({"offset": 7}, {"page": 4}):
        answer = rest.get("/orders", params={**ASC, "per_page": 3, **beyond})
        assert ([], ("0", "0")) == (ids(answer), counted(answer))


def test_by_the_time_of_change(
    shop: Sandbox, rest: httpx.Client, orders: list[int], clock: Any
) -> None:
    """The oldest change first, of one second the lower id; the bound itself is left out."""
    shop.orders.change(orders[5], {})
    shop.orders.change(orders[1], {})
    asked = {"orderby": "modified", "order": "asc", "dates_are_gmt": "true"}
    expected = [orders[n] for n in (0, 2, 3, 4, 6, 1, 5)]
    assert expected == ids(rest.get("/orders", params=asked))
    bound = clock.now.strftime("%Y-%m-%dT%H:%M:%S")
    assert [] == ids(rest.get("/orders", params={**asked, "modified_after": bound}))
    before = (clock.now - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    found = ids(rest.get("/orders", params={**asked, "modified_after": before}))
    assert [orders[1], orders[5]] == found


def test_without_gmt_it_is_the_shops_own_time(rest: httpx.Client, orders: list[int]) -> None:
    """The clock of Oslo is an hour ahead in November: the same text means an hour earlier."""
    bound = {"modified_after": "2026-11-23T03:02:00", "per_page": 100}
    assert set(orders[3:]) == set(ids(rest.get("/orders", params={**bound, "dates_are_gmt": "1"})))
    assert set(orders) == set(ids(rest.get("/orders", params=bound)))


def test_only_some_fields(rest: httpx.Client, orders: list[int]) -> None:
    """Of each thing only what was asked for, byte for byte what the whole one says."""
    whole = rest.get("/orders", params=ASC).json()
    some = rest.get("/orders", params={**ASC, "_fields": "id,billing,nonsense,line_items"}).json()
    assert [{k: order[k] for k in ("id", "billing", "line_items")} for order in whole] == some


def test_what_changed_shows_at_once(
    shop: Sandbox, rest: httpx.Client, orders: list[int], clock: Any
) -> None:
    """No list is older than the books."""
    assert orders == ids(rest.get("/orders", params=ASC))
    shop.orders.trash(orders[2])
    shop.orders.delete(orders[4])
    left = [number for number in orders if number not in {orders[2], orders[4]}]
    assert left == ids(rest.get("/orders", params=ASC))
    assert [orders[2]] == ids(rest.get("/orders", params={**ASC, "status": "trash"}))


def test_all_variations_there_are(shop: Sandbox, rest: httpx.Client) -> None:
    """Those of every product in one list, each with its parent."""
    made = {}
    for name in ("Genser", "Lue"):
        whole = shop.products.create({"name": name, "type": "variable"})["id"]
        for size in ("S", "M"):
            given = {"regular_price": "9", "attributes": [{"name": "Size", "option": size}]}
            made[shop.products.create(given, parent_id=whole)["id"]] = whole
    shop.products.create({"name": "Garn"})
    found = rest.get("/variations", params={**ASC, "_fields": "id,parent_id"}).json()
    assert made == {each["id"]: each["parent_id"] for each in found}


def test_accounts_by_role(shop: Sandbox, rest: httpx.Client) -> None:
    """Customers alone unless all are asked for."""
    roles = ("customer", "editor", "subscriber", "customer")
    made = [
        shop.customers.create({"email": f"k{n}@epost.example", "role": role})["id"]
        for n, role in enumerate(roles)
    ]
    assert [made[0], made[3]] == ids(rest.get("/customers", params=ASC))
    assert made == ids(rest.get("/customers", params={**ASC, "role": "all"}))


@pytest.mark.parametrize(
    "wrong",
    [{"per_page": 101}, {"per_page": 0}, {"page": 0}, {"offset": -1}, {"orderby": "total"}],
)
def test_refused(rest: httpx.Client, wrong: dict[str, Any]) -> None:
    """What is out of bounds is refused in WooCommerce's words."""
    answer = rest.get("/orders", params=wrong)
    assert (400, "rest_invalid_param") == (answer.status_code, answer.json()["code"])


# --- Wrong lists ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stale", "frozen"])
def test_an_old_list(
    shop: Sandbox, rest: httpx.Client, orders: list[int], clock: Any, kind: str
) -> None:
    """The list as it was ten minutes ago; a cache tells of its age, or does not."""
    clock.pass_by(minutes=7)
    fresh = shop.orders.create({})["id"]
    shop.misbehave(answers=kind, seconds=600)
    answer = rest.get("/orders", params=ASC)
    assert orders[:5] == ids(answer)
    assert "5" == answer.headers["X-WP-Total"]
    told = parsedate_to_datetime(answer.headers["Date"])
    old = datetime.now(UTC) - told > timedelta(seconds=590)
    assert (kind == "stale", "600" if kind == "stale" else None) == (
        old,
        answer.headers.get("Age"),
    )
    assert [*orders, fresh] == ids(rest.get("/orders", params=ASC))


def test_half_a_list_and_one_in_the_wrong_order(
    shop: Sandbox, rest: httpx.Client, orders: list[int]
) -> None:
    """JSON of the right shape all the same, with the totals of the whole."""
    shop.misbehave(answers="halved")
    shop.misbehave(answers="reversed")
    for expected in (orders[:3], orders[::-1], orders):
        answer = rest.get("/orders", params=ASC)
        assert (expected, "7") == (ids(answer), answer.headers["X-WP-Total"])


def test_another_shape(shop: Sandbox, rest: httpx.Client) -> None:
    """An object where a list should be."""
    shop.misbehave(answers="other")
    assert isinstance(rest.get("/orders").json(), dict)
    assert [] == rest.get("/orders").json()


def test_a_list_that_shifts(shop: Sandbox, rest: httpx.Client, orders: list[int]) -> None:
    """The first thing goes for good just before the answer: all others move to the left."""
    shop.misbehave(answers="shifting")
    assert orders[3:5] == ids(rest.get("/orders", params={**ASC, "offset": 2, "per_page": 2}))
    assert orders[1:] == ids(rest.get("/orders", params=ASC))


def test_visitors_are_counted(shop: Sandbox, rest: httpx.Client, orders: list[int]) -> None:
    """How many requests there were, also of those that failed; nobody is left inside."""
    shop.misbehave(answers="500")
    for _ in range(3):
        rest.get("/orders")
    assert (3, 1, 0) == (shop.visitors.ever, shop.visitors.most, shop.visitors.here)


# --- A long past ------------------------------------------------------------------------------


@pytest.fixture
def long_past(clock: Any) -> Iterator[httpx.Client]:
    """A shop with a million orders behind it."""
    with Sandbox(auto=False, clock=clock, archived_orders=1_000_000) as opened:
        base = f"{opened.base_url}/wp-json/wc/v3"
        with httpx.Client(
            base_url=base, auth=(opened.key, opened.secret), trust_env=False
        ) as client:
            yield client


def test_a_million_orders(long_past: httpx.Client) -> None:
    """Any page of them is there, and the same each time."""
    asked = {**ASC, "per_page": 100, "offset": 987_600}
    answer = long_past.get("/orders", params=asked)
    assert (list(range(987_601, 987_701)), ("1000000", "10000")) == (ids(answer), counted(answer))
    assert answer.content == long_past.get("/orders", params=asked).content
    assert [1_000_000] == ids(long_past.get("/orders", params={"orderby": "id", "per_page": 1}))
    assert 987_601 == long_past.get("/orders/987601").json()["id"]
    assert answer.json()[0] == long_past.get("/orders/987601").json()


def test_the_end_of_a_long_past(long_past: httpx.Client) -> None:
    """The last page is short, and past it there is nothing."""
    last = long_past.get("/orders", params={**ASC, "per_page": 100, "offset": 999_990})
    assert list(range(999_991, 1_000_001)) == ids(last)
    beyond = long_past.get("/orders", params={**ASC, "offset": 1_000_000})
    assert ([], ("0", "0")) == (ids(beyond), counted(beyond))


def test_a_long_past_since(long_past: httpx.Client) -> None:
    """What changed after one of them: all that were placed later, the bound itself left out."""
    bound = long_past.get("/orders/999000").json()["date_modified_gmt"]
    asked = {**ASC, "orderby": "modified", "modified_after": bound, "dates_are_gmt": "true"}
    answer = long_past.get("/orders", params=asked)
    assert ([999_001, 999_002], "1000") == (ids(answer)[:2], answer.headers["X-WP-Total"])


def test_orders_of_a_long_past_are_orders() -> None:
    """Every pattern is whole: sums that add up, its own ids, times in both forms, no gap left."""
    archive = Archive(site=Site(url="https://wool.example"), orders=200)
    seen: set[int] = set()
    for number in range(1, 201):
        body = archive.body(number)
        assert not [word for word in (b"98765", b"2001-02-03", b"%") if word in body]
        order = json.loads(body)
        assert (number, str(number)) == (order["id"], order["number"])
        total = sum(
            int(part[name].replace(".", ""))
            for part in (*order["line_items"], *order["shipping_lines"])
            for name in ("total", "total_tax")
        )
        assert total == int(order["total"].replace(".", ""))
        items = [item["id"] for item in order["line_items"]]
        assert not seen & set(items)
        seen.update(items)
        local, utc = (
            datetime.fromisoformat(order[name]) for name in ("date_paid", "date_paid_gmt")
        )
        assert timedelta(hours=1) == local - utc
        some = json.loads(archive.body(number, "id,total,refunds"))
        assert {name: order[name] for name in ("id", "total", "refunds")} == some
    assert any(json.loads(archive.body(number))["refunds"] for number in range(1, 50))
