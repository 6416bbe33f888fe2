"""What happens at the door: who knocks, is it really the shop, and is the delivery written down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from connector.errors import ConfigurationFault
from connector.model import Arrival
from connector.ports import Door
from webhooks import signatures
from webhooks.patience import Patience, Sender

_PIECE = 64 * 1024
_LONGEST_HEADER = 500  # characters kept of one header: they are not signed, anybody could fill them
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One shop's entrance: how its platform knocks, and the secrets it seals with.

    Where the platform has a secret for each webhook (`Door.secret_a_topic`), an address that names
    a topic takes what is sealed with that topic's derived secret, and the shop's own address what
    is sealed with one of ``secrets`` itself; neither takes the other's.
    """

    shop: str
    door: Door
    secrets: tuple[bytes, ...]
    signature_key: str = field(init=False)
    topic_key: str = field(init=False)
    delivery_key: str = field(init=False)
    kept_keys: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.secrets or not all(self.secrets):
            raise ConfigurationFault(
                f"shop {self.shop}: without a webhook secret anybody could pretend to be the shop"
            )
        fill = object.__setattr__  # worked out once, not at every request
        fill(self, "signature_key", _environ_key(self.door.signature_header))
        fill(self, "topic_key", _environ_key(self.door.topic_header))
        fill(self, "delivery_key", _environ_key(self.door.delivery_header))
        kept = dict.fromkeys(
            (self.door.topic_header, self.door.delivery_header, *self.door.kept_headers)
        )
        fill(self, "kept_keys", tuple((name, _environ_key(name)) for name in kept))

    def keys(self, bound_topic: str | None) -> tuple[bytes, ...]:
        """What a delivery to this address must be sealed with, one of them."""
        if bound_topic is None or not self.door.secret_a_topic:
            return self.secrets
        return _topic_keys(self.secrets, bound_topic)


@lru_cache(maxsize=256)
def _topic_keys(secrets: tuple[bytes, ...], topic: str) -> tuple[bytes, ...]:
    return tuple(signatures.topic_secret(each, topic).encode() for each in secrets)


def _hint(threshold: Threshold, bound: str | None, body: bytes, signature: str | None) -> str:
    if bound is not None and signatures.verify(body, signature, threshold.secrets):
        return (
            "sealed with the shop's plain secret: an address that names a topic takes only what "
            "`connector webhooks register` set up"
        )
    return signatures.describe_fault(signature)


def _environ_key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


class Unkept(StrEnum):
    """Fine, and nothing to write down."""

    PING = "ping"
    IGNORED = "ignored"


class Refused(Exception):
    """This request is answered with ``status``, for the ``reason`` that the metrics count."""

    def __init__(self, status: int, reason: str, **told: object) -> None:
        self.status = status
        self.reason = reason
        self.told = told
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Reads and examines webhooks; stores nothing itself."""

    thresholds: Mapping[str, Threshold]
    clock: Callable[[], datetime]
    limit: int
    patience: Patience
    ignored_topics: Mapping[str, Collection[str]]

    def receive(
        self, environ: Mapping[str, Any], shop: str, bound_topic: str | None
    ) -> Arrival | Unkept:
        """What is to be written down before the sender may be told that all is well.

        Raises `Refused`.
        """
        threshold = self.thresholds.get(shop)
        if threshold is None:
            raise Refused(404, "unknown_shop")
        if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
            raise Refused(415, "compressed", shop=shop)
        body = self._read(environ, shop)
        signature = environ.get(threshold.signature_key)
        if signature is None and _is_ping(environ, threshold.door.ping, body):
            return Unkept.PING
        if not signatures.verify(body, signature, threshold.keys(bound_topic)):
            raise Refused(
                401,
                "missing_signature" if signature is None else "bad_signature",
                shop=shop,
                hint=_hint(threshold, bound_topic, body, signature),
                bytes=len(body),
            )
        topic = environ.get(threshold.topic_key, "")[:_LONGEST_HEADER]
        if bound_topic is not None and bound_topic != topic:
            # The topic is not signed: a captured order.updated must not pass for a deletion.
            raise Refused(401, "other_topic", shop=shop)
        if topic in self.ignored_topics.get(shop, ()):
            return Unkept.IGNORED
        return self._arrival(environ, threshold, topic, body)

    def _arrival(
        self, environ: Mapping[str, Any], threshold: Threshold, topic: str, body: bytes
    ) -> Arrival:
        digest = signatures.digest(body)
        delivery = environ.get(threshold.delivery_key, "")
        return Arrival(
            shop=threshold.shop,
            topic=topic,
            key=delivery_key(threshold.shop, delivery, topic, digest),
            received_at=self.clock(),
            headers={
                name: environ[key][:_LONGEST_HEADER]
                for name, key in threshold.kept_keys
                if key in environ
            },
            body=body,
            body_sha256=digest,
        )

    def _read(self, environ: Mapping[str, Any], shop: str) -> bytes:
        """The whole body, or `Refused`: never more than the limit, never a part of it.

        Flask's own limit cuts chunked bodies short without a word, so it is not used.
        """
        declared = environ.get("CONTENT_LENGTH") or None
        coding = environ.get("HTTP_TRANSFER_ENCODING")
        if coding is not None and coding.strip().lower() != "chunked":
            raise Refused(415, "compressed", shop=shop)
        if declared is not None and not (declared.isascii() and declared.isdecimal()):
            raise Refused(400, "bad_length", shop=shop)
        if declared is None and coding is None:
            return b""
        size = None if declared is None else int(declared)
        sender = self.patience.begin(environ)
        try:
            body = _take(environ["wsgi.input"], self.limit, size, sender)
            if body is None and "HTTP_EXPECT" not in environ:
                # Taken and thrown away, or the sender would see a broken pipe and not our answer.
                _discard(environ["wsgi.input"], sender)
        finally:
            there = self.patience.end(sender)
        if body is None:
            raise Refused(413, "too_large", shop=shop)
        if not there:
            raise Refused(408, "too_slow", shop=shop)
        if size is not None and len(body) < size:
            raise Refused(400, "torn", shop=shop)
        return body


def _take(source: Any, limit: int, size: int | None, sender: Sender | None) -> bytes | None:
    """Read to the end (or to ``size``); ``None`` as soon as it is more than the limit."""
    if size is not None and size > limit:
        return None
    most = limit + 1 if size is None else size
    pieces = []
    have = 0
    while have < most:
        piece = source.read(min(_PIECE, most - have))
        if not piece:
            break
        pieces.append(piece)
        have += len(piece)
        if sender is not None:
            sender.progress()
    return None if have > limit else b"".join(pieces)


def _discard(source: Any, sender: Sender | None) -> None:
    if sender is not None:
        sender.status = 413
    while source.read(_PIECE):
        if sender is not None:
            sender.progress()


def _is_ping(environ: Mapping[str, Any], ping: re.Pattern[bytes] | None, body: bytes) -> bool:
    form = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _FORM
    return ping is not None and form and ping.fullmatch(body) is not None


def delivery_key(shop: str, delivery: str, topic: str, body_sha256: bytes) -> bytes:
    """What makes two arrivals the same delivery, as a digest.

    The platform's delivery id alone would not do: WooCommerce's is a hash of the webhook and the
    second, shared by all orders of that second (``get_new_delivery_id`` in class-wc-webhook.php,
    https://github.com/woocommerce/woocommerce).
    """
    fields = (shop.encode(), delivery.encode(), topic.encode(), body_sha256)
    framed = b"".join([len(part).to_bytes(4, "big") + part for part in fields])
    return hashlib.sha256(framed).digest()
