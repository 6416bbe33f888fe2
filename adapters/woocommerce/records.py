"""Takes a page of a list apart: each thing with its own bytes, as strictly read as a webhook.

Several things are examined together where that proves as much as examining each by itself; where
it does not, each is, so that one bad record is one bad record.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from adapters.woocommerce.coupons import CouponBody
from adapters.woocommerce.parse import understand_record, understand_sound
from adapters.woocommerce.payloads import CustomerBody, OrderBody, ProductBody
from adapters.woocommerce.reading import tie_of
from connector.model import Kind
from connector.ports import Recalled, keeps_body
from connector.shop_fields import Slip, read_id
from connector.strict_json import DEEPEST


class _ListedProduct(ProductBody, frozen=True, kw_only=True):
    """A product as a list shows it: with everything that tells it from other things."""

    name: Any
    type: Any
    status: Any


_SHAPES: dict[Kind, Any] = {
    Kind.ORDER: OrderBody,
    Kind.CUSTOMER: CustomerBody,
    Kind.PRODUCT: _ListedProduct,
    Kind.PROMOTION: CouponBody,
}
_TOPICS = {kind: f"{kind}.updated" for kind in _SHAPES} | {Kind.PROMOTION: "coupon.updated"}
FIELDS = {
    kind: ",".join(member.encode_name for member in msgspec.structs.fields(shape))
    for kind, shape in _SHAPES.items()
}
"""What is asked for of a thing: all that is read of it, and nothing else."""


class OddPageError(Exception):
    """An answer that cannot be a page of this list as it is now; the text says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in a list: its id, if it can be read, and when it was last changed, as told."""

    id: int | None
    changed: str
    body: bytes


class _Head(msgspec.Struct, frozen=True):
    id: Any = None
    date_modified_gmt: Any = None


_TOGETHER = 8
"""More at once are slower: what is made of them no longer fits where the processor is quick."""
_BOM = b"\xef\xbb\xbf"
_SPLITTER = msgspec.json.Decoder(list[msgspec.Raw])
_HEADS = msgspec.json.Decoder(list[_Head])
_LENIENT = json.JSONDecoder(parse_float=len, parse_int=len)
_BLANK = re.compile(r"[ \t\r\n]*")


def records_in(body: bytes) -> list[Record]:
    """The things in a page. Raises `OddPageError` for what is no list of things."""
    text = body.removeprefix(_BOM)
    try:
        bodies = [bytes(raw) for raw in _SPLITTER.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        bodies = list(_split(text))
    try:
        heads = _HEADS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        heads = [_head(each) for each in bodies]
    found = [
        Record(_number(head.id), _told(head.date_modified_gmt), each)
        for head, each in zip(heads, bodies, strict=True)
    ]
    if found and all(record.id is None for record in found):
        raise OddPageError("its things have no ids")
    return found


def understood(
    kind: Kind, records: Sequence[Record], slip_for: Callable[[int], Slip]
) -> list[Recalled]:
    """What each thing means. ``slip_for`` makes a slip with the tie it is given."""
    found: list[Recalled] = []
    for begin in range(0, len(records), _TOGETHER):
        found += _understood(kind, records[begin : begin + _TOGETHER], slip_for)
    return found


def _understood(
    kind: Kind, records: Sequence[Record], slip_for: Callable[[int], Slip]
) -> Iterator[Recalled]:
    together = b"[" + b",".join([record.body for record in records]) + b"]"
    shapes = _DECODERS[kind](together) if _is_sound(together) else None
    for at, record in enumerate(records):
        slip = slip_for(tie_of(record.body))
        if shapes is None:
            reading = understand_record(kind, record.body, slip)
        else:
            reading = understand_sound(kind, shapes[at], slip)
        kept = record.body if keeps_body(reading) else b""
        told = "" if record.id is None else str(record.id)
        yield Recalled(id=told, understanding=reading, body=kept, topic=_TOPICS[kind])


def _decoder(shape: Any) -> Callable[[bytes], list[Any] | None]:
    decode = msgspec.json.Decoder(list[shape], float_hook=Decimal).decode

    def of(body: bytes) -> list[Any] | None:
        try:
            found: list[Any] = decode(body)
        except (msgspec.DecodeError, ArithmeticError):
            return None  # one is of another shape: each is looked at by itself
        return found

    return of


def _number(value: object) -> int | None:
    found = read_id(value)
    return None if found is None else int(found)


def _told(value: object) -> str:
    return value if isinstance(value, str) else ""


def _head(body: bytes) -> _Head:
    """The head of a record that may be unsound; what cannot be read of it is nothing."""
    try:
        return msgspec.json.decode(body, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Head()


def _split(body: bytes) -> Iterator[bytes]:
    """The members of a list in which one is no JSON that msgspec takes, such as ``NaN``."""
    text = body.decode("utf-8", "surrogateescape")
    at = _past_blanks(text, 0)
    if text[at : at + 1] != "[":
        raise OddPageError("it is no list")
    at = _past_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            _, end = _LENIENT.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise OddPageError("it is no JSON") from None
        yield text[at:end].encode("utf-8", "surrogateescape")
        at = _past_blanks(text, end)
        if text[at : at + 1] == ",":
            at = _past_blanks(text, at + 1)
        elif text[at : at + 1] != "]":
            raise OddPageError("it ends in the middle")


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


# --- Strictness, for several at once -------------------------------------------------------------

_LEVELS_A_ROUND = 2
_ESCAPED = re.compile(rb"\\u00(?:00|3[aA])")
_LONGEST_NUMBER = 400
_EVERY = 40
_LONG_NUMBER = re.compile(rb"[0-9]{10}")
_NOT_STRUCTURE = bytes(letter for letter in range(256) if letter not in b'"[]{}')
_STRING = re.compile(rb'"[^"]*"')


def _measured(literal: str) -> float:
    number = float(literal)
    if len(literal) > _LONGEST_NUMBER or not math.isfinite(number):
        raise ArithmeticError
    return number


_PLAIN = msgspec.json.Decoder(float_hook=_measured)


def _is_sound(body: bytes) -> bool:
    """Whether `strict_json.examine` would pass every thing in a list; no is only a maybe.

    A key that stood twice in one object is lost when it is read, and missing when it is written
    again: then there are fewer colons in it than before. Text has as many in both, unless one was
    written as an escape.
    """
    # A number of more than 400 digits shows in every fortieth letter.
    if _ESCAPED.search(body) or _LONG_NUMBER.search(body[::_EVERY]):
        return False
    try:
        again = msgspec.json.encode(_PLAIN.decode(body))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        return False
    return body.count(b":") == again.count(b":") and _is_shallow(again)


def _is_shallow(body: bytes) -> bool:
    """Whether JSON without blanks nests at most 64 deep in each member of its list.

    Each round takes away at least the innermost level, and at most two.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    bare = _STRING.sub(b"", bare.replace(b'""', b""))
    for _ in range(DEEPEST // _LEVELS_A_ROUND):
        if not bare:
            return True
        bare = bare.replace(b"{}", b"").replace(b"[]", b"")
    return not bare


_DECODERS = {kind: _decoder(shape) for kind, shape in _SHAPES.items()}
