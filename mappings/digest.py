"""The digest of what a mapping means: the same for the same meaning, whatever its comments."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any


def digest_of(meaning: object) -> str:
    """64 hexadecimal digits that stand for a mapping, or for any part of one."""
    text = json.dumps(_plain(meaning), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Nouns by their class and parts, sets and tables without order, all else as its text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {"noun": type(value).__name__, "parts": parts}
    match value:
        case Enum():
            return [type(value).__name__, value.name]
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case set() | frozenset():
            return sorted((_plain(each) for each in value), key=json.dumps)
        case tuple() | list():
            return [_plain(each) for each in value]
        case bool() | int() | str() | None:
            return value
        case _:
            return [type(value).__name__, str(value)]
