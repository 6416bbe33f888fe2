"""Asks for one page of a list and believes it only if it can be that page, as it is now.

What is not believed is asked for again a few times, at a new address each time: an old page from
a cache, half a page, one that is out of order, another list, a web page. If it stays so, the shop
is to be tried later, and what was wrong is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from adapters.woocommerce.politeness import PoliteReader
from adapters.woocommerce.records import OddPageError, Record, records_in
from adapters.woocommerce.stretches import Listed, TooMuchError
from connector.errors import TryLater
from connector.model import Kind
from connector.shop_fields import CLOCK_MARGIN, read_moment

LARGEST_PAGE = 100
"""The most that the API gives at once."""
_SMALLEST_PAGE = 6
_ATTEMPTS = 4
_PAUSE = 0.2
_UNSHOWN = 10  # of so many things one may be counted by the shop and not shown: it is broken there

T = TypeVar("T")
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The records at ``offset`` of a list that has ``total``, as it was at ``told_at`` there."""

    offset: int
    records: Sequence[Record]
    total: int
    is_last: bool
    told_at: datetime | None


class GoneError(Exception):
    """What a list belongs to is no longer there."""


class ListReader:
    """Reads pages of a shop's lists. Safe between threads.

    It knows how the shop's clock and ours went together, which an old answer does not fit.
    """

    def __init__(self, polite: PoliteReader) -> None:
        self._polite = polite
        self._size = LARGEST_PAGE
        self._clock_ahead: float | None = None

    @property
    def at_once(self) -> int:
        """How many requests may be under way at the same time."""
        return self._polite.manners.at_once

    def pause(self, seconds: float) -> None:
        """Leave the shop alone for so long, from now on."""
        self._polite.hold(seconds)

    def by_id(self, things: str, query: Query, offset: int) -> Page:
        """A page in the order of ids. Raises `TryLater`, `LaneDown`, or `GoneError`."""
        order = {"orderby": "id", "order": "asc"}
        return self._page(things, {**query, **order}, offset, _check_ids)

    def by_change(self, things: str, query: Query, floor: datetime, offset: int) -> Page:
        """A page of what changed after the second ``floor``, oldest first. Raises as `by_id`.

        ``modified_after`` is exclusive, and the shop's own time without ``dates_are_gmt``.
        """
        asked = {
            "orderby": "modified",
            "order": "asc",
            "modified_after": f"{floor:%Y-%m-%dT%H:%M:%S}",
            "dates_are_gmt": "true",
        }
        return self._page(
            things, {**query, **asked}, offset, lambda found: _check_changes(found, floor)
        )

    def these(self, things: str, query: Query, ids: Sequence[int]) -> Page:
        """The things with these ids, at most a page of them. Raises as `by_id`."""
        asked = {**query, "include": ",".join(map(str, ids)), "orderby": "id", "order": "asc"}

        def take(listed: Listed) -> Page:
            records = records_in(listed.body)
            _check_ids(records)
            if not {record.id for record in records} <= {*ids, None}:
                raise OddPageError("it shows things that were not asked for")
            shown = len(records)
            return Page(offset=0, records=records, total=shown, is_last=True, told_at=None)

        return self._believed(things, {**asked, "per_page": LARGEST_PAGE}, take)

    def newest(self, things: str, query: Query) -> int:
        """The greatest id in a list; 0 if it is empty. Raises as `by_id`."""
        asked = {**query, "orderby": "id", "order": "desc", "per_page": 1, "_fields": "id"}
        found = self._believed(things, asked, lambda listed: self._records(listed, 1, 0))
        return (found.records[0].id or 0) if found.records else 0

    def has(self, kind: Kind, number: int) -> bool:
        """Whether the shop has one thing, asked for by itself. Raises as `by_id`."""
        return self._polite.has(kind, number)

    def latest(self, things: str, query: Query) -> Page:
        """The accounts that were opened last, the newest first, at most a page of them."""
        asked = {**query, "orderby": "registered_date", "order": "desc", "per_page": LARGEST_PAGE}
        return self._believed(things, asked, lambda listed: self._records(listed, LARGEST_PAGE, 0))

    def _page(
        self, things: str, query: Query, offset: int, check: Callable[[Sequence[Record]], None]
    ) -> Page:
        while True:
            size = self._size
            asked = {**query, "per_page": size, "offset": offset}

            def take(listed: Listed, size: int = size) -> Page:
                found = self._records(listed, size, offset)
                check(found.records)
                return found

            try:
                return self._believed(things, asked, take)
            except TooMuchError as problem:
                if size // 2 < _SMALLEST_PAGE:
                    raise TryLater(f"GET {things}: {problem}") from None
                self._size = size // 2

    def _believed(self, things: str, query: Query, take: Callable[[Listed], Page]) -> Page:
        odd = OddPageError("")
        short: list[_ShortPageError] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._polite.hold(_PAUSE * 2.0**attempt)
            listed = self._polite.listed(things, query)
            if listed is None:
                raise GoneError
            try:
                self._check_age(listed)
                return take(listed)
            except _ShortPageError as found:
                short.append(found)
                odd = found
            except OddPageError as found:
                odd = found
        if len(short) == _ATTEMPTS and _is_bearable(short):
            return short[-1].page
        raise TryLater(f"GET {things}: the page is not believed, {odd}")

    def _check_age(self, listed: Listed) -> None:
        """Raises `OddPageError` for an answer from another time."""
        if listed.age:
            raise OddPageError(f"a cache had it for {listed.age} s")
        if listed.told_at is None:
            return
        ahead = listed.told_at.timestamp() - listed.ticks
        known = self._clock_ahead
        if known is not None and ahead < known - CLOCK_MARGIN.total_seconds():
            raise OddPageError("it is dated before answers that came before it")
        self._clock_ahead = ahead if known is None else max(known, ahead)

    def _records(self, listed: Listed, size: int, offset: int) -> Page:
        records = records_in(listed.body)
        shown = len(records)
        total = offset + shown if listed.total is None else listed.total
        left = max(0, total - offset)
        if shown > size:
            raise OddPageError(f"it has {shown} things, and {size} were asked for")
        if shown > left:
            raise OddPageError(f"it has {shown} things where the shop counts {left}")
        uncounted = listed.total is None and shown == size
        page = Page(
            offset=offset,
            records=records,
            total=total + uncounted,
            is_last=left <= size and not uncounted,
            told_at=listed.told_at,
        )
        if shown < min(size, left):
            raise _ShortPageError(page, min(size, left))
        return page


class _ShortPageError(OddPageError):
    """A page that shows less than the shop says there is."""

    def __init__(self, page: Page, wanted: int) -> None:
        self.page = page
        self.missing = wanted - len(page.records)
        self.few = self.missing <= max(1, wanted // _UNSHOWN)
        super().__init__(f"it has {len(page.records)} things where the shop counts {wanted}")


def _is_bearable(short: Sequence[_ShortPageError]) -> bool:
    """Whether a page stays short by the same few things: the shop counts what it cannot show."""
    shown = {tuple(record.id for record in each.page.records) for each in short}
    return len(shown) == 1 and short[-1].few


def _check_ids(records: Sequence[Record]) -> None:
    ids = [record.id for record in records if record.id is not None]
    if any(one >= other for one, other in itertools.pairwise(ids)):
        raise OddPageError("its ids are out of order")


def _check_changes(records: Sequence[Record], floor: datetime) -> None:
    known = [moment for record in records if (moment := read_moment(record.changed))]
    if any(one > other for one, other in itertools.pairwise(known)):
        raise OddPageError("it is out of order")
    if known and known[0] <= floor:
        raise OddPageError("it shows what changed before the time that was asked for")
