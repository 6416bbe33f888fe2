"""What accounts and the permission topics say, and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.model import (
    Claim,
    Customer,
    Evidence,
    Ignored,
    Kind,
    Purpose,
    Understanding,
    Understood,
    Wish,
)

Build = Callable[..., dict[str, Any]]
Facts = Callable[..., tuple[Any, ...]]
Read = Callable[..., Understanding]
Why = Callable[..., str]

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = "2026-11-22T10:00:00+01:00"
SAID_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TRIGGERED = {"X-Shopify-Triggered-At": "2026-11-23T11:59:00.123456789Z"}
TRIGGERED_AT = datetime(2026, 11, 23, 11, 59, 0, 123456, tzinfo=UTC)
ASK = Wish(kind=Kind.CUSTOMER, id="706405506930370084")
MAIL_TOPIC = "customers_email_marketing_consent/update"
SMS_TOPIC = "customers_marketing_consent/update"


def _mail(state: Any = "subscribed", level: Any = "single_opt_in", at: Any = AT) -> dict[str, Any]:
    return {
        "customer_id": 706405506930370084,
        "email_address": "Bo.Berg@Example.org",
        "email_marketing_consent": {
            "state": state,
            "opt_in_level": level,
            "consent_updated_at": at,
        },
    }


def _sms(state: Any = "subscribed", level: Any = "single_opt_in", at: Any = AT) -> dict[str, Any]:
    return {
        "id": 706405506930370084,
        "phone": "+4722000000",
        "sms_marketing_consent": {
            "state": state,
            "opt_in_level": level,
            "consent_updated_at": at,
            "consent_collected_from": "SHOPIFY",
        },
    }


@pytest.mark.parametrize("event", ["create", "update", "enable", "disable"])
def test_account_is_asked_for(understand: Read, customer: Build, event: str) -> None:
    """Since 2025-01 webhooks tell neither tags nor permissions: the account is asked for."""
    understanding = understand(f"customers/{event}", customer())
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Customer)
    assert (
        Customer(
            shop="yarn",
            id="706405506930370084",
            version=fact.version,
            email="bo.berg@example.org",
            phone="+4722000000",
            first_name="Bo",
            last_name="Smith & Sons",
            company="A&B",
            country="NO",
            created_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        )
        == fact
    )
    assert datetime(2026, 11, 22, 8, 0, tzinfo=UTC) == fact.version.at
    assert (ASK,) == understanding.wishes


def test_old_account_is_complete(understand: Read, customer: Build) -> None:
    """Before 2025-01 a body told everything: nothing is asked."""
    body = customer(
        tags="vip,  Noël, vip",
        metafields=[{"namespace": "club", "key": "number", "value": 7, "type": "integer"}],
        email_marketing_consent={
            "state": "subscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": AT,
        },
        sms_marketing_consent={"state": "unsubscribed", "consent_updated_at": None},
        accepts_marketing=True,
    )
    understanding = understand("customers/update", body, TRIGGERED)
    assert isinstance(understanding, Understood)
    fact, mail, sms = understanding.facts
    assert isinstance(fact, Customer)
    assert (("vip", "Noël"), {"club.number": 7}) == (fact.tags, fact.meta)
    common: dict[str, Any] = {
        "source": "yarn",
        "received_at": ARRIVED,
        "method": "api_state",
        "reference": "customer:706405506930370084",
        "country": "NO",
    }
    assert mail == Evidence(
        contact="bo.berg@example.org",
        purpose=Purpose.EMAIL,
        claim=Claim.GRANT_CONFIRMED,
        at=SAID_AT,
        **common,
    )
    assert sms == Evidence(
        contact="+4722000000",
        purpose=Purpose.SMS,
        claim=Claim.WITHDRAW,
        at=TRIGGERED_AT,
        **common,
    )
    assert () == understanding.wishes


def test_accepts_marketing_of_2019(facts: Facts, customer: Build) -> None:
    """The oldest bodies have one word and a date; ``false`` does not say why: it says nothing."""
    old = {
        "tags": "",
        "accepts_marketing_updated_at": AT,
        "marketing_opt_in_level": "single_opt_in",
    }
    _, said = facts("customers/update", customer(accepts_marketing=True, **old))
    assert (Claim.GRANT_STATE, SAID_AT) == (said.claim, said.at)
    assert 1 == len(facts("customers/update", customer(accepts_marketing=False, **old)))


def test_row_65_state_wins(facts: Facts, customer: Build) -> None:
    """Row 65: ``accepts_marketing`` is the state's shadow, and not believed against it."""
    _, said = facts(
        "customers/update",
        customer(
            tags="",
            accepts_marketing=True,
            email_marketing_consent={"state": "unsubscribed", "consent_updated_at": AT},
        ),
    )
    assert (Claim.WITHDRAW, SAID_AT) == (said.claim, said.at)


