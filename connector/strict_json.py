"""Reads what a shop sends as JSON, exactly or not at all: nothing is guessed, nothing overwritten.

Stricter than most readers, because a body read one way here and another way there is how wrong
facts are born: UTF-8 only, no key twice in one object, no number that is infinite or thousands of
digits long, at most 64 levels. Two things are forgiven and flagged: a byte order mark, and NUL
characters in text, which no database column takes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

DEEPEST = 64

_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_SPACE_BEFORE_COLON = re.compile(b" :")  # twice as fast as ``in``
_ESCAPE = re.compile(rb"\\(?:u0000|.)", re.DOTALL)
_LARGEST = 10**400
_LONGEST_NUMBER = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A body that passed. Numbers with a decimal point are `Decimal`, digit for digit.

    ``flags`` holds ``bom`` and ``nul_removed`` where that was so.
    """

    value: dict[str, Any]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsound:
    """A body that did not pass, with a short code and where it went wrong; never its content.

    Codes: ``empty``, ``encoding``, ``lone_surrogate``, ``not_json``, ``depth``, ``number``,
    ``duplicate_key``, ``shape`` (sound, but no object at the top).
    """

    reason: str
    detail: str


Examined: TypeAlias = Sound | Unsound


def examine(body: bytes) -> Examined:
    """Decode a body strictly. Never raises, whatever the bytes are."""
    try:
        text, flags = _plain_text(body)
        value = _decode(text)
        if not _keys_are_unique(text, _count_keys(value)):
            return Unsound(reason="duplicate_key", detail="a key stands twice in one object")
    except _RefusedError as refused:
        return refused.verdict
    if not isinstance(value, dict):
        kind = type(value).__name__
        return Unsound(reason="shape", detail=f"the top of the body is a {kind}, not an object")
    return Sound(value=value, flags=flags)


class _RefusedError(Exception):
    """The body is not sound; the verdict says why."""

    def __init__(self, reason: str, detail: str) -> None:
        self.verdict = Unsound(reason=reason, detail=detail)


def _plain_text(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The body without what is forgiven, and the flags that tell of it."""
    flags: tuple[str, ...] = ()
    if body.startswith(_BOM):
        body, flags = body[len(_BOM) :], ("bom",)
    if body.startswith(_OTHER_BOMS) or b"\x00" in body[:4]:
        raise _RefusedError("encoding", "the body is UTF-16 or UTF-32, not UTF-8")
    if not body.strip():
        raise _RefusedError("empty", "the body is empty")
    if b"\\u0000" in body:
        cleaned = _ESCAPE.sub(lambda found: b"" if found[0] == b"\\u0000" else found[0], body)
        flags += ("nul_removed",) if cleaned != body else ()
        body = cleaned
    return body, flags


class _UnboundedError(ArithmeticError):
    """A number beyond all measure; no ValueError, which msgspec would rename."""


def _decode(body: bytes) -> Any:
    try:
        body.decode("utf-8")
        return _DECODER.decode(body)
    except UnicodeDecodeError as error:
        raise _RefusedError("encoding", f"byte {error.start} is not valid UTF-8") from None
    except RecursionError:
        raise _RefusedError(*_TOO_DEEP) from None
    except (ArithmeticError, msgspec.ValidationError):
        raise _RefusedError(*_TOO_BIG) from None
    except msgspec.DecodeError as error:
        raise _RefusedError(*_diagnose(body, str(error))) from None


def _exact(literal: str) -> Decimal:
    """A number with a point or an exponent, if a float could hold its size."""
    if len(literal) > _LONGEST_NUMBER or not math.isfinite(float(literal)):
        raise _UnboundedError
    return Decimal(literal)


_DECODER = msgspec.json.Decoder(float_hook=_exact)
_TOO_DEEP = ("depth", f"nested deeper than {DEEPEST} levels")
_TOO_BIG = ("number", "a number is infinite or hundreds of digits long")


def _count_keys(value: Any) -> int:
    """How many keys all objects together kept; refuses what is too deep or too big on the way."""
    level = [value] if isinstance(value, dict | list) else []
    keys = depth = 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _RefusedError(*_TOO_DEEP)
        below: list[Any] = []
        for holder in level:
            values: Iterable[Any] = holder
            if type(holder) is dict:
                keys += len(holder)
                values = holder.values()
            for item in values:
                kind = type(item)
                if kind is str:  # most are: this line keeps the walk short
                    continue
                if kind is dict or kind is list:
                    below.append(item)
                elif kind is int and not -_LARGEST < item < _LARGEST:
                    raise _RefusedError(*_TOO_BIG)
        level = below
    return keys


def _keys_are_unique(body: bytes, keys: int) -> bool:
    """Whether as many keys were kept as the text holds.

    Without white space before a colon, ``":`` ends every key and stands nowhere else but in text
    with quotes, where it only adds to the count: an equal count proves that no key was lost, for a
    fifth of the time of watching every object being built. The other texts need that.
    """
    compact = b"\n" not in body and b"\t" not in body and b"\r" not in body
    if compact and not _SPACE_BEFORE_COLON.search(body) and body.count(b'":') == keys:
        return True
    try:
        json.loads(body, object_pairs_hook=_refuse_twins, parse_float=len, parse_int=len)
    except _TwinKeysError:
        return False
    return True


class _TwinKeysError(Exception):
    """One object holds one key twice."""


def _refuse_twins(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _TwinKeysError


def _diagnose(body: bytes, complaint: str) -> tuple[str, str]:
    """What is wrong with a refused text: two faults that lenient readers let pass have names."""
    try:
        text = json.loads(body, parse_int=len, parse_constant=_refuse_constant)
        json.dumps(text, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return "lone_surrogate", "half a character, which no text can hold"
    except _UnboundedError:
        return _TOO_BIG
    except (ValueError, RecursionError):
        return "not_json", complaint
    return "not_json", complaint


def _refuse_constant(_: str) -> None:
    raise _UnboundedError
