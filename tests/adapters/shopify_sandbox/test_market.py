"""The town buys here too: the same story as in any other shop, and told as the books say."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.shopify.sandbox import Sandbox
from adapters.shopify.sandbox_market import Market
from adapters.shopify.sandbox_orders import SOLD
from adapters.town.market import COUNTED
from adapters.woocommerce.sandbox import Sandbox as OtherShop
from adapters.woocommerce.sandbox_market import Market as OtherMarket
from connector.money import to_minor

START, END = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def sold() -> Iterator[tuple[Sandbox, Market, dict[str, int]]]:
    """A shop after 500 orders in a year and a half."""
    with Sandbox(auto=False) as shop:
        market = Market(shop, seed=3, start=START)
        yield shop, market, market.sell(500, (START, END))


def test_what_was_counted_is_what_the_shop_believes(sold: Any) -> None:
    """The number of orders is exact, and what was counted is what the shop believes."""
    shop, _, counts = sold
    totals = shop.totals()
    assert tuple(counts) == COUNTED
    assert counts["orders"] == 500 == sum(totals.orders.values()) + counts["trashed"]
    assert counts["refunds"] == totals.refunds
    assert counts["withdrawals"] == len(totals.withdrawn)
    assert counts["cancelled"] == totals.orders["cancelled"] + counts["trashed"]
    assert counts["failed"] == totals.orders["voided"]
    assert counts["opt_ins"] >= len(totals.opted_in) > len(totals.mailable) > 0
    assert all(counts[name] > 0 for name in COUNTED), counts


def test_the_same_story_anywhere(sold: Any) -> None:
    """The same seed gives the same again, and the same people and happenings in another shop."""
    shop, market, counts = sold
    with Sandbox(auto=False) as again, OtherShop(auto=False) as other:
        assert counts == Market(again, seed=3, start=START).sell(500, (START, END))
        assert shop.totals() == again.totals()
        elsewhere = OtherMarket(other, seed=3, start=START)
        assert counts == elsewhere.sell(500, (START, END))
        assert [p.email for p in elsewhere.people] == [p.email for p in market.people]
        assert other.totals().withdrawn == shop.totals().withdrawn
        assert other.totals().opted_in == shop.totals().opted_in


def test_totals_agree_with_the_bodies(sold: Any) -> None:
    """What the shop believes of everybody is what its own order bodies add up to."""
    shop, _, _ = sold
    present = {row["id"]: row["email"] for row in shop.books.rows("customers")}
    revenue: Counter[str] = Counter()
    purchases: Counter[str] = Counter()
    for row in shop.books.rows("orders"):
        body = json.loads(row["body"])
        if body["cancelled_at"] is None and body["financial_status"] in SOLD:
            back = sum(
                to_minor(moved["amount"], "NOK") or 0
                for refund in body["refunds"]
                for moved in refund["transactions"]
            )
            person = present[body["customer"]["id"]]
            revenue[person] += (to_minor(body["total_price"], "NOK") or 0) - back
            purchases[person] += 1
            assert body["current_total_price"] == f"{(row['total'] - back) / 100:.2f}"
    totals = shop.totals()
    assert dict(revenue) == dict(totals.revenue)
    assert dict(purchases) == dict(totals.purchases)
    assert totals.withdrawn <= totals.opted_in <= totals.people


def test_dates_run_forward(sold: Any) -> None:
    """Every order lies in the time that was asked for, and nothing is changed before it is made."""
    shop, _, _ = sold
    for row in shop.books.rows("orders"):
        body = json.loads(row["body"])
        created, updated = (datetime.fromisoformat(body[f"{w}_at"]) for w in ("created", "updated"))
        assert START <= created <= updated <= END
    numbers = [int(json.loads(row["body"])["name"][1:]) for row in shop.books.rows("orders")]
    assert numbers == sorted(numbers)


def test_no_two_states_in_one_second(receiver: Any) -> None:
    """However fast days pass, no order or customer has two states that claim the same second."""
    with Sandbox(keep_alive=True) as shop:
        shop.register(receiver.url)
        counts = Market(shop, seed=2, start=shop.clock()).run(500, orders=150, day_seconds=0.005)
        assert shop.drain(timeout=60)
        truth = shop.totals()
    assert counts["refunds"] > 0 < counts["email_changes"] + counts["withdrawals"]
    states: dict[tuple[str, int, str], set[bytes]] = {}
    newest: dict[int, Any] = {}
    gone = {a.value["id"] for a in receiver.of("orders/delete")}
    for arrival in receiver.arrivals:
        kind, _, event = arrival.topic.partition("/")
        if kind in {"orders", "customers"} and event not in {"delete", "merge"}:
            body = arrival.value
            key = (kind, body["id"], body["updated_at"])
            states.setdefault(key, set()).add(arrival.body)
            if kind == "orders" and body["id"] not in gone:
                known = newest.setdefault(body["id"], body)
                newest[body["id"]] = max(known, body, key=lambda each: each["updated_at"])
    assert len(states) > 200
    assert {key for key, bodies in states.items() if len(bodies) > 1} == set()
    told = Counter(
        "cancelled" if body["cancelled_at"] else body["financial_status"]
        for body in newest.values()
    )
    assert dict(told) == dict(truth.orders)


def test_somebody_withdraws_on_request(sold: Any) -> None:
    """On request an account holder who opted in unsubscribes at once."""
    shop, market, _ = sold
    before = shop.totals().withdrawn
    assert shop.totals().withdrawn - before == set()
    address = market.withdraw_somebody(END)
    assert shop.totals().withdrawn - before == {address}


def test_goods_are_found_again(sold: Any) -> None:
    """A second market in the same shop sells what is there and puts nothing new on sale."""
    shop, _, _ = sold
    goods = shop.books.count("variants")
    Market(shop, seed=9, start=END).sell(3, (END, END + timedelta(days=1)))
    assert goods == shop.books.count("variants")


def test_books_in_a_file(tmp_path: Path) -> None:
    """The books can be kept in a file, and are the same when it is opened again."""
    path = str(tmp_path / "books.db")
    with Sandbox(auto=False, path=path) as shop:
        Market(shop, seed=1, start=START).sell(5, (START, END))
        before, orders = shop.totals(), [row["id"] for row in shop.books.rows("orders")]
    with Sandbox(auto=False, path=path) as again:
        assert before == again.totals()
        number = again.orders.check_out({"email": "new@b.example"})["id"]
        assert number not in orders


def test_as_a_program(receiver: Any) -> None:
    """The shop runs as a program of its own: it says where, sells, and tells of it."""
    arguments = ["--port", "0", "--hook", receiver.url, "--rate", "200", "--orders", "5"]
    program = [sys.executable, "-m", "adapters.shopify.sandbox", *arguments]
    root = Path(__file__).parents[3]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        try:
            assert running.stdout is not None
            url = running.stdout.readline().split()[-1]
            for _ in range(200):
                tally = httpx.get(f"{url}/_sandbox/tally", trust_env=False).json()
                if receiver.topics.count("orders/create") == 5 and not tally["pending"]:
                    break
                time.sleep(0.05)
            totals = httpx.get(f"{url}/_sandbox/totals", trust_env=False).json()
        finally:
            running.kill()
    assert receiver.topics.count("orders/create") == 5 == sum(totals["orders"].values())
