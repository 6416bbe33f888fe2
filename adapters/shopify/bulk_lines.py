"""Reads the file in which Shopify puts a bulk operation's answer, and joins parents and children.

One JSON object a line; a child names its parent in ``__parentId``, which is a thing of its own or
another child. https://shopify.dev/docs/api/usage/bulk-operations/queries. Joined while it streams:
`in_groups`, where each child stands under its parent; else from a copy on disk: `bulk_spill`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from adapters.line import HiccupError
from connector.errors import TryLater
from connector.strict_json import Sound, examine

LONGEST_LINE = 8 * 1024 * 1024
_TRIES = 4
_PARENT = re.compile(rb'"__parentId":"(gid://shopify/\w+/\d+)"')
_OWN = re.compile(rb'\{"(?:__typename":"\w+",")?id":"(gid://shopify/\w+/\d+)"')
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode

Fetch = Callable[[int], Iterator[bytes]]
"""The file's bytes from a place on. Raises `HiccupError` when it breaks off."""
Node = dict[str, Any]


@dataclass(slots=True)
class Thing:
    """One thing of the file with everything below it. ``start`` is the byte where it begins.

    Of a ``doubtful`` one a part could not be read, or may have been: ``root`` is then of no use.
    """

    gid: str
    root: Node | None
    start: int
    children: list[Node] = field(default_factory=list)
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read, and the byte where it begins."""

    start: int
    line: bytes


class ScatteredError(Exception):
    """A child does not stand under its parent."""


def lines_of(
    fetch: Fetch, *, after: int, size: int | None, rest: Callable[[float], None]
) -> Generator[tuple[int, bytes], None, None]:
    """Each line with the byte where it begins. What broke off is read on from where it broke.

    A line that is longer than any thing can be is cut. Raises `TryLater` when the file breaks off
    again and again, or is shorter than its ``size``.
    """
    tail = bytearray()
    place, tries = after, 0  # ``place`` is where the tail begins
    while True:
        try:
            for piece in fetch(place + len(tail)):
                tries = 0
                *whole, last = (bytes(tail) + piece if tail else piece).split(b"\n")
                for line in whole:
                    yield place, line
                    place += len(line) + 1
                tail = bytearray(last)
                if len(tail) > LONGEST_LINE:
                    raise TryLater("the bulk operation's file has a line without an end")
        except HiccupError as hiccup:
            tries += 1
            if tries == _TRIES:
                raise TryLater(f"the bulk operation's file: {hiccup}") from None
            rest(float(tries))
            continue
        break
    if size is not None and place + len(tail) < size:
        raise TryLater("the bulk operation's file is shorter than the shop says")
    if tail:
        yield place, bytes(tail)


def read_line(line: bytes) -> Node | None:
    """The object in a line; ``None`` if it holds none. NUL characters are taken out of text."""
    if b"\\u0000" in line:
        examined = examine(line)
        return examined.value if isinstance(examined, Sound) else None
    try:
        value = _DECODE(line)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def in_groups(lines: Iterable[tuple[int, bytes]], kind: str) -> Iterator[Thing | BadLine]:
    """Each thing with its children, which stand right under it. ``kind`` is GraphQL's word for it.

    Raises `ScatteredError` for a child that stands elsewhere.
    """
    groups = _Groups(kind)
    for start, line in lines:
        if line.strip():
            yield from groups.take(start, line)
    if groups.thing is not None:
        yield groups.thing


class _Groups:
    """The thing at hand. What it gives back is what is complete by now."""

    def __init__(self, kind: str) -> None:
        self.thing: Thing | None = None
        self._kind = kind
        self._family: set[str] = set()
        self._lost = False  # a line that names nothing may have been the parent of what follows

    def take(self, start: int, line: bytes) -> Sequence[Thing | BadLine]:
        node = read_line(line)
        gid, parent = names_in(line, node)
        if node is None or (gid is None and parent is None):
            return (BadLine(start, line), *self._spoil(start, gid, parent))
        if parent is None:
            return self._begin(Thing(gid or "", node, start))
        done: Sequence[Thing] = ()
        if parent not in self._family:
            if not self._lost:
                raise ScatteredError
            done = self._begin(Thing(parent, None, start, doubtful=True))
        if self.thing is not None:
            self.thing.children.append(node)
        if gid is not None:
            self._family.add(gid)
        return done

    def _begin(self, thing: Thing) -> Sequence[Thing]:
        before, self.thing = self.thing, thing
        self._family, self._lost = {thing.gid}, False
        return () if before is None else (before,)

    def _spoil(self, start: int, gid: str | None, parent: str | None) -> Sequence[Thing]:
        """Whatever the line may have belonged to is doubtful."""
        if self.thing is not None:
            self.thing.doubtful = True
        if parent is not None:
            return ()
        if gid is not None and is_a(gid, self._kind):
            return self._begin(Thing(gid, None, start, doubtful=True))
        self._lost = gid is None
        return ()


def names_in(line: bytes, node: Node | None) -> tuple[str | None, str | None]:
    """A line's own name and its parent's; of one that cannot be read, those that show in it."""
    if node is None:
        own, above = _OWN.match(line), _PARENT.search(line)
        return (own[1].decode() if own else None, above[1].decode() if above else None)
    gid, parent = node.get("id"), node.get("__parentId")
    return (gid if isinstance(gid, str) else None, parent if isinstance(parent, str) else None)


def is_a(gid: str, kind: str) -> bool:
    """Whether a name is of this kind of thing."""
    return gid.startswith(gid_mark(kind))


def gid_mark(kind: str) -> str:
    """What the names of all things of a kind begin with."""
    return f"gid://shopify/{kind}/"
