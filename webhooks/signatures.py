"""The seal on a webhook: proves that the shop sent these very bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from connector.errors import ConfigurationFault

_SHORTEST = 16
_FEWEST_LETTERS = 5
_PLACEHOLDER = re.compile(
    r"change.?me|replace.?(me|this)|placeholder|your.{0,10}secret|secret.?here|insert.{0,10}here"
    r"|^<.*>$|^\$\{.*\}$|^example|^(webhook|shop|client|consumer|my|the|super)?.?secret$",
    re.IGNORECASE,
)
_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_SEAL = re.compile(rb"[A-Za-z0-9+/]{43}=")

# hashlib lets go of the interpreter for every piece above 2,047 bytes, which between busy threads
# costs more than hashing an order: a tenth of the receiver's throughput. Large bodies are worth it.
_PIECE = 2040
_LARGE = 64 * 1024


def verify(body: bytes, header: str | bytes | None, secrets: Sequence[bytes]) -> bool:
    """Whether ``header`` is base64 of HMAC-SHA256 over ``body`` under one of the secrets.

    Compared is the one canonical spelling, all of it and in constant time, so there is nothing to
    decode leniently: hexadecimal, line breaks, a second signature or other bits in the padding are
    simply different. Never raises; an empty secret proves nothing. Shopify:
    https://shopify.dev/docs/apps/build/webhooks/verify-deliveries. WooCommerce:
    ``generate_signature`` in class-wc-webhook.php, https://github.com/woocommerce/woocommerce.
    """
    told = header.encode("utf-8", "replace") if isinstance(header, str) else header or b""
    proven = False
    for secret in secrets:  # all of them: how long it takes says nothing of which one fits
        keyed = _keyed(secret).copy()
        _feed(keyed, body)
        seal = base64.b64encode(keyed.digest())
        proven |= hmac.compare_digest(seal, told) and secret != b""
    return proven


def topic_secret(secret: str | bytes, topic: str) -> str:
    """The secret for the webhooks of one topic, from the shop's own, as 64 hexadecimal digits.

    The topic is a header, which no signature covers: with a secret of its own for each topic, a
    body that was captured at one address proves nothing at another (an ``order.updated`` is no
    ``order.deleted``). Nothing more has to be kept, and who learns one learns no other. No shop
    can be made to sign what is digested here: its bodies are JSON and hold no zero byte.
    """
    key = secret.encode() if isinstance(secret, str) else secret
    about = b"webhook topic\0" + topic.encode("utf-8", "replace")
    return hmac.new(key, about, "sha256").hexdigest()


def spellings(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """The secrets as keys, each also in the spelling that WooCommerce would sign with.

    It keeps ``a&b`` as ``a&amp;b`` and signs with the former
    (https://github.com/woocommerce/woocommerce/issues/21693).
    """
    both = (spelling for each in secrets for spelling in (each, html.unescape(each)))
    return tuple(dict.fromkeys(spelling.encode() for spelling in both))


def is_respelt(secret: str) -> bool:
    """Whether WordPress may keep, show or sign with another text than this one."""
    return bool(set(secret) & set("&<>\"'\\"))


def digest(body: bytes) -> bytes:
    """SHA-256 of a body."""
    plain = hashlib.sha256()
    _feed(plain, body)
    return plain.digest()


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...


def _feed(hashed: _Hash, body: bytes) -> None:
    size = len(body)
    if size > _LARGE:
        hashed.update(body)
        return
    view = memoryview(body)
    for start in range(0, size, _PIECE):
        hashed.update(view[start : start + _PIECE])


@lru_cache(maxsize=256)
def _keyed(secret: bytes) -> hmac.HMAC:
    return hmac.new(secret, digestmod="sha256")


def describe_fault(header: str | None) -> str:
    """Why a signature may have failed, for the log: never the signature itself."""
    if header is None:
        return "there is none"
    told = header.encode("utf-8", "replace")
    if not told:
        return "it is empty"
    if _HEX.fullmatch(told):
        return "it is hexadecimal, not base64"
    if b"," in told:
        return "there are several"
    if not _SEAL.fullmatch(told):
        return "it is not base64 of 32 bytes"
    return "the secret is another, or a proxy on the way altered the body"


def usable_secrets(raw: str, *, what: str) -> tuple[bytes, ...]:
    """The comma-separated webhook secrets in a setting; all are accepted, so that they can rotate.

    Raises `ConfigurationFault` that names the setting ``what`` and never the value. A secret with
    HTML entities is accepted in both spellings: WooCommerce keeps ``a&b`` as ``a&amp;b`` and signs
    with the former (https://github.com/woocommerce/woocommerce/issues/21693).
    """
    parts = raw.split(",")
    faults = [f"{what}: {fault}" for part in parts if (fault := _fault(part))]
    if faults:
        raise ConfigurationFault(faults)
    return spellings(parts)


def _fault(secret: str) -> str | None:
    size = len(secret.encode("utf-8", "replace"))
    if not secret.strip():
        return "the webhook secret is empty: without it anybody could pretend to be the shop"
    if secret != secret.strip():
        return f"a webhook secret ({size} bytes) begins or ends with a space or line break"
    if secret[0] == secret[-1] and secret[0] in "\"'`":
        return f"a webhook secret ({size} bytes) is in quotes: leave them out"
    if size < _SHORTEST:
        return (
            f"a webhook secret has {size} bytes, at least {_SHORTEST} are needed: whoever sees one "
            "delivery could try out all shorter ones at leisure. Set a longer one here and in "
            "the shop"
        )
    if _PLACEHOLDER.search(secret) or len(set(secret)) < _FEWEST_LETTERS:
        return "the webhook secret is a placeholder: put the shop's own in its place"
    return None
