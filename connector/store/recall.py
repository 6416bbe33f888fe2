"""Facts as the shops last stated them, back from their rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from connector.model import (
    Bearing,
    Cart,
    Customer,
    Line,
    Order,
    Promotion,
    Refund,
    Version,
    Worth,
)
from connector.store.schema import customers, orders

_OF_PROMOTION = (
    "code", "title", "amount", "currency", "starts_at", "ends_at", "usage_count", "enabled",
)  # fmt: skip


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


def promotion_from(row: Any) -> Promotion:
    """The promotion in a row that is not deleted."""
    return Promotion(
        shop=row["shop"],
        id=row["promotion_id"],
        version=Version(row["version_at"], row["version_tie"]),
        worth=Worth(row["worth"]),
        bearing=Bearing(row["bearing"]),
        **{name: row[name] for name in _OF_PROMOTION},
    )


def refund_from(row: Any) -> Refund:
    """The refund in a row."""
    return Refund(
        id=row["refund_id"],
        amount=row["amount"],
        reason=row["reason"],
        created_at=row["created_at"],
    )
