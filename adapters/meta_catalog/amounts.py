"""An amount as Meta writes it for people, ``$1,234.50``, read back to the last cent."""

from __future__ import annotations

import re

from connector.money import exponent

_WHOLE = frozenset({"COP", "CRC", "HUF", "IDR", "TWD"})
"""Currencies of which Meta knows no hundredths, although they have some.

https://developers.facebook.com/docs/marketing-api/currencies (offset 1)
"""

_NUMBER = re.compile(r"\d[\d.,'\u2019\u066b\u066c\s]*")
_NO_DIGIT = re.compile(r"\D")
_CENTS = re.compile(r"[.,\u066b](\d{1,2})$")
_HUNDREDTHS = 2


def is_kept_exactly(minor: int, currency: str) -> bool:
    """Whether Meta gives back this very amount: it knows at most hundredths, of some not those."""
    if exponent(currency) > _HUNDREDTHS:
        return False
    return currency not in _WHOLE or minor % 100 == 0


def read_amount(text: object, currency: str) -> int | None:
    """Minor units of an amount with whatever sign and separators; ``None`` for what is none.

    One or two digits after the last separator are hundredths, three are thousands: amounts have
    no more than two decimals there.
    """
    found = _NUMBER.search(text) if isinstance(text, str) else None
    if found is None or exponent(currency) > _HUNDREDTHS:
        return None
    number = found[0].rstrip(".,'\u2019\u066b\u066c \t\u00a0\u202f")
    cents = _CENTS.search(number)
    whole = number[: cents.start()] if cents else number
    hundredths = int(_NO_DIGIT.sub("", whole)) * 100
    if cents:
        hundredths += int(cents[1].ljust(2, "0"))
    if exponent(currency) == _HUNDREDTHS:
        return hundredths
    major, rest = divmod(hundredths, 100)
    return None if rest else major
