"""Reads a shop's past: accounts, products, coupons, orders; all, or what changed since a moment.

Staff are read with the buyers and passed over: asked for customers alone, WooCommerce leaves out
the accounts with the role subscriber, who buy as well and whom its webhooks tell of as customers.
Lists: https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from adapters.woocommerce.changes import Slice, follow
from adapters.woocommerce.lists import LARGEST_PAGE, ListReader, Page
from adapters.woocommerce.paging import Stretch, Window, walk
from adapters.woocommerce.politeness import PoliteReader
from adapters.woocommerce.records import FIELDS, Record, understood
from adapters.woocommerce.variations import complete
from adapters.woocommerce.verdicts import NoRouteError
from connector.errors import TryLater
from connector.model import Kind
from connector.ports import Haul, Recalled
from connector.shop_fields import Slip, read_id, read_moment

KINDS = (Kind.CUSTOMER, Kind.PRODUCT, Kind.PROMOTION, Kind.ORDER)
"""What can be read. Accounts first, then what was sold and for what less, then to whom."""
_LISTS: dict[Kind, str] = {
    Kind.CUSTOMER: "customers",
    Kind.PRODUCT: "products",
    Kind.PROMOTION: "coupons",
    Kind.ORDER: "orders",
}
_QUERIES: dict[Kind, dict[str, str]] = {
    Kind.CUSTOMER: {"role": "all"},
    Kind.PRODUCT: {},
    Kind.PROMOTION: {},
    Kind.ORDER: {},
}
UNFILTERED = frozenset({Kind.CUSTOMER})
"""The list of accounts has no filter for changes."""
_SECOND = timedelta(seconds=1)
_ENDINGS = 3
T = TypeVar("T")
_PAUSE = 1.0


class _Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """From where to go on: after an id last seen at a place, or after a second of change.

    ``parts``: the products are through, and the variations that changed alone are being read.
    """

    id: int = 0
    at: int = 0
    after: datetime | None = None
    parts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The past of one shop. ``currency`` is the shop's, in which product prices are."""

    shop: str
    currency: str | None
    polite: PoliteReader

    def read(
        self, kind: Kind, *, since: datetime | None, cursor: str | None, now: datetime
    ) -> Iterator[Haul]:
        """As `connector.ports.Remembering.history`."""
        begun = _read_cursor(cursor)
        slip = Slip(shop=self.shop, currency=self.currency, received_at=now, tie=0)
        lists = ListReader(self.polite)
        with _pool(lists) as pages, _pool(lists) as parts:
            reading = _Reading(kind=kind, lists=lists, slip=slip, pages=pages, parts=parts)
            if since is None or kind in UNFILTERED:
                yield from reading.everything(begun)
                return
            earliest = since.astimezone(UTC).replace(microsecond=0) - _SECOND
            floor = max(earliest, begun.after or earliest)
            if not begun.parts:
                yield from reading.changes(floor)
            if kind is Kind.PRODUCT:
                yield from reading.changed_parts(floor if begun.parts else earliest)

    def latest(self, kind: Kind, *, now: datetime) -> Iterator[Haul]:
        """As `connector.ports.Limited.latest`."""
        slip = Slip(shop=self.shop, currency=self.currency, received_at=now, tie=0)
        lists = ListReader(self.polite)
        page = lists.latest(_LISTS[kind], {**_QUERIES[kind], "_fields": FIELDS[kind]})
        found = understood(kind, page.records, lambda tie: replace(slip, tie=tie, flags=[]))
        yield Haul(found=found, cursor="", total=page.total)

    def ids(self, kind: Kind) -> Iterator[Sequence[str]]:
        """As `connector.ports.Remembering.ids`."""
        lists = ListReader(self.polite)
        query = {**_QUERIES[kind], "_fields": "id"}

        def fetch(offset: int) -> Window[int | None]:
            page = lists.by_id(_LISTS[kind], query, offset)
            return _window(page, [record.id for record in page.records])

        with _pool(lists) as pool:
            for stretch in _to_the_end(kind, lists, fetch, pool, _Cursor()):
                yield [str(number) for number in stretch.things if number is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One reading of one kind; pages and their parts are fetched in threads of their own."""

    kind: Kind
    lists: ListReader
    slip: Slip
    pages: Executor
    parts: Executor

    def everything(self, begun: _Cursor) -> Iterator[Haul]:
        """All there is, in the order of ids."""

        def fetch(offset: int) -> Window[Recalled]:
            page = self.lists.by_id(_LISTS[self.kind], self._query, offset)
            return _window(page, self._understood(page.records))

        for stretch in _to_the_end(self.kind, self.lists, fetch, self.pages, begun):
            yield Haul(
                found=stretch.things,
                cursor=_written(_Cursor(id=stretch.last, at=stretch.at)),
                total=stretch.total,
            )

    def changes(self, floor: datetime) -> Iterator[Haul]:
        """What changed after a second."""
        done = 0
        fetch = self._changes_in(_LISTS[self.kind], self._query)
        for changed in follow(fetch, floor=floor, wait=self.lists.pause):
            done += len(changed.things)
            yield Haul(
                found=self._understood(changed.things),
                cursor=_written(_Cursor(after=changed.floor)),
                total=done + changed.left,
            )

    def changed_parts(self, floor: datetime) -> Iterator[Haul]:
        """Products of which only a variation changed, which does not make them changed themselves.

        Shops that are too old for a list of all variations show them only with their products.
        """
        fetch = self._changes_in("variations", {"_fields": "id,parent_id,date_modified_gmt"})
        try:
            for changed in follow(fetch, floor=floor, wait=self.lists.pause):
                parents = {parent for each in changed.things if (parent := _parent_of(each))}
                found = self._these(sorted(parents))
                yield Haul(found=found, cursor=_written(_Cursor(after=changed.floor, parts=True)))
        except NoRouteError:
            return

    @property
    def _query(self) -> dict[str, str]:
        return {**_QUERIES[self.kind], "_fields": FIELDS[self.kind]}

    def _changes_in(
        self, things: str, query: Mapping[str, str]
    ) -> Callable[[datetime, int], Slice[Record]]:
        def fetch(floor: datetime, offset: int) -> Slice[Record]:
            page = self.lists.by_change(things, query, floor, offset)
            return Slice(
                marks=[(record.id, hash(record.body)) for record in page.records],
                moments=[read_moment(record.changed) for record in page.records],
                things=page.records,
                left=max(0, page.total - offset - len(page.records)),
                is_last=page.is_last,
                told_at=page.told_at,
            )

        return fetch

    def _these(self, ids: Sequence[int]) -> list[Recalled]:
        found: list[Recalled] = []
        for at in range(0, len(ids), LARGEST_PAGE):
            some = ids[at : at + LARGEST_PAGE]
            page = self.lists.these(_LISTS[self.kind], self._query, some)
            found += self._understood(page.records)
        return found

    def _understood(self, records: Sequence[Record]) -> list[Recalled]:
        """What the records mean, with all they lack."""
        found = understood(self.kind, records, self._slip_with)
        return complete(found, self.lists, self.parts, self.slip)

    def _slip_with(self, tie: int) -> Slip:
        known = self.slip
        return Slip(
            shop=known.shop, currency=known.currency, received_at=known.received_at, tie=tie
        )


def _to_the_end(
    kind: Kind,
    lists: ListReader,
    fetch: Callable[[int], Window[T]],
    pool: Executor,
    begun: _Cursor,
) -> Iterator[Stretch[T]]:
    """All windows after where was ``begun``, until what was the newest thing then is reached.

    The list's end could be yesterday's. So it is the end only where that newest thing was reached,
    or is gone, which is asked of it alone: no list is believed about what it does not show.
    """
    things, query = _LISTS[kind], _QUERIES[kind]
    newest = lists.newest(things, query)
    last, at = begun.id, begun.at
    for attempt in range(_ENDINGS):
        if attempt:
            lists.pause(_PAUSE * attempt)
        for stretch in walk(fetch, pool, size=LARGEST_PAGE, ahead=lists.at_once, last=last, at=at):
            last, at = stretch.last, stretch.at
            yield stretch
        if last < newest and not lists.has(kind, newest):
            newest = lists.newest(things, query)
        if last >= newest:
            return
    raise TryLater(f"GET {things}: the list ends before the newest thing in it")


def _window(page: Page, things: Sequence[T]) -> Window[T]:
    return Window(
        offset=page.offset,
        ids=[record.id for record in page.records],
        things=things,
        total=page.total,
        is_last=page.is_last,
    )


@contextmanager
def _pool(lists: ListReader) -> Iterator[Executor]:
    """Threads for as many requests as may be made at once; whoever stops does not wait for them."""
    pool = ThreadPoolExecutor(lists.at_once, thread_name_prefix="history")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_cursor(text: str | None) -> _Cursor:
    """Where to go on; from the beginning, if that cannot be read."""
    try:
        return msgspec.json.decode(text or "{}", type=_Cursor)
    except msgspec.MsgspecError:
        return _Cursor()


def _written(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _parent_of(variation: Record) -> int | None:
    try:
        told = msgspec.json.decode(variation.body, type=_Part).parent_id
    except msgspec.MsgspecError:
        return None
    found = read_id(told)
    return None if found is None else int(found)


class _Part(msgspec.Struct, frozen=True):
    parent_id: Any = None
