"""E-mail, texts and ads are three permissions: each is told by itself, none follows from others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.model import Claim, Customer, Evidence, Permission, Purpose, Version
from connector.store.connect import Store
from tests.one_destination import rules_of

if TYPE_CHECKING:
    from conftest import World

ADDRESS, NUMBER = "kari@x.example", "+4791234567"
FIELDS = "MAIL: email_subscription_status, TEXTS: sms_subscription_status"
CRM = f"""
version: 1
destinations:
  crm:
    contacts: {{policy: everyone}}
    fields: {{{FIELDS}, ADS: ads_subscription_status}}
"""
ORDER = {Purpose.EMAIL: "MAIL", Purpose.SMS: "TEXTS", Purpose.ADS: "ADS"}
CONTACTS = {Purpose.EMAIL: ADDRESS, Purpose.SMS: NUMBER, Purpose.ADS: ADDRESS}


@pytest.fixture
def crm(store: Store, make_world: Callable[..., World]) -> World:
    """A CRM that holds everybody, and is told all three permissions; Kari bought something."""
    world = replace(make_world(), rules=rules_of(CRM, name="crm", destination="http"))
    world.tell(world.order(1, ADDRESS, phone=NUMBER))
    world.settle()
    return world


def said(world: World, purpose: Purpose, claim: Claim = Claim.GRANT, minutes: int = 1) -> Evidence:
    return replace(world.said(claim, CONTACTS[purpose], minutes, "wool"), purpose=purpose)


def told(world: World, person: str = ADDRESS) -> dict[str, str]:
    return dict(world.destination.held[person].fields)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(
    ("claim", "word"),
    [
        (Claim.GRANT_CONFIRMED, "SUBSCRIBED"),
        (Claim.GRANT, "SUBSCRIBED"),
        (Claim.PENDING, "PENDING"),
        (Claim.GRANT_UNDATED, "NOT_SUBSCRIBED"),
    ],
)
def test_what_is_given_for_one_is_given_for_no_other(
    crm: World, purpose: Purpose, claim: Claim, word: str
) -> None:
    """However it was given: the other two stay as they were, and the CRM sees it."""
    nothing = dict.fromkeys(("MAIL", "TEXTS", "ADS"), "NOT_SUBSCRIBED")
    assert nothing == told(crm)
    crm.tell(said(crm, purpose, claim))
    crm.settle()
    assert {**nothing, ORDER[purpose]: word} == told(crm)


@pytest.mark.parametrize("purpose", [Purpose.SMS, Purpose.ADS])
def test_what_is_taken_back_for_one_is_kept_for_the_others(crm: World, purpose: Purpose) -> None:
    """Without a word of e-mail: the record stays, and says so."""
    crm.tell(*(said(crm, each) for each in Purpose))
    crm.settle()
    assert {"SUBSCRIBED"} == {*told(crm).values()}
    crm.tell(said(crm, purpose, Claim.WITHDRAW, 5))
    assert 1 == crm.settle()
    expected = dict.fromkeys(("MAIL", "TEXTS", "ADS"), "SUBSCRIBED")
    assert {**expected, ORDER[purpose]: "UNSUBSCRIBED"} == told(crm)
    assert Permission.SEND is crm.destination.held[ADDRESS].permission


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("given", Purpose)
def test_a_destination_needs_the_permission_of_its_own_purpose(
    store: Store, make_world: Callable[..., World], purpose: Purpose, given: Purpose
) -> None:
    """One that sends texts is told of nobody who allowed only e-mail; and so for each pair."""
    text = f"version: 1\ndestinations: {{crm: {{consent: {purpose}}}}}"
    world = replace(make_world(), rules=rules_of(text, name="crm", destination="http"))
    world.tell(world.order(1, ADDRESS, phone=NUMBER), said(world, given))
    world.settle()
    held = {key: each.permission for key, each in world.destination.held.items()}
    assert ({ADDRESS: Permission.SEND} if purpose is given else {}) == held


def test_a_number_that_nobody_goes_by_any_more_counts_for_nobody(crm: World) -> None:
    """What was said of the new one counts, and the old one's permission is not taken along."""
    crm.tell(said(crm, Purpose.SMS))
    crm.settle()
    assert "SUBSCRIBED" == told(crm)["TEXTS"]
    crm.tell(crm.order(2, ADDRESS, 10, phone="+4790000000"))
    crm.settle()
    assert "NOT_SUBSCRIBED" == told(crm)["TEXTS"]
    crm.tell(said(crm, Purpose.SMS, Claim.WITHDRAW, 20))
    crm.settle()
    assert "NOT_SUBSCRIBED" == told(crm)["TEXTS"]


def test_a_number_of_two_people_is_taken_back_for_both(crm: World) -> None:
    """Whoever said so: it is the number that must not get texts."""
    other = "ola@x.example"
    crm.tell(crm.order(2, other, phone=NUMBER), said(crm, Purpose.SMS))
    crm.settle()
    assert ["SUBSCRIBED"] * 2 == [told(crm, each)["TEXTS"] for each in (ADDRESS, other)]
    crm.tell(said(crm, Purpose.SMS, Claim.WITHDRAW, 5))
    assert 2 == crm.settle()
    assert ["UNSUBSCRIBED"] * 2 == [told(crm, each)["TEXTS"] for each in (ADDRESS, other)]


def test_files_tell_all_three(store: Store, make_world: Callable[..., World]) -> None:
    """In the customers' table as they add up, and in the ledger's as they were said."""
    text = "version: 1\ndestinations: {files: {tables: [customers, consents]}}"
    world = replace(make_world(), rules=rules_of(text, name="files", destination="files"))
    account = Customer(shop="wool", id="7", version=Version(world.now), email=ADDRESS, phone=NUMBER)
    world.tell(account, said(world, Purpose.SMS), said(world, Purpose.ADS, Claim.WITHDRAW))
    world.settle()
    tables = world.destination.held[ADDRESS].tables
    ((row,), consents) = (tables["customers"], tables["consents"])
    assert {"email_consent": "unknown", "sms_consent": "granted", "ads_consent": "withdrawn"} == {
        name: row[name] for name in row if name.endswith("_consent")
    }
    assert {("sms", NUMBER, "grant1"), ("ads", ADDRESS, "withdraw")} == {
        (each["purpose"], each["contact"], each["claim"]) for each in consents
    }
