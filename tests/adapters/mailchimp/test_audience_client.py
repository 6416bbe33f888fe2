"""What is asked of an audience: in whose name, with which switches, and page by page."""

from __future__ import annotations

import pytest
import responses
from responses import matchers

from adapters.mailchimp.account import Account
from adapters.mailchimp.audience_client import MailchimpClient, member_id
from adapters.mailchimp.sandbox import KEY
from connector.errors import LaneDown, TryLater

LIST = "https://us1.api.mailchimp.com/3.0/lists/a1b2c3d4e5"
KARI = {"email_address": "kari@x.example", "status": "subscribed"}


def client() -> MailchimpClient:
    return MailchimpClient(Account.check("n", "a1b2c3d4e5", KEY, None), 5)


def test_switches_are_written_as_documented() -> None:
    """Python's ``True`` is not ``true``."""
    with responses.RequestsMock() as wire:
        wire.post(
            LIST,
            json={"new_members": []},
            match=[
                matchers.query_param_matcher(
                    {"skip_merge_validation": "true", "skip_duplicate_check": "true"}
                )
            ],
        )
        assert {"new_members": []} == client().write([])


def test_a_member_is_named_by_its_address_in_lower_case() -> None:
    """Slashes or per cent signs in an address never reach the path."""
    assert member_id("urist.mcvankab@freddiesjokes.com") == member_id(
        "Urist.McVankab@freddiesjokes.com"
    )
    assert "62eeb292278cc15f5817cb78f7790b08" == member_id("Urist.McVankab@freddiesjokes.com")
    assert member_id("a/b%2f@x.example").isalnum()


def test_a_page_of_all_members_is_in_an_order_that_our_writing_does_not_change() -> None:
    """1,000 from the offset on, by when they opted in; what is no member keeps its place."""
    with responses.RequestsMock() as wire:
        wire.get(
            f"{LIST}/members",
            json={"members": [KARI, None], "total_items": 2002},
            match=[
                matchers.query_param_matcher(
                    {
                        "count": "1000",
                        "offset": "2000",
                        "sort_field": "timestamp_opt",
                        "sort_dir": "ASC",
                        "fields": "members.email_address,members.status,members.last_changed,"
                        "members.timestamp_signup,members.timestamp_opt,members.merge_fields,"
                        "members.tags,total_items",
                    }
                )
            ],
        )
        assert ([KARI, {}], 2002) == client().members_page(2000)


@pytest.mark.parametrize("said", [{}, {"members": []}, {"members": {}, "total_items": 1}])
def test_a_page_without_members_is_no_answer(said: dict[str, object]) -> None:
    """Nothing is taken for an empty audience."""
    with responses.RequestsMock() as wire:
        wire.get(f"{LIST}/members", json=said)
        with pytest.raises(TryLater, match="has no members"):
            client().members_page(0)


def test_a_page_of_an_audience_that_is_gone_stops_the_lane() -> None:
    """It is the operator's to mend."""
    with responses.RequestsMock() as wire:
        wire.get(f"{LIST}/members", status=404, json={"title": "Resource Not Found"})
        with pytest.raises(LaneDown, match="no audience a1b2c3d4e5"):
            client().members_page(0)
