"""The people who buy: the same again for the same seed, plausible, and told as the books say."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.town.market import COUNTED
from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_market import Market
from adapters.woocommerce.sandbox_orders import SOLD
from adapters.woocommerce.sandbox_totals import sales
from connector.identity import normal_email

START, END = datetime(2024, 6, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def sold() -> Iterator[tuple[Sandbox, Market, dict[str, int]]]:
    """A shop after 1,000 orders in two and a half years."""
    with Sandbox(auto=False) as shop:
        market = Market(shop, seed=3, start=START)
        yield shop, market, market.sell(1000, (START, END))


def test_exactly_so_many(sold: Any) -> None:
    """The number of orders is exact, and what was counted is what the shop believes."""
    shop, _, counts = sold
    totals = shop.totals()
    assert tuple(counts) == COUNTED
    assert counts["orders"] == 1000 == sum(totals.orders.values())
    assert counts["refunds"] == totals.refunds
    assert counts["withdrawals"] == len(totals.withdrawn)
    assert counts["trashed"] == totals.orders["trash"]
    assert counts["opt_ins"] == shop.books.count("orders", "opted_in = 1")
    assert all(counts[name] > 0 for name in COUNTED), counts


def test_each_order_as_it_is_shown(sold: Any) -> None:
    """All that are not in the trash, each with whose it is, its amounts and its ticked boxes."""
    shop, market, counts = sold
    totals, shown = shop.totals(), sales(shop.books)
    assert counts["orders"] - counts["trashed"] == len(shown)
    spent: Counter[str] = Counter()
    for sale in shown.values():
        if sale.counts and sale.person:
            spent[sale.person] += sale.total - sale.refunded
    assert totals.revenue == dict(spent)
    assert {sale.person for sale in shown.values() if sale.opted_in} <= totals.opted_in
    allow = {person.email.replace(".ny", "") for person in market.people if person.allows_ads}
    ticked = {(sale.email or "").replace(".ny", "") for sale in shown.values() if sale.ads}
    assert 0 < len(ticked) < len(market.people) / 2
    assert ticked <= allow


def test_the_same_again(sold: Any) -> None:
    """The same seed gives the same people and amounts; another gives others."""
    shop, market, counts = sold
    with Sandbox(auto=False) as again, Sandbox(auto=False) as other:
        assert counts == Market(again, seed=3, start=START).sell(1000, (START, END))
        assert shop.totals() == again.totals()
        Market(other, seed=4, start=START).sell(50, (START, END))
        assert not {p.email for p in market.people} >= other.totals().people


def test_plausible(sold: Any) -> None:
    """Most buy once, some often; many have been silent for a year; several countries; guests."""
    shop, market, _ = sold
    purchases = Counter(shop.totals().purchases.values())
    assert purchases[1] > purchases[2] > purchases[4]
    assert max(purchases) > 10
    last: dict[str, str] = {}
    for row in shop.books.rows("orders", rest="ORDER BY created"):
        body = json.loads(row["body"])
        last[body["billing"]["email"].lower()] = body["date_created_gmt"]
    year_ago = f"{END - timedelta(days=365):%Y-%m-%d}"
    lapsed = sum(moment < year_ago for moment in last.values())
    assert 0.2 < lapsed / len(last) < 0.8
    countries = {p.address["country"] for p in market.people}
    assert countries == {"NO", "SE", "DK", "FI", "PL", "DE"}
    guests = shop.books.count("orders", "customer_id = 0")
    assert 100 < guests < 900
    names = "".join(p.first_name + p.last_name for p in market.people)
    assert set("åøæäöłćðÞ") <= set(names)


def test_dates_run_forward(sold: Any) -> None:
    """Every order lies in the time that was asked for, and nothing is changed before it is made."""
    shop, _, _ = sold
    rows = shop.books.rows("orders")
    assert all(START.timestamp() <= row["created"] <= END.timestamp() for row in rows)
    assert all(row["created"] <= row["modified"] <= END.timestamp() for row in rows)
    assert [row["id"] for row in rows] == [
        row["id"] for row in shop.books.rows("orders", rest="ORDER BY created, id")
    ]


def test_totals_agree_with_the_bodies(sold: Any) -> None:
    """What the shop believes of everybody is what its own order bodies add up to."""
    shop, _, _ = sold
    present = {row["id"]: row["email"] for row in shop.books.rows("customers")}
    moved = {row["email"]: present[row["customer_id"]] for row in shop.books.rows("addresses")}
    revenue: Counter[str] = Counter()
    for row in shop.books.rows("orders"):
        body = json.loads(row["body"])
        email = normal_email(body["billing"]["email"])
        person = present.get(body["customer_id"]) or moved.get(email, email)
        if body["status"] in SOLD:
            refunds = sum(float(entry["total"]) for entry in body["refunds"])
            revenue[person] += round((float(body["total"]) + refunds) * 100)
    totals = shop.totals()
    assert dict(revenue) == dict(totals.revenue)
    assert totals.mailable == totals.opted_in - totals.withdrawn
    assert totals.withdrawn <= totals.opted_in
    assert set(totals.revenue) <= totals.people


def test_every_address_is_one(sold: Any) -> None:
    """Every address in the market is one that can be mailed, in domains that do not exist."""
    _, market, _ = sold
    for person in market.people:
        assert person.email == normal_email(person.email)
        assert person.email.endswith(".example")


def test_deliveries_tell_the_whole_truth(receiver: Any) -> None:
    """Whoever keeps the newest body of each order ends with the shop's own books."""
    with Sandbox(keep_alive=True) as shop:
        shop.register(receiver.url, receiver.secret)
        shop.misbehave(deliveries={"duplicated": 0.2, "shuffled": 0.3, "forged": 0.1})
        Market(shop, seed=5, start=START).sell(150, (START, END))
        assert shop.drain(timeout=30)
        kept: dict[int, dict[str, Any]] = {}
        gone = set()
        for arrival in receiver.deliveries:
            body = json.loads(arrival.body)
            if arrival.topic == "order.deleted":
                gone.add(body["id"])
            elif arrival.topic.startswith("order.") and not arrival.body.endswith(b" "):
                old = kept.get(body["id"])
                if old is None or old["date_modified_gmt"] <= body["date_modified_gmt"]:
                    kept[body["id"]] = body
        for number in gone:
            kept[number]["status"] = "trash"
        assert dict(Counter(body["status"] for body in kept.values())) == shop.totals().orders


