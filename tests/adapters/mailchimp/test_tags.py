"""Tags come and go, ours only, in the fewest calls."""

from __future__ import annotations

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from benchmarks import mailchimp_calls
from connector.errors import TryLater
from connector.model import Postponed, Settled
from tests.adapters.mailchimp.people import KARI, OLA, person, push, push_one, step, withdrawn

BATCH = "POST /lists/{list_id}"
BY_TAG = "POST /lists/{list_id}/segments/{segment_id}"
ALONE = "POST /lists/{list_id}/members/{subscriber_hash}/tags"
LIST_TAGS = "GET /lists/{list_id}/segments"


def crowd(count: int) -> list[str]:
    """So many addresses."""
    return [f"p{number}@shop.example" for number in range(count)]


def test_foreign_tags_and_fields_stay(mc: Sandbox, destination: MailchimpDestination) -> None:
    """What an admin put there is there after every kind of change."""
    push_one(destination, None, person(tags=["VIP"], FNAME="Kari"))
    mc.admin_tag(KARI, "Friend of the house")
    before = person(tags=["VIP"], FNAME="Kari")
    for after in (person(tags=["Returning"], FNAME="Kari"), person(FNAME="K"), withdrawn()):
        push_one(destination, before, after)
        before = after
        assert "Friend of the house" in mc.members()[KARI]["tags"]
    assert ["Friend of the house"] == mc.members()[KARI]["tags"]


def test_a_shared_tag_leaves_many_by_one_call(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """500 contacts lose one tag: its id is looked up once, then one call for all of them."""
    emails = crowd(500)
    push(destination, *(step(None, person(email, tags=["VIP"])) for email in emails))
    mc.calls.clear()
    outcomes = push(
        destination, *(step(person(email, tags=["VIP"]), person(email)) for email in emails)
    )
    assert {Settled()} == set(outcomes.values())
    assert {LIST_TAGS: 1, BY_TAG: 1} == dict(mc.calls)
    assert [] == [email for email, held in mc.members().items() if held["tags"]]


def test_the_answer_to_a_batch_tells_the_ids(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Where fields change too, the tag's id is known from the answer."""
    emails = crowd(10)
    push(destination, *(step(None, person(email, tags=["VIP"])) for email in emails))
    mc.calls.clear()
    push(
        destination,
        *(step(person(e, tags=["VIP"]), person(e, tags=["Returning"], ORDERS=2)) for e in emails),
    )
    assert {BATCH: 1, BY_TAG: 1} == dict(mc.calls)
    assert {("Returning",)} == {tuple(held["tags"]) for held in mc.members().values()}


def test_many_tags_of_one_contact_leave_by_one_call(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """One contact that loses three tags is one call."""
    tags = ["50 % off", "A/B", "Ærlig"]
    push_one(destination, None, person(tags=tags))
    assert tags == sorted(mc.members()[KARI]["tags"])
    mc.calls.clear()
    push_one(destination, person(tags=tags), person())
    assert {ALONE: 1} == dict(mc.calls)
    assert [] == mc.members()[KARI]["tags"]


def test_a_tag_that_is_not_worn_is_not_taken(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """When the answer shows that the tag is gone already, no call is made for it."""
    push_one(destination, None, person())
    mc.calls.clear()
    push_one(destination, person(tags=["VIP"]), person(ORDERS=2))
    assert {BATCH: 1} == dict(mc.calls)


@pytest.mark.parametrize("again", [False, True])
def test_a_tag_deleted_in_mailchimp(
    mc: Sandbox,
    destination: MailchimpDestination,
    again: bool,  # noqa: FBT001 - was it made anew
) -> None:
    """Its id is forgotten; made anew by somebody, it is found again."""
    emails = crowd(5)
    push(destination, *(step(None, person(email, tags=["VIP"])) for email in emails))
    push(
        destination,
        *(step(person(email, tags=["VIP"]), person(email, ORDERS=1)) for email in emails),
    )
    mc.delete_tag("VIP")
    if again:
        mc.admin_tag(OLA, "Other")
        for email in emails:
            mc.admin_tag(email, "VIP")
    outcomes = push(
        destination, *(step(person(email, tags=["VIP"]), person(email)) for email in emails)
    )
    assert {Settled()} == set(outcomes.values())
    assert [] == [email for email, held in mc.members().items() if held["tags"]]


def test_a_brake_while_tags_leave_postpones_those(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Who lost no tag is done; who would have is due again."""
    emails = crowd(5)
    push(destination, *(step(None, person(email, tags=["VIP"])) for email in emails))
    mc.misbehave("429", endpoint=BY_TAG)
    changes = [step(person(email, tags=["VIP"]), person(email, ORDERS=1)) for email in emails]
    outcomes = push(destination, step(None, person()), *changes)
    assert Settled() == outcomes.pop(KARI)
    assert {Postponed(reason="Mailchimp answered 429")} == set(outcomes.values())
    assert {Settled()} == set(push(destination, *changes).values())
    mc.misbehave("429", endpoint=LIST_TAGS)
    destination._tag_ids.clear()
    with pytest.raises(TryLater):
        push(destination, *(step(person(e, tags=["VIP"]), person(e)) for e in emails))


def test_unchanged_means_no_call(mc: Sandbox, destination: MailchimpDestination) -> None:
    """What the audience holds already is not sent."""
    same = person(tags=["VIP"], FNAME="Kari")
    assert Settled() == push_one(destination, same, same)
    assert Settled(note="no e-mail address") == push_one(
        destination, None, person(email="", FNAME="Nobody")
    )
    assert Settled() == push_one(destination, None, None)
    assert {} == push(destination)
    assert {} == dict(mc.calls)


def test_only_the_difference_is_sent(mc: Sandbox, destination: MailchimpDestination) -> None:
    """One changed field and one new tag travel alone; fields not mapped any more are cleared."""
    before = person(tags=["VIP"], FNAME="Kari", ORDERS=1, LASTORDER="2026-01-02")
    push_one(destination, None, before)
    push_one(destination, before, person(tags=["VIP", "Returning"], FNAME="Kari", ORDERS=2))
    expected = {
        "email_address": KARI,
        "status_if_new": "subscribed",
        "merge_fields": {"ORDERS": 2, "LASTORDER": ""},
        "tags": ["Returning"],
    }
    assert [expected] == mc.bodies[-1][1]["members"]


def test_what_people_told_mailchimp_themselves_is_not_wiped(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """A person we never wrote keeps the name that we do not know."""
    mc.sign_up(KARI)
    push_one(destination, None, person(FNAME="Kari"))
    push_one(destination, None, person(FNAME=None, ORDERS=1))
    assert {"FNAME": "Kari", "ORDERS": 1} == mc.members()[KARI]["fields"]


def test_one_address_twice_in_a_push(mc: Sandbox, destination: MailchimpDestination) -> None:
    """The later change is the later write, in whatever case the address is spelt."""
    first, then = person(KARI, ORDERS=1), person(KARI.upper(), ORDERS=2)
    outcomes = push(destination, step(None, first), step(None, then))
    assert {KARI: Settled(), KARI.upper(): Settled()} == dict(outcomes)
    assert 2 == mc.members()[KARI]["fields"]["ORDERS"]
    assert {BATCH: 2} == dict(mc.calls)


def test_the_figures_hold() -> None:
    """A fifth of the benchmark: 2,000 changed contacts take at most 12 calls, unchanged none."""
    rows = mailchimp_calls.main(contacts=2_000)
    assert [True] * 3 == [met for *_, met in rows]
