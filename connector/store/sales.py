"""What the shops sold and what could be: orders with their buyers, carts, products, promotions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, delete, or_, select, tuple_

from connector.model import (
    Bearing,
    Cart,
    Kind,
    Line,
    Order,
    Product,
    Promotion,
    Refund,
    Version,
    Worth,
)
from connector.sales_keys import Thing
from connector.store import catalog, recall
from connector.store.catalog import ForSale
from connector.store.schema import (
    carts,
    contact_points,
    customers,
    order_lines,
    ordered_carts,
    orders,
    promotions,
    refunds,
)
from connector.store.sql import chunks, insert_missing

Place: TypeAlias = tuple[str, str]
"""The shop and its id of a thing."""


@dataclass(frozen=True, slots=True)
class Bought:
    """An order with its lines and refunds, and the person whose it is."""

    order: Order
    person: str


@dataclass(frozen=True, slots=True)
class Basket:
    """A cart, the person whose it is, and whether that person ordered since it was begun."""

    cart: Cart
    person: str | None
    is_ordered: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A product with the variants of it that there are, at least one."""

    product: Product
    items: tuple[ForSale, ...]


# --- One thing or many, by their places ------------------------------------------------------


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
                lines=tuple(line_from(part) for part in parts[order_lines].get(place, ())),
                refunds=tuple(_refund(part) for part in parts[refunds].get(place, ())),
            )
            found[place] = Bought(order, row["person"])
    return found


def carts_at(conn: Connection, places: Collection[Place]) -> dict[Place, Basket]:
    """Those of these carts that there are, each with what became of it."""
    found: dict[Place, Cart] = {}
    for some in chunks(places):
        key = tuple_(carts.c.shop, carts.c.cart_id)
        for row in conn.execute(select(carts).where(key.in_(some), ~carts.c.deleted)).mappings():
            found[row["shop"], row["cart_id"]] = cart_from(row)
    owners = _owners(conn, found.values())
    bought = _ordered(conn, found.values()) | _ordered_since(conn, found, owners)
    return {
        place: Basket(cart, owners.get(place), place in bought) for place, cart in found.items()
    }


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
            found[row["shop"], row["promotion_id"]] = _promotion(row)
    return found


# --- Whose they are --------------------------------------------------------------------------


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
    for place, person in _carts_of(conn, persons).items():
        found[Thing(Kind.CART, *place)] = person
    return found


def concerned_carts(
    conn: Connection, placed: Iterable[Place], persons: Collection[str]
) -> set[Place]:
    """The carts that these orders came of, and those of the people who placed them."""
    if conn.scalar(select(carts.c.cart_id).where(~carts.c.deleted).limit(1)) is None:
        return set()  # most shops tell of none
    found = set(_carts_of(conn, persons))
    for some in chunks(set(placed)):
        names = select(ordered_carts.c.shop, ordered_carts.c.name).where(
            tuple_(ordered_carts.c.shop, ordered_carts.c.order_id).in_(some)
        )
        found.update(
            (row.shop, row.cart_id)
            for name in (carts.c.cart_id, carts.c.other_name)
            for row in conn.execute(
                select(carts.c.shop, carts.c.cart_id).where(
                    tuple_(carts.c.shop, name).in_(names), ~carts.c.deleted
                )
            )
        )
    return found


def carts_before(conn: Connection, moment: datetime, *, limit: int) -> list[Place]:
    """Some of the carts that were last changed at a moment or before, be they gone."""
    rows = conn.execute(
        select(carts.c.shop, carts.c.cart_id)
        .where(carts.c.version_at <= moment)
        .order_by(carts.c.version_at)
        .limit(limit)
    )
    return [(row.shop, row.cart_id) for row in rows]


def forget_carts(conn: Connection, chosen: Collection[Place]) -> None:
    """Let go of these carts: told of once more they would be as old as they are now."""
    for some in chunks(chosen):
        conn.execute(delete(carts).where(tuple_(carts.c.shop, carts.c.cart_id).in_(some)))


def remember_ordered(conn: Connection, placed: Iterable[Order]) -> set[Place]:
    """Keep of which carts these orders came; gives the orders of which it was not known."""
    stated = {(order.shop, name, order.id) for order in placed for name in order.carts}
    known: set[tuple[str, ...]] = set()
    key = tuple_(ordered_carts.c.shop, ordered_carts.c.name, ordered_carts.c.order_id)
    for some in chunks(stated):
        known.update(tuple(row) for row in conn.execute(select(ordered_carts).where(key.in_(some))))
    fresh = sorted(stated - known)
    if fresh:
        conn.execute(
            insert_missing(conn, ordered_carts),
            [{"shop": shop, "name": name, "order_id": order_id} for shop, name, order_id in fresh],
        )
    return {(shop, order_id) for shop, _, order_id in fresh}


