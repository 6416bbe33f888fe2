"""When Mailchimp refuses, breaks down or throws us out: nothing is lost, and it is told why."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from tests.journeys.town import Town

BATCH = "POST /lists/{list_id}"


def test_one_bad_address_among_499_good_ones(town: Town) -> None:
    """The 499 are subscribed, the one is parked with who mends it; released, it is parked again."""
    bad = "typo@shop.invalid"
    for number in range(499):
        town.buy(f"b{number}@shop.example", ticks=True)
    town.buy(bad, ticks=True)
    town.pass_on()
    members = town.audience.members()
    assert (499, {"subscribed"}) == (len(members), {held["status"] for held in members.values()})
    book = town.newsletter()
    assert (500, 499, 0, 1) == tuple(book[x] for x in ("records", "settled", "due", "parked"))
    code, told = town.premises.command("parked", "--json")
    assert (1, [("newsletter", bad, "invalid_address")]) == (
        code,
        [(row["destination"], row["key"], row["reason"]) for row in told["records"]],
    )
    assert "Correct it in the shop" in told["records"][0]["mend"]

    assert 0 == town.premises.command("parked", "--release", f"newsletter/{bad}")[0]
    assert 1 == town.newsletter()["due"]
    calls = town.audience.calls[BATCH]
    town.premises.work()
    assert (1, 1) == (town.newsletter()["parked"], town.audience.calls[BATCH] - calls)


@pytest.mark.parametrize("fault", ["500", "503", "429", "HTML", "torn before", "torn after"])
def test_after_a_breakdown_everything_arrives_once_and_withdrawals_first(
    town: Town, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down for hours, then back: all of it, those who left before all others, and no more calls."""
    monkeypatch.setattr(MailchimpDestination, "batch_size", 3)
    accounts = [town.register(f"w{number}@shop.example") for number in range(3)]
    for number, account in enumerate(accounts):
        town.buy(f"w{number}@shop.example", ticks=True, account=account)
    town.pass_on()
    assert 3 == sum(held["status"] == "subscribed" for held in town.audience.members().values())

    for number in range(10):
        town.buy(f"n{number}@shop.example", ticks=True)
    town.audience.misbehave(fault, times=4)
    town.pass_on()
    for account in accounts:
        town.withdraw(account)
    down = town.newsletter()
    assert 10 == down["due"]
    assert down["paused_until"] is not None
    assert down["last_problem"] is not None
    town.audience.bodies.clear()
    for _ in range(12):
        town.pass_on()

    sent = [body["members"] for endpoint, body in town.audience.bodies if endpoint == BATCH]
    answered = [batch for batch in sent if batch[0].get("status") == "unsubscribed"]
    assert {f"w{number}@shop.example" for number in range(3)} == {
        member["email_address"] for member in answered[0]
    }
    assert {
        **{f"w{number}@shop.example": "unsubscribed" for number in range(3)},
        **{f"n{number}@shop.example": "subscribed" for number in range(10)},
    } == {email: held["status"] for email, held in town.audience.members().items()}
    book = town.newsletter()
    assert (13, 0, None, None) == tuple(
        book[x] for x in ("settled", "due", "paused_until", "last_problem")
    )
    calls = town.premises.changing_calls()
    town.pass_on()
    assert calls == town.premises.changing_calls()


def test_wrong_credentials_stop_the_lane_until_somebody_mends_them(town: Town) -> None:
    """Paused, with what to do; the shop's webhooks are taken meanwhile; nothing is lost."""
    town.audience.change_key("f" * 32 + "-us1")
    for number in range(5):
        town.buy(f"b{number}@shop.example", ticks=True)
    town.pass_on()
    book = town.newsletter()
    assert (5, 5, 0) == tuple(book[x] for x in ("records", "due", "parked"))
    assert "API key" in book["last_problem"]
    assert "Make a new API key in Mailchimp" in book["mend"]
    assert book["paused_until"] is not None
    assert {} == town.audience.members()

    before = town.audience.calls.total()
    town.premises.work()
    assert before == town.audience.calls.total()  # left alone until the pause is over

    town.audience.change_key(town.audience.api_key)
    town.buy("late@shop.example", ticks=True)
    for _ in range(2):
        town.pass_on()
    assert 6 == len(town.audience.members())
    book = town.newsletter()
    assert (6, 0, None, None, None) == tuple(
        book[x] for x in ("settled", "due", "paused_until", "last_problem", "mend")
    )


def test_a_silent_shop_is_asked_again(town: Town) -> None:
    """A deletion waits for the shop to confirm it, while all else goes on; then it is applied."""
    order = town.buy("kari@shop.example", ticks=True)
    town.pass_on()
    town.shop.orders.trash(order)
    town.shop.misbehave(answers="503", times=3)
    town.buy("ola@shop.example", ticks=True)
    town.pass_on()
    assert "subscribed" == town.status("ola@shop.example")
    assert ("subscribed", 1) == (town.status("kari@shop.example"), waiting(town))
    for _ in range(3):
        town.pass_on()
    assert ("archived", 0) == (town.status("kari@shop.example"), waiting(town))


def waiting(town: Town) -> Any:
    """How many deliveries wait."""
    return town.premises.books()["shops"]["wool"]["waiting"]