def test_no_two_states_in_one_second(receiver: Any) -> None:
    """However fast days pass, no order or account has two states that claim the same second."""
    with Sandbox(keep_alive=True) as shop:
        shop.register(receiver.url, receiver.secret)
        counts = Market(shop, seed=2, start=shop.clock()).run(500, orders=150, day_seconds=0.005)
        assert shop.drain(timeout=30)
    assert counts["refunds"] > 0 < counts["email_changes"] + counts["withdrawals"]
    states: dict[tuple[str, int, str], set[bytes]] = {}
    for arrival in receiver.deliveries:
        kind = arrival.topic.partition(".")[0]
        body = json.loads(arrival.body)
        if kind in {"order", "customer"} and not arrival.topic.endswith(".deleted"):
            key = (kind, body["id"], body["date_modified_gmt"])
            states.setdefault(key, set()).add(arrival.body)
    assert len(states) > 200
    assert {key for key, bodies in states.items() if len(bodies) > 1} == set()


def test_live() -> None:
    """Live, somebody buys at about the rate asked for, days pass fast, and it can be stopped."""
    with Sandbox(auto=False) as shop:
        market = Market(shop, seed=1, start=shop.clock())
        counts = market.run(400, orders=60, day_seconds=0.01)
        assert counts["orders"] == 60
        assert shop.totals().orders["completed"] > 20
        stop = threading.Event()
        stop.set()
        assert market.run(400, stop=stop)["orders"] == 0
        assert market.run(400, until=shop.clock())["orders"] == 0


def test_somebody_withdraws_on_request(sold: Any) -> None:
    """On request an account holder who opted in unsubscribes at once."""
    shop, market, _ = sold
    before = shop.totals().withdrawn
    address = market.withdraw_somebody(END)
    assert shop.totals().withdrawn - before == {address}


def test_goods_are_found_again(sold: Any) -> None:
    """A second market in the same shop sells what is there and puts nothing new on sale."""
    shop, _, _ = sold
    goods = shop.books.count("products")
    Market(shop, seed=9, start=END).sell(3, (END, END + timedelta(days=1)))
    assert goods == shop.books.count("products")


def test_as_a_program(receiver: Any) -> None:
    """The shop runs as a program of its own: it says where, sells, and tells of it."""
    arguments = ["--port", "0", "--hook", receiver.url, "--rate", "200", "--orders", "5"]
    program = [sys.executable, "-m", "adapters.woocommerce.sandbox", *arguments]
    root = Path(__file__).parents[3]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        try:
            assert running.stdout is not None
            url = running.stdout.readline().split()[-1]
            for _ in range(200):
                tally = httpx.get(f"{url}/_sandbox/tally", trust_env=False).json()
                if receiver.topics.count("order.created") == 5 and not tally["pending"]:
                    break
                time.sleep(0.05)
            totals = httpx.get(f"{url}/_sandbox/totals", trust_env=False).json()
        finally:
            running.kill()
    assert receiver.topics.count("order.created") == 5 == sum(totals["orders"].values())
