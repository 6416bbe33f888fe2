"""Permissions on their way from a shop to Mailchimp, and never back to life on their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from benchmarks.end_state import differences, end_state
from connector.store.schema import evidence
from tests.journeys.town import Town

ASK = "PUT /lists/{list_id}/members/{subscriber_hash}"
KARI, OLA, NEW = "kari@shop.example", "ola@shop.example", "kari.ny@shop.example"


def ledger(town: Town, contact: str) -> set[tuple[str, str]]:
    """What was said about somebody's permission: the claims with who made them."""
    with town.premises.store.read() as conn:
        rows = conn.execute(
            select(evidence.c.claim, evidence.c.source).where(evidence.c.contact == contact)
        )
        return {(claim, source) for claim, source in rows}


def test_a_ticked_box_arrives_with_fields_and_tags(town: Town) -> None:
    """Opt-in at the checkout: subscribed, with number and sum of the orders, and the segment."""
    town.buy(KARI, ticks=True)
    town.buy(OLA)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ("subscribed", {"FNAME": "Åse", "ORDERS": 1, "SPENT": 125.0}, ["First-time buyer"]) == (
        held["status"],
        held["fields"],
        held["tags"],
    )
    assert {KARI} == town.audience.members().keys()
    town.buy(KARI)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ({"FNAME": "Åse", "ORDERS": 2, "SPENT": 250.0}, ["Big basket", "Returning"]) == (
        held["fields"],
        held["tags"],
    )


def test_a_withdrawal_takes_away_what_is_ours_and_nothing_else(town: Town) -> None:
    """Unsubscribed, without our tags; an admin's tag and an admin's field are left alone."""
    town.audience.add_field("SHOE", "number")
    account = town.register(KARI)
    town.buy(KARI, ticks=True, account=account)
    town.buy(OLA, ticks=True)
    town.pass_on()
    town.audience.admin_tag(KARI, "Knits at night")
    town.audience.admin_tag(OLA, "Knits at night")
    town.by_hand(KARI, {"SHOE": 38})
    before = town.held(OLA)

    town.withdraw(account)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ("unsubscribed", ["Knits at night"], 38) == (
        held["status"],
        held["tags"],
        held["fields"]["SHOE"],
    )
    assert before == town.held(OLA)

    town.buy(KARI, account=account)  # buying is no permission
    town.buy(OLA)
    town.pass_on()
    other = town.held(OLA)
    assert other is not None
    assert ["Big basket", "Knits at night", "Returning"] == other["tags"]
    held = town.held(KARI)
    assert held is not None
    assert ("unsubscribed", ["Knits at night"]) == (held["status"], held["tags"])


def test_replaying_everything_twice_changes_nothing_anywhere(town: Town) -> None:
    """No call that changes anything, no row that differs: not even for one who withdrew."""
    account = town.register(KARI)
    town.buy(KARI, ticks=True, account=account)
    order = town.buy(OLA, ticks=True)
    town.pass_on()
    town.withdraw(account)
    town.shop.orders.refund(order, amount="25.00")
    town.pass_on()
    state, members = end_state(town.premises.store), town.audience.members()
    calls = town.premises.changing_calls()
    assert {"unsubscribed", "subscribed"} == {held["status"] for held in members.values()}
    for _ in range(2):
        assert town.premises.books()["shops"]["wool"]["received"] == town.premises.replay()
        town.clock.skip(hours=5)
        town.premises.work()
        assert [] == differences(state, end_state(town.premises.store))
        assert calls == town.premises.changing_calls()
        assert members == town.audience.members()


