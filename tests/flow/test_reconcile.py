"""What webhooks lose is found again, and a quiet shop is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.engine import Engine
from connector.model import Kind
from connector.store import agreement, errands, hastened
from connector.store.connect import Store
from connector.store.errands import BACKFILL, RECONCILE, REREAD, SWEEP
from tests.flow.lossy import TEN, Town, begin, reconciled

PLATFORMS = ("woocommerce", "shopify")
Open = Callable[..., Town]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("seed", "share"), [(1, 0.01), (2, 0.1), (3, 1.0)])
def test_after_six_hours_of_losses_one_pass_mends_all(
    platform: str, seed: int, share: float, open_town: Open, store: Store
) -> None:
    """It ends as if nothing had been lost, deletions as well, and both say so."""
    town = open_town(platform, seed, store=store)
    town.lossy.loses = share
    for _ in range(6):
        town.live(timedelta(hours=1), 6)
    town.lossy.loses = 0.0
    assert town.lossy.lost > 0
    town.skip(minutes=10)
    for house in (town.whole, town.lossy):
        reconciled(house, whole=True)
    assert [] == town.differences()
    known = town.lossy.known()
    assert known.repaired > 0 or share < 1
    assert 0 == town.whole.known().repaired


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_dropped_delivery_is_repaired_within_a_quarter_of_an_hour(
    platform: str, open_town: Open
) -> None:
    """By the schedule alone, an order as well as an account that was opened."""
    town = open_town(platform)
    town.lossy.engine.reconcile()
    town.lossy.work()
    town.lossy.loses = 1.0
    town.live(timedelta(minutes=1), 3)
    assert [] != town.differences()
    waited = timedelta(0)
    while town.differences() and waited < timedelta(hours=1):
        town.skip(minutes=1)
        waited += timedelta(minutes=1)
        town.lossy.engine.reconcile()
        town.lossy.work()
    assert [] == town.differences()
    assert waited <= timedelta(minutes=15)
    assert town.lossy.known().repaired >= 3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_quiet_pass_sends_nothing_and_reads_a_page_of_each(
    platform: str, open_town: Open
) -> None:
    """Once for each kind of thing, and nothing is evaluated or due."""
    town = open_town(platform)
    house = town.lossy
    town.skip(hours=1)
    reconciled(house)
    town.skip(hours=1)
    house.transport.calls.clear()
    sent = house.sent()
    begin(house)
    while house.engine.reconciler.step(now=town.clock.now):
        pass
    lists = {
        "woocommerce": {"customers", "products", "variations", "coupons", "orders"},
        "shopify": {"page_customers", "page_products", "page_discounts", "page_orders"},
    }[platform]
    assert dict.fromkeys(lists, 1) == dict(house.transport.calls)
    house.work()
    assert sent == house.sent()
    rows = house.rows(RECONCILE)
    assert 0 == sum(row.applied for row in rows.values())
    assert {town.clock.now} == {row.finished_at for row in rows.values()}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_passes_come_when_their_time_has_come(platform: str, open_town: Open) -> None:
    """Every ten minutes, each from ten minutes before the last began, a whole one a day."""
    town = open_town(platform)
    house, begun = town.lossy, []
    for minutes in (10, 10, 10, 22 * 60, 10, 90, 10, 10):
        town.skip(minutes=minutes)
        begun.append(house.engine.reconcile())
        house.work()
        since = {row.since for row in house.rows(RECONCILE).values()}
        if len(begun) > 1:
            assert {town.clock.now - timedelta(minutes=minutes) - TEN} == since
        assert (len(begun) > 5) == bool(house.rows(SWEEP))
    assert [1] * len(begun) == begun
    assert town.clock.now - timedelta(hours=3) < (house.known().whole or town.clock.now)
    assert {"customer", "product", "promotion", "order"} == set(house.rows(SWEEP))
    assert (platform == "woocommerce") == bool(house.rows(REREAD))


def test_a_wish_of_the_watch_is_carried_out_at_once_and_whole(open_town: Open) -> None:
    """From the moment that was named, and once."""
    town = open_town("shopify")
    house = town.lossy
    town.skip(minutes=10)
    house.engine.reconcile()
    house.work()
    since = town.clock.now - timedelta(hours=7)
    town.skip(minutes=1)
    with house.store.write() as conn:
        hastened.hasten(conn, "wool", since=since, now=town.clock.now)
    assert 1 == house.engine.reconcile()
    house.work()
    assert {since} == {row.since for row in house.rows(RECONCILE).values()}
    assert {town.clock.now} == {row.finished_at for row in house.rows(SWEEP).values()}
    town.skip(minutes=1)
    assert 0 == house.engine.reconcile()


def test_what_a_webhook_may_still_tell_is_not_counted_as_lost(open_town: Open) -> None:
    """An order of this minute that a pass reads first is applied, and nothing was missed."""
    town = open_town("woocommerce")
    house = town.lossy
    house.loses = 1.0
    town.live(timedelta(minutes=1), 1)
    reconciled(house)
    assert 1 <= house.rows(RECONCILE)["order"].applied
    assert (0, 0) == (house.known().repaired, house.known().kinds[Kind.ORDER].changed)


def test_a_shop_whose_clock_is_behind_is_asked_from_earlier(open_town: Open) -> None:
    """By as much as it was behind when it last answered."""
    town = open_town("shopify")
    house = town.lossy
    shop = house.engine._house.shops["wool"]
    town.skip(minutes=20)
    begun = town.clock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(shop), "told_at", property(lambda _: begun - timedelta(minutes=7)))
        reconciled(house)
    town.skip(minutes=10)
    begin(house)
    assert {begun - timedelta(minutes=17)} == {row.since for row in house.rows(RECONCILE).values()}


def test_the_worker_begins_by_itself(open_town: Open) -> None:
    """In its errand lane; a shop for which it is off is never asked."""
    town = open_town("shopify")
    house = town.lossy
    town.skip(minutes=10)
    while house.engine._errand_in_turn():
        pass
    assert {town.clock.now} == {row.finished_at for row in house.rows(RECONCILE).values()}
    house.engine = Engine(replace(house.engine._house, reconcile={}))
    town.skip(days=2)
    assert 0 == house.engine.reconcile()


def test_a_backfill_goes_first(open_town: Open) -> None:
    """While a past is read there is nothing to reconcile; then it is since that began."""
    town = open_town("shopify")
    house = town.lossy
    [shop] = house.engine.reader._shops.values()
    town.skip(minutes=10)
    with house.store.write() as conn:
        agreement.write(conn, "wool", agreement.Agreement(), now=town.clock.now)
        errands.begin(conn, "wool", BACKFILL, shop.kinds, since=None, now=town.clock.now)
    began = town.clock.now
    town.skip(minutes=40)
    assert 0 == house.engine.reconcile()
    house.work()
    town.skip(minutes=1)
    assert 1 == house.engine.reconcile()
    assert {began - TEN} == {row.since for row in house.rows(RECONCILE).values()}
