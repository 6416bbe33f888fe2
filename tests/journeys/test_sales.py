"""What people buy on its way from a shop into the store of a Mailchimp audience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.mailchimp.sandbox_store_state import Store
from adapters.woocommerce.sandbox import Sandbox as Shop
from tests.journeys.conftest import MoveIn
from tests.journeys.premises import Clock, Tenant
from tests.journeys.town import MAPPING, Town, opened

KARI, OLA = "kari@shop.example", "ola@shop.example"
BOTH = "  newsletter:\n    ecommerce: true\n"


@pytest.fixture
def shop(clock: Clock) -> Iterator[Shop]:
    """The shop by itself."""
    with Shop(auto=False, clock=clock, keep_alive=True) as shop:
        yield shop


@pytest.fixture
def old_code(shop: Shop) -> str:
    """The id of a coupon that the shop had before it was connected."""
    return str(shop.products.create_coupon({"code": "WELCOME", "amount": "15.00"})["id"])


@pytest.fixture
def town(move_in: MoveIn, audience: Audience, clock: Clock, shop: Shop) -> Iterator[Town]:
    """The shop, and an audience that is told of sales too."""
    mapping = MAPPING.replace("  newsletter:\n", BOTH)
    premises = move_in({"wool": Tenant(url=shop.base_url)}, mapping)
    with opened(shop, audience, premises, clock) as town:
        yield town


def store_of(town: Town) -> Store:
    """The one store that there is."""
    (store,) = town.audience.sales.stores.values()
    return store


def test_an_order_arrives_with_its_buyer_who_was_there_before(town: Town) -> None:
    """Who allowed it is a member, subscribed; the order has its line, its sum and its buyer."""
    number = town.buy(KARI, ticks=True)
    town.pass_on()
    store = store_of(town)
    assert "subscribed" == town.status(KARI)
    assert [str(number)] == list(store.orders)
    assert [KARI] == [each["email_address"] for each in store.customers.values()]
    (order,) = store.orders.values()
    assert (125, "Garn", 1) == (
        float(order["order_total"]),
        next(iter(store.products.values()))["title"],
        len(order["lines"]),
    )
    assert [] == town.audience.sales.opt_ins
    status = town.premises.command("status", "--json")[1]
    assert (True, 0) == (status["balanced"], status["destinations"]["newsletter/sales"]["due"])


def test_who_allowed_nothing_is_not_brought_there_by_buying(town: Town) -> None:
    """Neither the order nor its buyer is at Mailchimp, by any door."""
    town.buy(OLA)
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert None is town.status(OLA)
    assert {KARI} == {each["email_address"] for each in store_of(town).customers.values()}


def test_who_withdrew_is_not_brought_back_by_buying(town: Town) -> None:
    """What was sold before stays; what is sold afterwards is not told, and nobody is subscribed."""
    account = town.register(KARI)
    first = town.buy(KARI, ticks=True, account=account)
    town.pass_on()
    town.withdraw(account)
    town.pass_on()
    town.buy(KARI, account=account)
    town.pass_on()
    assert "unsubscribed" == town.status(KARI)
    assert [str(first)] == list(store_of(town).orders)
    assert [] == town.audience.sales.opt_ins


def test_who_is_erased_is_erased_in_the_store(town: Town) -> None:
    """Orders and buyer are gone there, as is the member."""
    town.buy(KARI, ticks=True)
    other = town.buy(OLA, ticks=True)
    town.pass_on()
    code, _ = town.premises.command("erase", KARI, "--yes")
    assert 0 == code
    town.pass_on()
    town.pass_on()
    store = store_of(town)
    assert ([str(other)], [OLA]) == (
        list(store.orders),
        [each["email_address"] for each in store.customers.values()],
    )
    assert OLA in town.audience.members()
    assert KARI not in town.audience.members()


def test_nothing_changes_when_everything_is_told_again(town: Town) -> None:
    """Every delivery is taken up once more, and Mailchimp is asked for nothing that changes it."""
    town.buy(KARI, ticks=True)
    town.buy(KARI)
    town.pass_on()
    before = town.premises.changing_calls()
    assert town.premises.replay() > 0
    town.pass_on()
    assert before == town.premises.changing_calls()
    assert 2 == len(store_of(town).orders)


def read_back(town: Town) -> tuple[int, int, int]:
    """Read the store once: how much was compared, differed and was repaired."""
    town.clock.skip(hours=25)
    town.premises.work()
    told = town.premises.command("status", "--json")[1]["destinations"]["newsletter/sales"]
    return tuple(told["agreement"][name] for name in ("compared", "differed", "repaired"))


def test_orders_that_were_taken_and_not_kept_are_sent_again(town: Town) -> None:
    """One that is missing, one that kept its old sum, a line that somebody changed; no other."""
    numbers = [str(town.buy(KARI, ticks=True)) for _ in range(3)]
    town.pass_on()
    lost, stale, _ = numbers
    orders = store_of(town).orders
    del orders[lost]
    orders[stale]["order_total"] = 1
    next(iter(orders[stale]["lines"].values()))["quantity"] = 7
    assert (3, 2, 2) == read_back(town)
    orders = store_of(town).orders
    assert [125, 125, 125] == [float(orders[number]["order_total"]) for number in numbers]
    assert 1 == next(iter(orders[stale]["lines"].values()))["quantity"]
    before = town.premises.changing_calls()
    assert (3, 0, 0) == read_back(town)
    assert before == town.premises.changing_calls()


def test_an_order_that_never_arrives_is_left_after_three_repairs(town: Town) -> None:
    """Mailchimp takes it each time, and never has it."""
    number = str(town.buy(KARI, ticks=True))
    town.audience.sales.forgotten.add(number)
    town.pass_on()
    assert [(1, 1, 1)] * 3 + [(1, 1, 0)] == [read_back(town) for _ in range(4)]
    assert {} == store_of(town).orders


def test_an_order_that_was_removed_and_is_still_there_is_removed_again(town: Town) -> None:
    """It is in the shop's bin; Mailchimp said that it had removed it."""
    number, *others = (town.buy(KARI, ticks=True) for _ in range(4))
    town.pass_on()
    town.audience.sales.forgotten.add(str(number))
    town.shop.orders.trash(number)
    town.pass_on()
    assert str(number) in store_of(town).orders
    town.audience.sales.forgotten.clear()
    assert (4, 1, 1) == read_back(town)
    assert [str(each) for each in others] == list(store_of(town).orders)
    assert (3, 0, 0) == read_back(town)


def codes_at_mailchimp(town: Town) -> dict[str, list[str]]:
    """The codes of each promotion that the store has."""
    return {
        key: [code["code"] for code in rule["codes"].values()]
        for key, rule in store_of(town).rules.items()
    }


def test_a_coupon_of_before_the_shop_was_connected(old_code: str, town: Town) -> None:
    """No webhook tells of it: it arrives with the past, whole, and goes when it is deleted."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert {} == store_of(town).rules
    code, told = town.premises.command("backfill", "wool", "--json")
    assert (0, ["customer", "product", "promotion", "order"]) == (
        code,
        [each["kind"] for each in told["kinds"]],
    )
    town.pass_on()
    assert {old_code: ["welcome"]} == codes_at_mailchimp(town)
    (rule,) = store_of(town).rules.values()
    assert (0.15, "percentage", "total") == (rule["amount"], rule["type"], rule["target"])
    assert 1 == town.premises.engine.reconcile()
    town.pass_on()
    town.shop.products.delete_coupon(int(old_code))
    town.clock.skip(hours=25)
    assert 1 == town.premises.engine.reconcile()
    town.pass_on()
    assert {} == store_of(town).rules
