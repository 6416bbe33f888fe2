"""Nobody is made sendable again who left: what the destination writes about permissions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.model import Claim, Evidence, Parked, Permission, Purpose, Record, Settled
from connector.ports import Shape
from tests.adapters.mailchimp.people import (
    KARI,
    NOW,
    OLA,
    SHAPE,
    ago,
    person,
    push,
    push_one,
    step,
    withdrawn,
)

SILENT = person(permission=Permission.SILENT)
CONFIRM = person(permission=Permission.CONFIRM)


def statement(claim: Claim, at: datetime) -> Evidence:
    """What the newsletter says of Kari's permission."""
    return Evidence(
        contact=KARI,
        purpose=Purpose.EMAIL,
        claim=claim,
        source="newsletter",
        at=at,
        received_at=NOW,
        method="api_state",
    )


def status(mc: Sandbox, email: str = KARI) -> str:
    """Kari's status in the audience."""
    return str(mc.members()[email]["status"])


@pytest.mark.parametrize(
    ("permission", "double_optin", "expected"),
    [
        (Permission.SEND, False, "subscribed"),
        (Permission.SEND, True, "pending"),
        (Permission.CONFIRM, False, "pending"),
        (Permission.CONFIRM, True, "pending"),
        (Permission.SILENT, False, "transactional"),
        (Permission.SILENT, True, "transactional"),
    ],
)
def test_a_new_contact_gets_the_status_of_its_permission(
    mc: Sandbox,
    unready: MailchimpDestination,
    permission: Permission,
    double_optin: bool,  # noqa: FBT001 - a parameter of the table above
    expected: str,
) -> None:
    """Subscribed with permission, pending where a confirmation is due, else transactional."""
    mc.world.double_optin = double_optin
    unready.prepare(SHAPE)
    assert Settled() == push_one(unready, None, person(permission=permission)) or double_optin
    assert expected == status(mc)


def test_status_is_never_sent_for_somebody_who_may_be_there(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Writes carry ``status_if_new`` only; ``status`` only takes permission away."""
    push_one(destination, None, person())
    push_one(destination, person(), person(FNAME="Kari"))
    push_one(destination, person(FNAME="Kari"), withdrawn())
    items = [body["members"][0] for endpoint, body in mc.bodies if endpoint.endswith("{list_id}")]
    assert ["subscribed", "subscribed", None] == [item.get("status_if_new") for item in items]
    assert [None, None, "unsubscribed"] == [item.get("status") for item in items]


@pytest.mark.parametrize("after", [person(), SILENT])
def test_who_left_in_mailchimp_is_evidence_and_stays_out(
    mc: Sandbox, destination: MailchimpDestination, after: Record
) -> None:
    """An existing opt-out is reported with its time, and nothing about it is changed."""
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, ago(days=3))
    outcome = push_one(destination, None, after, granted_at=ago(days=5))
    expected = statement(Claim.WITHDRAW, ago(days=3))
    assert Settled(evidence=(expected,), note="is unsubscribed in Mailchimp") == outcome
    assert "unsubscribed" == status(mc)
    assert 0 == mc.calls["PUT /lists/{list_id}/members/{subscriber_hash}"]


def test_our_own_writing_does_not_make_an_opt_out_look_newer(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """When fields were written too, the person's activity tells when they left."""
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, ago(days=3))
    outcome = push_one(destination, None, person(FNAME="Kari"), granted_at=ago(days=5))
    expected = statement(Claim.WITHDRAW, ago(days=3))
    assert Settled(evidence=(expected,), note="is unsubscribed in Mailchimp") == outcome
    assert 1 == mc.calls["GET /lists/{list_id}/members/{subscriber_hash}/activity"]


@pytest.mark.parametrize(("seconds", "asked"), [(299, False), (300, False), (301, True)])
@pytest.mark.parametrize("fields", [{}, {"FNAME": "Kari"}])
def test_a_newer_first_hand_permission_asks_for_confirmation(
    mc: Sandbox,
    destination: MailchimpDestination,
    seconds: int,
    asked: bool,  # noqa: FBT001 - a parameter of the table above
    fields: dict[str, str],
) -> None:
    """Newer by more than the margin: one confirmation mail, never "subscribed"."""
    left = ago(days=3)
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, left)
    granted = left + timedelta(seconds=seconds)
    outcome = push_one(destination, None, person(**fields), granted_at=granted)
    assert isinstance(outcome, Settled)
    assert (statement(Claim.WITHDRAW, left),) == outcome.evidence
    assert ("pending" if asked else "unsubscribed") == status(mc)
    assert asked == ("asked to confirm" in outcome.note)
    assert [{"email_address": KARI, "status": "pending"}] * asked == [
        body for endpoint, body in mc.bodies if endpoint.startswith("PUT")
    ]


