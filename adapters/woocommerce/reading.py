"""Reads what only WooCommerce writes so: PHP's lists, escaped names. Beside it: `shop_fields`."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.woocommerce.payloads import NO_ADDRESS, Address
from connector import shop_fields
from connector.countries import parse_country
from connector.model import Json
from connector.shop_fields import (
    LONGEST_NAME,
    LONGEST_TEXT,
    Slip,
    need_amount,
    read_plain,
    read_text,
)


def tie_of(body: bytes) -> int:
    """63 bits of the body's SHA-256: which of two bodies of one second counts as newer."""
    return int.from_bytes(hashlib.sha256(body).digest()[:8]) >> 1


def read_escaped(value: object) -> str:
    """Text that WooCommerce escaped for HTML (names of customers, products and terms), unescaped.

    Exactly once: ``&amp;lt;`` is somebody's ``&lt;``.
    """
    return html.unescape(read_text(value, LONGEST_TEXT))[:LONGEST_NAME]


def read_amount(value: object, currency: str, where: str) -> int:
    """Minor units of an amount that may be left empty (then 0) but must not be unreadable."""
    if value is None or value == "":
        return 0
    return need_amount(value, currency, where)


def read_address(part: Address | list[Any] | None) -> Address:
    """An address; PHP writes one without fields as an empty list."""
    return part if isinstance(part, Address) else NO_ADDRESS


def read_phone(address: Address, slip: Slip) -> str | None:
    """The E.164 form of an address's number, read with the address's country."""
    return shop_fields.read_phone(address.phone, parse_country(address.country), slip)


def read_meta(entries: object) -> dict[str, Json]:
    """The extra fields by their key; of two with one key the later counts, as in WordPress."""
    found: dict[str, Json] = {}
    for entry in members(entries):
        key, value = entry.get("key"), entry.get("value")
        if isinstance(key, str):
            found[key[:LONGEST_NAME]] = value if type(value) is str else read_plain(value)
    return found


def members(entries: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; PHP writes a list with gaps as an object with numbered keys."""
    if isinstance(entries, dict):
        entries = list(entries.values())
    if isinstance(entries, list):
        yield from (entry for entry in entries if isinstance(entry, dict))
