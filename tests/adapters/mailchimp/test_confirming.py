"""A "subscribe" is a person's own act only where the contact itself shows a fresh sign-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.mailchimp.confirming import weigh
from adapters.mailchimp.hearing import Listener
from connector.model import Claim, Evidence, Ignored, Understood

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LISTENER = Listener(audience="a1b2c3d4e5", source="newsletter")
KARI = "kari@shop.example"
OPTED = "2026-11-23T11:59:00+00:00"
MEMBER = {"email_address": KARI, "status": "subscribed", "timestamp_opt": OPTED}


def said(member: Any, *, double_optin: bool = False) -> Any:
    return weigh(KARI, member, LISTENER, double_optin=double_optin, received_at=ARRIVED)


@pytest.mark.parametrize(
    ("signed_up", "double_optin", "expected"),
    [
        (OPTED, False, Claim.GRANT),
        ("2026-11-23T11:54:00+00:00", False, Claim.GRANT),
        ("2026-11-23T11:53:59+00:00", False, Claim.GRANT_STATE),
        ("2026-11-23T11:59:01+00:00", False, Claim.GRANT_STATE),
        ("2019-01-01T00:00:00+00:00", False, Claim.GRANT_STATE),
        (OPTED, True, Claim.GRANT_CONFIRMED),
        ("2026-11-16T11:59:00+00:00", True, Claim.GRANT_CONFIRMED),
        ("2026-11-16T11:58:59+00:00", True, Claim.GRANT_STATE),
        ("", False, Claim.GRANT_STATE),
        ("", True, Claim.GRANT_STATE),
        (None, False, Claim.GRANT_STATE),
        ("0000-00-00", False, Claim.GRANT_STATE),
    ],
)
def test_only_a_fresh_form_is_first_hand(
    signed_up: str | None,
    double_optin: bool,  # noqa: FBT001 - a case's value
    expected: Claim,
) -> None:
    """The API leaves the time of sign-up empty; an old one is not what brought the contact back."""
    told = said({**MEMBER, "timestamp_signup": signed_up}, double_optin=double_optin)
    assert isinstance(told, Understood)
    (evidence,) = told.facts
    assert isinstance(evidence, Evidence)
    assert (expected, datetime(2026, 11, 23, 11, 59, tzinfo=UTC)) == (evidence.claim, evidence.at)
    assert ("newsletter", KARI) == (evidence.source, evidence.contact)


@pytest.mark.parametrize("opted", ["", None, "never", 5])
def test_without_its_time_it_is_undated(opted: Any) -> None:
    """A subscription without a believable moment outweighs nothing."""
    told = said({**MEMBER, "timestamp_opt": opted, "timestamp_signup": OPTED})
    assert [Claim.GRANT_UNDATED] == [fact.claim for fact in told.facts]
    assert [None] == [fact.at for fact in told.facts]


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "pending", "transactional", None])
def test_who_is_not_subscribed_grants_nothing(status: str | None) -> None:
    """Whatever the webhook said: the audience itself is believed."""
    assert isinstance(said({**MEMBER, "status": status, "timestamp_signup": OPTED}), Ignored)


def test_another_contact_grants_nothing() -> None:
    """Nobody there, or an answer about somebody else."""
    signed = {**MEMBER, "timestamp_signup": OPTED}
    for member in (None, {}, {**signed, "email_address": "ola@shop.example"}):
        assert isinstance(said(member), Ignored)
    grown = replace(LISTENER, source="other")
    told = weigh(KARI, signed, grown, double_optin=False, received_at=ARRIVED)
    assert isinstance(told, Understood)
