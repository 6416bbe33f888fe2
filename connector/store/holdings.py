"""What is known of a shop's things by their ids, to be compared with what the shop shows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, select

from connector.model import Kind
from connector.store.shelves import SHELVES
from connector.store.sql import chunks


def among(conn: Connection, shop: str, kind: Kind, ids: Sequence[str]) -> set[str]:
    """Which of these are known and not deleted."""
    found: set[str] = set()
    for some in chunks(ids):
        query = select(SHELVES[kind].id).where(_held(shop, kind), SHELVES[kind].id.in_(some))
        found.update(conn.scalars(query))
    return found


def count(conn: Connection, shop: str, kind: Kind) -> int:
    """How many are known and not deleted."""
    query = select(func.count()).select_from(SHELVES[kind].table).where(_held(shop, kind))
    return conn.scalar(query) or 0


def page(conn: Connection, shop: str, kind: Kind, *, after: str, limit: int) -> list[str]:
    """The known ids that follow one, in the order of their text; ``""`` comes before the first."""
    column = SHELVES[kind].id
    query = select(column).where(_held(shop, kind), column > after).order_by(column).limit(limit)
    return list(conn.scalars(query))


def _held(shop: str, kind: Kind) -> ColumnElement[bool]:
    table = SHELVES[kind].table
    return and_(table.c.shop == shop, table.c.deleted.is_(False))
