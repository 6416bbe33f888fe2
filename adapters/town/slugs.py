"""Turns a title or a name into the plain ASCII that addresses are made of."""

from __future__ import annotations

import re
import unicodedata

_FOLDED = str.maketrans("øåłðß", "oaldb") | {ord("æ"): "ae", ord("þ"): "th", ord("ß"): "ss"}


def slug(text: str) -> str:
    """A title as part of an address."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_FOLDED))
    plain = plain.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
