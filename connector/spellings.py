"""The spellings in which an address hides in a body: JSON escapes, full width, another case.

`identity` merges two spellings only when they are surely one address; here it is the other way
round: whoever was erased must be recognised in every spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import unquote

from connector.identity import normal_email

_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_NO_PART = r"\s\"'<>(),:;\\\[\]@=&?/"
_BEFORE = re.compile(f"[^{_NO_PART}]+$")
_AFTER = re.compile(f"[^{_NO_PART}]+")
_LONGEST = 255
# What Unicode calls format characters: they are not seen, and part words that are one to the eye.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def folded(text: str) -> str:
    """The text in compatibility form and lower case, without invisible characters."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return text.lower()


def loose_email(text: object) -> str | None:
    """The address that a spelling stands for, look-alike letters included, or ``None``."""
    return normal_email(folded(text)) if isinstance(text, str) else None


def readable(body: bytes) -> str:
    """The words of a JSON or form body, whatever their spelling, folded."""
    text = body.decode("utf-8", "replace")
    if "\\u" in text:
        text = _ESCAPED.sub(_unescaped, text)
    if "%40" in text:
        text = unquote(text)
    return folded(text.replace("\\/", "/"))


def addresses_in(body: bytes) -> frozenset[str]:
    """Every e-mail address that a body names."""
    text = readable(body)
    return frozenset(
        address
        for at in re.finditer("@", text)
        if (local := _BEFORE.search(text, max(0, at.start() - _LONGEST), at.start()))
        and (domain := _AFTER.match(text, at.end(), at.end() + _LONGEST))
        and (address := normal_email(f"{local[0]}@{domain[0].rstrip('.')}"))
    )


def pattern_of(words: Collection[str]) -> re.Pattern[str]:
    """Finds one of these folded words in a `readable` body, and no longer word that holds it."""
    either = "|".join(re.escape(word) for word in sorted(words)) or r"(?!)"
    return re.compile(rf"(?<![\w.+-])(?:{either})(?![\w-]|\.\w)")


def _unescaped(match: re.Match[str]) -> str:
    units = bytes.fromhex(match[0].replace("\\u", ""))
    return units.decode("utf-16-be", "replace")
