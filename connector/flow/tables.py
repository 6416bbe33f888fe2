"""The rows of the shop's own tables: each person's account, orders, segments and consents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from connector import consent, moments, money
from connector.flow.rules import Rules
from connector.model import Json, Profile, Purpose
from connector.store import evidence
from connector.store.schema import memberships, order_lines, orders
from mappings.fields import attribute_value

Row: TypeAlias = dict[str, Json]
Rows: TypeAlias = dict[str, list[Row]]


def of_people(
    conn: Connection, known: Mapping[str, Profile], wanted: Sequence[str], rules: Rules
) -> dict[str, Rows]:
    """The wanted tables' rows of each person."""
    found: dict[str, Rows] = {person: {} for person in known}
    for table in wanted:
        for person, row in _TABLES[table](conn, known, rules):
            found[person].setdefault(table, []).append({"person": person, **row})
    return found


def _customers(conn: Connection, known: Mapping[str, Profile], rules: Rules) -> Any:
    said = {purpose: evidence.of_people(conn, list(known), purpose) for purpose in Purpose}
    for person, profile in known.items():
        states = {
            f"{purpose}_consent": consent.decide(
                consent.summarise(of.get(person, ())), rules.consent_policy
            )
            for purpose, of in said.items()
        }
        yield (
            person,
            {
                "email": profile.email,
                "first_name": profile.first_name,
                "last_name": profile.last_name,
                "company": profile.company,
                "phone": profile.phone,
                "country": profile.country,
                "shops": ", ".join(profile.shops),
                "number_of_orders": profile.number_of_orders,
                "amount_spent": attribute_value("amount_spent", profile, rules.zone),
                "currency": profile.currency,
                "first_order_date": attribute_value("first_order_date", profile, rules.zone),
                "last_order_date": attribute_value("last_order_date", profile, rules.zone),
                "customer_added_date": attribute_value("customer_added_date", profile, rules.zone),
                "tags": ", ".join(profile.tags),
                **states,
            },
        )


def _orders(conn: Connection, known: Mapping[str, Profile], _rules: Rules) -> Any:
    bought: dict[tuple[str, str], list[str]] = {}
    mine = orders.c.person.in_(list(known)) & ~orders.c.deleted
    for row in conn.execute(
        select(
            order_lines.c.shop, order_lines.c.order_id, order_lines.c.quantity, order_lines.c.name
        )
        .join(
            orders,
            (orders.c.shop == order_lines.c.shop) & (orders.c.order_id == order_lines.c.order_id),
        )
        .where(mine)
        .order_by(order_lines.c.line_id)
    ):
        bought.setdefault((row.shop, row.order_id), []).append(f"{row.quantity} x {row.name}")
    for row in conn.execute(
        select(orders).where(mine).order_by(orders.c.placed_at, orders.c.order_id)
    ):
        yield (
            row.person,
            {
                "shop": row.shop,
                "order_id": row.order_id,
                "number": row.number,
                "status": row.status,
                "placed_at": moments.to_text(row.placed_at),
                "currency": row.currency,
                "first_name": row.first_name,
                "last_name": row.last_name,
                "company": row.company,
                "total": _decimal(row.total, row.currency),
                "refunded": _decimal(row.refunded, row.currency),
                "tax": _decimal(row.tax, row.currency),
                "shipping": _decimal(row.shipping, row.currency),
                "lines": "; ".join(bought.get((row.shop, row.order_id), ())),
            },
        )


def _segments(conn: Connection, known: Mapping[str, Profile], _rules: Rules) -> Any:
    for row in conn.execute(
        select(memberships)
        .where(memberships.c.person.in_(list(known)))
        .order_by(memberships.c.segment)
    ):
        yield row.person, {"segment": row.segment, "since": moments.to_text(row.since)}


def _consents(conn: Connection, known: Mapping[str, Profile], _rules: Rules) -> Any:
    for person, said in evidence.of_people(conn, list(known)).items():
        for item in said:
            yield (
                person,
                {
                    "contact": item.contact,
                    "purpose": item.purpose,
                    "claim": item.claim,
                    "source": item.source,
                    "at": moments.to_text(item.at) if item.at else None,
                    "received_at": moments.to_text(item.received_at),
                    "method": item.method,
                    "reference": item.reference,
                    "wording": item.wording,
                },
            )


def _decimal(minor: int, currency: str) -> str:
    return str(money.to_major(minor, currency))


_TABLES: Mapping[str, Callable[[Connection, Mapping[str, Profile], Rules], Any]] = {
    "customers": _customers,
    "orders": _orders,
    "segments": _segments,
    "consents": _consents,
}
