"""Only the shop's own seal opens the door."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from connector.errors import ConfigurationFault
from webhooks.signatures import describe_fault, digest, usable_secrets, verify

SECRET = b"sixteen bytes or more"


def seal(body: bytes, secret: bytes = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


def test_every_flipped_bit_is_found() -> None:
    """Threat R1: no single bit of a 1 KB body or of its signature can change unnoticed."""
    body = bytes(range(256)) * 4
    good = seal(body).encode()
    accepted = 0
    for place in range(len(body)):
        for bit in range(8):
            changed = bytearray(body)
            changed[place] ^= 1 << bit
            accepted += verify(bytes(changed), good, [SECRET])
    for place in range(len(good)):
        for bit in range(8):
            other = bytearray(good)
            other[place] ^= 1 << bit
            accepted += verify(body, bytes(other), [SECRET])
    assert accepted == 0
    assert verify(body, good, [SECRET])


@pytest.mark.parametrize("size", [0, 1, 2039, 2040, 2041, 65536, 65537, 300_000])
def test_all_sizes_are_hashed_whole(size: int) -> None:
    """The pieces in which a body is hashed add up to the body."""
    body = bytes(index % 251 for index in range(size))
    assert verify(body, seal(body), [SECRET])
    assert not verify(body + b"x", seal(body), [SECRET])
    assert digest(body).hex() == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        b"",
        "AAAA",
        "é" * 44,
        "\xff",
        "x" * 10_000,
        "\udc80",
        "not base64 at all!",
    ],
)
def test_nonsense_is_refused_and_nothing_is_raised(header: str | bytes | None) -> None:
    """Whatever stands in the header, the answer is no."""
    assert not verify(b"{}", header, [SECRET])


def test_the_same_digest_in_another_spelling_is_refused() -> None:
    """Hexadecimal, white space, URL-safe letters and loose padding bits are other signatures."""
    body = next(b"%d" % n for n in range(100) if set(seal(b"%d" % n)) & set("+/"))
    good = seal(body)
    raw = base64.b64decode(good)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = good[:-2] + letters[letters.index(good[-2]) + 1] + "="
    assert base64.b64decode(loose) == raw
    for other in (
        raw.hex(),
        good + "\n",
        " " + good,
        good.replace("=", ""),
        good + "=",
        good.replace("+", "-").replace("/", "_"),
        loose,
        f"{good},{good}",
        f"{good[:20]} {good[20:]}",
    ):
        assert not verify(body, other, [SECRET]), other
    assert verify(body, good, [SECRET])


def test_any_of_several_secrets_fits() -> None:
    """While secrets rotate, the old and the new are both good; afterwards the old is not."""
    old, new = b"the secret of last year", b"the secret of this year"
    assert verify(b"a", seal(b"a", old), [new, old])
    assert verify(b"a", seal(b"a", new), [new, old])
    assert not verify(b"a", seal(b"a", old), [new])


def test_no_secret_and_an_empty_secret_prove_nothing() -> None:
    """Threat R2: anybody can compute a seal under the empty secret."""
    assert not verify(b"a", seal(b"a", b""), [b""])
    assert not verify(b"a", seal(b"a", b""), [])


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        (None, "none"),
        ("", "empty"),
        ("ab" * 32, "hexadecimal"),
        (seal(b"a") + "," + seal(b"a"), "several"),
        ("AAAA", "not base64 of 32 bytes"),
        (seal(b"b"), "proxy"),
    ],
)
def test_the_log_gets_a_hint(header: str | None, hint: str) -> None:
    """What may be wrong is said in words, without the signature."""
    told = describe_fault(header)
    assert hint in told
    assert not header or header not in told


def test_secrets_are_split_at_commas() -> None:
    """Several secrets are several, each once."""
    first, second = "whsec-9f2c47d1-a-b-c", "whsec-1d74c2f9-x-y-z"
    assert usable_secrets(f"{first},{second},{first}", what="X") == (
        first.encode(),
        second.encode(),
    )


def test_a_secret_with_entities_is_good_in_both_spellings() -> None:
    """WooCommerce keeps x&y as x&amp;y and signs with the former."""
    assert usable_secrets("one&amp;two&lt;three&#039;s", what="X") == (
        b"one&amp;two&lt;three&#039;s",
        b"one&two<three's",
    )
    assert usable_secrets("påske-og-pinse-2026", what="X") == ("påske-og-pinse-2026".encode(),)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("long-enough-secret-1,,long-enough-secret-2", "empty"),
        ("fifteen-bytes-x", "15 bytes, at least 16"),
        ("trailing-line-break-here\n", "space or line break"),
        (" leading-space-in-it", "space or line break"),
        ('"quoted-secret-of-length"', "quotes"),
        ("changeme-changeme", "placeholder"),
        ("your-webhook-secret", "placeholder"),
        ("put-secret-here-please", "placeholder"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "placeholder"),
        ("<insert the secret>", "placeholder"),
    ],
)
def test_unusable_secrets_are_faults_that_do_not_quote_them(raw: str, why: str) -> None:
    """The fault names the setting and the reason, never the value."""
    with pytest.raises(ConfigurationFault) as raised:
        usable_secrets(raw, what="CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET")
    [told] = raised.value.faults
    assert told.startswith("CONNECTOR_SHOPS__WOOL__WEBHOOK_SECRET: ")
    assert why in told
    for part in raw.split(","):
        assert not part.strip() or part.strip() not in told
    assert raised.value.exit_code == 2


@pytest.mark.corpus
def test_published_vectors(corpus: Path) -> None:
    """Signatures from platforms' documents and libraries verify, and their forgeries do not."""
    told = json.loads((corpus / "fixtures" / "HMAC_VECTORS.json").read_bytes())["vectors"]
    seen = {True: 0, False: 0}
    for vector in told:
        body = (
            base64.b64decode(vector["body_b64"])
            if vector["body_b64"] is not None
            else (corpus / "fixtures" / vector["body_file"]).read_bytes()
        )
        accepted = verify(body, vector["signature"], [vector["secret"].encode()])
        assert accepted is vector["must_accept"], vector["id"]
        seen[accepted] += 1
    assert seen == {True: 4, False: 7}


@pytest.mark.corpus
def test_the_observed_shops_secret_is_usable(corpus: Path) -> None:
    """A secret of a real shop passes for one."""
    raw = (corpus / "fixtures" / "woocommerce-observed" / "SECRET.txt").read_text("utf-8")
    [line, *_] = raw.splitlines()
    assert usable_secrets(line, what="X") == (line.encode(),)
