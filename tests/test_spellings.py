"""Whoever was erased is recognised in every spelling of a body, and nobody else instead."""

from __future__ import annotations

import json

import pytest

from connector.spellings import addresses_in, folded, loose_email, pattern_of, readable


def wide(text: str) -> str:
    """The text in full-width letters."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


ADDRESS = "kari.å@x.example"
BODIES = {
    "plain": b'{"email": "kari.\xc3\xa5@x.example"}',
    "escaped": json.dumps({"email": ADDRESS}).encode(),
    "all escaped": b'{"email": "\\u006bari.\\u00e5\\u0040x.example"}',
    "upper": '{"email": "KARI.Å@X.EXAMPLE"}'.encode(),
    "decomposed": '{"email": "kari.a\u030a@x.example"}'.encode(),
    "full width": json.dumps({"email": wide("kari.") + "å" + wide("@x.example")}).encode(),
    "zero width": '{"email": "kari.\u200bå@x.example"}'.encode(),
    "form": b"email=kari.%C3%A5%40x.example&id=7",
    "in a sentence": "Write to <kari.å@x.example>.".encode(),
    "broken": b'{"email": "kari.\xc3\xa5@x.example", "name": "\xff',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_every_spelling_is_found(body: bytes) -> None:
    """By looking for the address, and by listing all that a body names."""
    assert pattern_of([folded(ADDRESS)]).search(readable(body))
    assert {ADDRESS} == addresses_in(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "okari@x.example"}',
        b'{"email": "ari@x.example"}',
        b'{"email": "kari@x.example.org"}',
        b'{"email": "kari@x.examples"}',
        b'{"email": "old.kari@x.example"}',
        b'{"phone": "+479123456789"}',
    ],
)
def test_a_longer_address_is_another(body: bytes) -> None:
    """One that merely ends or begins alike is somebody else's."""
    assert pattern_of(["kari@x.example", "+47912345678"]).search(readable(body)) is None


def test_nothing_is_looked_for_and_nothing_found() -> None:
    """An empty search finds nothing, rather than everything."""
    assert pattern_of([]).search(readable(b"kari@x.example")) is None


@pytest.mark.parametrize(
    "text", ["A@X.example", " a@x.example ", wide("a@x.example"), "a\u200b@x.example"]
)
def test_loose_spellings_of_one_address(text: str) -> None:
    """What `identity` refuses to merge is the same here."""
    assert "a@x.example" == loose_email(text)


@pytest.mark.parametrize("text", [None, 7, "", "nobody", "a@b", "a@x.example, b@x.example"])
def test_what_is_no_address(text: object) -> None:
    """Nothing is made of nonsense."""
    assert loose_email(text) is None