def test_one_permission_asks_once(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Neither a repeat after a lost answer nor the next change sends a second mail."""
    mc.sign_up(KARI, ago(days=9))
    mc.unsubscribe(KARI, ago(days=3))
    for before, after in (
        (None, person(ORDERS=1)),
        (None, person(ORDERS=1)),
        (person(ORDERS=1), person(ORDERS=2)),
    ):
        push_one(destination, before, after, granted_at=ago(days=1))
    mc.admin_unsubscribe(KARI, ago(hours=1))
    again = push_one(destination, person(ORDERS=2), person(ORDERS=3), granted_at=ago(days=1))
    assert 1 == mc.calls["PUT /lists/{list_id}/members/{subscriber_hash}"]
    assert isinstance(again, Parked)
    assert "unsubscribed_there" == again.reason


def test_our_own_unsubscribing_is_no_evidence(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Whom we unsubscribed ourselves, and who came back since, is asked to confirm."""
    push_one(destination, None, person())
    push_one(destination, person(), withdrawn())
    outcome = push_one(destination, withdrawn(), person(), granted_at=ago(minutes=-1))
    assert isinstance(outcome, Settled)
    assert () == outcome.evidence
    assert "pending" == status(mc)


def test_back_without_a_first_hand_permission_stays_out(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """A permission that nobody gave by hand does not ask anybody for anything."""
    push_one(destination, None, person())
    push_one(destination, person(), withdrawn())
    assert Settled(note="is unsubscribed in Mailchimp") == push_one(
        destination, withdrawn(), person()
    )
    assert "unsubscribed" == status(mc)
    assert 0 == mc.calls["PUT /lists/{list_id}/members/{subscriber_hash}"]


def test_a_bouncing_address_is_no_statement_of_consent(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Cleaned means undeliverable, however new the permission; nothing is asked."""
    mc.sign_up(KARI, ago(days=9))
    mc.clean(KARI, ago(days=3))
    outcome = push_one(destination, None, person(), granted_at=ago(days=1))
    assert isinstance(outcome, Settled)
    assert (statement(Claim.UNDELIVERABLE, ago(days=3)),) == outcome.evidence
    assert "cleaned" == status(mc)


@pytest.mark.parametrize(
    ("double_optin", "after", "expected"),
    [
        (False, person(), "subscribed"),
        (True, person(), "pending"),
        (False, CONFIRM, "pending"),
        (False, SILENT, "transactional"),
    ],
)
def test_a_contact_never_asked_is_raised_by_permission(
    mc: Sandbox,
    unready: MailchimpDestination,
    double_optin: bool,  # noqa: FBT001 - a parameter of the table above
    after: Record,
    expected: str,
) -> None:
    """Transactional is raised by one call, and only where there is a permission."""
    mc.world.double_optin = double_optin
    unready.prepare(SHAPE)
    push_one(unready, None, SILENT)
    push_one(unready, SILENT, after)
    assert expected == status(mc)


@pytest.mark.parametrize("found", ["subscribed", "pending", "unsubscribed", "cleaned"])
def test_silent_neither_lowers_nor_raises(
    mc: Sandbox, destination: MailchimpDestination, found: str
) -> None:
    """An existing contact keeps its status when nothing is known of its permission."""
    mc.sign_up(KARI, ago(days=9))
    mc._set(KARI, found, ago(days=3))
    push_one(destination, None, person(permission=Permission.SILENT, FNAME="K"))
    push_one(destination, person(FNAME="K"), person(permission=Permission.SILENT, FNAME="L"))
    assert found == status(mc)


def test_pending_waits_for_the_person(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Who is asked already is not subscribed behind their back."""
    push_one(destination, None, CONFIRM)
    assert Settled(note="waits for the person's confirmation") == push_one(
        destination, CONFIRM, person(FNAME="Kari")
    )
    assert "pending" == status(mc)


def test_withdrawal_of_somebody_never_held(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A member that is there is unsubscribed; one that is not there is not created for it."""
    mc.sign_up(KARI)
    outcomes = push(destination, step(None, withdrawn()), step(None, withdrawn(OLA)))
    assert Settled() == outcomes[KARI]
    assert Settled(note="not in the audience: nothing to withdraw") == outcomes[OLA]
    assert {KARI: "unsubscribed"} == {email: held["status"] for email, held in mc.members().items()}
    assert 0 == mc.calls["POST /lists/{list_id}"]


def test_withdrawal_of_the_held_goes_first_and_in_batches(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Withdrawals are the first of their batch, bring no fields, and take our tags away."""
    push_one(destination, None, person(tags=["VIP"], FNAME="Kari"))
    mc.admin_tag(KARI, "Friend")
    mc.calls.clear()
    push(
        destination,
        step(None, person(OLA, FNAME="Ola")),
        step(person(tags=["VIP"], FNAME="Kari"), withdrawn()),
    )
    [*_, (_, body), _] = mc.bodies
    assert {"email_address": KARI, "status": "unsubscribed"} == body["members"][0]
    held = mc.members()[KARI]
    assert ("unsubscribed", ["Friend"], {"FNAME": "Kari"}) == (
        held["status"],
        held["tags"],
        held["fields"],
    )
    assert 1 == mc.calls["POST /lists/{list_id}"]


def test_withdrawing_twice_calls_once(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A withdrawal that is acknowledged already is not sent."""
    assert Settled() == push_one(destination, withdrawn(), withdrawn())
    assert {} == dict(mc.calls)


def test_an_archived_contact_stays_archived(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Archived by an admin after the permission: a person must look, and nothing is written."""
    mc.sign_up(KARI, ago(days=9))
    mc.archive(KARI, ago(days=3))
    outcome = push_one(destination, None, person(), granted_at=ago(days=5))
    assert isinstance(outcome, Parked)
    assert "archived" == outcome.reason
    assert "archived" == status(mc)


def test_an_archived_contact_with_a_newer_permission_is_asked(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Who was removed and signed up anew gets the confirmation mail, nothing more."""
    mc.sign_up(KARI, ago(days=9))
    mc.archive(KARI, ago(days=3))
    assert isinstance(push_one(destination, None, person(), granted_at=ago(days=1)), Settled)
    assert "pending" == status(mc)


def test_first_sync_resubscribes_nobody(mc: Sandbox, destination: MailchimpDestination) -> None:
    """500 people, 150 of whom left in Mailchimp: none of them is sendable afterwards."""
    emails = [f"p{number}@shop.example" for number in range(500)]
    for email in emails[:150]:
        mc.sign_up(email, ago(days=9))
        mc.unsubscribe(email, ago(days=3))
    outcomes = push(
        destination, *(step(None, person(email, FNAME="P"), ago(days=5)) for email in emails)
    )
    claims = [each.claim for outcome in outcomes.values() for each in outcome.evidence]
    assert [Claim.WITHDRAW] * 150 == claims
    statuses = [held["status"] for held in mc.members().values()]
    assert (150, 350) == (statuses.count("unsubscribed"), statuses.count("subscribed"))
    assert 8 >= mc.peak


def test_existing_only_creates_nobody(mc: Sandbox, unready: MailchimpDestination) -> None:
    """With ``existing_only`` the fields of those who are there are written, and nobody is added."""
    unready.prepare(Shape(fields=SHAPE.fields, tags=SHAPE.tags, existing_only=True))
    mc.sign_up(KARI)
    mc.sign_up("gone@shop.example")
    mc.archive("gone@shop.example")
    outcomes = push(
        unready,
        step(None, person(FNAME="Kari", tags=["VIP"])),
        step(None, person(OLA, FNAME="Ola")),
        step(person(OLA, FNAME="Ola"), person(OLA, FNAME="Ole")),
        step(None, person("gone@shop.example", FNAME="G")),
    )
    assert Settled() == outcomes[KARI]
    assert Settled(note="not in the audience") == outcomes[OLA]
    assert Settled(note="not in the audience") == outcomes["gone@shop.example"]
    assert {KARI, "gone@shop.example"} == set(mc.members())
    assert {"FNAME": "Kari"} == mc.members()[KARI]["fields"]
