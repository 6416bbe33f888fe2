"""A shop that goes: everybody only it told of is erased, and what it told of others is blanked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, or_, select, tuple_, union

from connector.store import bodies, erasure, farewell, gate
from connector.store.bodies import Searched
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.schema import carts, customer_addresses, customers, orders
from connector.store.subjects import Named

_AT_ONCE = 200  # people in one transaction: a webhook waits for its end


def carry_out(store: Store, shop: str, *, at: datetime, now: datetime) -> int:
    """Erase a whole shop, some people at a time; how many steps that took.

    Done again after a crash it goes on where it was. Raises as `erasure.carry_out`.
    """
    steps = 0
    while _erase_some(store, shop, at=at, now=now):
        steps += 1
    with store.write() as conn:
        bodies.forget_shop(conn, shop)
    store.note_erasures()
    store.untidy.set()
    return steps


def _erase_some(store: Store, shop: str, *, at: datetime, now: datetime) -> bool:
    with store.write() as conn:
        for named in _next(conn, shop):
            if named != _NOBODY:
                erasure.erase(
                    conn, named, at=at, reason=shop, now=now, searched=_ALL_FORGOTTEN_LATER
                )
                return True
        return _blank_some(conn, shop, now=now)


def _next(conn: Connection, shop: str) -> Iterable[Named]:
    """Whom only this shop told of: by address, by an account without one, by an order alone."""
    yield Named(emails=frozenset(conn.scalars(_addresses(shop))))
    yield Named(
        accounts=frozenset(
            (shop, account)
            for account in conn.scalars(
                select(customers.c.customer_id)
                .where(customers.c.shop == shop, customers.c.email.is_(None), ~customers.c.deleted)
                .limit(_AT_ONCE)
            )
        )
    )
    yield Named(
        orders=frozenset(
            (shop, order)
            for order in conn.scalars(
                select(orders.c.order_id)
                .where(orders.c.shop == shop, orders.c.email.is_(None), _names_somebody())
                .limit(_AT_ONCE)
            )
        )
    )


def _addresses(shop: str) -> Any:
    tables = (customer_addresses, orders, carts)
    here = [select(t.c.email).where(t.c.shop == shop, t.c.email.is_not(None)) for t in tables]
    elsewhere = [select(t.c.email).where(t.c.shop != shop, t.c.email.is_not(None)) for t in tables]
    mine = union(*here).subquery()
    return (
        select(mine.c.email)
        .where(*(mine.c.email.not_in(others) for others in elsewhere))
        .order_by(mine.c.email)
        .limit(_AT_ONCE)
    )


def _names_somebody() -> ColumnElement[bool]:
    """Whether an order is not blank yet."""
    return and_(
        ~orders.c.deleted,
        or_(
            orders.c.email.is_not(None),
            orders.c.phone.is_not(None),
            orders.c.customer_id.is_not(None),
            orders.c.first_name != "",
            orders.c.last_name != "",
            orders.c.company != "",
            orders.c.landing_url.is_not(None),
            cast(orders.c.meta, Text).not_in(["{}", "null"]),
        ),
    )


def _blank_some(conn: Connection, shop: str, *, now: datetime) -> bool:
    """Of people whom others told of too, only what this shop told."""
    accounts = conn.execute(
        select(customers.c.customer_id, customers.c.person)
        .where(customers.c.shop == shop, ~customers.c.deleted)
        .limit(_AT_ONCE)
    ).all()
    bought = conn.scalars(
        select(orders.c.order_id).where(orders.c.shop == shop, _names_somebody()).limit(_AT_ONCE)
    ).all()
    begun = conn.scalars(
        select(carts.c.cart_id).where(carts.c.shop == shop, ~carts.c.deleted).limit(_AT_ONCE)
    ).all()
    if not accounts and not bought and not begun:
        return False
    gate.close(conn, now=now)
    sold = erasure.keys_of_sales(
        orders=[(shop, order) for order in bought], carts=[(shop, cart) for cart in begun]
    )
    farewell.mark(conn, sold, now=now)
    erasure.blank_carts(conn, {(shop, cart) for cart in begun})
    losers = erasure.blank_orders(conn, {(shop, order) for order in bought})
    erasure.blank_accounts(conn, {(shop, row.customer_id) for row in accounts})
    owner = tuple_(customer_addresses.c.shop, customer_addresses.c.customer_id)
    conn.execute(
        customer_addresses.delete().where(owner.in_([(shop, row.customer_id) for row in accounts]))
    )
    people = {*losers, *(row.person for row in accounts), *(f"{shop}:order:{o}" for o in bought)}
    mark_dirty(conn, dict.fromkeys(people), now=now)
    return True


_NOBODY = Named()
_ALL_FORGOTTEN_LATER = Searched()
