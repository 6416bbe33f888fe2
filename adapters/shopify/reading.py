"""Reads what only Shopify writes so: GraphQL ids, tags, metafields. Beside it: `shop_fields`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.shopify.payloads import Address
from connector import shop_fields
from connector.countries import parse_country
from connector.model import Json
from connector.shop_fields import (
    CLOCK_MARGIN,
    LONGEST_NAME,
    BadFieldError,
    need_id,
    read_id,
    read_moment,
    read_plain,
    read_text,
)

_FIRST_HAND = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip(shop_fields.Slip):
    """What is known of a body beside its content: also where its shop is, and when it was sent.

    ``storefront`` is where the shop's pages are, without a slash at the end. ``triggered_at`` is
    the header's, which is not signed: nothing but a withdrawal may be dated by it. ``known_at`` is
    when a thing of the past was last changed: what it says without a date was known then, however
    often it is read.
    """

    storefront: str
    triggered_at: datetime | None = None
    known_at: datetime | None = None


def tie_of(body: bytes, *, asked: bool) -> int:
    """Which of two statements of one second counts as newer; what was ``asked`` before what came.

    An answer is read after the webhook that made us ask, and knows more than it (a customer's
    tags). Among equals the larger digest wins, in whatever order they arrive.
    """
    digest = int.from_bytes(hashlib.sha256(body).digest()[:8]) >> 2
    return digest | _FIRST_HAND if asked else digest


def read_gid(value: object, *kinds: str) -> str | None:
    """The number in ``gid://shopify/Customer/123``; ``None`` if it names another kind of thing."""
    text = value if isinstance(value, str) else ""
    for kind in kinds:
        prefix = f"gid://shopify/{kind}/"
        if text.startswith(prefix):
            return read_id(text[len(prefix) :])
    return None


def need_own_id(value: object, gid: object, kind: str) -> str:
    """The id of the body itself, which must agree with its GraphQL id where that is told.

    Where they differ, something that cannot count beyond 2**53 rewrote the number.
    """
    found = need_id(value, "id")
    if gid is not None and read_gid(gid, kind) != found:
        raise BadFieldError("id", "id (it is not the one in admin_graphql_api_id)")
    return found


def read_tags(value: object) -> tuple[str, ...]:
    """Tags, from the webhooks' ``"a, b"`` or GraphQL's list."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        return ()
    tags = (read_text(word).strip() for word in words)
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def read_named(entries: object, name: str = "name") -> dict[str, Json]:
    """A list of ``{"name": …, "value": …}`` by name; of two with one name the later counts."""
    return {
        key[:LONGEST_NAME]: read_plain(entry.get("value"))
        for entry in members(entries)
        if isinstance(key := entry.get(name), str) and key
    }


def read_metafields(entries: object) -> dict[str, Json]:
    """Metafields by ``namespace.key``, which is how a mapping names them."""
    found: dict[str, Json] = {}
    for entry in members(entries):
        namespace, key = entry.get("namespace"), entry.get("key")
        if isinstance(namespace, str) and isinstance(key, str):
            found[f"{namespace}.{key}"[:LONGEST_NAME]] = read_plain(entry.get("value"))
    return found


def members(entries: object) -> Sequence[Mapping[str, Any]]:
    """The objects in a list; nothing when it is none."""
    if not entries or not isinstance(entries, list):
        return ()
    return [entry for entry in entries if isinstance(entry, dict)]


def read_believed(value: object, received_at: datetime) -> datetime | None:
    """As `read_moment`, and ``None`` for what lies in the future, clocks' difference let pass."""
    moment = read_moment(value)
    return moment if moment is not None and moment <= received_at + CLOCK_MARGIN else None


def country_of(address: Address | None) -> str | None:
    """The country of an address; old bodies may have only a name, which is not read."""
    return parse_country(address.country_code) if address is not None else None
