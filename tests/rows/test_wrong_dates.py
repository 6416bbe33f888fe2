"""What a destination's own Date header says wrongly is nothing: it is sent to all the same."""

from __future__ import annotations

import pytest
import responses

from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.sandbox import AUDIENCE, KEY
from connector.flow import accounts
from connector.model import Settled
from connector.store.connect import Store
from tests.adapters.mailchimp.people import KARI, NOW, person, push_one

ROOT = "https://us1.api.mailchimp.com/3.0/"
LIST = f"{ROOT}lists/{AUDIENCE}"
NONSENSE = [
    "",
    "yesterday",
    "0",
    "1795400000",
    "Mon, 31 Feb 2026 10:00:00 GMT",
    "Mon, 23 Nov 2026 25:61:00 GMT",
    "Mon, 23 Nov 99999 10:00:00 GMT",
    "2026-11-23T10:00:00Z",
    "é",
    "9" * 5000,
]


def destination() -> MailchimpDestination:
    return MailchimpDestination("newsletter", AUDIENCE, KEY)


@pytest.mark.parametrize("date", NONSENSE, ids=range(len(NONSENSE)))
def test_row_129_a_date_that_is_none_stops_nothing(store: Store, date: str) -> None:
    """The account is met, no lane is held back by a clock that nobody told, and all may go."""
    with responses.RequestsMock() as wire:
        headers = {"Date": date.encode().decode("latin-1")}
        wire.get(ROOT, json={"account_id": "a1"}, headers=headers)
        met = destination()
        assert accounts.meet(store, "newsletter", met, now=NOW, wall=NOW) is None
        assert "a1" == accounts.pinned(store, "newsletter")


@pytest.mark.parametrize("date", [*NONSENSE, "Fri, 01 Jan 1999 00:00:00 GMT"], ids=range(11))
def test_row_129_an_answer_counts_whatever_its_date(date: str) -> None:
    """A contact that was taken is settled, by an answer from 1999 too."""
    member = {"email_address": KARI, "status": "subscribed", "last_changed": "", "tags": []}
    headers = {"Date": date.encode().decode("latin-1")}
    with responses.RequestsMock() as wire:
        wire.get(LIST, json={"id": AUDIENCE, "double_optin": False}, headers=headers)
        wire.get(f"{LIST}/merge-fields", json={"merge_fields": []}, headers=headers)
        wire.post(LIST, json={"new_members": [member], "errors": []}, headers=headers)
        assert Settled() == push_one(destination(), None, person())
