"""Carts: whose they are, of which an order came, and when their owner ordered something since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, tuple_

from connector.model import Cart, Order
from connector.sales_keys import Place
from connector.store import recall
from connector.store.schema import carts, contact_points, customers, ordered_carts, orders
from connector.store.sql import chunks, insert_missing


@dataclass(frozen=True, slots=True)
class Basket:
    """A cart, the person whose it is, and whether that person ordered since it was begun."""

    cart: Cart
    person: str | None
    is_ordered: bool


def carts_at(conn: Connection, places: Collection[Place]) -> dict[Place, Basket]:
    """Those of these carts that there are, each with what became of it."""
    found: dict[Place, Cart] = {}
    for some in chunks(places):
        key = tuple_(carts.c.shop, carts.c.cart_id)
        for row in conn.execute(select(carts).where(key.in_(some), ~carts.c.deleted)).mappings():
            found[row["shop"], row["cart_id"]] = recall.cart_from(row)
    owners = _owners(conn, found.values())
    bought = _ordered(conn, found.values()) | _ordered_since(conn, found, owners)
    return {
        place: Basket(cart, owners.get(place), place in bought) for place, cart in found.items()
    }


def concerned_carts(
    conn: Connection, placed: Iterable[Place], persons: Collection[str]
) -> set[Place]:
    """The carts that these orders came of, and those of the people who placed them."""
    if conn.scalar(select(carts.c.cart_id).where(~carts.c.deleted).limit(1)) is None:
        return set()  # most shops tell of none
    found = set(carts_of(conn, persons))
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


def carts_of(conn: Connection, persons: Collection[str]) -> dict[Place, str]:
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
            suspects[row["shop"], row["cart_id"]] = recall.cart_from(row)
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
