"""How records stand, at a glance: whether they are due, and for whom a destination holds them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, literal, select

from connector.model import Kind, Lane, Permission
from connector.store import outbox
from connector.store.kept import record_from
from connector.store.schema import carts, orders, products, promotions, records
from connector.store.sql import chunks, insert_into


@dataclass(frozen=True, slots=True)
class Standing:
    """One record: its status and reason, and of whom it was last acknowledged, if it is held."""

    status: str
    reason: str | None
    is_held: bool
    email: str | None = None
    permission: Permission | None = None


def look(conn: Connection, destination: str, keys: Collection[str]) -> dict[str, Standing]:
    """Those of these records that the destination has a row for."""
    found: dict[str, Standing] = {}
    for some in chunks(set(keys)):
        for key, status, reason, kept in conn.execute(
            select(records.c.key, records.c.status, records.c.reason, records.c.acknowledged).where(
                records.c.destination == destination, records.c.key.in_(some)
            )
        ):
            record = record_from(key, kept)
            found[key] = Standing(
                status=status,
                reason=reason,
                is_held=record is not None,
                email=record.email if record else None,
                permission=record.permission if record else None,
            )
    return found


def mark_wherever_held(conn: Connection, keys: Collection[str], *, now: datetime) -> None:
    """Mark these records due at every destination that has a row for them."""
    places: dict[str, dict[str, Lane]] = {}
    for some in chunks(set(keys)):
        for row in conn.execute(
            select(records.c.destination, records.c.key).where(records.c.key.in_(some))
        ):
            places.setdefault(row.destination, {})[row.key] = Lane.NORMAL
    for destination, lanes in sorted(places.items()):
        outbox.mark_due(conn, destination, lanes, now=now)


def is_new(conn: Connection, destination: str) -> bool:
    """Whether nothing was ever due at a destination."""
    return not conn.scalar(select(exists().where(records.c.destination == destination)))


def mark_all_sold(
    conn: Connection,
    destination: str,
    kind: Kind,
    shops: Collection[str],
    lane: Lane,
    *,
    now: datetime,
) -> None:
    """Mark everything of a kind due at a destination that knows none of it yet."""
    table, number = _SOLD[kind]
    conn.execute(
        insert_into(conn, records)
        .from_select(
            ["destination", "key", "status", "lane", "revision", "due_since"],
            select(
                literal(destination),
                literal(f"{kind.value}/") + table.c.shop + "/" + number,
                literal("due"),
                literal(int(lane)),
                literal(1),
                literal(now, records.c.due_since.type),
            ).where(table.c.shop.in_(sorted(shops)), ~table.c.deleted),
        )
        .on_conflict_do_nothing()
    )


_SOLD = {
    Kind.PRODUCT: (products, products.c.product_id),
    Kind.PROMOTION: (promotions, promotions.c.promotion_id),
    Kind.ORDER: (orders, orders.c.order_id),
    Kind.CART: (carts, carts.c.cart_id),
}
