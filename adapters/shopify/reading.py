"""Reads single fields as Shopify really writes them: one odd field never spoils a body.

What cannot be read is ``None`` or empty and, where a person would miss it, leaves a flag. Only an
id, and the amounts of an order (`amounts`), are worth refusing the whole body for: `BadFieldError`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.shopify.countries import parse_country
from adapters.shopify.payloads import Address
from connector.identity import normal_email, normal_phone
from connector.model import Json, Version
from connector.moments import parse_utc

LONGEST_NAME = 1000
LONGEST_TEXT = 100_000
_LARGEST_NUMBER = 2**63 - 1
_LONGEST_NUMBER = len(str(_LARGEST_NUMBER))
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no web shop has an older order or product
_CLOCK_MARGIN = timedelta(seconds=300)
_FIRST_HAND = 1 << 62
_GID = "gid://shopify/"


class BadFieldError(Exception):
    """A field without which a body says nothing: ``reason`` is the code, ``where`` the path."""

    def __init__(self, reason: str, where: str) -> None:
        self.reason = reason
        self.where = where
        super().__init__(f"{reason}: {where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is known of a body beside its content: whose it is, when it came, what was odd.

    ``storefront`` is where the shop's pages are, without a slash at the end. ``triggered_at`` is
    the header's, which is not signed: nothing but a withdrawal may be dated by it.
    """

    shop: str
    currency: str | None
    storefront: str
    received_at: datetime
    tie: int
    triggered_at: datetime | None = None
    flags: list[str] = field(default_factory=list)

    def flag(self, name: str) -> None:
        """Note once that something was odd but bearable."""
        if name not in self.flags:
            self.flags.append(name)


def tie_of(body: bytes, *, asked: bool) -> int:
    """Which of two statements of one second counts as newer; what was ``asked`` before what came.

    An answer is read after the webhook that made us ask, and knows more than it (a customer's
    tags). Among equals the larger digest wins, in whatever order they arrive.
    """
    digest = int.from_bytes(hashlib.sha256(body).digest()[:8]) >> 2
    return digest | _FIRST_HAND if asked else digest


# --- Ids -------------------------------------------------------------------------------------


def read_id(value: object) -> str | None:
    """An id as text, exact beyond 2**53: a positive integer, or its digits in a string."""
    if type(value) is int and 0 < value <= _LARGEST_NUMBER:
        return str(value)
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return None
    if len(value) > _LONGEST_NUMBER or value.startswith("0") or int(value) > _LARGEST_NUMBER:
        return None
    return value


def read_gid(value: object, kind: str) -> str | None:
    """The number in ``gid://shopify/Customer/123``; ``None`` if it names another kind of thing."""
    prefix = f"{_GID}{kind}/"
    if not isinstance(value, str) or not value.startswith(prefix):
        return None
    return read_id(value.removeprefix(prefix))


def need_id(value: object, where: str) -> str:
    """As `read_id`; a body without an id is refused."""
    found = read_id(value)
    if found is None:
        raise BadFieldError("id", where)
    return found


def need_own_id(value: object, gid: object, kind: str) -> str:
    """The id of the body itself, which must agree with its GraphQL id where that is told.

    Where they differ, something that cannot count beyond 2**53 rewrote the number.
    """
    found = need_id(value, "id")
    if gid is not None and read_gid(gid, kind) != found:
        raise BadFieldError("id", "id (it is not the one in admin_graphql_api_id)")
    return found


# --- Text and numbers -----------------------------------------------------------------------


def read_text(value: object, longest: int = LONGEST_NAME) -> str:
    """Text, or the digits of a number that stands where text should; nothing otherwise."""
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:longest]
    return ""


def read_url(value: object) -> str | None:
    """A web address; an empty text and other schemes are none."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.startswith(("https://", "http://")) else None


def read_whole(value: object) -> int | None:
    """A whole number, also from text or a decimal; halves away from zero."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = str(value).strip()
    if not text.isascii() or len(text) > _LONGEST_NUMBER or not set(text) <= set("+-.0123456789"):
        return None
    try:
        number = int(Decimal(text).to_integral_value(ROUND_HALF_UP))
    except ArithmeticError:
        return None
    return number if abs(number) <= _LARGEST_NUMBER else None


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
        key[:LONGEST_NAME]: _plain(entry.get("value"))
        for entry in members(entries)
        if isinstance(key := entry.get(name), str) and key
    }


def read_metafields(entries: object) -> dict[str, Json]:
    """Metafields by ``namespace.key``, which is how a mapping names them."""
    found: dict[str, Json] = {}
    for entry in members(entries):
        namespace, key = entry.get("namespace"), entry.get("key")
        if isinstance(namespace, str) and isinstance(key, str):
            found[f"{namespace}.{key}"[:LONGEST_NAME]] = _plain(entry.get("value"))
    return found


def members(entries: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; nothing when it is none."""
    if isinstance(entries, list):
        yield from (entry for entry in entries if isinstance(entry, dict))


def _plain(value: Json) -> Json:
    """A value as JSON can hold it again: a number no float or column holds exactly becomes text."""
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case Decimal():
            return float(value) if Decimal(repr(float(value))) == value else str(value)
        case int() if not isinstance(value, bool) and abs(value) > _LARGEST_NUMBER:
            return str(value)
        case _:
            return value


# --- Moments --------------------------------------------------------------------------------


def read_moment(value: object) -> datetime | None:
    """A moment with its offset; years before 2000 (``0000-12-31T18:09:24-05:50``) are no dates."""
    moment = parse_utc(value) if isinstance(value, str) else None
    return moment if moment is not None and moment >= _EARLIEST else None


def read_believed(value: object, received_at: datetime) -> datetime | None:
    """As `read_moment`, and ``None`` for what lies in the future, clocks' difference let pass."""
    moment = read_moment(value)
    return moment if moment is not None and moment <= received_at + _CLOCK_MARGIN else None


def read_past(value: object, slip: Slip) -> datetime | None:
    """As `read_moment`, but a moment in the future is held to be the moment of arrival.

    Without the limit one wrong year would outrank every later truth.
    """
    moment = read_moment(value)
    if moment is not None and moment > slip.received_at + _CLOCK_MARGIN:
        slip.flag("date_in_future")
        return slip.received_at
    return moment


def read_version(updated: object, created: object, slip: Slip) -> Version:
    """When a thing last changed; never changed: when it was made; never told: when it came."""
    at = read_past(updated, slip) or read_past(created, slip)
    if at is None:
        slip.flag("date_missing")
    return Version(at=at or slip.received_at, tie=slip.tie)


# --- Contact points -------------------------------------------------------------------------


def read_email(value: object, slip: Slip) -> str | None:
    """The normal form of an address, or ``None``: what it belongs to counts all the same."""
    if value is None or value == "":
        return None
    address = normal_email(value)
    if address is None:
        slip.flag("email_not_usable")
    return address


def read_phone(value: object, country: str | None, slip: Slip) -> str | None:
    """The E.164 form of a number; ``country`` reads those without a country code."""
    text = read_text(value).strip()
    if not text:
        return None
    number = _known_phone(text, country)
    if number is None:
        slip.flag("phone_not_usable")
    return number


# One purchase comes in several deliveries, and reading a number takes longer than all else.
_known_phone = functools.lru_cache(maxsize=4096)(normal_phone)


def country_of(address: Address | None) -> str | None:
    """The country of an address; old bodies may have only a name, which is not read."""
    return parse_country(address.country_code) if address is not None else None
