"""The stand-in is as strict as Mailchimp: its rules, and its shapes against the description."""

from __future__ import annotations

import json
import random
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
import requests
from jsonschema import Draft202012Validator

from adapters.mailchimp.sandbox import Sandbox
from adapters.mailchimp.sandbox_members import member_id
from adapters.mailchimp.sandbox_words import BODIES, read_body
from tests.adapters.mailchimp.people import KARI, OLA
from tests.adapters.mailchimp.spoiling import spoilt

GOOD: dict[str, list[dict[str, Any]]] = {
    "POST /lists/{list_id}": [
        {"members": []},
        {
            "members": [
                {
                    "email_address": KARI,
                    "status_if_new": "subscribed",
                    "merge_fields": {"FNAME": "K", "N": 1.5, "A": {"addr1": "x"}, "Z": None},
                    "tags": ["a", "b"],
                    "timestamp_opt": "2026-11-23T10:00:00Z",
                    "timestamp_signup": "",
                    "location": {"latitude": 1, "longitude": 2.5},
                    "interests": {"abc": True},
                    "vip": False,
                    "language": "no",
                    "ip_opt": "192.0.2.1",
                    "ip_signup": "",
                    "email_type": "html",
                },
                {"email_address": OLA, "status": "unsubscribed"},
            ],
            "update_existing": True,
            "sync_tags": False,
        },
    ],
    "POST /lists/{list_id}/members": [
        {"email_address": KARI, "status": "pending", "tags": ["a"], "merge_fields": {"N": 1}},
    ],
    "PUT /lists/{list_id}/members/{subscriber_hash}": [
        {"email_address": KARI},
        {
            "email_address": KARI,
            "status": "subscribed",
            "status_if_new": "transactional",
            "merge_fields": {
                "FNAME": "K",
                "A": {"addr1": "1", "city": "x", "state": "", "zip": "9", "country": "NO"},
            },
            "marketing_permissions": [{"marketing_permission_id": "p", "enabled": True}],
            "timestamp_opt": "2026-11-23 10:00:00",
        },
    ],
    "PATCH /lists/{list_id}/members/{subscriber_hash}": [
        {"status": "unsubscribed"},
        {"merge_fields": {"FNAME": "K"}, "vip": True},
    ],
    "POST /lists/{list_id}/members/{subscriber_hash}/tags": [
        {"tags": [{"name": "a", "status": "active"}], "is_syncing": True},
    ],
    "POST /lists/{list_id}/segments": [
        {"name": "x", "static_segment": [KARI]},
        {"name": "x", "options": {"match": "any", "conditions": [{"field": "aim"}]}},
    ],
    "POST /lists/{list_id}/segments/{segment_id}": [
        {"members_to_add": [KARI], "members_to_remove": [OLA]},
    ],
    "POST /lists/{list_id}/merge-fields": [
        {
            "name": "X",
            "type": "dropdown",
            "tag": "X",
            "required": False,
            "options": {"choices": ["a"], "size": 25, "default_country": 164},
            "display_order": 2,
            "help_text": "",
            "public": True,
            "default_value": "",
        },
    ],
    "POST /lists/{list_id}/webhooks": [
        {"url": "https://x.example", "events": {"subscribe": True}, "sources": {"api": False}},
    ],
    "PATCH /lists/{list_id}/webhooks/{webhook_id}": [
        {"events": {"unsubscribe": True}, "sources": {"user": True, "admin": True}},
    ],
}
_WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    1.0,
    1.5,
    "x",
    "",
    [],
    {},
    ["x"],
    {"x": 1},
    "archived",
    "2026-11-23T10:00:00.123456+00:00",
    "2026-11-23T10:00:00+01:00",
)


_NAMES = ("email_adress", "status", "tags", "x")


def _mutated(body: Any, chance: random.Random) -> Any:
    return spoilt(body, chance, wrong=_WRONG, names=_NAMES)


