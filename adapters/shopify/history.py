"""Reads a shop's past: all from a file that Shopify writes; page by page what is recent or few.

Grouped files are read as they come, with one thing in memory. Shopify may fail at such a large
one; then the ungrouped kind is asked for, which is joined on the disk. What Shopify does not want
to write at all is read page by page.

A cursor says by which of the ways, and how far: small, and good after this process has died.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from adapters.shopify import bulk, pages
from adapters.shopify.asking import PAST, Ask, Whole, fetch, recall
from adapters.shopify.bulk import Operation, Stage
from adapters.shopify.bulk_lines import BadLine, ScatteredError, Thing, in_groups, lines_of
from adapters.shopify.bulk_spill import LostLineError, from_disk
from adapters.shopify.bulk_things import joined
from adapters.shopify.client import FileGoneError
from adapters.shopify.kinds import SHELVES
from adapters.shopify.outranking import outranking
from adapters.shopify.parse import Place
from adapters.shopify.reading import read_gid
from connector.errors import LaneDown
from connector.model import (
    Kind,
    Quarantined,
    Wish,
)
from connector.ports import Haul, Recalled, keeps_body

RECENT = timedelta(days=3)
"""What was changed since then is quicker read in pages than written into a file first."""
IN_A_HAUL = 500
_PAUSES = (1.0, 2.0, 4.0, 8.0)
_MOST_STARTS = 3
_MOST_WAITED = 15 * 60.0
"""Seconds without any progress, after which the pages are turned instead."""
_MEND = (
    "Whoever runs the connector: report this line; what it may be a part of was asked for again."
)


class ByFile(msgspec.Struct, tag="file", omit_defaults=True, frozen=True):
    """How far a file is read: the byte of the next thing, or of a joined one how many things."""

    operation: str | None = None
    grouped: bool = True
    scattered: bool = False
    """It was said to be grouped, and is not."""
    byte: int = 0
    things: int = 0
    starts: int = 0
    counted: int = 0
    waited: float = 0.0
    ended: bool = False


class ByPages(msgspec.Struct, tag="pages", omit_defaults=True, frozen=True):
    """After which thing the next page begins."""

    after: str | None = None
    ended: bool = False


_Cursor: TypeAlias = ByFile | ByPages
_read_cursor = msgspec.json.Decoder(ByFile | ByPages).decode


class _NotByFileError(Exception):
    """Shopify does not write this file, or not in any sensible time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One shop's past. ``fetch_file`` and ``rest`` are those of `ShopifyClient`."""

    shop: str
    place: Place
    ask: Ask
    fetch_file: Callable[..., Iterator[bytes]]
    rest: Callable[[float], None]

    def history(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """See `connector.ports.Remembering.history`. While Shopify writes, hauls are empty."""
        reading = _Reading(past=self, kind=kind, since=since, now=now)
        recent = since is not None and now - since < RECENT
        by_pages = recent or not SHELVES[kind].in_file
        at = _opened(cursor) or (ByPages() if by_pages else ByFile())
        if isinstance(at, ByFile):
            try:
                yield from reading.by_file(at)
            except _NotByFileError:
                at = ByPages()
                yield _haul([], at)
            else:
                return
        yield from reading.by_pages(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One reading of one kind, which began ``now``."""

    past: Past
    kind: Kind
    since: datetime | None
    now: datetime

    def by_file(self, at: ByFile) -> Iterator[Haul]:
        """Start, wait and read; begin anew where an operation was lost or failed."""
        while not at.ended:
            if at.operation is None:
                at = yield from self._begin(at)
            stands = bulk.look(self.past.ask, at.operation or "")
            match stands.stage:
                case Stage.WORKING:
                    at = yield from self._wait(at, stands.counted)
                case Stage.DENIED:
                    raise _NotByFileError
                case Stage.FAILED if not at.grouped:
                    raise _NotByFileError
                case Stage.FAILED:
                    at = ByFile(grouped=False, starts=at.starts)
                case Stage.LOST:
                    at = ByFile(grouped=at.grouped, starts=at.starts)
                case Stage.DONE:
                    at = yield from self._read_file(at, stands)

    def by_pages(self, at: ByPages) -> Iterator[Haul]:
        """Page after page. A place that the shop does not know any more is not insisted on."""
        if at.ended:
            return
        turned = 0
        try:
            for haul in self._pages(at):
                turned += 1
                yield haul
        except LaneDown:
            if turned or at.after is None:
                raise
            yield from self._pages(ByPages())

    def _pages(self, at: ByPages) -> Iterator[Haul]:
        for page in pages.whole(self.past.ask, self.kind, since=self.since, after=at.after):
            found = [self._recalled(each) for each in page.things]
            at = ByPages(after=page.after, ended=page.after is None)
            yield _haul(found, at, page.total)

    def _begin(self, at: ByFile) -> Generator[Haul, None, ByFile]:
        """Take up what an earlier try began, or begin; while too much is going on there, wait."""
        shelf = SHELVES[self.kind]
        query = bulk.query_for(shelf.bulk, self.since - pages.OVERLAP if self.since else None)
        while True:
            try:
                found = bulk.find(self.past.ask, query, since=self.now) if not at.starts else None
                if found is None and at.starts == _MOST_STARTS:
                    raise _NotByFileError
                begun = found or bulk.start(self.past.ask, query, grouped=at.grouped)
            except bulk.BusyError:
                at = yield from self._wait(at, at.counted)
                continue
            except (bulk.RefusedError, LaneDown):  # the pages say best what is not allowed
                raise _NotByFileError from None
            at = ByFile(operation=begun, grouped=at.grouped, starts=at.starts + 1)
            yield _haul([], at)
            return at

    def _wait(self, at: ByFile, counted: int) -> Generator[Haul, None, ByFile]:
        if at.waited >= _MOST_WAITED:
            raise _NotByFileError
        waited = at.waited if counted == at.counted else 0.0
        pause = next((each for each in _PAUSES if waited < each), _PAUSES[-1])
        at = msgspec.structs.replace(at, counted=counted, waited=waited + pause)
        yield _haul([], at)
        self.past.rest(pause)
        return at

    def _read_file(self, at: ByFile, stands: Operation) -> Generator[Haul, None, ByFile]:
        if stands.url is None:
            if stands.total:
                return ByFile(grouped=at.grouped, starts=at.starts)  # its link has run out
            return (yield from self._end(at, [], 0))
        try:
            return (yield from self._things(at, stands, stands.url))
        except FileGoneError:
            return ByFile(grouped=at.grouped, starts=at.starts)
        except ScatteredError:
            return msgspec.structs.replace(at, scattered=True, byte=0, things=0)

    def _things(self, at: ByFile, stands: Operation, url: str) -> Generator[Haul, None, ByFile]:
        as_it_comes = at.grouped and not at.scattered
        past, (kind, *_) = self.past, SHELVES[self.kind].one
        lines = lines_of(
            lambda place: past.fetch_file(url, after=place),
            after=at.byte,
            size=stands.size,
            rest=past.rest,
        )
        found: list[Recalled] = []
        with closing(lines):
            things = (
                in_groups(lines, kind) if as_it_comes else from_disk(lines, kind, skip=at.things)
            )
            count = at.things
            try:
                for thing in things:
                    if isinstance(thing, Thing):
                        if len(found) >= IN_A_HAUL:
                            byte = thing.start if as_it_comes else 0
                            at = msgspec.structs.replace(at, byte=byte, things=count)
                            yield _haul(found, at, stands.total)
                            found = []
                        count += 1
                    found += self._understood(thing, anew=at.scattered)
            except LostLineError:  # a part of anything: the pages have it whole
                yield _haul(found, ByPages())
                raise _NotByFileError from None
        return (yield from self._end(at, found, stands.total))

    def _end(
        self, at: ByFile, found: list[Recalled], total: int | None
    ) -> Generator[Haul, None, ByFile]:
        at = msgspec.structs.replace(at, ended=True)
        yield _haul(found, at, total)
        return at

    def _understood(self, thing: Thing | BadLine, *, anew: bool) -> Iterator[Recalled]:
        if isinstance(thing, BadLine):
            yield _bad_line(thing)
            return
        found = read_gid(thing.gid, *SHELVES[self.kind].one)
        if found is None:
            yield _bad_line(BadLine(thing.start, msgspec.json.encode(thing.root)))
            return
        whole = joined(self.kind, thing) if not thing.doubtful else None
        whole = whole or fetch(self.past.ask, Wish(kind=self.kind, id=found))
        if whole is not None:
            recalled = self._recalled(whole)
            yield (
                replace(recalled, understanding=outranking(recalled.understanding))
                if anew
                else recalled
            )

    def _recalled(self, whole: Whole) -> Recalled:
        past = self.past
        understanding = recall(whole, self.kind, past.shop, self.now, past.place)
        known = not keeps_body(understanding)
        return Recalled(
            id=read_gid(whole.node.get("id"), *SHELVES[self.kind].one) or "",
            understanding=understanding,
            body=b"" if known else msgspec.json.encode((whole.node, whole.parts)),
            topic=f"{PAST}{SHELVES[self.kind].words}",
        )


def _bad_line(bad: BadLine) -> Recalled:
    return Recalled(
        id=f"byte-{bad.start}",
        understanding=Quarantined(
            reason="not_json",
            detail=f"the line at byte {bad.start} of the bulk operation's file cannot be read",
            mend=_MEND,
        ),
        body=bad.line,
    )


def _haul(found: list[Recalled], at: _Cursor, total: int | None = None) -> Haul:
    return Haul(found=found, cursor=msgspec.json.encode(at).decode(), total=total)


def _opened(cursor: str | None) -> _Cursor | None:
    """Where to go on; one that cannot be read is no place, and all is read."""
    try:
        return _read_cursor(cursor) if cursor else None
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
