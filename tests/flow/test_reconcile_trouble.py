"""Passes over shops that change, fail and are cut off: nothing is lost, nothing done twice."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from connector.errors import LaneDown
from connector.model import Kind
from connector.store.errands import RECONCILE, SWEEP
from tests.flow.lossy import Town, begin, delete_an_order, fresh, reconciled
from tests.flow.test_errands import dying_at

PLATFORMS = ("woocommerce", "shopify")
Open = Callable[..., Town]


@pytest.mark.parametrize(("platform", "number"), [("woocommerce", 105), ("shopify", 25)])
def test_many_of_one_moment_at_the_border_of_a_page(
    platform: str, number: int, open_town: Open
) -> None:
    """All that changed in one second is found, though it does not fit on a page."""
    town = open_town(platform)
    town.lossy.loses = 1.0
    town.skip(minutes=30)
    for _ in range(number):
        town.market.buy(town.clock.now)
    town.sandbox.deliver()
    town.whole.work()
    town.skip(minutes=9)
    reconciled(town.lossy)
    reconciled(town.whole)
    assert [] == town.differences()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_changes_while_pages_are_turned_hides_nothing(platform: str, open_town: Open) -> None:
    """Before every request an order changes, read or not, and moves in the list."""
    town = open_town(platform)
    town.lossy.loses = 1.0
    town.live(timedelta(minutes=30), 30)
    numbers = sorted({*town.whole.orders()} - {*town.lossy.orders()}, key=int)
    touched = iter(numbers)

    def touch() -> None:
        town.skip(seconds=3)
        if number := next(touched, None):
            if platform == "woocommerce":
                town.sandbox.orders.change(int(number), {"customer_note": "Ring på"})
            else:
                town.sandbox.orders.fulfil(int(number))

    town.lossy.transport.before = touch
    begin(town.lossy)
    town.lossy.work()
    town.lossy.transport.before = None
    town.sandbox.deliver()
    town.whole.work()
    assert {*town.whole.orders()} == {*town.lossy.orders()}
    town.skip(minutes=1)
    reconciled(town.lossy)
    reconciled(town.whole)
    assert [] == town.differences()


def test_bad_answers_of_woocommerce_lose_nothing(open_town: Open) -> None:
    """Errors, pages, half lists and yesterday's: what is not believed is asked for again."""
    town = open_town("woocommerce")
    for kind in ("500", "html", "torn", "halved", "stale", "reversed", "other"):
        town.lossy.loses = 1.0
        town.live(timedelta(minutes=10), 2)
        town.lossy.loses = 0.0
        town.sandbox.misbehave(answers=kind, times=1, seconds=86_400 if kind == "stale" else 1)
        town.skip(minutes=1)
        reconciled(town.lossy)
        assert {None} == {row.problem for row in town.lossy.rows(RECONCILE).values()}, kind
        assert [] == [each for each in town.differences() if " orders " in each], kind


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_version_that_moved_is_said_and_nothing_is_lost(platform: str, open_town: Open) -> None:
    """The pass waits with its reason, is shown, and goes on from where it was when it is mended."""
    town = open_town(platform)
    house = town.lossy
    house.loses = 1.0
    town.live(timedelta(minutes=10), 3)
    before = house.state()
    told = {"code": "rest_no_route", "message": "No route", "data": {"status": 404}}
    if platform == "shopify":
        told = {"errors": "Not Found"}
    house.transport.answer = lambda _: httpx.Response(404, json=told)
    begin(house, whole=True)
    house.work()
    waiting = [row for row in house.rows(RECONCILE).values() if row.problem]
    assert 1 == len(waiting)
    assert before == house.state()
    house.transport.answer = lambda _: None
    fresh(house)
    house.work()
    assert {None} == {row.problem for row in house.rows(RECONCILE).values()}
    reconciled(town.whole, whole=True)
    assert [] == town.differences()


def test_a_kill_loses_and_doubles_nothing(open_town: Open) -> None:
    """Wherever the process dies in a whole pass, the next one ends with the same state and sums."""
    town = open_town("shopify")
    house = town.lossy
    house.loses = 1.0
    town.live(timedelta(minutes=20), 4)
    delete_an_order(town, number=3)
    town.whole.work()
    town.skip(minutes=20)
    reconciled(town.whole, whole=True)
    begin(house, whole=True)
    killed = 0
    for last in itertools.count(3, 4):
        with dying_at(house.store, last) as survived:
            house.engine.errand()
            while house.engine.errand():
                pass
        if survived:
            break
        killed += 1
        fresh(house)
    house.work()
    assert killed > 3
    assert [] == town.differences()
    known = house.known()
    assert 1 == known.kinds[Kind.ORDER].gone
    rows = house.rows(RECONCILE)
    assert all(row.finished_at for row in (*rows.values(), *house.rows(SWEEP).values()))
    assert sum(each.repaired for each in known.kinds.values()) == known.repaired
    assert known.repaired == 1 + sum(row.applied for row in rows.values())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_beside_webhooks_that_come_late(platform: str, open_town: Open) -> None:
    """Between any two steps of a pass some of what it reads is delivered as well."""
    town = open_town(platform)
    late: list[tuple[str, bytes]] = []
    take = town.lossy.take
    town.lossy.take = lambda topic, body: late.append((topic, body))  # type: ignore[method-assign]
    town.live(timedelta(minutes=30), 12)
    begin(town.lossy)
    while town.lossy.engine.reconciler.step(now=town.clock.now) or late:
        for _ in range(min(len(late), 9)):
            take(*late.pop(random.Random(len(late)).randrange(len(late))))
        town.lossy.engine.ingest()
    town.lossy.work()
    reconciled(town.whole)
    assert [] == town.differences()


def test_a_halted_shop_is_left_alone(open_town: Open) -> None:
    """Nothing is read of a shop that is another one than it was."""
    town = open_town("woocommerce")
    house = town.lossy
    begin(house, whole=True)
    house.engine.reconciler.halt({"wool": LaneDown("another shop answers", mend="Operator: see")})
    house.transport.calls.clear()
    while house.engine.reconciler.step(now=town.clock.now):
        pass
    assert 0 == house.transport.calls.total()
    assert not any(row.finished_at for row in house.rows(RECONCILE).values())
