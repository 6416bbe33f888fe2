"""Who was erased is deleted for good in Mailchimp, and only they themselves can come back."""

from __future__ import annotations

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import Sandbox
from connector.errors import TryLater
from connector.model import Change, Outcome, Parked, Permission, Record, Settled
from tests.contract.pushing import NOW

KARI = "kari@shop.example"


def record(email: str = KARI, permission: Permission = Permission.SEND) -> Record:
    return Record(
        key=email, email=email, permission=permission, fields={"FNAME": "Kari"}, tags=("VIP",)
    )


def send(destination: MailchimpDestination, *changes: Change) -> dict[str, Outcome]:
    return dict(destination.push(changes, now=NOW))


def erased(email: str = KARI, before: Record | None = None) -> Change:
    return Change(key=email, before=before, after=None, erased=True)


def test_deleted_for_good_not_archived(mc: Sandbox, destination: MailchimpDestination) -> None:
    """One call to the endpoint that forgets the person, and nothing of them is left."""
    send(destination, Change(key=KARI, before=None, after=record()))
    mc.calls.clear()
    assert {KARI: Settled()} == send(destination, erased(before=record()))
    assert KARI not in mc.members()
    assert 1 == sum(number for name, number in mc.calls.items() if "delete-permanent" in name)
    assert 1 == sum(mc.calls.values())


def test_whoever_brought_them_there(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A contact that Mailchimp has from elsewhere is the same person."""
    send(destination, Change(key=KARI, before=None, after=record()))
    assert {KARI: Settled()} == send(destination, erased())
    assert KARI not in mc.members()


def test_an_archived_contact_is_deleted_as_well(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Removed before, and erased now."""
    send(destination, Change(key=KARI, before=None, after=record()))
    send(destination, Change(key=KARI, before=record(), after=None))
    assert "archived" == mc.members()[KARI]["status"]
    send(destination, erased())
    assert KARI not in mc.members()


def test_who_is_not_there_is_settled(mc: Sandbox, destination: MailchimpDestination) -> None:
    """Erased twice, or never sent: nothing to do, and nothing is made."""
    (outcome,) = send(destination, erased()).values()
    assert Settled(note="was not in the audience") == outcome
    assert {} == mc.members()


def test_somebody_without_an_address_needs_no_call(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """They were never there."""
    mc.calls.clear()
    assert {"wool:order:7": Settled()} == send(destination, erased("wool:order:7"))
    assert {} == dict(mc.calls)


def test_the_erased_go_before_all_else(mc: Sandbox, destination: MailchimpDestination) -> None:
    """In a batch with others theirs is the first call."""
    send(destination, Change(key=KARI, before=None, after=record()))
    mc.calls.clear()
    ola = record("ola@shop.example")
    send(destination, Change(key=ola.key, before=None, after=ola), erased(before=record()))
    assert "delete-permanent" in next(iter(mc.calls))
    assert {"ola@shop.example"} == mc.members().keys()


def test_they_are_not_imported_again(mc: Sandbox, destination: MailchimpDestination) -> None:
    """A later permission in the shop: Mailchimp wants to hear it from the person."""
    send(destination, Change(key=KARI, before=None, after=record()))
    send(destination, erased(before=record()))
    (outcome,) = send(destination, Change(key=KARI, before=None, after=record())).values()
    assert isinstance(outcome, Parked)
    assert "sign-up form" in outcome.mend
    assert {} == mc.members()


def test_when_mailchimp_is_down_it_is_done_later(
    mc: Sandbox, destination: MailchimpDestination
) -> None:
    """Nothing is taken for done."""
    send(destination, Change(key=KARI, before=None, after=record()))
    mc.misbehave("500")
    with pytest.raises(TryLater):
        send(destination, erased(before=record()))
    assert KARI in mc.members()
    assert {KARI: Settled()} == send(destination, erased(before=record()))