@pytest.mark.corpus
@pytest.mark.parametrize("endpoint", BODIES)
def test_the_stand_in_refuses_what_the_description_refuses(corpus: Path, endpoint: str) -> None:
    """2,000 bodies each, good and spoilt: the same verdict as the strict description's."""
    path = corpus / "specs/mailchimp/mailchimp-request-bodies.strict.json"
    judge = Draft202012Validator(json.loads(path.read_text())[endpoint])
    chance = random.Random(endpoint)
    bodies = [*GOOD[endpoint], *({"members": [{"status": "pending"}] * n} for n in (500, 501))]
    for number in range(2_000):
        body = _mutated(chance.choice(GOOD[endpoint]), chance)
        bodies.append(_mutated(body, chance) if number % 2 else body)
    verdicts = [(body, judge.is_valid(body), _accepts(endpoint, body)) for body in bodies]
    assert [] == [body for body, theirs, ours in verdicts if theirs is not ours]
    assert {True, False} == {theirs for _, theirs, _ in verdicts}


def _accepts(endpoint: str, body: Any) -> bool:
    try:
        read_body(endpoint, msgspec.json.encode(body))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b'{"members": NaN}', b"[" * 9999])
def test_what_is_no_json_is_refused(mc: Sandbox, body: bytes) -> None:
    """A body that cannot be read is a 400, and nothing is written."""
    answer = requests.post(
        f"{mc.url}/3.0/lists/{mc.audience}", body, auth=("x", mc.api_key), timeout=5
    )
    assert (400, "Invalid Resource") == (answer.status_code, answer.json()["title"])
    assert "application/problem+json; charset=utf-8" == answer.headers["content-type"]
    assert {} == mc.members()


@pytest.mark.parametrize("auth", [None, ("x", "wrong"), ("x", "")])
def test_a_wrong_key_is_refused(mc: Sandbox, auth: tuple[str, str] | None) -> None:
    """401 with a problem in JSON."""
    answer = requests.get(f"{mc.url}/3.0/ping", auth=auth, timeout=5)
    assert (401, "API Key Invalid") == (answer.status_code, answer.json()["title"])


def call(mc: Sandbox, method: str, path: str, body: Any = None) -> Any:
    """One call as anybody may make it; gives its status and its JSON."""
    answer = requests.request(
        method,
        f"{mc.url}/3.0/lists/{mc.audience}{path}",
        json=body,
        auth=("x", mc.api_key),
        timeout=5,
    )
    return answer.status_code, answer.json() if answer.content else None


def batch(mc: Sandbox, *members: dict[str, Any], **more: Any) -> Any:
    """Write members; gives the answer's body."""
    _, said = call(mc, "POST", "", {"members": list(members), **more})
    return said


def test_a_batch_is_answered_200_even_when_all_fail(mc: Sandbox) -> None:
    """Every item has its own error, and the rest of the answer is empty."""
    items = [{"email_address": email, "status": "subscribed"} for email in ("x", "a@b.invalid")]
    status, said = call(mc, "POST", "", {"members": items})
    assert (200, [], 2) == (status, said["new_members"], said["error_count"])
    assert ["x", "a@b.invalid"] == [error["email_address"] for error in said["errors"]]


def test_status_if_new_is_for_new_contacts(mc: Sandbox) -> None:
    """An existing contact keeps its status, be it archived; ``status`` changes it."""
    mc.sign_up(KARI)
    for act in (mc.unsubscribe, mc.archive):
        act(KARI)
        before = mc.members()[KARI]["status"]
        item = {
            "email_address": KARI,
            "status_if_new": "subscribed",
            "merge_fields": {"FNAME": "K"},
        }
        said = batch(mc, item, update_existing=True)
        assert before == said["updated_members"][0]["status"]
    assert {"FNAME": "K"} == mc.members()[KARI]["fields"]


