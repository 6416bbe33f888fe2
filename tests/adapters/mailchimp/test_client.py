"""What the official client gets wrong is put right: each of its traps, over a faked wire."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import requests
import responses

from adapters.mailchimp.account import Account
from adapters.mailchimp.audience_client import MailchimpClient, member_id
from adapters.mailchimp.refusals import Refused
from adapters.mailchimp.sandbox import KEY
from connector.errors import TryLater

LIST = "https://us1.api.mailchimp.com/3.0/lists/a1b2c3d4e5"
KARI = "Kari@Server.example"


def client(base_url: str | None = None) -> MailchimpClient:
    """A client of the account of these tests."""
    return MailchimpClient(Account.check("n", "a1b2c3d4e5", KEY, base_url), 5)


def test_the_word_server_in_an_address_stays() -> None:
    """The official client writes the data centre over every "server"; ours does not."""
    with responses.RequestsMock() as wire:
        wire.get("https://server.mailserver.example/base/3.0/ping", json={"health_status": "ok"})
        client("https://server.mailserver.example/base/").ping()


def test_the_key_is_sent_as_a_password_and_nothing_else_is_asked_for() -> None:
    """Basic authentication, no compression, no cookies kept."""
    with responses.RequestsMock() as wire:
        wire.get(LIST, json={"id": "x"}, headers={"Set-Cookie": "a=b; Path=/"})
        speaker = client()
        speaker.audience()
        speaker.audience()
        sent = wire.calls[1].request
        expected = requests.auth._basic_auth_str("connector", KEY)
        assert expected == sent.headers["Authorization"]
        assert "identity" == sent.headers["Accept-Encoding"]
        assert "Cookie" not in sent.headers


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_failure_with_an_empty_body_is_a_failure(status: int) -> None:
    """The official client returns it as if it were an answer."""
    with responses.RequestsMock() as wire:
        wire.put(f"{LIST}/members/{member_id(KARI)}", status=status, body=b"")
        with pytest.raises(TryLater):
            client().put(KARI, {"status": "pending"})


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json", ""])
def test_a_page_is_no_answer(kind: str) -> None:
    """Whatever it calls itself, what is not a JSON object is not an answer."""
    with responses.RequestsMock() as wire:
        wire.get(LIST, status=200, body=b"<html>", content_type=kind)
        with pytest.raises(TryLater):
            client().audience()


def test_numbers_are_sent_whole() -> None:
    """An exact decimal is a JSON number, to the last digit; the official client refuses it."""
    with responses.RequestsMock() as wire:
        wire.put(f"{LIST}/members/{member_id(KARI)}", json={"status": "subscribed"})
        client().put(KARI, {"merge_fields": {"SPENT": Decimal("1234567890.10")}})
        body = wire.calls[0].request.body
        assert b'"SPENT":1234567890.10' in body
        assert KARI == json.loads(body)["email_address"]


def test_a_refusal_carries_its_title_and_no_address() -> None:
    """Mailchimp's details hold addresses; what may be logged does not."""
    problem = {"title": "Invalid Resource", "status": 400, "detail": f"{KARI} looks fake"}
    with responses.RequestsMock() as wire:
        wire.put(
            f"{LIST}/members/{member_id(KARI)}",
            json=problem,
            status=400,
            content_type="application/problem+json; charset=utf-8",
        )
        with pytest.raises(Refused) as caught:
            client().put(KARI, {"status": "pending"})
    assert "400 Invalid Resource" == str(caught.value)


def test_the_key_is_not_shown() -> None:
    """An account can be printed."""
    assert KEY not in repr(Account.check("n", "a1b2c3d4e5", KEY, None))
