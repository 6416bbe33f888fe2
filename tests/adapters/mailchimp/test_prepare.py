"""Making an audience ready: our fields are made, everybody else's are left as they are."""

from __future__ import annotations

import pytest

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import KEY, Sandbox
from adapters.town.faults import Fault
from connector.errors import ConfigurationFault, LaneDown, TryLater
from connector.model import Purpose, Settled
from connector.ports import FieldType, Shape
from tests.adapters.mailchimp.people import KARI, NOW, SHAPE, person, push_one

MAKE = "POST /lists/{list_id}/merge-fields"


def test_missing_fields_are_made_once(mc: Sandbox, unready: MailchimpDestination) -> None:
    """Only what is missing is made, with the type of its attribute; a second time nothing is."""
    assert [] == list(unready.prepare(SHAPE))
    assert {
        "FNAME": "text",
        "LNAME": "text",
        "ORDERS": "number",
        "LASTORDER": "date",
    } == mc.fields()
    assert 2 == mc.calls[MAKE]
    assert [] == list(unready.prepare(SHAPE))
    assert 2 == mc.calls[MAKE]
    assert {"GET", "POST"} == {name.split()[0] for name in mc.calls}


def test_fields_beyond_the_first_page_are_seen(mc: Sandbox, unready: MailchimpDestination) -> None:
    """An audience shows ten fields unless it is asked for more."""
    for number in range(20):
        mc.add_field(f"F{number}", "text")
    shape = Shape(fields={f"F{number}": FieldType.TEXT for number in range(20)})
    assert [] == list(unready.prepare(shape))
    assert 0 == mc.calls[MAKE]


def test_a_field_of_another_type_is_named_and_left(
    mc: Sandbox, unready: MailchimpDestination
) -> None:
    """The definition stays; values that fit are written, others left out, and a person is told."""
    mc.add_field("ORDERS", "text")
    mc.add_field("LASTORDER", "number")
    findings = unready.prepare(SHAPE)
    assert ["ORDERS", "LASTORDER"] == [finding.what.split()[3] for finding in findings]
    assert all(finding.mend for finding in findings)
    outcome = push_one(unready, None, person(ORDERS=3, LASTORDER="2026-01-02"))
    assert Settled(note="left out: LASTORDER") == outcome
    assert {"ORDERS": "3"} == mc.members()[KARI]["fields"]
    assert ("text", "number") == (mc.fields()["ORDERS"], mc.fields()["LASTORDER"])


@pytest.mark.parametrize(
    "name", ["TOO_LONG_NAME", "EMAIL", "1ST", "Å", "", "A-B", "A B", "F\n", "unsub"]
)
def test_a_name_that_cannot_be_a_merge_tag(
    mc: Sandbox, unready: MailchimpDestination, name: str
) -> None:
    """It is named with its mend and left out, and the contact is written all the same."""
    [finding] = unready.prepare(Shape(fields={name: FieldType.TEXT}))
    assert "left out" in finding.what
    assert 0 == mc.calls[MAKE]
    outcome = push_one(unready, None, person(**{name: "x"}))
    assert Settled(note=f"left out: {name.upper()}") == outcome
    assert {} == mc.members()[KARI]["fields"]


def test_no_room_for_a_field(mc: Sandbox, unready: MailchimpDestination) -> None:
    """An audience that has all the fields it may have: a finding, and the rest goes on."""
    for number in range(26):
        mc.add_field(f"F{number}", "text")
    [finding] = unready.prepare(SHAPE)
    assert "LASTORDER" in finding.what
    assert "30" in finding.mend
    assert "LASTORDER" not in mc.fields()
    assert Settled(note="left out: LASTORDER") == push_one(
        unready, None, person(ORDERS=1, LASTORDER="2026-01-02")
    )


def test_a_field_made_meanwhile_by_another(mc: Sandbox, unready: MailchimpDestination) -> None:
    """Somebody was faster: that is no finding."""
    words = b'{"title": "Invalid Resource", "detail": "the tag \\"ORDERS\\" already exists"}'
    mc.misbehave(Fault(status=400, kind="application/json", body=words), endpoint=MAKE)
    assert [] == list(unready.prepare(SHAPE))