def test_unknown_state_in_an_account(understand: Read, customer: Build) -> None:
    """Row 64: a new word spoils the permission, not the account."""
    understanding = understand(
        "customers/update", customer(tags="", email_marketing_consent={"state": "paused"})
    )
    assert isinstance(understanding, Understood)
    assert [Customer] == [type(fact) for fact in understanding.facts]
    assert ("consent_state_unknown",) == understanding.flags


STATES = [
    ("subscribed", "confirmed_opt_in", AT, Claim.GRANT_CONFIRMED, SAID_AT),
    ("subscribed", "single_opt_in", AT, Claim.GRANT_STATE, SAID_AT),
    ("SUBSCRIBED", "SINGLE_OPT_IN", AT, Claim.GRANT_STATE, SAID_AT),
    ("subscribed", "unknown", AT, Claim.GRANT_UNDATED, None),
    ("subscribed", None, AT, Claim.GRANT_UNDATED, None),
    ("subscribed", "confirmed_opt_in", None, Claim.GRANT_UNDATED, None),
    ("subscribed", "single_opt_in", "0000-12-31T18:09:24-05:50", Claim.GRANT_UNDATED, None),
    ("subscribed", "single_opt_in", "1970-01-01T00:00:00Z", Claim.GRANT_UNDATED, None),
    ("subscribed", "single_opt_in", "2999-01-01T00:00:00Z", Claim.GRANT_UNDATED, None),
    ("pending", "confirmed_opt_in", AT, Claim.PENDING, SAID_AT),
    ("unsubscribed", "single_opt_in", AT, Claim.WITHDRAW, SAID_AT),
    ("unsubscribed", None, None, Claim.WITHDRAW, TRIGGERED_AT),
    ("unsubscribed", None, "0000-12-31T18:09:24-05:50", Claim.WITHDRAW, TRIGGERED_AT),
    ("invalid", None, None, Claim.UNDELIVERABLE, TRIGGERED_AT),
    ("redacted", None, None, Claim.ERASE, TRIGGERED_AT),
]


@pytest.mark.parametrize(("state", "level", "at", "claim", "dated"), STATES)
@pytest.mark.parametrize(
    ("topic", "build", "contact", "purpose"),
    [
        (MAIL_TOPIC, _mail, "bo.berg@example.org", Purpose.EMAIL),
        (SMS_TOPIC, _sms, "+4722000000", Purpose.SMS),
    ],
)
def test_states(  # noqa: PLR0917 - one column each
    facts: Facts,
    topic: str,
    build: Build,
    contact: str,
    purpose: Purpose,
    state: str,
    level: str | None,
    at: str | None,
    claim: Claim,
    dated: datetime | None,
) -> None:
    """Rows 46 and 48: each state's claim; the header dates what takes away, never what gives."""
    expected = Evidence(
        contact=contact,
        purpose=purpose,
        claim=claim,
        source="yarn",
        received_at=ARRIVED,
        at=dated,
        method="api_state",
        reference="customer:706405506930370084",
    )
    assert (expected,) == facts(topic, build(state, level, at), TRIGGERED)


@pytest.mark.parametrize("state", ["not_subscribed", "NOT_SUBSCRIBED", "", None])
def test_nothing_said(understand: Read, state: Any) -> None:
    """Row 64: never subscribed is neither a yes nor a no, and nor is nothing."""
    assert Understood() == understand(MAIL_TOPIC, _mail(state))
    assert Understood() == understand(SMS_TOPIC, _sms(state))


