"""Facts as the shops last stated them, back from their rows: orders without lines, and accounts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from connector.model import Customer, Order, Version
from connector.store.schema import customers, orders


def stated_of(conn: Connection, persons: Collection[str]) -> dict[str, list[Order | Customer]]:
    """Each person's orders, newest first, then their accounts, newest statement first."""
    found: dict[str, list[Order | Customer]] = {}
    for row in conn.execute(
        select(orders)
        .where(orders.c.person.in_(persons), ~orders.c.deleted)
        .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
    ).mappings():
        found.setdefault(row["person"], []).append(order_from(row))
    for row in conn.execute(
        select(customers)
        .where(customers.c.person.in_(persons), ~customers.c.deleted)
        .order_by(customers.c.version_at.desc(), customers.c.customer_id)
    ).mappings():
        found.setdefault(row["person"], []).append(customer_from(row))
    return found


def order_from(row: Any) -> Order:
    """The order in a row, without its lines and refunds."""
    return Order(
        shop=row["shop"],
        id=row["order_id"],
        version=Version(row["version_at"], row["version_tie"]),
        number=row["number"],
        status=row["status"],
        currency=row["currency"],
        total=row["total"],
        tax=row["tax"],
        shipping=row["shipping"],
        discount=row["discount"],
        placed_at=row["placed_at"],
        paid_at=row["paid_at"],
        customer_id=row["customer_id"],
        email=row["email"],
        phone=row["phone"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        company=row["company"],
        countries=tuple(row["countries"] or ()),
        fulfilled=row["fulfilled"],
        cancelled_at=row["cancelled_at"],
        landing_url=row["landing_url"],
        meta=row["meta"] or {},
    )


def customer_from(row: Any) -> Customer:
    """The account in a row."""
    return Customer(
        shop=row["shop"],
        id=row["customer_id"],
        version=Version(row["version_at"], row["version_tie"]),
        email=row["email"],
        phone=row["phone"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        company=row["company"],
        country=row["country"],
        language=row["language"],
        created_at=row["created_at"],
        tags=tuple(row["tags"] or ()),
        meta=row["meta"] or {},
    )
