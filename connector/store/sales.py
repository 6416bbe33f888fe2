"""What the shops sold and sell: orders and whose they are, products and promotions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Table, select, tuple_

from connector.model import Kind, Order, Product, Promotion
from connector.sales_keys import Place, Thing
from connector.store import baskets, catalog, recall
from connector.store.catalog import ForSale
from connector.store.schema import order_lines, orders, promotions, refunds
from connector.store.sql import chunks


@dataclass(frozen=True, slots=True)
class Bought:
    """An order with its lines and refunds, and the person whose it is."""

    order: Order
    person: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A product with the variants of it that there are, at least one."""

    product: Product
    items: tuple[ForSale, ...]


def orders_at(conn: Connection, places: Collection[Place]) -> dict[Place, Bought]:
    """Those of these orders that there are, whole."""
    found: dict[Place, Bought] = {}
    for some in chunks(places):
        parts = {table: _parts(conn, table, some) for table in (order_lines, refunds)}
        key = tuple_(orders.c.shop, orders.c.order_id)
        for row in conn.execute(select(orders).where(key.in_(some), ~orders.c.deleted)).mappings():
            place = (row["shop"], row["order_id"])
            order = replace(
                recall.order_from(row),
                lines=tuple(recall.line_from(part) for part in parts[order_lines].get(place, ())),
                refunds=tuple(recall.refund_from(part) for part in parts[refunds].get(place, ())),
            )
            found[place] = Bought(order, row["person"])
    return found


def products_at(conn: Connection, places: Collection[Place]) -> dict[Place, Shown]:
    """Those of these products that there are and that have a variant."""
    found: dict[Place, list[ForSale]] = {}
    for some in chunks(places):
        for item in catalog.read(conn, catalog.variants_of(conn, some)).values():
            found.setdefault((item.product.shop, item.product.id), []).append(item)
    return {
        place: Shown(items[0].product, tuple(sorted(items, key=lambda each: each.variant.id)))
        for place, items in found.items()
    }


def promotions_at(conn: Connection, places: Collection[Place]) -> dict[Place, Promotion]:
    """Those of these promotions that there are."""
    found: dict[Place, Promotion] = {}
    for some in chunks(places):
        key = tuple_(promotions.c.shop, promotions.c.promotion_id)
        for row in conn.execute(
            select(promotions).where(key.in_(some), ~promotions.c.deleted)
        ).mappings():
            found[row["shop"], row["promotion_id"]] = recall.promotion_from(row)
    return found


def of_people(conn: Connection, persons: Collection[str]) -> dict[Thing, str]:
    """Every order and cart of these people, with the person."""
    found: dict[Thing, str] = {}
    for some in chunks(persons):
        for row in conn.execute(
            select(orders.c.shop, orders.c.order_id, orders.c.person).where(
                orders.c.person.in_(some), ~orders.c.deleted
            )
        ):
            found[Thing(Kind.ORDER, row.shop, row.order_id)] = row.person
    for place, person in baskets.carts_of(conn, persons).items():
        found[Thing(Kind.CART, *place)] = person
    return found


def _parts(conn: Connection, table: Table, some: Collection[Place]) -> dict[Place, list[Any]]:
    found: dict[Place, list[Any]] = {}
    number = list(table.primary_key)[-1]
    mine = tuple_(table.c.shop, table.c.order_id).in_(some)
    for row in conn.execute(select(table).where(mine).order_by(number)).mappings():
        found.setdefault((row["shop"], row["order_id"]), []).append(row)
    return found
