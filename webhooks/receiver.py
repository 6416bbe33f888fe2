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
from webhooks import back_door, signatures
from webhooks.back_door import BackEntrance
from webhooks.body import BodyReader
from webhooks.refused import Refused

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Reads and examines webhooks; stores nothing itself."""

    thresholds: Mapping[str, Threshold]
    clock: Callable[[], datetime]
    bodies: BodyReader
    ignored_topics: Mapping[str, Collection[str]]
    back_entrances: Mapping[str, BackEntrance] = field(default_factory=dict)

    def greets(self, name: str, token: str | None) -> bool:
        """Whether a GET is welcome: a destination's platform looks if its address answers."""
        return back_door.find(self.back_entrances, name, token) is not None

    def receive(self, environ: Mapping[str, Any], name: str, rest: str | None) -> Arrival | Unkept:
        """What is to be written down before the sender may be told that all is well.

        ``rest`` is what follows the name in the address: the topic it is bound to, or a
        destination's token. Raises `Refused`.
        """
        if threshold := self.thresholds.get(name):
            return self._receive(environ, threshold, rest)
        if entrance := back_door.find(self.back_entrances, name, rest):
            return self._overhear(environ, entrance)
        raise Refused(404, "unknown_shop")

    def _overhear(self, environ: Mapping[str, Any], entrance: BackEntrance) -> Arrival:
        now = self.clock()
        body = self.bodies.read(environ, entrance.destination)
        back_door.check_seal(entrance, environ, body, now=now)
        digest = signatures.digest(body)
        return Arrival(
            shop=entrance.destination,
            topic=entrance.door.topic,
            key=delivery_key(entrance.destination, "", entrance.door.topic, digest),
            received_at=now,
            headers={},
            body=body,
            body_sha256=digest,
        )

    def _receive(
        self, environ: Mapping[str, Any], threshold: Threshold, bound_topic: str | None
    ) -> Arrival | Unkept:
        shop = threshold.shop
        body = self.bodies.read(environ, shop)
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