def test_no_consent_object(understand: Read) -> None:
    """Row 64: null and {} say nothing."""
    nothing: tuple[Any, ...] = (None, {})
    for consent in nothing:
        assert Understood() == understand(
            MAIL_TOPIC, _mail() | {"email_marketing_consent": consent}
        )


def test_unknown_state_of_a_permission(reason: Why) -> None:
    """Row 64: a permission in a word nobody knows is kept for a person."""
    assert "consent_state" == reason(MAIL_TOPIC, _mail("paused"))
    assert "consent_state" == reason(SMS_TOPIC, _sms("paused"))


@pytest.mark.parametrize("address", ["", None, "nobody"])
@pytest.mark.parametrize("state", ["subscribed", "unsubscribed", "not_subscribed"])
def test_without_an_address(understand: Read, address: str | None, state: str) -> None:
    """Real deliveries come with an empty address: the account tells whose permission it is."""
    understanding = understand(MAIL_TOPIC, _mail(state) | {"email_address": address})
    assert isinstance(understanding, Understood)
    assert ((), (ASK,)) == (understanding.facts, understanding.wishes)


def test_without_a_number(understand: Read) -> None:
    """Row 44: a number of no use is no contact point; the account is asked."""
    understanding = understand(SMS_TOPIC, _sms() | {"phone": "0000"})
    assert isinstance(understanding, Understood)
    assert ((), (ASK,), ("phone_not_usable",)) == (
        understanding.facts,
        understanding.wishes,
        understanding.flags,
    )


def test_replayed_under_a_new_time(facts: Facts) -> None:
    """An old yes without a date cannot be made young by a header, which nobody signed."""
    (said,) = facts(MAIL_TOPIC, _mail(at=None), TRIGGERED)
    assert (Claim.GRANT_UNDATED, None) == (said.claim, said.at)
    (said,) = facts(MAIL_TOPIC, _mail("unsubscribed", at=None), {"x-shopify-triggered-at": "soon"})
    assert (Claim.WITHDRAW, None) == (said.claim, said.at)


@pytest.mark.parametrize("topic", ["customer.tags_added", "customer.tags_removed"])
def test_tags(understand: Read, topic: str) -> None:
    """Tags come with GraphQL's ids and without the others: the account is asked."""
    gid = "gid://shopify/Customer/706405506930370084"
    body = {"customerId": gid, "tags": ["vip"], "occurredAt": AT}
    assert Understood(wishes=(ASK,)) == understand(topic, body)


@pytest.mark.parametrize("gid", [None, 706405506930370084, "gid://shopify/Order/1", "1"])
def test_tags_of_nobody(reason: Why, gid: Any) -> None:
    """An id of another kind is no account's."""
    assert "id" == reason("customer.tags_added", {"customerId": gid, "tags": [], "occurredAt": AT})


def test_merge(understand: Read) -> None:
    """Of two accounts one is asked for, and of the other whether it is gone."""
    body: dict[str, Any] = {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/706405506930370084",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2",
        "admin_graphql_api_job_id": None,
        "status": "completed",
        "errors": [],
    }
    gone = Wish(kind=Kind.CUSTOMER, id="2", expected_gone=True)
    assert Understood(wishes=(ASK, gone)) == understand("customers/merge", body)
    for status in ("failed", "in_progress", None):
        understanding = understand("customers/merge", body | {"status": status})
        assert Ignored(reason="the merge was not carried out") == understanding


@pytest.mark.parametrize(
    "address",
    ["", None, "x", "a@b@c.no", "a" * 400 + "@b.no", '"a b"@c.no', "a@b.no.", "a@b.no,c@d.no"],
)
def test_row_41_addresses(facts: Facts, customer: Build, address: Any) -> None:
    """Row 41: an address of no use is left out; the account counts."""
    (fact,) = facts("customers/update", customer(tags="", email=address))
    assert fact.email is None


def test_row_63_address_changed(facts: Facts, customer: Build) -> None:
    """Row 63: a permission stays with the address it was said of."""
    consent = {"state": "subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": AT}
    _, before = facts("customers/update", customer(tags="", email_marketing_consent=consent))
    _, after = facts(
        "customers/update",
        customer(tags="", email="new@example.org", email_marketing_consent=consent),
    )
    assert ("bo.berg@example.org", "new@example.org") == (before.contact, after.contact)
