"""What a destination holds is compared with what it took, and put right where that was lost."""

from __future__ import annotations

import pytest

from tests.journeys.town import MAPPING, Town

KARI, OLA = "kari@shop.example", "ola@shop.example"


def agreement(town: Town) -> tuple[int, int, int, int]:
    """How many were compared since the last whole round, differed, were repaired, and left."""
    told = town.newsletter()["agreement"]
    return told["compared"], told["differed"], told["repaired"], told["left"]


def whole_round(town: Town) -> tuple[int, int, int, int]:
    """Read everything, as it is done once a day."""
    town.clock.skip(hours=25)
    town.premises.work()
    return agreement(town)


def lose(town: Town, email: str) -> None:
    """An order of which the newsletter says that it took what follows, and keeps nothing."""
    town.audience.forget(email)
    town.buy(email, ticks=True)
    town.pass_on()


def test_what_was_taken_and_not_kept_is_sent_again(town: Town) -> None:
    """Fields and tags of a contact whose second order was lost there; nothing else is written."""
    for email in (KARI, OLA):
        town.buy(email, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=20)
    town.premises.work()
    lose(town, KARI)
    held = town.held(KARI)
    assert held is not None
    assert 1 == held["fields"]["ORDERS"]
    town.audience.remember(KARI)
    calls = town.premises.changing_calls()
    assert (2, 1, 1, 0) == whole_round(town)
    held = town.held(KARI)
    assert held is not None
    assert (2, ["Big basket", "Returning"]) == (held["fields"]["ORDERS"], held["tags"])
    done = town.premises.changing_calls()
    assert {"POST /lists/{list_id}"} == {name for name in done if done[name] != calls[name]}
    assert (2, 0, 0, 0) == whole_round(town)


def test_who_was_never_kept_is_added(town: Town) -> None:
    """A contact that Mailchimp said it had added, and nobody ever saw there."""
    lose(town, KARI)
    assert town.held(KARI) is None
    town.audience.remember(KARI)
    assert (1, 1, 1, 0) == whole_round(town)
    assert "subscribed" == town.status(KARI)
    assert (1, 0, 0, 0) == whole_round(town)


def test_row_130_what_does_not_last_is_sent_three_times(town: Town) -> None:
    """Row 130: success is reported, and the state is another on every later read."""
    lose(town, KARI)
    rounds = [whole_round(town) for _ in range(5)]
    assert [(1, 1, 1, 0)] * 3 + [(1, 1, 0, 1)] * 2 == rounds
    code, text = town.premises.command("reconcile", "newsletter")
    assert 1 == code
    assert "newsletter: 0 % of 1 agree, 1 differed, 0 of them repaired" in text


def test_what_a_person_edited_stays(town: Town) -> None:
    """Somebody corrects a name and a field of ours by hand: it is theirs, told and left alone."""
    for email in (KARI, OLA):
        town.buy(email, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=20)
    town.by_hand(KARI, {"ORDERS": 99})
    calls = town.premises.changing_calls()
    assert (2, 0, 0, 0) == whole_round(town)
    assert calls == town.premises.changing_calls()
    held = town.held(KARI)
    assert held is not None
    assert 99 == held["fields"]["ORDERS"]
    code, text = town.premises.command("status")
    assert 0 == code
    assert "newsletter: 100 % of 2 agree; 1 edited there by hand, left so" in text
    town.buy(KARI, ticks=True)  # what changes in the shop is news, and is written
    town.pass_on()
    held = town.held(KARI)
    assert held is not None
    assert 2 == held["fields"]["ORDERS"]


def test_who_was_archived_by_hand_is_left_alone(town: Town) -> None:
    """Nobody is added again, unarchived or written to because of a difference."""
    for email in (KARI, OLA):
        town.buy(email, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=20)
    town.premises.work()
    town.audience.archive(KARI)
    town.audience.permanently_delete(OLA)
    calls = town.premises.changing_calls()
    for _ in range(3):
        assert (0, 0, 0, 0) == whole_round(town)
    assert calls == town.premises.changing_calls()
    assert ("archived", None) == (town.status(KARI), town.status(OLA))
    assert 1 == town.newsletter()["agreement"]["gone"]  # the archived one is still shown


def test_who_left_is_not_looked_for(town: Town) -> None:
    """A withdrawal that Mailchimp lost is heard of as a status; fields of who left are not sent."""
    town.buy(KARI, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=20)
    town.audience.unsubscribe(KARI)
    town.premises.work()
    calls = town.premises.changing_calls()
    assert (0, 0, 0, 0) == whole_round(town)
    assert calls == town.premises.changing_calls()


@pytest.mark.parametrize("mapping", [f"{MAPPING}    contacts: {{policy: existing_only}}\n"])
def test_who_was_never_there_is_not_brought(town: Town) -> None:
    """With ``existing_only`` those who are not in the audience are no loss."""
    town.audience.sign_up(KARI)
    for email in (KARI, OLA):
        town.buy(email, ticks=True)
    town.pass_on()
    calls = town.premises.changing_calls()
    assert (1, 0, 0, 0) == whole_round(town)
    assert calls == town.premises.changing_calls()
    assert town.held(OLA) is None


def test_a_tag_of_ours_is_put_back(town: Town) -> None:
    """A lost tag comes back, one of somebody else stays."""
    town.buy(OLA, ticks=True)
    town.pass_on()
    town.clock.skip(minutes=20)
    town.premises.work()
    town.audience.delete_tag("First-time buyer")  # which moves nobody's time of change
    town.audience.admin_tag(OLA, "Knits at night")
    assert (1, 1, 1, 0) == whole_round(town)
    held = town.held(OLA)
    assert held is not None
    assert ["First-time buyer", "Knits at night"] == held["tags"]


def test_a_flood_of_differences_is_not_repaired(town: Town) -> None:
    """So many at once that it is no accident: an alarm, nothing is sent, and a person decides."""
    people = [f"kunde{number}@shop.example" for number in range(60)]
    for email in people:
        town.audience.forget(email)
        town.buy(email, ticks=True)
    town.pass_on()
    calls = town.premises.changing_calls()
    assert (60, 60, 0, 60) == whole_round(town)
    assert calls == town.premises.changing_calls()
    told = town.premises.command("status", "--json")[1]
    assert [("difference", "destinations.newsletter")] == [
        (each["kind"], each["where"]) for each in told["alarms"]
    ]
    for email in people:
        town.audience.remember(email)
    code, text = town.premises.command("reconcile", "newsletter", "--believe")
    assert (0, ["newsletter: 0 % of 60 agree, 60 differed, repaired"]) == (code, text.splitlines())
    assert {"subscribed"} == {town.status(email) for email in people}
    assert [] == town.premises.command("status", "--json")[1]["alarms"]