def test_compliance_state(mc: Sandbox) -> None:
    """Who left cannot be subscribed by the API, by no call, not even through the archive."""
    mc.sign_up(KARI)
    mc.unsubscribe(KARI)
    for _ in range(2):
        item = {"email_address": KARI, "status": "subscribed"}
        assert "compliance" in batch(mc, item, update_existing=True)["errors"][0]["error"]
        status, said = call(mc, "PUT", f"/members/{member_id(KARI)}", item)
        assert (400, "Member In Compliance State") == (status, said["title"])
        if mc.members()[KARI]["status"] == "unsubscribed":
            assert 204 == call(mc, "DELETE", f"/members/{member_id(KARI)}")[0]
    assert "archived" == mc.members()[KARI]["status"]
    status, said = call(mc, "PUT", f"/members/{KARI}", {"email_address": KARI, "status": "pending"})
    assert (200, "pending") == (status, said["status"])
    mc.confirm(KARI)
    assert "subscribed" == mc.members()[KARI]["status"]


def test_forgotten(mc: Sandbox) -> None:
    """Deleted for good: not by any call, only by the person's own sign-up."""
    mc.sign_up(KARI)
    mc.permanently_delete(KARI)
    item = {"email_address": KARI, "status": "subscribed"}
    assert "permanently deleted" in batch(mc, item)["errors"][0]["error"]
    status, said = call(mc, "PUT", f"/members/{KARI}", item)
    assert (400, "Forgotten Email Not Subscribed") == (status, said["title"])
    mc.sign_up(KARI)
    assert "subscribed" == mc.members()[KARI]["status"]


def test_existing_contacts_without_update_existing(mc: Sandbox) -> None:
    """They are errors, and keep what they had."""
    mc.sign_up(KARI)
    item = {"email_address": KARI, "status": "unsubscribed"}
    assert "ERROR_CONTACT_EXISTS" == batch(mc, item)["errors"][0]["error_code"]
    status, said = call(mc, "POST", "/members", item)
    assert (400, "Member Exists") == (status, said["title"])
    assert "subscribed" == mc.members()[KARI]["status"]


def test_duplicates_in_one_batch(mc: Sandbox) -> None:
    """The later one is an error, unless the check is skipped."""
    items = [
        {"email_address": email, "status": "subscribed", "merge_fields": {"FNAME": email}}
        for email in (KARI, KARI.upper())
    ]
    assert 1 == batch(mc, *items)["error_count"]
    assert KARI == mc.members()[KARI]["fields"]["FNAME"]


@pytest.mark.parametrize(
    ("kind", "good", "kept", "bad"),
    [
        ("number", "12.5", 12.5, "a lot"),
        ("date", "11/23/2026", "2026-11-23", "2026-02-30"),
        ("birthday", "02/29", "02/29", "29/02"),
        ("dropdown", "M", "M", "XL"),
        ("url", "https://x.example", "https://x.example", "x.example"),
    ],
)
def test_merge_field_types(mc: Sandbox, kind: str, good: Any, kept: Any, bad: Any) -> None:
    """A value of the wrong kind is the contact's own error, naming the field."""
    mc.add_field("X", kind, choices=["S", "M"])
    errors = batch(
        mc,
        {"email_address": KARI, "status": "subscribed", "merge_fields": {"X": good, "NONE": 1}},
        {"email_address": OLA, "status": "subscribed", "merge_fields": {"X": bad}},
    )["errors"]
    assert [(OLA, "X")] == [(error["email_address"], error["field"]) for error in errors]
    assert {KARI: {"X": kept}} == {email: held["fields"] for email, held in mc.members().items()}


def test_required_fields(mc: Sandbox) -> None:
    """Missing is an error unless validation is skipped, which "True" does not do."""
    mc.add_field("SHOE", "text", required=True)
    body = {"members": [{"email_address": KARI, "status": "subscribed"}]}
    for query, errors in (
        ("", 1),
        ("?skip_merge_validation=True", 1),
        ("?skip_merge_validation=true", 0),
    ):
        assert errors == call(mc, "POST", query, body)[1]["error_count"]


def test_tags_are_added_and_replaced(mc: Sandbox) -> None:
    """``sync_tags`` replaces, otherwise tags are added; names that differ in case are one."""
    item = {"email_address": KARI, "status": "subscribed"}
    batch(mc, {**item, "tags": ["a", "b"]})
    batch(mc, {**item, "tags": ["B", "c"]}, update_existing=True)
    assert ["a", "b", "c"] == mc.members()[KARI]["tags"]
    batch(mc, {**item, "tags": ["c"]}, update_existing=True, sync_tags=True)
    assert ["c"] == mc.members()[KARI]["tags"]


