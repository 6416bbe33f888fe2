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
def town(move_in: MoveIn, audience: Audience, clock: Clock) -> Iterator[Town]:
    """A shop, and an audience that is told of sales too."""
    with Shop(auto=False, clock=clock, keep_alive=True) as shop:
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
