"""Joins parents and children of a bulk operation's file that stand anywhere in it, on the disk.

Shopify writes such a file quicker, but promises no order in it. Neither the parents nor the lines
that wait for theirs would fit in memory, so all lines go into a temporary file first: SQLite's own,
which has no name, so that it is gone whatever becomes of this process. It takes about as much room
as the file itself. https://www.sqlite.org/tempfiles.html#temporary_databases
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import TypeAlias

import msgspec

from adapters.shopify.bulk_lines import BadLine, Node, Thing, is_a, names_in, read_line

_MEMORY_KIB = 32 * 1024
_AT_ONCE = 2000
_MAY_HAVE_CHILDREN = "ProductVariant"  # of all that is a child itself
_Row: TypeAlias = tuple[int, str | None, str | None, bytes]


class LostLineError(Exception):
    """A line cannot be read and names nothing: any thing of the file may lack it."""


class _Names(msgspec.Struct):
    id: str | None = None
    parent: str | None = msgspec.field(default=None, name="__parentId")


_read_names = msgspec.json.Decoder(_Names).decode


def from_disk(
    lines: Iterable[tuple[int, bytes]], kind: str, *, skip: int
) -> Iterator[Thing | BadLine]:
    """Each thing with its children, in the order of the file, but for the first ``skip`` things.

    Raises `LostLineError`.
    """
    with closing(sqlite3.connect("")) as spill:
        spill.execute("PRAGMA journal_mode = OFF")
        spill.execute("PRAGMA synchronous = OFF")
        spill.execute(f"PRAGMA cache_size = -{_MEMORY_KIB}")
        spill.execute("CREATE TABLE lines (place INTEGER PRIMARY KEY, id, parent, line)")
        yield from _things(spill, _written(spill, lines), kind, skip)


def _written(spill: sqlite3.Connection, lines: Iterable[tuple[int, bytes]]) -> list[BadLine]:
    """Write all lines down; gives those that cannot be read."""
    bad: list[BadLine] = []
    rows = _rows(lines, bad)
    while batch := list(islice(rows, _AT_ONCE)):
        spill.executemany("INSERT INTO lines VALUES (?, ?, ?, ?)", batch)
    spill.execute("CREATE INDEX children ON lines (parent, place)")
    spill.execute("CREATE INDEX names ON lines (id)")
    return bad


def _rows(lines: Iterable[tuple[int, bytes]], bad: list[BadLine]) -> Iterator[_Row]:
    for start, line in lines:
        if not line.strip():
            continue
        try:
            names = _read_names(line)
            yield start, names.id, names.parent, line
        except (msgspec.DecodeError, UnicodeDecodeError):
            gid, parent = names_in(line, None)
            bad.append(BadLine(start, line))
            yield start, gid, parent, line


def _things(
    spill: sqlite3.Connection, bad: list[BadLine], kind: str, skip: int
) -> Iterator[Thing | BadLine]:
    yield from bad if not skip else ()
    if any(names_in(each.line, None) == (None, None) for each in bad):
        raise LostLineError
    unread = {each.start for each in bad}
    given = 0
    for start, gid, line in spill.execute(
        "SELECT place, id, line FROM lines WHERE parent IS NULL ORDER BY place"
    ):
        if gid is None or not is_a(gid, kind):
            continue
        given += 1
        if given > skip:
            yield _thing(spill, gid, start, line, unread)
    for (gid,) in spill.execute(
        "SELECT DISTINCT parent FROM lines AS child WHERE parent IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM lines AS above WHERE above.id = child.parent) ORDER BY parent"
    ):
        if is_a(gid, kind):
            yield Thing(gid, None, 0, doubtful=True)


def _thing(spill: sqlite3.Connection, gid: str, start: int, line: bytes, unread: set[int]) -> Thing:
    root = read_line(line)
    thing = Thing(gid, root, start, doubtful=root is None)
    parents = [gid]
    while parents:
        for place, own, told in spill.execute(
            "SELECT place, id, line FROM lines WHERE parent = ? ORDER BY place", (parents.pop(),)
        ):
            child: Node | None = read_line(told)
            if child is None or place in unread:
                thing.doubtful = True
                continue
            thing.children.append(child)
            if own is not None and is_a(own, _MAY_HAVE_CHILDREN):
                parents.append(own)
    thing.children.sort(key=_number)
    return thing


def _number(child: Node) -> tuple[int, str]:
    """By their numbers: the file says nothing of the order in which the shop shows them."""
    gid = str(child.get("id"))
    return len(gid), gid