def test_segments_are_tags(mc: Sandbox) -> None:
    """A static segment is made, filled, emptied and found like a tag; strangers are named."""
    mc.sign_up(KARI)
    _, made = call(mc, "POST", "/segments", {"name": "x", "static_segment": [KARI, OLA]})
    assert (1, "static", ["x"]) == (made["member_count"], made["type"], mc.members()[KARI]["tags"])
    where = f"/segments/{made['id']}"
    _, said = call(mc, "POST", where, {"members_to_remove": [KARI, OLA]})
    assert (1, [[OLA]]) == (
        said["total_removed"],
        [error["email_addresses"] for error in said["errors"]],
    )
    assert [] == mc.members()[KARI]["tags"]
    assert 400 == call(mc, "POST", where, {"members_to_add": [KARI] * 501})[0]
    assert 404 == call(mc, "POST", "/segments/1", {"members_to_add": [KARI]})[0]
    assert [made["id"]] == [tag["id"] for tag in call(mc, "GET", "/tag-search?name=X")[1]["tags"]]


def test_single_members(mc: Sandbox) -> None:
    """One contact is added, read, changed, tagged, listed, archived and deleted."""
    who = f"/members/{member_id(KARI)}"
    assert 404 == call(mc, "GET", who)[0]
    assert 400 == call(mc, "PUT", who, {"email_address": KARI})[0]
    assert 200 == call(mc, "POST", "/members", {"email_address": KARI, "status": "subscribed"})[0]
    assert 204 == call(mc, "POST", f"{who}/tags", {"tags": [{"name": "a", "status": "active"}]})[0]
    assert [1, "a"] == [
        call(mc, "GET", f"{who}/tags")[1]["total_items"],
        call(mc, "GET", who)[1]["tags"][0]["name"],
    ]
    assert "unsubscribed" == call(mc, "PATCH", who, {"status": "unsubscribed"})[1]["status"]
    assert 1 == call(mc, "GET", "/members?status=unsubscribed")[1]["total_items"]
    assert 0 == call(mc, "GET", "/members?since_last_changed=2999-01-01")[1]["total_items"]
    assert [204, 405] == [call(mc, "DELETE", who)[0] for _ in range(2)]
    assert 204 == call(mc, "POST", f"{who}/actions/delete-permanent")[0]
    assert 404 == call(mc, "DELETE", who)[0]


def test_eleven_calls_at_once_are_one_too_many(mc: Sandbox) -> None:
    """The eleventh is a 429 without a word."""
    mc.delay(0.3)
    statuses: list[tuple[int, bytes]] = []

    def ask() -> None:
        answer = requests.get(f"{mc.url}/3.0/ping", auth=("x", mc.api_key), timeout=5)
        statuses.append((answer.status_code, answer.content if answer.status_code > 200 else b""))

    threads = [threading.Thread(target=ask) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(200, b"")] * 10 + [(429, b"")] == sorted(statuses)


def test_webhooks_are_told_what_people_do(mc: Sandbox) -> None:
    """Only the events and sources that were asked for, as a form; our own writes tell nobody."""
    told: list[dict[str, list[str]]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            told.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    hook = {
        "url": f"http://127.0.0.1:{server.server_port}/",
        "events": {"unsubscribe": True},
        "sources": {"user": True, "admin": False, "api": False},
    }
    _, made = call(mc, "POST", "/webhooks", hook)
    mc.sign_up(KARI)
    mc.admin_unsubscribe(KARI)
    mc.unsubscribe(KARI)
    assert [made["id"]] == [each["id"] for each in call(mc, "GET", "/webhooks")[1]["webhooks"]]
    call(mc, "DELETE", f"/webhooks/{made['id']}")
    mc.unsubscribe(KARI)
    server.shutdown()
    thread.join()
    server.server_close()
    assert [("unsubscribe", KARI)] == [(form["type"][0], form["data[email]"][0]) for form in told]