def test_a_field_whose_making_cannot_be_answered(
    mc: Sandbox, unready: MailchimpDestination
) -> None:
    """Torn while making a field: later, and then there is one field of that name."""
    mc.misbehave("torn after", endpoint=MAKE)
    with pytest.raises(TryLater):
        unready.prepare(SHAPE)
    assert [] == list(unready.prepare(SHAPE))
    assert 1 == list(mc.fields()).count("ORDERS")


def test_the_audience_is_not_there(mc: Sandbox) -> None:
    """Another audience's id, or one deleted since: stop, and say what to set."""
    lost = MailchimpDestination("n", "ffffffffff", mc.api_key, base_url=mc.url)
    with pytest.raises(LaneDown, match="no audience ffffffffff") as caught:
        lost.prepare(SHAPE)
    assert "audience" in caught.value.mend


def test_the_purpose_of_the_shape_is_kept(mc: Sandbox, unready: MailchimpDestination) -> None:
    """What Mailchimp tells of permissions is for the purpose it was asked for, from its source."""
    named = MailchimpDestination("n", mc.audience, mc.api_key, base_url=mc.url, source_name="s2")
    named.prepare(Shape(fields={}, purpose=Purpose.SMS))
    mc.sign_up(KARI)
    mc.unsubscribe(KARI)
    outcome = push_one(named, None, person())
    assert isinstance(outcome, Settled)
    assert [(Purpose.SMS, "s2", NOW)] == [
        (each.purpose, each.source, each.received_at) for each in outcome.evidence
    ]


def test_push_without_prepare_reads_the_audience_itself(
    mc: Sandbox, unready: MailchimpDestination
) -> None:
    """Double opt-in is respected also by who forgot to prepare."""
    mc.world.double_optin = True
    push_one(unready, None, person(FNAME="K"))
    assert ("pending", {"FNAME": "K"}) == (
        mc.members()[KARI]["status"],
        mc.members()[KARI]["fields"],
    )


@pytest.mark.parametrize(
    "key",
    [
        "",
        "us1",
        KEY.removesuffix("-us1"),
        f"{KEY}\n",
        f" {KEY}",
        KEY.replace("-us1", "-us1.evil.example/"),
        KEY.replace("-us1", "-us1@evil.example#"),
        KEY.replace("-us1", "-evilexample1"),
        KEY.replace("-us1", "-us٣"),
        KEY.replace("-us1", "-us1-us2"),
        KEY.upper(),
        KEY[1:],
    ],
)
def test_94_a_key_that_is_none(key: str) -> None:
    """The key chooses the host: anything but a key is refused at once, and is not shown."""
    with pytest.raises(ConfigurationFault, match="destination newsletter") as caught:
        MailchimpDestination("newsletter", "a1b2c3d4e5", key)
    assert KEY[:16] not in str(caught.value)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("audience", ["", "a/b", "../lists", "a b", "a1b2c3d4e5\n", "{list_id}"])
def test_an_audience_that_cannot_be_one(audience: str) -> None:
    """An audience is part of an address: only letters and digits pass."""
    with pytest.raises(ConfigurationFault, match="audience ID"):
        MailchimpDestination("newsletter", audience, KEY)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://mailchimp.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://user:pass@proxy.example",
        "https://proxy.example?x=1",
        "https://proxy.example#x",
        "https://proxy.example:port",
        "https://",
        "proxy.example",
        "ftp://proxy.example",
    ],
)
def test_a_base_url_that_is_not_safe(base_url: str) -> None:
    """Plain http only on this machine; no user, query or fragment."""
    with pytest.raises(ConfigurationFault, match="base_url"):
        MailchimpDestination("newsletter", "a1b2c3d4e5", KEY, base_url=base_url)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"])
def test_plain_http_on_this_machine(host: str) -> None:
    """A stand-in on loopback needs no certificate."""
    MailchimpDestination("newsletter", "a1b2c3d4e5", KEY, base_url=f"http://{host}:8901/")