def _carts_of(conn: Connection, persons: Collection[str]) -> dict[Place, str]:
    """The carts of these people: by an account of theirs, else by an address that leads to them."""
    mine = set(persons)
    suspects: dict[Place, Cart] = {}
    for some in chunks(mine):
        leads = select(contact_points.c.email).where(contact_points.c.person.in_(some))
        accounts = select(customers.c.shop, customers.c.customer_id).where(
            customers.c.person.in_(some), ~customers.c.deleted
        )
        chosen = or_(
            carts.c.email.in_(some),
            carts.c.email.in_(leads),
            tuple_(carts.c.shop, carts.c.customer_id).in_(accounts),
        )
        for row in conn.execute(select(carts).where(chosen, ~carts.c.deleted)).mappings():
            suspects[row["shop"], row["cart_id"]] = cart_from(row)
    owners = _owners(conn, suspects.values())
    return {place: person for place, person in owners.items() if person in mine}


def _owners(conn: Connection, chosen: Collection[Cart]) -> dict[Place, str]:
    """The person of each cart, as of an order: its account's, else where its address leads."""
    accounts: dict[Place, str] = {}
    buyers = {(cart.shop, cart.customer_id) for cart in chosen if cart.customer_id}
    for some in chunks(buyers):
        for row in conn.execute(
            select(customers.c.shop, customers.c.customer_id, customers.c.person).where(
                tuple_(customers.c.shop, customers.c.customer_id).in_(some), ~customers.c.deleted
            )
        ):
            accounts[row.shop, row.customer_id] = row.person
    leads: dict[str, str] = {}
    for emails in chunks({cart.email for cart in chosen if cart.email}):
        for row in conn.execute(select(contact_points).where(contact_points.c.email.in_(emails))):
            leads[row.email] = row.person
    owners = {
        (cart.shop, cart.id): accounts.get((cart.shop, cart.customer_id or ""))
        or (leads.get(cart.email, cart.email) if cart.email else None)
        for cart in chosen
    }
    return {place: person for place, person in owners.items() if person is not None}


def _ordered(conn: Connection, chosen: Iterable[Cart]) -> set[Place]:
    """The carts of which an order came."""
    of_name: dict[Place, set[Place]] = {}
    for cart in chosen:
        for name in filter(None, (cart.id, cart.other_name)):
            of_name.setdefault((cart.shop, name), set()).add((cart.shop, cart.id))
    key = tuple_(ordered_carts.c.shop, ordered_carts.c.name)
    return {
        place
        for some in chunks(of_name.keys())
        for row in conn.execute(
            select(ordered_carts.c.shop, ordered_carts.c.name).where(key.in_(some))
        )
        for place in of_name[row.shop, row.name]
    }


def _ordered_since(
    conn: Connection, chosen: Mapping[Place, Cart], owners: Mapping[Place, str]
) -> set[Place]:
    """The carts whose owner ordered something in that shop since: no reminder is wanted then."""
    last: dict[tuple[str, str], Any] = {}
    for some in chunks(set(owners.values())):
        for row in conn.execute(
            select(orders.c.shop, orders.c.person, orders.c.placed_at).where(
                orders.c.person.in_(some), ~orders.c.deleted, orders.c.placed_at.is_not(None)
            )
        ):
            who = (row.shop, row.person)
            last[who] = max(row.placed_at, last.get(who, row.placed_at))
    return {
        place
        for place, person in owners.items()
        if (placed := last.get((place[0], person))) is not None
        and placed >= chosen[place].created_at
    }


# --- Back from their rows ----------------------------------------------------------------------


def line_from(row: Any) -> Line:
    """The line in a row of `order_lines`, or in a cart."""
    return Line(
        id=row["line_id"] if "line_id" in row else row["id"],
        product_id=row["product_id"],
        variant_id=row["variant_id"],
        sku=row["sku"],
        name=row["name"],
        quantity=row["quantity"],
        total=row["total"],
        discount=row["discount"],
    )


def cart_from(row: Any) -> Cart:
    """The cart in a row that is not deleted."""
    return Cart(
        shop=row["shop"],
        id=row["cart_id"],
        version=Version(row["version_at"], row["version_tie"]),
        currency=row["currency"],
        total=row["total"],
        created_at=row["created_at"],
        url=row["url"],
        customer_id=row["customer_id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        company=row["company"],
        other_name=row["other_name"],
        lines=tuple(line_from(line) for line in row["lines"] or ()),
    )


def _promotion(row: Any) -> Promotion:
    return Promotion(
        shop=row["shop"],
        id=row["promotion_id"],
        version=Version(row["version_at"], row["version_tie"]),
        worth=Worth(row["worth"]),
        bearing=Bearing(row["bearing"]),
        **{name: row[name] for name in _OF_PROMOTION},
    )


def _refund(row: Any) -> Refund:
    return Refund(
        id=row["refund_id"],
        amount=row["amount"],
        reason=row["reason"],
        created_at=row["created_at"],
    )


def _parts(conn: Connection, table: Table, some: Collection[Place]) -> dict[Place, list[Any]]:
    found: dict[Place, list[Any]] = {}
    number = list(table.primary_key)[-1]
    mine = tuple_(table.c.shop, table.c.order_id).in_(some)
    for row in conn.execute(select(table).where(mine).order_by(number)).mappings():
        found.setdefault((row["shop"], row["order_id"]), []).append(row)
    return found


_OF_PROMOTION = (
    "code", "title", "amount", "currency", "starts_at", "ends_at", "usage_count", "enabled",
)  # fmt: skip
