"""Who is the same person: the normal forms of e-mail addresses and phone numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3: a path of 256 octets less its angle brackets
_LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def normal_email(text: object) -> str | None:
    """The form in which two spellings of one address are equal, or ``None`` if it is no address.

    NFC, trimmed, lower case in both parts. ``+tag`` and dots are kept: for most hosts they are
    other mailboxes. Addresses that compatibility forms (full-width letters) or invisible characters
    would change are not merged with their look-alikes: they are ``None``. Quoted local parts,
    address lists and bare hosts are ``None`` too: no shop sells to them, and e-mail tools refuse
    them.
    """
    return _normal_email(text) if isinstance(text, str) else None


@lru_cache(maxsize=4096)  # one order's address is asked for four times
def _normal_email(text: str) -> str | None:
    address = unicodedata.normalize("NFC", text.strip()).lower()
    if not address or len(address.encode("utf-8", "replace")) > _LONGEST_EMAIL:
        return None
    if not address.isascii() and (
        unicodedata.normalize("NFKC", address) != address or _has_invisible(address)
    ):
        return None
    local, at, domain = address.partition("@")
    labels = domain.split(".")
    good = (
        at
        and len(local) <= _LONGEST_LOCAL
        and _LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
    )
    return address if good else None


def normal_phone(text: object, country: str | None) -> str | None:
    """The E.164 form (``+4791234567``), or ``None`` when it is not a possible, valid number.

    ``country`` (ISO 3166-1 alpha-2) reads numbers without a country code; without it they are
    ``None``. Metadata: https://github.com/google/libphonenumber.
    """
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def domain_of(email: str) -> str:
    """The part after the @ of a normal address."""
    return email.rpartition("@")[2]


def _has_invisible(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cf", "Cc", "Cs", "Co") for character in text)
