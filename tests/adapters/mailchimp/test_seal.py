"""Mailchimp's seal: these bytes, this secret, these five minutes, and nothing else."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.mailchimp.seal import HEADER, is_sealed

SECRET = b"a signing secret of Mailchimp's"
BODY = b"type=unsubscribe&data%5Bemail%5D=kari%40shop.example"
T = 1_795_400_000
NOW = datetime.fromtimestamp(T, UTC)


def seal(t: object = T, body: bytes = BODY, secret: bytes = SECRET) -> str:
    """A right header, but for what is given."""
    return f"t={t},v1={hmac.digest(secret, f'{t}.'.encode() + body, 'sha256').hex()}"


def is_good(header: str | None, body: bytes = BODY, *, off: float = 0.0) -> bool:
    return is_sealed(body, header, [SECRET], now=NOW + timedelta(seconds=off))


@pytest.mark.parametrize(
    ("off", "good"),
    [(0, True), (300, True), (-300, True), (300.001, False), (-300.001, False), (86_400, False)],
)
def test_it_is_good_for_five_minutes(off: float, *, good: bool) -> None:
    """Either way, to the millisecond: an old one is not replayed, nor one kept for later."""
    assert good is is_good(seal(), off=off)


def test_either_of_two_secrets() -> None:
    """While a secret is changed both are good; one that is empty proves nothing."""
    for secret in (SECRET, b"the one before"):
        assert is_sealed(BODY, seal(secret=secret), [SECRET, b"the one before"], now=NOW)
    assert not is_sealed(BODY, seal(secret=b""), [SECRET, b""], now=NOW)
    assert not is_sealed(BODY, seal(), [], now=NOW)


def test_every_altered_bit_is_seen() -> None:
    """One bit of the body, of the digest or of the moment."""
    header = seal()
    for at in range(len(BODY)):
        for bit in range(8):
            altered = bytearray(BODY)
            altered[at] ^= 1 << bit
            assert not is_good(header, bytes(altered))
    for at, letter in enumerate(header):
        for other in "0123456789abcdef,=":
            if other != letter:
                assert not is_good(header[:at] + other + header[at + 1 :])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1795400000",
        seal().replace(",", ", "),
        seal().upper(),
        f"{seal()}\n",
        f" {seal()}",
        f"{seal()},v1={'0' * 64}",
        f"v1={'0' * 64},t={T}",
        seal(f"+{T}"),
        seal(f"{T}.0"),
        seal("-1"),
        seal("9" * 400),
        seal("٣"),
        "é",
        "\xff" * 50,
        "x" * 10_000,
    ],
)
def test_what_is_no_seal(header: str | None) -> None:
    """Whatever it is, it is not good, and no error."""
    assert not is_good(header)


@pytest.mark.corpus
def test_the_documented_samples(corpus: Path) -> None:
    """Every sample's seal is good for its body, at its time, and for no other body."""
    told = json.loads((corpus / "specs/mailchimp/webhook_samples.json").read_bytes())
    secret, now = told["signing_secret"].encode(), datetime.fromtimestamp(told["t"], UTC)
    samples = [each for each in told.values() if isinstance(each, dict)]
    assert 5 == len(samples)
    for one in samples:
        for other in samples:
            found = is_sealed(other["body"].encode(), one[HEADER], [secret], now=now)
            assert (one is other) is found
    later = now + timedelta(seconds=301)
    assert not any(is_sealed(s["body"].encode(), s[HEADER], [secret], now=later) for s in samples)
