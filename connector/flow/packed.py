"""What was read of a shop's past, packed for the way from one process of ours to another.

Pickle takes five times as long. What this cannot pack (numbers beyond 64 bits) goes that way.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import msgspec

from connector import model
from connector.ports import Haul, Recalled

_Row = tuple[str, bytes, str, int, msgspec.Raw]
"""Id, body, topic, which kind of understanding it is, and what is in it."""

_FACTS = (
    model.Order,
    model.Customer,
    model.Product,
    model.Variant,
    model.Cart,
    model.Promotion,
    model.Deleted,
    model.Evidence,
    model.AddressChange,
    model.DataRequest,
    model.Redaction,
)
_NUMBERS = {fact: number for number, fact in enumerate(_FACTS)}
_UNDERSTOOD, _IGNORED, _QUARANTINED = range(3)
_PACKED, _PICKLED = b"m", b"p"

_encode = msgspec.msgpack.Encoder().encode
_haul: Callable[[memoryview], tuple[str, int | None, list[_Row]]] = msgspec.msgpack.Decoder(
    tuple[str, int | None, list[_Row]]
).decode
_inside: Callable[[Any], tuple[list[tuple[int, msgspec.Raw]], tuple[str, ...], list[model.Wish]]]
_inside = msgspec.msgpack.Decoder(
    tuple[list[tuple[int, msgspec.Raw]], tuple[str, ...], list[model.Wish]]
).decode
_fact: tuple[Callable[[Any], Any], ...] = tuple(
    msgspec.msgpack.Decoder(fact).decode for fact in _FACTS
)
_ignored: Callable[[Any], model.Ignored] = msgspec.msgpack.Decoder(model.Ignored).decode
_quarantined: Callable[[Any], model.Quarantined] = msgspec.msgpack.Decoder(model.Quarantined).decode


def pack(haul: Haul) -> bytes:
    """A haul as bytes."""
    try:
        return _PACKED + _encode((haul.cursor, haul.total, [_row(each) for each in haul.found]))
    except (OverflowError, TypeError):
        return _PICKLED + pickle.dumps(haul, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Haul:
    """The haul again. Only for what `pack` made."""
    if packed[:1] == _PICKLED:
        haul: Haul = pickle.loads(packed[1:])  # noqa: S301 - it comes from a process of our own
        return haul
    cursor, total, rows = _haul(memoryview(packed)[1:])
    return Haul(found=[_recalled(*row) for row in rows], cursor=cursor, total=total)


def _row(thing: Recalled) -> tuple[Any, ...]:
    match thing.understanding:
        case model.Understood(facts=facts, flags=flags, wishes=wishes):
            numbered = [(_NUMBERS[type(fact)], fact) for fact in facts]
            return thing.id, thing.body, thing.topic, _UNDERSTOOD, (numbered, flags, wishes)
        case model.Ignored() as ignored:
            return thing.id, thing.body, thing.topic, _IGNORED, ignored
        case quarantined:
            return thing.id, thing.body, thing.topic, _QUARANTINED, quarantined


def _recalled(thing: str, body: bytes, topic: str, what: int, raw: msgspec.Raw) -> Recalled:
    return Recalled(id=thing, body=body, topic=topic, understanding=_understanding(what, raw))


def _understanding(what: int, raw: msgspec.Raw) -> model.Understanding:
    if what == _IGNORED:
        return _ignored(raw)
    if what == _QUARANTINED:
        return _quarantined(raw)
    facts, flags, wishes = _inside(raw)
    return model.Understood(
        facts=tuple(_fact[number](fact) for number, fact in facts),
        flags=flags,
        wishes=tuple(wishes),
    )
