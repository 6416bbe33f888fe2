"""Money: whole minor units beside an ISO 4217 code, never a float, never mixed in a sum."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# ISO 4217:2015 amendment 176, list one: the currencies whose minor unit is not a hundredth.
# https://www.six-group.com/en/products-services/financial-information/data-standards.html
_EXPONENTS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)

_LONGEST = 40
_SHORT = 19
_HUNDREDTHS = 2
_TOO_MUCH = 2**63  # more than a column holds
_CODE = re.compile("[A-Z]{3}")


def exponent(currency: str) -> int:
    """How many decimal places the currency's minor unit stands for."""
    return _EXPONENTS.get(currency, 2)


def parse_currency(text: object) -> str | None:
    """An ISO 4217 code in capitals, or ``None`` for anything that does not look like one."""
    if not isinstance(text, str):
        return None
    code = text.strip().upper()
    return code if _CODE.fullmatch(code) else None


def to_minor(amount: object, currency: str) -> int | None:
    """Minor units of an amount written in major units (``"340.44"`` EUR is 34044).

    Takes text with a decimal point, integers and `Decimal`; half a minor unit is rounded away from
    zero, as shops round. ``None`` for what is no finite decimal number: empty text, ``"19,99"``,
    ``"1e3"``, more than 40 characters, more than the store holds. A float is refused: its digits
    are already lost.
    """
    if type(amount) is str and amount[-3:-2] == "." and len(amount) < _SHORT:
        digits = amount[:-3] + amount[-2:]  # "340.44", as nearly all are
        if digits.isascii() and digits.isdigit() and exponent(currency) == _HUNDREDTHS:
            return int(digits)
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        return None
    text = str(amount).strip()
    if not text or len(text) > _LONGEST or not set(text) <= set("+-.0123456789"):
        return None
    try:
        value = Decimal(text).scaleb(exponent(currency))
        minor = int(value.quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    except InvalidOperation:
        return None
    return minor if abs(minor) < _TOO_MUCH else None


def to_major(minor: int, currency: str) -> Decimal:
    """The amount in major units with its currency's decimal places: 34044 EUR is ``340.44``."""
    return Decimal(minor).scaleb(-exponent(currency))
