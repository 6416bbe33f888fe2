"""Stores: made once, bound to their audience, silent for the past and awake for certain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from adapters.mailchimp.sandbox_store_state import Store
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Postponed, Settled
from connector.ports import (
    CheckableDestination,
    DestinationAdapter,
    Grade,
    Introducing,
    Syncing,
)
from tests.adapters.mailchimp.commerce.wares import (
    NOW,
    SHAPE,
    STORE,
    held,
    make,
    new,
    order,
    product,
    push,
    push_one,
)


def test_it_is_a_destination_that_syncs(sales: MailchimpSales) -> None:
    """It builds what it promises."""
    adapter: DestinationAdapter = sales
    assert isinstance(adapter, Syncing)
    assert isinstance(adapter, CheckableDestination)
    assert isinstance(adapter, Introducing)
    assert "sales" == adapter.name


def test_a_store_is_made_once(mc: Sandbox) -> None:
    """For the audience, with what is known of the shop; a second start finds it as it is."""
    for _ in range(2):
        assert [] == list(make(mc).prepare(SHAPE))
    assert {
        "id": "c-nord",
        "list_id": mc.audience,
        "name": "Nord",
        "platform": "woocommerce",
        "domain": "nord.example",
        "currency_code": "EUR",
        "money_format": "€",
        "timezone": "Europe/Oslo",
        "is_syncing": False,
    } == held(mc).words
    assert 1 == mc.calls["POST /ecommerce/stores"]
    assert 0 == mc.calls["PATCH /ecommerce/stores/{store_id}"]


def test_a_name_that_a_person_gave_stays(mc: Sandbox, sales: MailchimpSales) -> None:
    """What was edited in Mailchimp is not ours to change; another currency is told."""
    held(mc).words |= {"name": "My shop", "currency_code": "NOK"}
    [finding] = sales.prepare(SHAPE)
    assert "counts in NOK, the shop in EUR" in finding.what
    assert "My shop" == held(mc).words["name"]


def test_a_store_of_another_audience(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is bound to that one for ever: a person must decide, and nothing is touched."""
    held(mc).words["list_id"] = "other"
    before = dict(held(mc).words)
    with pytest.raises(LaneDown, match="another audience") as down:
        sales.prepare(SHAPE)
    assert "Set the destination's audience" in down.value.mend
    assert before == held(mc).words


def test_an_audience_that_is_not_there(mc: Sandbox) -> None:
    """No store is made, and it is said what to set."""
    stranger = make(mc)
    mc.sales.stores.clear()
    mc.world.sales.refused["c-nord"] = (404, "gone")
    with pytest.raises(LaneDown, match="makes no store"):
        stranger.prepare(SHAPE)
    assert {} == mc.sales.stores


def test_stores_of_others_are_never_touched(mc: Sandbox, sales: MailchimpSales) -> None:
    """Whatever is done, a store that is not ours stays as it was."""
    mc.sales.stores["theirs"] = Store({"id": "theirs", "list_id": mc.audience, "is_syncing": True})
    sales.prepare(SHAPE)
    sales.begin_sync()
    push_one(sales, order())
    sales.end_sync()
    theirs = mc.sales.stores["theirs"]
    assert {"id": "theirs", "list_id": mc.audience, "is_syncing": True} == theirs.words
    assert {} == theirs.orders
    assert not any("theirs" in address for address in mc.seen)


@pytest.mark.parametrize("wrong", ["", "my-server", "x" * 51])
def test_ids_that_would_be_spoilt(mc: Sandbox, wrong: str) -> None:
    """The client replaces the word "server", and Mailchimp takes no long ids: told at the start."""
    with pytest.raises(ConfigurationFault):
        make(mc, stores={"nord": replace(STORE, id=wrong)})


def test_two_shops_in_one_store(mc: Sandbox) -> None:
    """Their orders would overwrite one another."""
    with pytest.raises(ConfigurationFault, match="two shops"):
        make(mc, stores={"nord": STORE, "sor": replace(STORE, shop="sor")})


def test_a_shop_without_a_store(mc: Sandbox, sales: MailchimpSales) -> None:
    """Its records are parked with what to do; nothing is sent."""
    record = product()
    change = replace(new(record), key="product/sor/1")
    outcome = push(sales, change)["product/sor/1"]
    assert "no_store" == getattr(outcome, "reason", None)
    assert {} == held(mc).products


def test_a_store_that_was_deleted(mc: Sandbox, sales: MailchimpSales) -> None:
    """Of a store that is gone nothing can be said of single records: the lane stops."""
    assert Settled() == push_one(sales, order())
    mc.sales.stores.clear()
    with pytest.raises(LaneDown, match="no store c-nord any more"):
        push_one(sales, order("101"))


