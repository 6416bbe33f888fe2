"""What a merge field or a tag may hold, and what is made of a value that it may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from connector.model import Json

LONGEST_TEXT = 255  # bytes; Mailchimp cuts there itself, in the middle of a letter if need be
LONGEST_TAG = 100  # characters
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T.*)?")
_DIGITS = 15  # beyond these a JSON number is no longer exact at the other end

FOR_TEXT = frozenset({"text", "phone", "url", "zip", "imageurl"})
"""Types that hold any text as it is (https://mailchimp.com/help/manage-audience-signup-form-fields/)."""

_CHOICES = frozenset({"radio", "dropdown"})


def clean(text: str) -> str:
    """The text without control characters and halves of letters; line breaks become blanks."""
    if text.isprintable():
        return text.strip()
    spaced = re.sub(r"[\t\r\n\v\f\u0085\u2028\u2029]+", " ", text)
    return "".join(
        letter for letter in spaced if unicodedata.category(letter) not in ("Cc", "Cs", "Cn", "Co")
    ).strip()


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """At most so many bytes of UTF-8, never part of a character."""
    return text.encode()[:most].decode("utf-8", "ignore")


def tag_names(tags: Iterable[str]) -> dict[str, str]:
    """The names as Mailchimp keeps them, by the form in which two of them are one tag."""
    names = (clean(tag)[:LONGEST_TAG].strip() for tag in tags)
    return {name.lower(): name for name in names if name}


def field_values(
    fields: Mapping[str, Json], types: Mapping[str, str]
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The values that the audience's merge fields can hold, and the names of those left out.

    ``types`` gives Mailchimp's type of each merge field it has. An unknown value clears the field.
    """
    held: dict[str, Json] = {}
    left_out = []
    for name, value in fields.items():
        tag = name.upper()
        written = _write(value, types[tag]) if tag in types else None
        if written is None:
            left_out.append(tag)
        else:
            held[tag] = written
    return held, tuple(left_out)


def _write(value: Json, kind: str) -> str | int | Decimal | None:
    text = _as_text(value)
    if text is None:
        return None
    if not text:
        return ""
    if kind in FOR_TEXT or kind in _CHOICES:
        return cut(text)
    if kind == "number":
        return _as_number(text)
    day = _DAY.fullmatch(text)
    if day is None:
        return None
    match kind:
        case "date":
            return f"{day[1]}-{day[2]}-{day[3]}"
        case "birthday":
            return f"{day[2]}/{day[3]}"
        case _:  # an address, or a type that came after this was written
            return None


def _as_text(value: Json) -> str | None:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float() | Decimal():
            return clean(str(value))
        case list() | tuple() if all(isinstance(each, str | int) for each in value):
            return clean(", ".join(str(each) for each in value))
        case _:
            return None


def _as_number(text: str) -> int | Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or len(number.as_tuple().digits) > _DIGITS:
        return None
    plain = format(number, "f")
    if len(plain) > LONGEST_TEXT:
        return None
    return int(number) if number == number.to_integral_value() else Decimal(plain)
