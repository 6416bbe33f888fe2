"""Every id is compared: what is gone, what is missing, and what is only not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete

from adapters.shopify.sandbox import SCOPES
from connector.flow import alarms, sweep
from connector.model import Kind
from connector.store import agreement, schema
from connector.store.errands import BACKFILL, RECONCILE, REREAD, SWEEP
from tests.flow.lossy import Town, begin, delete_an_order, reconciled

PLATFORMS = ("woocommerce", "shopify")
Open = Callable[..., Town]


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


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_promotion_whose_webhooks_were_lost(platform: str, open_town: Open) -> None:
    """A new one, and one that is for certain people now, soon; a deleted one by a whole pass."""
    town = open_town(platform)
    house = town.lossy
    before = house.promotions()
    house.loses = 1.0
    made = [str(town.codes.create({"code": f"TEST{number}"})["id"]) for number in range(3)]
    town.skip(minutes=10)
    reconciled(house)
    assert before | dict.fromkeys(made, False) == house.promotions()
    town.skip(minutes=20)
    closed = {"for_all": False, "email_restrictions": ["kari@shop.example"]}
    town.codes.change(int(made[1]), closed)
    town.codes.delete(int(made[2]))
    town.skip(minutes=10)
    reconciled(house)
    assert [False, True, False] == [house.promotions()[each] for each in made]
    town.skip(minutes=10)
    reconciled(house, whole=True)
    assert [False, True, True] == [house.promotions()[each] for each in made]
    assert not any(house.promotions()[each] for each in before)
    found = house.known().kinds[Kind.PROMOTION]
    assert (len(before) + 2, 1, 0, 1) == (found.compared, found.gone, found.missing, found.unread)


@pytest.mark.parametrize(("many", "goes"), [(3, True), (25, False)])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_last_promotions_may_go(
    platform: str,
    open_town: Open,
    many: int,
    goes: bool,  # noqa: FBT001 - a parameter
) -> None:
    """A shop can well have none: a few are asked for and gone. Many wait for a person's word."""
    town = open_town(platform)
    house = town.lossy
    house.loses = 1.0
    for number in range(many):
        town.codes.create({"code": f"TEST{number}"})
    town.skip(minutes=10)
    reconciled(house)
    known = house.promotions()
    for each in known:
        town.codes.delete(int(each))
    town.skip(minutes=10)
    reconciled(house, whole=True)
    assert dict.fromkeys(known, goes) == house.promotions()
    assert (0 if goes else len(known)) == house.known().kinds[Kind.PROMOTION].held_back
    reconciled(house, whole=True, believed=True)
    assert dict.fromkeys(known, True) == house.promotions()


def test_a_shop_is_asked_what_it_shows_before_each_pass(open_town: Open) -> None:
    """Without the scope for discounts nothing is begun of them, and the pass is like any other."""
    town = open_town("shopify", scopes=SCOPES)
    house = town.lossy
    read = house.rows(BACKFILL)["promotion"]
    assert (0, None, town.clock.now) == (read.read, read.problem, read.finished_at)
    [shop] = house.engine.reader._shops.values()
    shop._discounts.are_shown = True  # as a process believes that has not asked
    town.skip(minutes=10)
    assert 1 == house.engine.reconcile()
    house.work()
    rows = house.rows(RECONCILE)
    assert ["customer", "order", "product"] == sorted(rows)
    assert {town.clock.now} == {row.finished_at for row in rows.values()}
    assert Kind.PROMOTION not in house.known().kinds


def test_a_kind_that_the_shop_shows_no_more(open_town: Open) -> None:
    """What was begun of it comes to its end, and then it is neither read nor compared."""
    town = open_town("shopify")
    house = town.lossy
    begin(house, whole=True)
    [shop] = house.engine.reader._shops.values()
    shop._discounts.are_shown = False
    house.work()
    for errand in (RECONCILE, SWEEP):
        rows = house.rows(errand)
        assert ["customer", "order", "product", "promotion"] == sorted(rows)
        assert all(row.finished_at for row in rows.values())
    assert Kind.PROMOTION in house.known().kinds
    town.skip(minutes=10)
    begin(house, whole=True)
    assert Kind.PROMOTION not in house.known().kinds


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


def test_very_much_that_is_missing_is_read_with_all_the_rest(
    open_town: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list in pages instead of a question for each, once."""
    monkeypatch.setattr(sweep, "_MOST_ASKED", 2)
    town = open_town("woocommerce")
    house = town.lossy
    with house.store.write() as conn:
        conn.execute(delete(schema.orders))
        conn.execute(delete(schema.order_lines))
        conn.execute(delete(schema.refunds))
    town.skip(hours=10)
    house.transport.calls.clear()
    reconciled(house, whole=True)
    assert 8 == len(house.orders())
    assert not [name for name in house.transport.calls if name.startswith("orders/")]
    assert {"customer", "order"} == set(house.rows(REREAD))
    house.transport.calls.clear()
    reconciled(house, whole=True)
    assert 8 == house.known().kinds[Kind.ORDER].compared
    assert 0 == house.known().kinds[Kind.ORDER].differed
