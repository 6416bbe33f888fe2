"""Everything that is held of a person, in a file for them: the law lets everybody ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table, or_, select, tuple_

from connector import consent, moments
from connector.errors import ConnectorError
from connector.flow.rules import Rules
from connector.model import Purpose
from connector.spellings import folded, pattern_of, readable
from connector.store import bodies, erasure, evidence, schema, subjects, suppressions
from connector.store.subjects import Named, Subject
from connector.whole_files import make_private, put_in_place

Told: TypeAlias = dict[str, Any]
WriteCsv: TypeAlias = Callable[[Path, Sequence[str], Iterator[Sequence[Any]]], None]

_COLUMNS = ("section", "row", "field", "value")


def gather(conn: Connection, named: Named, rules: Rules, *, now: datetime) -> Told:
    """All that is held of somebody, as JSON can hold it; sections are empty for a stranger."""
    subject = subjects.find(conn, named)
    persons = subject.persons | _people_of(conn, subject)
    contacts = subject.emails | subject.phones
    said = {*contacts, *suppressions.forms_of(conn, contacts)}
    bought = tuple_(schema.orders.c.shop, schema.orders.c.order_id)
    begun = tuple_(schema.carts.c.shop, schema.carts.c.cart_id)
    sold = erasure.keys_of_sales(orders=subject.orders, carts=subject.carts)
    held = tuple_(schema.customers.c.shop, schema.customers.c.customer_id)
    owner = tuple_(schema.customer_addresses.c.shop, schema.customer_addresses.c.customer_id)
    return {
        "written_at": moments.to_text(now),
        "contact_points": {"emails": sorted(subject.emails), "phones": sorted(subject.phones)},
        "profile": _rows(conn, schema.profiles, schema.profiles.c.person.in_(persons)),
        "values": _rows(conn, schema.profile_values, schema.profile_values.c.person.in_(persons)),
        "segments": _segments(conn, persons, rules),
        "moves": _rows(conn, schema.moves, schema.moves.c.person.in_(persons)),
        "consent": _consent(conn, contacts, rules),
        "evidence": _rows(conn, schema.evidence, schema.evidence.c.contact.in_(said)),
        "accounts": _rows(conn, schema.customers, held.in_(subject.accounts)),
        "addresses": _rows(
            conn,
            schema.customer_addresses,
            or_(
                owner.in_(subject.accounts),
                schema.customer_addresses.c.email.in_(subject.emails),
            ),
        ),
        "leads": _rows(
            conn,
            schema.contact_points,
            or_(
                schema.contact_points.c.email.in_(subject.emails),
                schema.contact_points.c.person.in_(persons),
            ),
        ),
        "orders": [
            {
                **order,
                "lines": _parts(conn, schema.order_lines, order),
                "refunds": _parts(conn, schema.refunds, order),
            }
            for order in _rows(conn, schema.orders, bought.in_(subject.orders))
        ],
        "carts": _rows(conn, schema.carts, begun.in_(subject.carts)),
        "destinations": _rows(conn, schema.records, schema.records.c.key.in_(persons | sold)),
        "deliveries": _deliveries(conn, subject),
        "demands": _demands(conn, subject),
        "waiting": _rows(conn, schema.dirty, schema.dirty.c.person.in_(persons)),
    }


@dataclass(frozen=True, slots=True)
class Answers:
    """The folder in which files about people wait to be handed over. Their names name nobody."""

    folder: Path
    rules: Rules
    write_csv: WriteCsv

    def write(self, conn: Connection, named: Named, stem: str, *, now: datetime) -> str:
        """Write all that is held of somebody as JSON and CSV; gives the JSON file's name.

        Raises ``OSError``.
        """
        try:
            make_private(self.folder)
        except ConnectorError as problem:
            raise OSError(0, str(problem)) from problem
        told = gather(conn, named, self.rules, now=now)
        return self.put(told, stem).name

    def put(self, told: Told, stem: str) -> Path:
        """Write what was gathered; gives the JSON file. Raises ``OSError``."""
        file = self.folder / f"{stem}.json"
        put_in_place(file, as_json(told).encode())
        self.write_csv(file.with_suffix(".csv"), _COLUMNS, iter(_flat(told)))
        return file

    def forget(self, subject: Subject) -> int:
        """Remove the files that name somebody; how many people's answers. Raises ``OSError``."""
        words = pattern_of({folded(word) for word in (*subject.emails, *subject.phones)})
        gone = 0
        for file in sorted(self.folder.glob("request-*.json")) if self.folder.is_dir() else ():
            content = file.read_bytes()
            if words.search(readable(content)) or _accounts_in(content) & subject.accounts:
                file.with_suffix(".csv").unlink(missing_ok=True)
                file.unlink()
                gone += 1
        return gone


