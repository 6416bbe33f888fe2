"""What people demand through a shop: to be forgotten, or to see what is held; and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from connector import moments
from connector.model import DataRequest, Delivery, Redaction
from connector.store.schema import requests
from connector.store.sql import insert_missing
from connector.store.subjects import Named

# Of the thirty days that a shop's platform gives: warned after twenty, alarmed after twenty-seven.
_WARNED_BEFORE = timedelta(days=10)
_ALARMED_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An open demand. ``delivery_id`` is also its number; ``named`` says whom it is about."""

    delivery_id: int
    kind: str
    shop: str
    received_at: datetime
    due_at: datetime
    named: Named


def record(
    conn: Connection, demands: Sequence[tuple[DataRequest | Redaction, Delivery]]
) -> frozenset[int]:
    """Write demands down to be carried out; gives the deliveries that brought new ones."""
    if not demands:
        return frozenset()
    wanted = {delivery.id for _, delivery in demands}
    known = set(
        conn.scalars(select(requests.c.delivery_id).where(requests.c.delivery_id.in_(wanted)))
    )
    conn.execute(
        insert_missing(conn, requests),
        [
            {
                "delivery_id": delivery.id,
                "kind": _kind(demand),
                "shop": demand.shop,
                "received_at": delivery.received_at,
                "due_at": demand.due_at,
                "subject": {
                    "customer_id": demand.customer_id,
                    "email": demand.email,
                    "phone": demand.phone,
                    "orders": list(demand.orders),
                },
            }
            for demand, delivery in demands
        ],
    )
    return frozenset(wanted - known)


def open_ones(conn: Connection) -> list[Request]:
    """Everything that is still to be done, in the order in which it was demanded."""
    rows = conn.execute(
        select(requests).where(requests.c.done_at.is_(None)).order_by(requests.c.delivery_id)
    ).mappings()
    return [
        Request(
            delivery_id=row["delivery_id"],
            kind=row["kind"],
            shop=row["shop"],
            received_at=row["received_at"],
            due_at=row["due_at"],
            named=_named(row["shop"], row["subject"]),
        )
        for row in rows
    ]


def finish(conn: Connection, delivery_id: int, *, now: datetime, file: str | None = None) -> None:
    """Note that a demand was carried out, and forget whom it was about."""
    conn.execute(
        update(requests)
        .where(requests.c.delivery_id == delivery_id)
        .values(done_at=now, subject=None, problem=None, file=file)
    )


def note_problem(conn: Connection, delivery_id: int, problem: str) -> None:
    """Note what is in the way; a sentence that names nobody."""
    conn.execute(
        update(requests)
        .where(
            requests.c.delivery_id == delivery_id,
            or_(requests.c.problem.is_(None), requests.c.problem != problem),
        )
        .values(problem=problem)
    )


def summary(conn: Connection, *, now: datetime) -> dict[str, Any]:
    """How many demands are open and done, and how near the end of their time the open ones are."""
    done = conn.scalar(
        select(func.count()).select_from(requests).where(requests.c.done_at.is_not(None))
    )
    waiting = conn.execute(
        select(requests.c.due_at, requests.c.problem)
        .where(requests.c.done_at.is_(None))
        .order_by(requests.c.due_at)
    ).all()
    alarmed = [row for row in waiting if now >= row.due_at - _ALARMED_BEFORE]
    warned = [row for row in waiting if now >= row.due_at - _WARNED_BEFORE]
    return {
        "open": len(waiting),
        "done": done or 0,
        "warn": len(warned) - len(alarmed),
        "alarm": len(alarmed),
        "next_due_at": moments.to_text(waiting[0].due_at) if waiting else None,
        "problem": next((row.problem for row in waiting if row.problem), None),
    }


def _kind(demand: DataRequest | Redaction) -> str:
    match demand:
        case DataRequest():
            return "data_request"
        case Redaction(whole_shop=True):
            return "shop_redaction"
        case Redaction():
            return "redaction"


def _named(shop: str, subject: Any) -> Named:
    def said(name: str) -> frozenset[str]:
        return frozenset([subject[name]] if subject[name] else [])

    return Named(
        emails=said("email"),
        phones=said("phone"),
        accounts=frozenset((shop, account) for account in said("customer_id")),
        orders=frozenset((shop, order) for order in subject["orders"]),
    )
