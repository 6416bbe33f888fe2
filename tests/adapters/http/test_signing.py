"""Signatures are those of Standard Webhooks: a receiver's own library takes them."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest

from adapters.http.destination import HttpDestination
from adapters.http.sandbox import SECRET, Sandbox
from adapters.http.signing import key_of, sign
from connector.errors import ConfigurationFault, LaneDown

# The example that the libraries of https://www.standardwebhooks.com are tested with.
_SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_ID, _AT, _BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def encoded(length: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(length))).decode()


def test_the_published_example() -> None:
    """Secret, id, time and body give the signature that stands there."""
    assert _SIGNATURE == sign([key_of(_SECRET)], _ID, _AT, _BODY)


def test_each_secret_signs_in_its_order() -> None:
    """While one takes the place of another, a receiver that has either can check."""
    other = encoded(32)
    both = sign([key_of(other), key_of(_SECRET)], _ID, _AT, _BODY).split(" ")
    assert [sign([key_of(other)], _ID, _AT, _BODY), _SIGNATURE] == both


@pytest.mark.parametrize("changed", ["id", "time", "body"])
def test_everything_is_signed(changed: str) -> None:
    """Another id, another second, another byte: another signature."""
    signature = sign(
        [key_of(_SECRET)],
        _ID + "x" * (changed == "id"),
        _AT + (changed == "time"),
        _BODY + b" " * (changed == "body"),
    )
    assert signature != _SIGNATURE


@pytest.mark.parametrize("length", [24, 64])
def test_keys_of_the_right_length(length: int) -> None:
    """24 to 64 bytes behind whsec_; of a bare text its own bytes."""
    assert bytes(range(length)) == key_of(encoded(length))
    assert b"t" * length == key_of("t" * length)


@pytest.mark.parametrize("secret", [encoded(23), encoded(65), "t" * 23, "whsec_not base64!"])
def test_wrong_keys_are_refused_and_not_shown(secret: str) -> None:
    """Too short, too long, or not what the prefix says."""
    with pytest.raises(ConfigurationFault) as caught:
        HttpDestination("crm", "https://crm.example/hooks", [secret])
    assert "signing secret 1" in str(caught.value)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "crm.example", "ftp://crm.example", "http://crm.example/hooks"),
        *(
            "https://user:word@crm.example",
            "https://crm.example/?token=1",
            "https://crm.example/#a",
        ),
    ],
)
def test_addresses_that_others_could_read_along_with_are_refused(url: str) -> None:
    """Only https, but for this machine; no secret in user or query."""
    with pytest.raises(ConfigurationFault, match="url must be an https address"):
        HttpDestination("crm", url, [SECRET])


def test_the_receiver_takes_either_secret_and_no_third(
    crm: Sandbox, connect: Callable[..., HttpDestination]
) -> None:
    """The stand-in checks with code of its own."""
    old, new = encoded(24), encoded(40)
    rotating = connect(secrets=(new, old))
    for secret in (old, new):
        crm.change_secret(secret)
        assert rotating.introduce().account
    crm.change_secret(SECRET)
    with pytest.raises(LaneDown, match="401"):
        rotating.introduce()


@pytest.mark.parametrize("off", [297, -299])
def test_the_attempt_is_dated_by_the_moment_it_is_made(
    crm: Sandbox, destination: HttpDestination, off: int
) -> None:
    """Five minutes of difference between the clocks are borne, both ways."""
    crm.set_clock(lambda: time.time() + off)
    assert destination.introduce().account


@pytest.mark.parametrize("off", [302, -303])
def test_an_old_attempt_is_not_taken(crm: Sandbox, destination: HttpDestination, off: int) -> None:
    """Whoever recorded a post cannot post it again later."""
    crm.set_clock(lambda: time.time() + off)
    with pytest.raises(LaneDown, match="401"):
        destination.introduce()
