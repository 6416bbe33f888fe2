"""What webhooks lose is found again, and a quiet shop is left in peace."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from connector.engine import Engine
from connector.errors import LaneDown
from connector.flow import alarms, reconcile
from connector.model import Kind
from connector.store import agreement, hastened, schema
from connector.store.errands import RECONCILE, REREAD, SWEEP
from tests.flow.lossy import TEN, Hearer, Town, opened
from tests.flow.test_errands import dying_at

PLATFORMS = ("woocommerce", "shopify")
Open = Callable[..., Town]


@pytest.fixture
def open_town(tmp_path: Path) -> Iterator[Open]:
    """Open a town of a platform."""
    with ExitStack() as leaving:
        yield lambda platform, seed=1: leaving.enter_context(opened(platform, tmp_path, seed))


def begin(house: Hearer, **more: Any) -> None:
    """Ask for a pass, as the command does."""
    [shop] = house.engine.reader._shops.values()
    with house.store.write() as conn:
        reconcile.begin(conn, "wool", shop, now=house.clock.now, **more)


def reconciled(house: Hearer, **more: Any) -> None:
    """A pass, seen through."""
    begin(house, **more)
    house.work()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("seed", "share"), [(1, 0.01), (2, 0.1), (3, 1.0)])
def test_after_six_hours_of_losses_one_pass_mends_all(
    platform: str, seed: int, share: float, open_town: Open
) -> None:
    """It ends as if nothing had been lost, deletions as well, and both say so."""
    town = open_town(platform, seed)
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
        "woocommerce": {"customers", "products", "variations", "orders"},
        "shopify": {"page_customers", "page_products", "page_orders"},
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
    for _ in range(26 * 6):
        town.skip(minutes=10)
        begun.append(house.engine.reconcile())
        house.work()
        since = {row.since for row in house.rows(RECONCILE).values()}
        if len(begun) > 1:
            assert {town.clock.now - 2 * TEN} == since
    assert [1] * len(begun) == begun
    assert town.clock.now - timedelta(hours=3) < (house.known().whole or town.clock.now)
    assert 3 == len(house.rows(SWEEP))
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


def delete_an_order(town: Town, *, number: int = 0) -> str:
    """One of the orders goes for good, and nobody is told."""
    orders = sorted(town.lossy.orders(), key=int)
    chosen = orders[number]
    town.sandbox.orders.delete(int(chosen))
    town.sandbox.deliver()
    return chosen


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_was_deleted_for_good_is_found_by_its_id(platform: str, open_town: Open) -> None:
    """A whole pass asks for it before it believes it; a short one does not see it."""
    town = open_town(platform)
    town.lossy.loses = 1.0
    gone = delete_an_order(town, number=3)
    town.whole.work()
    town.skip(minutes=10)
    reconciled(town.lossy)
    assert False is town.lossy.orders()[gone]
    town.skip(minutes=10)
    for house in (town.whole, town.lossy):
        reconciled(house, whole=True)
    assert True is town.lossy.orders()[gone]
    assert [] == town.differences()
    compared = next(each for kind, each in town.lossy.known().kinds.items() if kind == "order")
    assert (1, 0, 0, 1) == (
        compared.gone,
        compared.missing,
        compared.held_back,
        compared.repaired,
    )


def test_trash_and_restore_and_trash_again(open_town: Open) -> None:
    """WooCommerce shows nothing of an order in the trash; a restored one is found again."""
    town = open_town("woocommerce")
    house = town.lossy
    house.loses = 1.0
    number = sorted(house.orders(), key=int)[2]
    for _ in range(2):
        town.skip(minutes=30)
        town.sandbox.orders.trash(int(number))
        town.skip(minutes=30)
        reconciled(house, whole=True)
        assert True is house.orders()[number]
        town.skip(minutes=30)
        town.sandbox.orders.untrash(int(number))
        town.skip(minutes=30)
        reconciled(house, whole=True)
        assert False is house.orders()[number]
    town.sandbox.deliver()
    town.whole.work()
    reconciled(town.whole, whole=True)
    assert [] == town.differences()


def empty(_: httpx.Request) -> httpx.Response:
    """A list of nothing, by a shop that has lost its wits."""
    return httpx.Response(200, json=[], headers={"X-WP-Total": "0"})


def test_an_empty_list_is_a_broken_shop(open_town: Open) -> None:
    """Nothing is asked for and nothing is deleted; an alarm says so until it is well again."""
    town = open_town("woocommerce")
    house = town.lossy
    before = house.state()
    house.transport.answer = lambda asked: empty(asked) if _is_list(asked) else None
    town.skip(minutes=10)
    reconciled(house, whole=True)
    assert before == house.state()
    kinds = house.known().kinds
    assert {len(house.orders())} == {kinds[Kind.ORDER].held_back}
    with house.store.read() as conn:
        raised = [alarm.kind for alarm in alarms.raised(conn)]
    assert {"disappearance"} == set(raised)
    house.transport.answer = lambda _: None
    reconciled(house, whole=True)
    with house.store.read() as conn:
        assert [] == alarms.raised(conn)
    assert before == house.state()


def _is_list(asked: httpx.Request) -> bool:
    return asked.url.path.endswith(("/customers", "/orders", "/products", "/variations"))


def test_a_mass_disappearance_is_believed_when_a_person_says_so(open_town: Open) -> None:
    """More than twenty and more than a tenth are held back; then each is asked for."""
    town = open_town("woocommerce")
    town.live(timedelta(hours=3), 40)
    house = town.lossy
    house.loses = 1.0
    gone = sorted((each for each, deleted in house.orders().items() if not deleted), key=int)[5:30]
    for each in gone:
        town.sandbox.orders.delete(int(each))
    town.sandbox.deliver()
    town.skip(minutes=10)
    house.transport.calls.clear()
    reconciled(house, whole=True)
    assert 25 == house.known().kinds[Kind.ORDER].held_back
    assert not any(house.orders()[each] for each in gone)
    assert {0} == {house.transport.calls[f"orders/{each}"] for each in gone}
    reconciled(house, whole=True, believed=True)
    assert all(house.orders()[each] for each in gone)
    assert (25, 0) == (
        house.known().kinds[Kind.ORDER].gone,
        house.known().kinds[Kind.ORDER].held_back,
    )


def test_old_orders_that_shopify_hides_are_not_gone(open_town: Open) -> None:
    """Older than all that are shown: without read_all_orders they are there, and not to be seen."""
    town = open_town("shopify")
    house = town.lossy
    first, *others = sorted(house.orders(), key=int)
    town.sandbox.orders.delete(int(first))
    house.transport.calls.clear()
    town.skip(minutes=10)
    reconciled(house, whole=True)
    assert False is house.orders()[first]
    assert 0 == house.transport.calls["order"]
    assert False is house.orders()[others[0]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_missing_is_read(platform: str, open_town: Open) -> None:
    """An order that nobody told of and that changed too long ago for a short pass."""
    town = open_town(platform)
    house = town.lossy
    house.loses = 1.0
    town.live(timedelta(hours=1), 5)
    missing = {*town.whole.orders()} - {*house.orders()}
    assert 5 == len(missing)
    with house.store.write() as conn:
        known = agreement.read(conn, "wool")
        later = replace(known, began=town.clock.now + timedelta(hours=5))
        agreement.write(conn, "wool", later, now=town.clock.now)
    town.skip(hours=5)
    reconciled(house)
    assert missing.isdisjoint(house.orders())
    reconciled(house, whole=True)
    assert missing <= {*house.orders()}
    assert 5 == house.known().kinds[Kind.ORDER].missing


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
def test_what_changes_while_pages_are_turned_hides_nothing(
    platform: str, open_town: Open
) -> None:
    """Before every request an order that was read already, or not, changes and moves in the list."""
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
def test_a_version_that_moved_is_said_and_nothing_is_lost(
    platform: str, open_town: Open
) -> None:
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


def fresh(house: Hearer) -> None:
    """As after a restart."""
    house.engine = Engine(house.engine._house)


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
    assert {begun - timedelta(minutes=17)} == {
        row.since for row in house.rows(RECONCILE).values()
    }


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


def test_without_a_backfill_the_past_stays_unread(open_town: Open) -> None:
    """What was never asked for is counted, and neither read nor held against the agreement."""
    town = open_town("shopify")
    house = town.lossy
    house.loses = 1.0
    with house.store.write() as conn:
        conn.execute(delete(schema.errands))
        conn.execute(delete(schema.orders))
    town.skip(hours=12)
    reconciled(house, whole=True)
    order = house.known().kinds[Kind.ORDER]
    assert (0, 0, 8) == (len(house.orders()), order.differed, order.unread)
