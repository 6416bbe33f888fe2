"""Why: for one person, which facts, which clauses and which evidence decided what is held where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from connector import consent, moments
from connector.flow.evaluate import SPELLING
from connector.flow.rules import Rules
from connector.model import Purpose
from connector.sales_keys import key_of
from connector.store import evidence, profiles, sales
from connector.store.schema import contact_points, deliveries, memberships, moves, records
from connector.store.sql import chunks
from mappings.segments.explain import explain, lines


@dataclass(frozen=True, slots=True)
class Question:
    """Whom it is about, and which part is wanted: a segment, the consent, or everything."""

    address: str
    segment: str | None = None
    only_consent: bool = False


def answer(
    conn: Connection, question: Question, rules: Rules, *, now: datetime
) -> dict[str, Any] | None:
    """Everything that decided, as JSON can hold it; ``None`` for somebody nobody knows."""
    person = (
        conn.scalar(
            select(contact_points.c.person).where(contact_points.c.email == question.address)
        )
        or question.address
    )
    profile = profiles.read(conn, [person]).get(person)
    said = evidence.of_people(conn, [person]).get(person, [])
    if profile is None and not said:
        return None
    told: dict[str, Any] = {"person": person}
    if profile is not None and not question.only_consent:
        told["segments"] = {
            name: _segment(conn, name, person, rules, now)
            for name in rules.mapping.segments
            if question.segment in (None, name)
        }
    if question.segment is None:
        told["consent"] = _consents(said, rules)
        told["destinations"] = _destinations(conn, person)
        told["sales"] = _sales(conn, person)
    return told


def _segment(
    conn: Connection, name: str, person: str, rules: Rules, now: datetime
) -> dict[str, Any]:
    segment = rules.mapping.segments[name]
    explanation = explain(
        segment.query, person=person, conn=conn, zone=rules.zone, now=now, currency=rules.currency
    )
    member = conn.execute(
        select(memberships.c.since, memberships.c.delivery_id).where(
            memberships.c.segment == name, memberships.c.person == person
        )
    ).one_or_none()
    history = conn.execute(
        select(moves.c.entered, moves.c.at, moves.c.delivery_id)
        .where(moves.c.segment == name, moves.c.person == person)
        .order_by(moves.c.id)
    ).all()
    return {
        "when": segment.when,
        "member": member is not None,
        "since": moments.to_text(member.since) if member else None,
        "decided_by": _cause(conn, member.delivery_id) if member else None,
        "because": lines(explanation),
        "moves": [
            {
                "moved": "in" if move.entered else "out",
                "at": moments.to_text(move.at),
                "decided_by": _cause(conn, move.delivery_id),
            }
            for move in history
        ],
    }


def _cause(conn: Connection, delivery_id: int | None) -> str:
    if delivery_id is None:
        return "time passing, a changed mapping, or what was read of the shop"
    row = conn.execute(
        select(deliveries.c.shop, deliveries.c.topic, deliveries.c.received_at).where(
            deliveries.c.id == delivery_id
        )
    ).one_or_none()
    if row is None:
        return f"delivery {delivery_id}"
    return f"delivery {delivery_id}: {row.topic} of {row.shop}, {moments.to_text(row.received_at)}"


def _consents(said: list[Any], rules: Rules) -> dict[str, Any]:
    told = {}
    for purpose in Purpose:
        mine = [item for item in said if item.purpose is purpose]
        summary = consent.summarise(mine)
        state = consent.decide(summary, rules.consent_policy)
        told[purpose.value] = {
            "state": state.value,
            "platform_state": SPELLING[state],
            "sendable": consent.is_sendable(state, summary),
            "evidence": [
                {
                    "claim": item.claim.value,
                    "contact": item.contact,
                    "source": item.source,
                    "at": moments.to_text(item.at) if item.at else None,
                    "received_at": moments.to_text(item.received_at),
                    "method": item.method,
                    "reference": item.reference,
                    "wording": item.wording,
                }
                for item in mine
            ],
        }
    return told


def _destinations(conn: Connection, person: str) -> dict[str, Any]:
    return {
        row["destination"]: _standing(row)
        for row in conn.execute(select(records).where(records.c.key == person)).mappings()
    }


def _sales(conn: Connection, person: str) -> dict[str, Any]:
    """Where each order and cart of the person is held, by its key."""
    told: dict[str, Any] = {key_of(*thing): {} for thing in sorted(sales.of_people(conn, [person]))}
    for keys in chunks(told.keys()):
        for row in conn.execute(
            select(records).where(records.c.key.in_(keys)).order_by(records.c.destination)
        ).mappings():
            told[row["key"]][row["destination"]] = _standing(row)
    return told


def _standing(row: Any) -> dict[str, Any]:
    return {
        "status": row["status"],
        "holds": row["acknowledged"],
        "acknowledged_at": moments.to_text(row["acknowledged_at"])
        if row["acknowledged_at"]
        else None,
        "reason": row["reason"],
        "mend": row["mend"],
    }
