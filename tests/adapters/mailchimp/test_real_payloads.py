"""Recorded answers and webhooks of Mailchimp: each file of the corpus has what must come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses

from adapters.mailchimp.account import Account
from adapters.mailchimp.answers import Member, read_batch
from adapters.mailchimp.audience_client import MailchimpClient, member_id
from adapters.mailchimp.destination import MailchimpDestination
from adapters.mailchimp.refusals import Meaning, Refused, meaning
from adapters.mailchimp.sandbox import KEY
from connector.errors import LaneDown
from connector.model import Claim, Parked, Permission, Settled
from connector.ports import FieldType, Shape
from tests.adapters.mailchimp.people import person, push_one, withdrawn

pytestmark = pytest.mark.corpus
AUDIENCE = "a36b032126"  # that of the recordings
ROOT = "https://us1.api.mailchimp.com/3.0"
LIST = f"{ROOT}/lists/{AUDIENCE}"

REFUSED: Mapping[str, Meaning] = {
    "grouparoo-error-400-9": Meaning.UNKNOWN,
    "grouparoo-error-400-10": Meaning.BAD_ADDRESS,
    "grouparoo-error-400-11": Meaning.BAD_ADDRESS,
    "grouparoo-error-404-0": Meaning.UNKNOWN,
}
"""What each recorded problem means for one contact. The first, "Member Exists", is the answer to a
call that we never make (POST members): we write with PUT and in batches that update. The last says
that what was asked for is not there, which is no complaint about a contact."""

MEMBERS: Mapping[str, tuple[str, str, Mapping[str, int]]] = {
    "grouparoo-response-get-7": (
        "archived",
        "2021-11-23T22:52:15+00:00",
        {"list one": 4788452, "list two": 4788456, "list three": 4788460, "list four": 4788464},
    ),
    "grouparoo-response-put-3": ("subscribed", "2021-11-23T22:51:57+00:00", {}),
    "grouparoo-response-put-4": ("unsubscribed", "2021-11-23T22:51:58+00:00", {}),
}
"""Status, last change and tags of each recorded member."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "grouparoo-response-get-13": {
        "ADDRESS": "address",
        "FNAME": "text",
        "JOINED_AT": "date",
        "LNAME": "text",
        "LTV": "number",
        "PHONE": "phone",
        "USERID": "number",
    },
}
"""The merge fields of the recorded audience with their types."""

UNUSED: Mapping[str, str] = {
    "grouparoo-response-get-15": "the answer of /oauth2/metadata: we speak with an API key, whose "
    "own end names the data centre",
}
"""What we never ask for, with the reason."""

FORMS = frozenset(
    {
        "index-webhook-unsubscribe-no-action",
        "panthoot-webhook-cleaned",
        "panthoot-webhook-subscribe",
        "panthoot-webhook-unsubscribe",
        "panthoot-webhook-upemail",
    }
)
"""Webhooks: ``test_hearing.py`` says what each means."""


def read(corpus: Path, name: str) -> Any:
    return json.loads((corpus / "fixtures" / "mailchimp" / f"{name}.json").read_bytes())


def client() -> MailchimpClient:
    return MailchimpClient(Account.check("newsletter", AUDIENCE, KEY, None), 5)


def destination() -> MailchimpDestination:
    return MailchimpDestination("newsletter", AUDIENCE, KEY)


def ready(wire: responses.RequestsMock, fields: Any = None) -> None:
    """Answer what is asked before the first batch."""
    wire.get(LIST, json={"id": AUDIENCE, "double_optin": False})
    wire.get(f"{LIST}/merge-fields", json=fields or {"merge_fields": []})


def test_every_file_is_accounted_for(corpus: Path) -> None:
    """No file of the folder is in no table or in two, and no table names a file that is not."""
    tables = [*REFUSED, *MEMBERS, *FIELDS, *UNUSED, *FORMS]
    files = [path.stem for path in (corpus / "fixtures" / "mailchimp").iterdir()]
    assert sorted(files) == sorted(tables)
    assert all(UNUSED.values())


# --- Problems ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_a_recorded_problem_over_the_wire(corpus: Path, name: str) -> None:
    """It is read for what it means, and what may be logged of it holds no address."""
    told = read(corpus, name)
    with responses.RequestsMock() as wire:
        wire.put(
            f"{LIST}/members/{member_id('kari@shop.example')}",
            body=json.dumps(told),
            status=told["status"],
            content_type="application/problem+json; charset=utf-8",
        )
        with pytest.raises(Refused) as caught:
            client().put("kari@shop.example", {"status": "subscribed"})
    assert (told["status"], told["title"]) == (caught.value.status, caught.value.title)
    assert REFUSED[name] is meaning(caught.value.complaint)
    assert "@" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, what in REFUSED.items() if "400" in name])
def test_a_recorded_refusal_of_a_whole_call(corpus: Path, name: str) -> None:
    """The one contact it is about is parked with what to do, not retried and not named."""
    told = read(corpus, name)
    with responses.RequestsMock() as wire:
        ready(wire)
        wire.post(LIST, json=told, status=400, content_type="application/problem+json")
        outcome = push_one(destination(), None, person())
        assert 3 == len(wire.calls)
    expected = {Meaning.BAD_ADDRESS: "invalid_address", Meaning.UNKNOWN: "refused: Member Exists"}
    assert isinstance(outcome, Parked)
    assert expected[REFUSED[name]] == outcome.reason
    assert outcome.mend
    assert "@" not in outcome.reason + outcome.mend


