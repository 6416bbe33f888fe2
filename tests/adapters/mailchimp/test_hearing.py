"""Mailchimp's webhooks: what takes away counts, what gives is asked for, what is odd is kept."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from adapters.mailchimp.hearing import Listener, hear
from connector.model import (
    AddressChange,
    Claim,
    Evidence,
    Ignored,
    Kind,
    Purpose,
    Quarantined,
    Understood,
    Wish,
)

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIRED = datetime(2026, 11, 23, 11, 59, 30, tzinfo=UTC)
LISTENER = Listener(audience="a1b2c3d4e5", source="newsletter")
KARI = "kari+news@shop.example"


def form(kind: str, **data: str) -> bytes:
    """A webhook as Mailchimp writes it; ``list_id`` and ``email`` may be given another value."""
    fields = {"list_id": LISTENER.audience, "email": KARI, **data}
    told = {"type": kind, "fired_at": "2026-11-23 11:59:30"}
    return urlencode(told | {f"data[{name}]": text for name, text in fields.items()}).encode()


def meant(body: bytes, listener: Listener = LISTENER) -> Any:
    return hear(body, listener, received_at=ARRIVED)


def said(claim: Claim, method: str, **changed: Any) -> Evidence:
    told = Evidence(
        contact=KARI,
        purpose=Purpose.EMAIL,
        claim=claim,
        source="newsletter",
        received_at=ARRIVED,
        at=FIRED,
        method=method,
        reference="audience:a1b2c3d4e5",
    )
    return replace(told, **changed)


ASKED = Understood(wishes=(Wish(kind=Kind.CONTACT, id=KARI),))


def test_r14_a_forged_subscribe_grants_nothing() -> None:
    """It names whom to look up, whatever else it says: no evidence comes of it."""
    for extra in ({}, {"status": "subscribed"}, {"merges][EMAIL": KARI}, {"ip_opt": "10.1.2.3"}):
        assert ASKED == meant(form("subscribe", **extra))


@pytest.mark.parametrize("action", ["unsub", "delete", ""])
def test_unsubscribe_is_a_withdrawal_when_it_was_fired(action: str) -> None:
    """At the moment told, of the address told and not of the one in the merge fields."""
    body = form("unsubscribe", action=action, reason="manual", **{"merges][EMAIL": "x@y.example"})
    assert Understood(facts=(said(Claim.WITHDRAW, "unsubscribe_webhook"),)) == meant(body)
    listener = replace(LISTENER, purpose=Purpose.ADS, source="other")
    (told,) = meant(body, listener).facts
    assert (Purpose.ADS, "other") == (told.purpose, told.source)


def test_a_complaint_is_a_withdrawal() -> None:
    """Called spam: by unsubscribing, or by an address cleaned for it, which bounces too."""
    complaint = said(Claim.WITHDRAW, "complaint")
    assert (complaint,) == meant(form("unsubscribe", reason="abuse")).facts
    bounced = said(Claim.UNDELIVERABLE, "cleaned_webhook")
    assert (complaint, bounced) == meant(form("cleaned", reason="abuse")).facts


def test_cleaned_says_nothing_of_permission() -> None:
    """A bounce makes the address undeliverable and no more."""
    expected = Understood(facts=(said(Claim.UNDELIVERABLE, "cleaned_webhook"),))
    assert expected == meant(form("cleaned", reason="hard"))


def test_another_address_grants_nothing() -> None:
    """It says no more than that two addresses are one contact's: what follows is the ledger's."""
    body = form("upemail", old_email=KARI, new_email="Ola@Shop.example", new_id="51da8c3259")
    moved = AddressChange(source="newsletter", old=KARI, new="ola@shop.example")
    assert Understood(facts=(moved,)) == meant(body)


@pytest.mark.parametrize("spelt", ["KARI+news@Shop.Example", f"  {KARI} "])
def test_addresses_have_one_spelling(spelt: str) -> None:
    """Capitals and blanks make no other person; a move between two spellings is none."""
    assert KARI == meant(form("unsubscribe", email=spelt)).facts[0].contact
    assert ASKED == meant(form("subscribe", email=spelt))
    same = form("upemail", old_email=KARI, new_email=spelt)
    assert Ignored(reason="the same address in another spelling") == meant(same)


@pytest.mark.parametrize(
    ("fired", "expected"),
    [
        ("2999-01-01 00:00:00", ARRIVED),
        ("2026-11-23 12:00:01", ARRIVED),
        ("2026-11-23 12:00:00", ARRIVED),
        ("2009-03-26 21:35:57", datetime(2009, 3, 26, 21, 35, 57, tzinfo=UTC)),
        ("0000-00-00 00:00:00", ARRIVED),
        ("yesterday", ARRIVED),
        ("", ARRIVED),
        ("9" * 5000, ARRIVED),
    ],
)
def test_a_withdrawal_is_never_in_the_future(fired: str, expected: datetime) -> None:
    """What is told after now is now, and what is no moment too: no grant is outranked for ever."""
    body = form("unsubscribe").replace(
        b"2026-11-23+11%3A59%3A30", urlencode({"": fired})[1:].encode()
    )
    assert expected == meant(body).facts[0].at


@pytest.mark.parametrize("kind", ["profile", "campaign"])
def test_what_is_not_used(kind: str) -> None:
    """Profiles and campaigns are ignored, with the reason."""
    assert isinstance(meant(form(kind)), Ignored)


UNSUBSCRIBE = form("unsubscribe")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{}", "not_a_form"),
        (b'{"type":"unsubscribe"}', "not_a_form"),
        (b"type", "not_a_form"),
        (b"&" * 5, "not_a_form"),
        (b"a=1&" * 600 + b"a=1", "not_a_form"),
        (b"type=%FF", "encoding"),
        (b"type=\xff", "encoding"),
        (b"type=unsubscribe&data[email]=%C3", "encoding"),
        (b"x=" + b"y" * (256 * 1024), "too_large"),
        (form("sms_unsubscribe"), "type"),
        (form("Unsubscribe"), "type"),
        (b"data[email]=a%40b.no", "type"),
        (form("unsubscribe", list_id="other"), "other_audience"),
        (form("subscribe", list_id=""), "other_audience"),
        (b"type=unsubscribe&data[email]=a%40b.no", "other_audience"),
        (form("unsubscribe", email=""), "address"),
        (form("subscribe", email="nobody"), "address"),
        (form("cleaned", email="a@b.no,c@d.no"), "address"),
        (form("unsubscribe", email="a@b.no\r\nBcc: c@d.no"), "address"),
        (form("upemail", old_email="x", new_email=KARI), "address"),
        (form("upemail", old_email=KARI), "address"),
        (UNSUBSCRIBE + b"&type=subscribe", "duplicate"),
        (UNSUBSCRIBE + b"&data[email]=a%40b.no", "duplicate"),
        (UNSUBSCRIBE + b"&data%5Blist_id%5D=x", "duplicate"),
    ],
)
def test_what_is_odd_is_kept_for_a_person(body: bytes, reason: str) -> None:
    """Each with its reason and who looks; none quotes what was sent."""
    told = meant(body)
    assert isinstance(told, Quarantined)
    assert reason == told.reason
    assert told.mend
    assert "@" not in told.detail + told.mend


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_sent_grants_nothing(seed: int) -> None:
    """A thousand slips in real forms: no error, and no evidence but what takes away."""
    chance = random.Random(seed)
    forms = [form(kind) for kind in ("subscribe", "unsubscribe", "cleaned", "profile")]
    forms.append(form("upemail", old_email=KARI, new_email="a@b.no"))
    for _ in range(50):
        body = bytearray(chance.choice(forms))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.choice([0, 1, 9])] = bytes(chance.choices(range(256), k=2))
        told = meant(bytes(body))
        if isinstance(told, Understood):
            said = [fact for fact in told.facts if isinstance(fact, Evidence)]
            assert {Claim.WITHDRAW, Claim.UNDELIVERABLE} >= {e.claim for e in said}
            assert all(e.at is not None and e.at <= ARRIVED for e in said)


# --- Real ones --------------------------------------------------------------------------------

REAL = {
    "panthoot-webhook-subscribe": ("a6b5da1054", "ask api@mailchimp.com"),
    "panthoot-webhook-unsubscribe": (
        "a6b5da1054",
        "withdraw api+unsub@mailchimp.com 2009-03-26 21:35:57",
    ),
    "panthoot-webhook-cleaned": (
        "a6b5da1054",
        "undeliverable api+cleaned@mailchimp.com 2009-03-26 21:35:57",
    ),
    "panthoot-webhook-upemail": (
        "a6b5da1054",
        "moved api+old@mailchimp.com api+new@mailchimp.com",
    ),
    "index-webhook-unsubscribe-no-action": (
        "997df0f020",
        "withdraw api+unsub@mailchimp.com 2009-03-26 21:40:57",
    ),
}
"""Of which audience each recorded webhook is, and what must come of it."""

SAMPLED = {
    "subscribe": "ask api@mailchimp.com",
    "unsubscribe": "withdraw api+unsub@mailchimp.com 2009-03-26 21:40:57",
    "profile": "ignored",
    "upemail": "moved api+old@mailchimp.com api+new@mailchimp.com",
    "cleaned": "undeliverable api+cleaned@mailchimp.com 2009-03-26 22:01:00",
}


def in_words(told: Any) -> str:
    """What a form meant, as the tables above write it."""
    match told:
        case Understood(facts=(), wishes=(wish,)):
            return f"ask {wish.id}"
        case Understood(facts=(AddressChange() as moved,)):
            return f"moved {moved.old} {moved.new}"
        case Understood(facts=said):
            return "; ".join(f"{e.claim} {e.contact} {e.at:%Y-%m-%d %H:%M:%S}" for e in said)
        case Ignored():
            return "ignored"
        case _:
            return f"quarantined {told.reason}"


@pytest.mark.corpus
@pytest.mark.parametrize("name", REAL)
def test_a_recorded_webhook(corpus: Path, name: str) -> None:
    """It means what the table says in its own audience, and in another it is kept aside."""
    audience, expected = REAL[name]
    body = (corpus / "fixtures" / "mailchimp" / f"{name}.form").read_bytes()
    assert expected == in_words(meant(body, replace(LISTENER, audience=audience)))
    assert "quarantined other_audience" == in_words(meant(body))


@pytest.mark.corpus
def test_every_recorded_form_is_in_the_table(corpus: Path) -> None:
    """No form is left out, and none is made up."""
    forms = [path.stem for path in (corpus / "fixtures" / "mailchimp").glob("*.form")]
    assert sorted(forms) == sorted(REAL)


@pytest.mark.corpus
def test_the_documented_samples(corpus: Path) -> None:
    """Each kind of the samples means what the table says; no kind is left out."""
    told = json.loads((corpus / "specs/mailchimp/webhook_samples.json").read_bytes())
    samples = {name: each["body"] for name, each in told.items() if isinstance(each, dict)}
    listener = replace(LISTENER, audience="a6b5da1054")
    assert SAMPLED == {
        name: in_words(meant(body.encode(), listener)) for name, body in samples.items()
    }