def test_automations_are_silent_between(mc: Sandbox, sales: MailchimpSales) -> None:
    """Orders of the past set off nothing; those of after do."""
    sales.begin_sync()
    assert Settled() == push_one(sales, order("1"))
    assert Settled() == push_one(sales, order("1", status="refunded"), order("1"))
    assert [] == mc.sales.fired
    for _ in range(2):
        sales.end_sync()
    assert False is held(mc).words["is_syncing"]
    push_one(sales, order("2"))
    assert [("c-nord", "2", "paid")] == mc.sales.fired


def test_preparing_anew_does_not_wake_it_early(mc: Sandbox, sales: MailchimpSales) -> None:
    """The mapping may change during a backfill; a store that is made then is silent too."""
    sales.begin_sync()
    sales.prepare(SHAPE)
    assert held(mc).is_syncing
    mc.sales.stores.clear()
    sales.prepare(SHAPE)
    assert held(mc).is_syncing


def test_a_store_left_syncing_is_woken(mc: Sandbox, sales: MailchimpSales) -> None:
    """A process that died during a backfill leaves no shop silent for ever."""
    sales.begin_sync()
    assert [] == list(make(mc).prepare(SHAPE))
    assert not held(mc).is_syncing


def test_it_is_not_woken_over_a_former_lifes_batch(mc: Sandbox, sales: MailchimpSales) -> None:
    """What is still to be worked on is of the past: the store wakes with the first push after."""
    mc.sales.polls = 100
    sales.begin_sync()
    orders = [new(order(str(number))) for number in range(1, 21)]
    push(sales, new(product()), *orders)
    push(sales, *orders)
    second = make(mc)
    [finding] = second.prepare(SHAPE)
    assert Grade.NOTE is finding.grade
    assert held(mc).is_syncing
    _hurry(mc)
    push(second, *orders)
    assert not held(mc).is_syncing
    assert 20 == len(held(mc).orders)
    assert [] == mc.sales.fired


def test_end_waits_for_what_is_on_its_way(mc: Sandbox, sales: MailchimpSales) -> None:
    """A batch that is still to be worked on would fire: so the end is asked for again."""
    push_one(sales, product())
    sales.begin_sync()
    mc.sales.polls = 100
    orders = [new(order(str(number))) for number in range(1, 21)]
    assert {Postponed} == {type(each) for each in push(sales, *orders).values()}
    with pytest.raises(TryLater, match="still works"):
        sales.end_sync()
    assert held(mc).is_syncing
    _hurry(mc)
    sales.end_sync()
    assert (20, [], False) == (len(held(mc).orders), mc.sales.fired, held(mc).is_syncing)
    later = NOW + timedelta(minutes=1)
    assert {Settled()} == set(push(sales, *orders, now=later).values())


def test_every_store_is_tried(mc: Sandbox) -> None:
    """One that cannot be woken keeps no other asleep, and the trouble is told."""
    both = {"nord": STORE, "sor": replace(STORE, shop="sor", id="c-sor", name="Sor")}
    sales = make(mc, stores=both)
    sales.prepare(SHAPE)
    sales.begin_sync()
    mc.misbehave("500", endpoint="PATCH /ecommerce/stores/{store_id}")
    with pytest.raises(TryLater):
        sales.end_sync()
    assert [True, False] == [each.is_syncing for each in mc.sales.stores.values()]
    sales.end_sync()
    assert [False, False] == [each.is_syncing for each in mc.sales.stores.values()]


def test_the_check_up_changes_nothing(mc: Sandbox) -> None:
    """It says what is missing, what is there, what is silent, and what cannot be used."""
    sales = make(mc)
    told = [each.what for each in sales.check_up(SHAPE, now=NOW)]
    assert "the store Nord is not there yet and will be made when the connector starts" in told
    assert {} == mc.sales.stores
    sales.prepare(SHAPE)
    assert "the store Nord is there" in [each.what for each in sales.check_up(SHAPE, now=NOW)]
    sales.begin_sync()
    told = [each.what for each in sales.check_up(SHAPE, now=NOW)]
    assert any("is syncing" in each for each in told)
    mc.change_key("f" * 32 + "-us1")
    [finding] = sales.check_up(SHAPE, now=NOW)
    assert "cannot be used" in finding.what


def test_it_says_whose_account_it_is(mc: Sandbox, sales: MailchimpSales) -> None:
    """By the account's id, with Mailchimp's time."""
    introduction = sales.introduce()
    assert mc.world.account == introduction.account
    assert introduction.at is not None


def _hurry(mc: Sandbox) -> None:
    """Let every batch be finished when it is looked at next."""
    for batch in mc.sales.batches.values():
        batch.polls = 0
