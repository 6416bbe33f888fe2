"""What shops delivered, word for word: which bodies name a person, and letting go of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from connector.spellings import folded, pattern_of, readable
from connector.store.schema import deliveries
from connector.store.sql import chunks
from connector.store.subjects import Key, Subject

ERASED = "names a person who was erased"
_AT_ONCE = 200  # bodies in memory
_DONE = ("applied", "unchanged", "ignored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Which deliveries name whom, and up to which one was looked.

    ``orders`` and ``accounts`` are what those are about in whose words the person is named. Without
    a ``subject`` nobody need look any more.
    """

    subject: Subject | None = None
    found: frozenset[int] = frozenset()
    up_to: int = 0
    orders: frozenset[Key] = frozenset()
    accounts: frozenset[Key] = frozenset()


class _Buyer(msgspec.Struct):
    id: int | str | None = None


class _Head(msgspec.Struct):
    """What bodies of every shop have in common: whose and which thing they are about."""

    id: int | str | None = None
    order_id: int | str | None = None
    customer_id: int | str | None = None
    customer: _Buyer | None = None

    def order(self, shop: str, topic: str) -> Key | None:
        """The order it is about."""
        number = self.order_id or (self.id if topic.startswith(("order", "refund")) else None)
        return (shop, str(number)) if number else None

    def account(self, shop: str, topic: str) -> Key | None:
        """The account it is about, or whose order it is."""
        number = self.customer.id if self.customer else self.customer_id
        number = number or (self.id if topic.startswith("customer") else None)
        return (shop, str(number)) if number else None


def search(conn: Connection, subject: Subject, *, after: int = 0) -> Searched:
    """Look through every body that is kept; a person may be named in any of them."""
    words = {folded(word) for word in (*subject.emails, *subject.phones)}
    pattern = pattern_of(words)
    newest = conn.scalar(select(func.max(deliveries.c.id))) or 0
    found: set[int] = set()
    things: tuple[set[Key | None], set[Key | None]] = (set(), set())
    rows = conn.execute(
        select(deliveries.c.id, deliveries.c.shop, deliveries.c.topic, deliveries.c.body).where(
            deliveries.c.body.is_not(None), deliveries.c.id > after, deliveries.c.id <= newest
        ),
        execution_options={"yield_per": _AT_ONCE},
    )
    for row in rows:
        head = _head(row.body)
        order, account = head.order(row.shop, row.topic), head.account(row.shop, row.topic)
        text = readable(row.body)
        if any(word in text for word in words) and pattern.search(text):  # the first is quick
            found.add(row.id)
            things[0].add(order)
            things[1].add(account)
        elif order in subject.orders or account in subject.accounts:
            found.add(row.id)
    return Searched(
        subject=subject,
        found=frozenset(found),
        up_to=newest,
        orders=frozenset(key for key in things[0] if key),
        accounts=frozenset(key for key in things[1] if key),
    )


def forget(conn: Connection, ids: Collection[int]) -> None:
    """Let go of bodies that are done with; that they came, and their digests, stay in the books.

    One that waits is left: when its turn comes it is recognised. One in quarantine cannot be
    mended any more without its body.
    """
    for some in chunks(ids):
        chosen = deliveries.c.id.in_(some)
        conn.execute(
            update(deliveries)
            .where(chosen, deliveries.c.status == "quarantined")
            .values(status="ignored", reason=ERASED, mend=None)
        )
        conn.execute(
            update(deliveries)
            .where(chosen, deliveries.c.status != "waiting")
            .values(body=None, detail=None)
        )


def old(conn: Connection, *, since: datetime, before: datetime, limit: int) -> list[int]:
    """Deliveries that came in this time and are done with, whose bodies are still kept."""
    shops = select(deliveries.c.shop).distinct()
    return list(
        conn.scalars(
            select(deliveries.c.id)
            .where(
                deliveries.c.shop.in_(shops),  # the index begins with it
                deliveries.c.status.in_(_DONE),
                deliveries.c.received_at >= since,
                deliveries.c.received_at < before,
                deliveries.c.body.is_not(None),
            )
            .limit(limit)
        )
    )


def let_go(conn: Connection, ids: Collection[int]) -> int:
    """Let go of the bodies of those that are still done with; how many that were.

    The row, its key and its digests stay, so what comes again is known. One in quarantine keeps
    its body until it is mended, one that waits until it is done with.
    """
    return sum(
        conn.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(some), deliveries.c.status.in_(_DONE))
            .values(body=None)
        ).rowcount
        for some in chunks(ids)
    )


def count_old_in_quarantine(conn: Connection, *, before: datetime) -> dict[str, int]:
    """How many bodies that came before are kept only because they are in quarantine, by shop."""
    rows = conn.execute(
        select(deliveries.c.shop, func.count())
        .where(
            deliveries.c.status == "quarantined",
            deliveries.c.received_at < before,
            deliveries.c.body.is_not(None),
        )
        .group_by(deliveries.c.shop)
        .order_by(deliveries.c.shop)
    )
    return {shop: number for shop, number in rows}  # noqa: C416 - rows are no plain tuples


def forget_shop(conn: Connection, shop: str) -> None:
    """Let go of everything that a shop delivered."""
    forget(
        conn,
        conn.scalars(
            select(deliveries.c.id).where(deliveries.c.shop == shop, deliveries.c.body.is_not(None))
        ).all(),
    )


def _head(body: bytes) -> _Head:
    try:
        return msgspec.json.decode(body, type=_Head)
    except (msgspec.DecodeError, RecursionError):
        return _Head()
