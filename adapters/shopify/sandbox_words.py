"""How a Shopify shop writes things: its JSON, its numbers, its moments and its money.

https://shopify.dev/docs/api/webhooks/2026-10
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.town.books import Body
from connector.money import to_major

VERSION = "2026-10"
"""The API version of every payload and answer."""
LONG = 706_405_506_930_370_000
"""Where numbers begin: beyond 2**53, so that neighbours are one and the same float."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a shop says of itself. Prices hold the tax when ``taxes_included``.

    Of a product with more than ``most_variants`` variants, webhooks tell only the first.
    """

    domain: str
    name: str
    storefront: str
    timezone: str
    currency: str
    tax_percent: int
    taxes_included: bool
    most_variants: int
    id: int = 548_380_009

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Currencies:
    """The shop's currency, and the one the buyer was shown, with what one unit comes to there."""

    shop: str
    shown: str
    rate: Decimal = Decimal(1)

    def bag(self, minor: int) -> Body:
        """An amount of the shop's minor units, told in both currencies."""
        major = to_major(minor, self.shop)
        cent = to_major(1, self.shown)
        shown = (major * self.rate).quantize(cent, rounding="ROUND_HALF_UP")
        return {
            "shop_money": {"amount": str(major), "currency_code": self.shop},
            "presentment_money": {"amount": str(shown), "currency_code": self.shown},
        }

    def plain(self, minor: int) -> str:
        """An amount in the shop's currency."""
        return str(to_major(minor, self.shop))

    def put(self, body: Body, name: str, minor: int) -> None:
        """Write an amount twice, as a field and in its bag."""
        body[name] = self.plain(minor)
        body[f"{name}_set"] = self.bag(minor)


def rails_json(value: Any) -> bytes:
    """JSON as Rails writes it: letters as they are, ``<``, ``>`` and ``&`` escaped, no blanks."""
    text = _ENCODER.encode(value)
    for sign, escaped in _ESCAPED.items():
        text = text.replace(sign, escaped)
    return text.encode()


def gid(kind: str, number: int | str) -> str:
    """GraphQL's name of a thing."""
    return f"gid://shopify/{kind}/{number}"


def number_in(name: object, kind: str) -> int | None:
    """The number in GraphQL's name of a thing of this kind."""
    prefix = gid(kind, "")
    digits = name.removeprefix(prefix) if isinstance(name, str) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and name != digits else None


def local(moment: datetime | None, site: Site) -> str | None:
    """A moment in the shop's time, with its offset, as payloads have it."""
    return None if moment is None else moment.astimezone(site.zone).isoformat(timespec="seconds")


def zulu(text: str | None) -> str | None:
    """A payload's moment as GraphQL has it: in UTC, with ``Z``."""
    if text is None:
        return None
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def triggered(moment: datetime, micro: int) -> str:
    """The moment of a delivery's event, told to the microsecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{micro % 1_000_000:06}Z"