@pytest.mark.parametrize("name", ["grouparoo-error-400-10", "grouparoo-error-400-11"])
def test_recorded_words_about_one_of_a_batch(corpus: Path, name: str) -> None:
    """The same words as an error of a batch mean the same; who withdrew is fine by that."""
    told = read(corpus, name)
    error = {
        "email_address": "kari@shop.example",
        "error": told["detail"],
        "error_code": "ERROR_GENERIC",
    }
    for before, after, expected in (
        (None, person(), Parked),
        (person(), withdrawn(), Settled),
    ):
        with responses.RequestsMock() as wire:
            ready(wire)
            wire.post(LIST, json={"new_members": [], "errors": [error]})
            assert expected is type(push_one(destination(), before, after))


def test_the_recorded_404(corpus: Path) -> None:
    """Of a member that is to go it is success; of the audience it stops the lane."""
    told = read(corpus, "grouparoo-error-404-0")
    name = member_id("kari@shop.example")
    with responses.RequestsMock() as wire:
        ready(wire)
        wire.delete(f"{LIST}/members/{name}", json=told, status=404)
        outcome = push_one(destination(), person(), None)
    assert Settled(note="was not in the audience any more") == outcome
    with responses.RequestsMock() as wire:
        wire.get(LIST, json=told, status=404)
        with pytest.raises(LaneDown, match="no audience") as caught:
            push_one(destination(), None, person())
    assert caught.value.mend


# --- Members ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
def test_a_recorded_member_is_read(corpus: Path, name: str) -> None:
    """Alone, over the wire, and as one of a batch: address, status, moment and tags."""
    told = read(corpus, name)
    status, changed, tags = MEMBERS[name]
    expected = Member(
        email=told["email_address"],
        status=status,
        last_changed=datetime.fromisoformat(changed),
        tags=tags,
    )
    assert expected == Member.read(told)
    with responses.RequestsMock() as wire:
        wire.get(f"{LIST}/members/{member_id(expected.email)}", json=told)
        assert expected == Member.read(client().read(expected.email) or {})
    members, errors = read_batch({"updated_members": [told], "errors": []})
    assert ({expected.email: expected}, {}) == (members, errors)


@pytest.mark.parametrize(
    ("name", "permission", "expected"),
    [
        ("grouparoo-response-put-3", Permission.SEND, Settled()),
        ("grouparoo-response-get-7", Permission.SEND, "archived"),
        ("grouparoo-response-get-7", Permission.WITHDRAWN, Settled()),
        ("grouparoo-response-put-4", Permission.WITHDRAWN, Settled()),
    ],
)
def test_a_recorded_member_as_the_answer_to_a_change(
    corpus: Path, name: str, permission: Permission, expected: Settled | str
) -> None:
    """What was written to a member of this status has come to this."""
    told = read(corpus, name)
    email = told["email_address"]
    before = person(email) if permission is Permission.WITHDRAWN else None
    with responses.RequestsMock() as wire:
        ready(wire)
        wire.post(LIST, json={"updated_members": [told], "errors": []})
        outcome = push_one(destination(), before, person(email, permission))
    assert expected == (outcome.reason if isinstance(outcome, Parked) else outcome)


def test_the_recorded_opt_out_is_evidence(corpus: Path) -> None:
    """Whom an admin unsubscribed there stays out, with the moment at which it was."""
    told = read(corpus, "grouparoo-response-put-4")
    email = told["email_address"]
    left = datetime(2021, 11, 23, 22, 51, 58, tzinfo=UTC)
    with responses.RequestsMock() as wire:
        ready(wire)
        wire.post(LIST, json={"updated_members": [told], "errors": []})
        wire.get(f"{LIST}/members/{member_id(email)}/activity", json={"activity": []})
        outcome = push_one(
            destination(), None, person(email, FNAME="Caio"), granted_at=left.replace(year=2020)
        )
        assert [] == [call for call in wire.calls if call.request.method in ("PUT", "PATCH")]
    assert isinstance(outcome, Settled)
    assert [(email, Claim.WITHDRAW, left)] == [
        (each.contact, each.claim, each.at) for each in outcome.evidence
    ]


# --- The audience -----------------------------------------------------------------------------


def test_recorded_merge_fields(corpus: Path) -> None:
    """Read with their types: what fits is used, what does not is told, nothing is changed."""
    told = read(corpus, "grouparoo-response-get-13")
    with responses.RequestsMock() as wire:
        wire.get(f"{LIST}/merge-fields", json=told)
        fields = client().merge_fields()
    assert FIELDS["grouparoo-response-get-13"] == {str(f["tag"]): f["type"] for f in fields}
    wanted = {
        "FNAME": FieldType.TEXT,
        "PHONE": FieldType.TEXT,
        "LTV": FieldType.NUMBER,
        "JOINED_AT": FieldType.DATE,
        "ADDRESS": FieldType.TEXT,
        "USERID": FieldType.DATE,
    }
    with responses.RequestsMock() as wire:
        wire.get(f"{ROOT}/ping", json={"health_status": "Everything's Chimpy!"})
        ready(wire, told)
        findings = destination().prepare(Shape(fields=wanted))
        assert {"GET"} == {call.request.method for call in wire.calls}
    assert ["ADDRESS", "USERID"] == [each.what.split()[3] for each in findings]
