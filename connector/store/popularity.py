"""How products stand in their shops: since when they are known, and by how much they sell.

It is looked at now and then, not with every order: labels need not be right to the minute, and an
order then costs no more than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, tuple_, update

from connector.model import Json
from connector.sales_keys import Place
from connector.store import lanes
from connector.store.catalog import ForSale, Standing
from connector.store.profiles import Counting
from connector.store.schema import order_lines, orders, popularity, products
from connector.store.sql import chunks, insert_missing

SOLD_WITHIN = timedelta(days=30)
_LOOKED_AT = "popularity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How all products stood at a moment; ``at`` is ``None`` when nobody looked yet."""

    at: datetime | None
    standings: Mapping[Place, Standing]


def looked_at(conn: Connection) -> datetime | None:
    """When the products were last looked at."""
    kept: Json = lanes.get(conn, _LOOKED_AT)
    return datetime.fromisoformat(kept["at"]) if kept else None


def last_look(conn: Connection) -> Look:
    """How all products stood when they were last looked at."""
    at = looked_at(conn)
    rows = conn.execute(select(popularity)).all() if at else []
    return Look(at=at, standings={(r.shop, r.product_id): _standing(r, at) for r in rows if at})


def look(conn: Connection, counting: Counting, *, now: datetime) -> Look:
    """How all products stand now, from the orders that count as bought. Writes nothing.

    A product that nobody has seen is seen first now; or when the shop says that it last changed,
    if that is longer ago: what was there before us is no new arrival. Of two that sell alike, the
    one with the lesser id is first, so that the places are always the same.
    """
    known = {
        (row.shop, row.product_id): row.first_seen_at
        for row in conn.execute(
            select(popularity.c.shop, popularity.c.product_id, popularity.c.first_seen_at)
        )
    }
    there = {
        (row.shop, row.product_id): known.get((row.shop, row.product_id), min(row.version_at, now))
        for row in conn.execute(
            select(products.c.shop, products.c.product_id, products.c.version_at).where(
                ~products.c.deleted
            )
        )
    }
    sold = {place: units for place, units in _sold(conn, counting, now).items() if place in there}
    places: dict[Place, int] = {}
    for shop in {shop for shop, _ in sold}:
        mine = sorted((-units, place) for place, units in sold.items() if place[0] == shop)
        places |= {place: number for number, (_, place) in enumerate(mine, start=1)}
    return Look(
        at=now,
        standings={
            place: Standing(
                units=sold.get(place, 0),
                place=places.get(place),
                known_for=max(now - first_seen_at, timedelta(0)),
            )
            for place, first_seen_at in there.items()
        },
    )


def keep(conn: Connection, old: Look, new: Look, *, now: datetime) -> None:
    """Keep a new look in place of an old one; only rows that differ are written."""
    fresh = [place for place in new.standings if place not in old.standings]
    if fresh:
        conn.execute(
            insert_missing(conn, popularity),
            [_row(place, new.standings[place], now) for place in sorted(fresh)],
        )
    moved = [
        {"of_shop": shop, "of_product": product_id, "units": now_is.units, "place": now_is.place}
        for (shop, product_id), now_is in sorted(new.standings.items(), key=lambda each: each[0])
        if (was := old.standings.get((shop, product_id))) is not None
        and (was.units, was.place) != (now_is.units, now_is.place)
    ]
    if moved:
        conn.execute(
            update(popularity)
            .where(
                popularity.c.shop == bindparam("of_shop"),
                popularity.c.product_id == bindparam("of_product"),
            )
            .values(units=bindparam("units"), place=bindparam("place")),
            moved,
        )
    lanes.put(conn, _LOOKED_AT, {"at": now.isoformat()}, now=now)


def with_standing(conn: Connection, items: Mapping[Place, ForSale]) -> dict[Place, ForSale]:
    """The same items, each with how its product stood when it was last looked at."""
    at = looked_at(conn)
    if at is None:
        return dict(items)
    asked = {(item.product.shop, item.product.id) for item in items.values()}
    found = {
        (row.shop, row.product_id): _standing(row, at)
        for some in chunks(asked)
        for row in conn.execute(
            select(popularity).where(tuple_(popularity.c.shop, popularity.c.product_id).in_(some))
        )
    }
    return {
        place: replace(item, standing=found.get((item.product.shop, item.product.id)))
        for place, item in items.items()
    }


def _sold(conn: Connection, counting: Counting, now: datetime) -> dict[Place, int]:
    counts = or_(
        *(
            and_(orders.c.shop == shop, orders.c.status.in_(sorted(statuses)))
            for shop, statuses in sorted(counting.statuses.items())
            if statuses
        )
    )
    rows = conn.execute(
        select(
            order_lines.c.shop,
            order_lines.c.product_id,
            func.sum(order_lines.c.quantity).label("units"),
        )
        .join(
            orders,
            and_(orders.c.shop == order_lines.c.shop, orders.c.order_id == order_lines.c.order_id),
        )
        .where(
            counts,
            ~orders.c.deleted,
            orders.c.placed_at > now - SOLD_WITHIN,
            orders.c.placed_at <= now,
            order_lines.c.product_id.is_not(None),
        )
        .group_by(order_lines.c.shop, order_lines.c.product_id)
    )
    return {(row.shop, row.product_id): int(row.units) for row in rows if row.units > 0}


def _standing(row: Any, at: datetime) -> Standing:
    return Standing(
        units=row.units, place=row.place, known_for=max(at - row.first_seen_at, timedelta(0))
    )


def _row(place: Place, standing: Standing, now: datetime) -> dict[str, Any]:
    return {
        "shop": place[0],
        "product_id": place[1],
        "first_seen_at": now - standing.known_for,
        "units": standing.units,
        "place": standing.place,
    }