@pytest.mark.parametrize("where", ["shop", "mailchimp"])
def test_an_opt_out_follows_its_person_to_a_new_address(town: Town, where: str) -> None:
    """Wherever it was said, and even if the box was ticked for the new address as a guest once."""
    town.buy(NEW, ticks=True)
    account = town.register(KARI)
    town.buy(KARI, ticks=True, account=account)
    town.pass_on()
    assert ("subscribed", "subscribed") == (town.status(KARI), town.status(NEW))
    if where == "shop":
        town.withdraw(account)
    else:
        town.audience.unsubscribe(KARI)
        town.buy(KARI, account=account)  # this is when we notice
    town.pass_on()
    assert ("unsubscribed", "subscribed") == (town.status(KARI), town.status(NEW))
    town.move(account, NEW)
    town.pass_on()
    assert "unsubscribed" == town.status(NEW)
    assert "subscribed" != town.status(KARI)
    assert "withdrawn" == town.explain(NEW)["consent"]["email"]["state"]


def test_who_left_mailchimp_is_not_brought_back_by_an_older_permission(town: Town) -> None:
    """We meet them as unsubscribed: they stay so, and the ledger knows from then on."""
    town.audience.sign_up(KARI)
    town.buy(KARI, ticks=True)
    town.clock.skip(days=2)
    town.audience.unsubscribe(KARI)
    town.pass_on()
    assert ("unsubscribed", 0) == (town.status(KARI), town.audience.calls[ASK])  # nor asked
    assert {("grant1", "wool"), ("withdraw", "newsletter")} == ledger(town, KARI)
    town.buy(KARI)
    town.premises.replay()
    town.pass_on()
    assert "unsubscribed" == town.status(KARI)
    assert "withdrawn" == town.explain(KARI)["consent"]["email"]["state"]


def test_a_newer_permission_of_their_own_asks_who_left_mailchimp_before(town: Town) -> None:
    """Pending: Mailchimp asks, and only the person's own click subscribes them."""
    town.audience.sign_up(KARI)
    town.audience.unsubscribe(KARI)
    town.clock.skip(days=30)
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert ("pending", 1) == (town.status(KARI), town.audience.calls[ASK])
    assert {("grant1", "wool"), ("withdraw", "newsletter")} == ledger(town, KARI)
    town.buy(KARI)
    town.pass_on()
    assert "pending" == town.status(KARI)
    town.audience.confirm(KARI)
    town.buy(KARI)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ("subscribed", 3) == (held["status"], held["fields"]["ORDERS"])


@pytest.mark.parametrize("double_optin", [True], ids=["double opt-in"])
def test_an_audience_with_double_opt_in_asks_everybody(town: Town) -> None:
    """New people wait for their own click; ours never replaces it."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert "pending" == town.status(KARI)
    town.buy(KARI, ticks=True)
    town.pass_on()
    assert "pending" == town.status(KARI)
    town.audience.confirm(KARI)
    town.buy(KARI)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ("subscribed", 3) == (held["status"], held["fields"]["ORDERS"])


def test_who_comes_back_is_taken_out_of_the_archive_that_we_put_them_in(town: Town) -> None:
    """An order thrown away and taken back out: as if nothing had been, with no tag of old."""
    first = town.buy(KARI, ticks=True)
    second = town.buy(KARI)
    town.pass_on()
    for order in (first, second):
        town.shop.orders.trash(order)
    town.pass_on()
    assert "archived" == town.status(KARI)
    town.clock.skip(days=3)
    town.shop.orders.untrash(first)
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert ("subscribed", ["First-time buyer"], 1) == (
        held["status"],
        held["tags"],
        held["fields"]["ORDERS"],
    )


def test_an_admins_archive_is_respected(town: Town) -> None:
    """Archived by hand after we had: whoever did that is asked, nobody is brought back."""
    order = town.buy(KARI, ticks=True)
    town.pass_on()
    town.shop.orders.trash(order)
    town.pass_on()
    town.audience.archive(KARI, town.clock.now + timedelta(days=1))
    town.clock.skip(days=3)
    town.shop.orders.untrash(order)
    town.pass_on()
    assert "archived" == town.status(KARI)
    _, parked = town.premises.command("parked", "--json")
    assert [("newsletter", KARI, "archived")] == [
        (row["destination"], row["key"], row["reason"]) for row in parked["records"]
    ]
