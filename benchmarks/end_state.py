"""What is known in the end, as rows to compare: the same in whatever order it was told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Table, select

from connector.store import schema
from connector.store.connect import Store

State: TypeAlias = Mapping[str, list[str]]
"""Table name to its rows, each as text, in the order of the text."""

_TABLES: Mapping[Table, frozenset[str]] = {
    schema.customers: frozenset(),
    schema.customer_addresses: frozenset(),
    schema.orders: frozenset(),
    schema.order_lines: frozenset(),
    schema.refunds: frozenset(),
    schema.products: frozenset(),
    schema.variants: frozenset(),
    schema.contact_points: frozenset(),
    # Which delivery brought a statement first, and when, is history; what was said is not.
    schema.evidence: frozenset({"evidence_id", "received_at", "delivery_id"}),
    schema.profiles: frozenset(),
    schema.profile_values: frozenset(),
    schema.memberships: frozenset({"since", "delivery_id"}),
    schema.records: frozenset(
        {
            *("status", "lane", "revision", "due_since", "next_attempt_at", "attempts"),
            *("acknowledged_at", "seen_at", "reason", "mend"),
        }
    ),
}
"""The tables that say what is so, with the columns that say how it came about."""


def end_state(store: Store) -> State:
    """Every row of every table that says what is so, without how and when it became known.

    A deleted thing is dated by the delivery that told of it, so that is left out; so is a record
    of which the destination holds nothing.
    """
    with store.read() as conn:
        return {
            table.name: sorted(
                {
                    _spelled(row, left_out)
                    for row in conn.execute(select(table)).mappings()
                    if table is not schema.records or row["acknowledged"] is not None
                }
            )
            for table, left_out in _TABLES.items()
        }


def digest(state: State) -> str:
    """One hash over it all."""
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()


def differences(one: State, other: State) -> list[str]:
    """What is in one of two states only, for people: ``-`` the first, ``+`` the second."""
    return [line for table in one for line in _apart(table, one[table], other[table])]


def _apart(table: str, one: Iterable[str], other: Iterable[str]) -> Iterable[str]:
    yield from (f"- {table} {row}" for row in sorted(set(one) - set(other)))
    yield from (f"+ {table} {row}" for row in sorted(set(other) - set(one)))


def _spelled(row: Mapping[Any, Any], left_out: frozenset[str]) -> str:
    dated_by_us = {"version_at", "version_tie"} if row.get("deleted") else set()
    kept = {
        str(name): value.hex() if isinstance(value, bytes) else value
        for name, value in row.items()
        if name not in left_out and name not in dated_by_us
    }
    return msgspec.json.encode(kept, order="sorted").decode()