def as_json(told: Told) -> str:
    """What was gathered as text."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _people_of(conn: Connection, subject: Subject) -> frozenset[str]:
    """Under which keys the person's orders and accounts stand, if by nothing else."""
    bought = tuple_(schema.orders.c.shop, schema.orders.c.order_id)
    return frozenset(conn.scalars(select(schema.orders.c.person).where(bought.in_(subject.orders))))


def _rows(conn: Connection, table: Table, chosen: ColumnElement[bool]) -> list[Told]:
    ordered = select(table).where(chosen).order_by(*table.primary_key.columns)
    return [
        {name: _plain(value) for name, value in row.items()}
        for row in conn.execute(ordered).mappings()
    ]


def _parts(conn: Connection, table: Table, order: Told) -> list[Told]:
    mine = (table.c.shop == order["shop"]) & (table.c.order_id == order["order_id"])
    return _rows(conn, table, mine)


def _segments(conn: Connection, persons: Collection[str], rules: Rules) -> list[Told]:
    chosen = schema.memberships.c.person.in_(persons)
    return [
        {**row, "when": segment.when if segment else None}
        for row in _rows(conn, schema.memberships, chosen)
        for segment in [rules.mapping.segments.get(row["segment"])]
    ]


def _consent(conn: Connection, contacts: Collection[str], rules: Rules) -> list[Told]:
    told = []
    for contact, said in sorted(evidence.of_people(conn, contacts).items()):
        for purpose in Purpose:
            mine = [item for item in said if item.purpose is purpose]
            if mine:
                summary = consent.summarise(mine)
                state = consent.decide(summary, rules.consent_policy)
                sendable = consent.is_sendable(state, summary)
                told.append(
                    {
                        "contact": contact,
                        "purpose": purpose,
                        "state": state,
                        "may_be_written_to": sendable,
                    }
                )
    return told


def _deliveries(conn: Connection, subject: Subject) -> list[Told]:
    named_in = bodies.search(conn, subject).found
    return _rows(conn, schema.deliveries, schema.deliveries.c.id.in_(named_in))


def _demands(conn: Connection, subject: Subject) -> list[Told]:
    return [
        row
        for row in _rows(conn, schema.requests, schema.requests.c.subject.is_not(None))
        if row["subject"]["email"] in subject.emails
        or (row["shop"], row["subject"]["customer_id"]) in subject.accounts
    ]


def _plain(value: Any) -> Any:
    """A column's value as JSON can hold it; what a shop delivered is shown as it was."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        with suppress(ValueError, RecursionError):
            return json.loads(raw)
        with suppress(ValueError):
            return raw.decode()
        return raw.hex()
    return value


def _flat(told: Mapping[str, Any]) -> Iterator[tuple[str, int, str, Any]]:
    """One line for each single value, however deep it lies."""
    for section, content in told.items():
        rows = content if isinstance(content, list) else [content]
        for number, row in enumerate(rows, start=1):
            for field, value in _leaves(row):
                yield section, number, field, value


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from _leaves(inner, f"{path}.{name}" if path else str(name))
        case list() | tuple():
            for number, inner in enumerate(value, start=1):
                yield from _leaves(inner, f"{path}.{number}" if path else str(number))
        case _:
            yield path, value


def _accounts_in(content: bytes) -> frozenset[tuple[str, str]]:
    try:
        told = json.loads(content)
        return frozenset((row["shop"], row["customer_id"]) for row in told["accounts"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
