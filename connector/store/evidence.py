"""The consent ledger, append-only: who said what about a permission, when, by which delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select

from connector.keys import is_digest
from connector.model import Claim, Evidence, Purpose
from connector.store import admission, repeated, suppressions
from connector.store.causes import delivery_of
from connector.store.people import aliases
from connector.store.schema import evidence
from connector.store.sms_numbers import holders_of, numbers_of
from connector.store.sql import among, insert_missing, write_rows


@dataclass(frozen=True, slots=True)
class Grown:
    """What an addition changed.

    ``contacts`` are those whose evidence grew, their aliases, and who goes by them where they are
    numbers, each with the newest delivery that brought some; ``causes`` are all deliveries that
    brought something new.
    """

    contacts: Mapping[str, int | None] = field(default_factory=dict)
    causes: frozenset[int] = frozenset()


def append(
    conn: Connection,
    said: Sequence[tuple[Evidence, int | None]],
    *,
    hidden: Collection[int | None] = (),
    retold: Collection[int | None] = (),
) -> Grown:
    """Add what is not in the ledger yet; of people who were erased, under their digest.

    The same statement twice is one entry, whichever delivery carried it. ``hidden`` are deliveries
    whose facts are kept without their person. ``retold`` are those that only show how things are: a
    statement without a date is in the ledger already if it is there with any time of receipt.
    """
    if not said:
        return Grown()
    admitted = admission.admit_evidence(conn, said, hidden=hidden)
    by_id = {identify(item): (item, delivery_id) for item, delivery_id in admitted}
    owners = {
        item.contact: told.contact for (item, _), (told, _) in zip(admitted, said, strict=True)
    }
    known = set(
        conn.scalars(
            select(evidence.c.evidence_id).where(evidence.c.evidence_id.in_(sorted(by_id)))
        )
    )
    fresh = {key: entry for key, entry in sorted(by_id.items()) if key not in known}
    for key in _said_before(conn, fresh, retold):
        del fresh[key]
    if not fresh:
        return Grown()
    write_rows(
        conn,
        insert_missing(conn, evidence),
        [
            {
                "evidence_id": key,
                "contact": item.contact,
                "purpose": str(item.purpose),
                "claim": str(item.claim),
                "source": item.source,
                "at": item.at,
                "received_at": item.received_at,
                "method": item.method,
                "reference": item.reference,
                "wording": item.wording,
                "wording_sha256": item.wording_sha256,
                "country": item.country,
                "delivery_id": delivery_of(cause),
            }
            for key, (item, cause) in fresh.items()
        ],
    )
    grown: dict[str, int | None] = {}
    for item, cause in sorted(fresh.values(), key=lambda entry: entry[1] or 0):
        grown[owners[item.contact]] = cause
    _add_concerned(conn, grown, [*fresh.values()])
    return Grown(grown, frozenset(cause for _, cause in fresh.values() if cause is not None))


def _add_concerned(
    conn: Connection,
    grown: dict[str, int | None],
    fresh: Sequence[tuple[Evidence, int | None]],
) -> None:
    """Who else must be looked at again: aliases, who goes by a number, whom an order named too."""
    for contact, others in aliases(conn, set(grown)).items():
        for other in others:
            grown.setdefault(other, grown[contact])
    for person, number in holders_of(conn, set(grown)).items():
        grown.setdefault(person, grown[number])
    causes = {repeated.place(item): cause for item, cause in fresh}
    for place, contacts in repeated.whose(conn, (item for item, _ in fresh)).items():
        for contact in contacts:
            if not is_digest(contact):
                grown.setdefault(contact, causes[place])


def _said_before(
    conn: Connection,
    fresh: Mapping[bytes, tuple[Evidence, int | None]],
    retold: Collection[int | None],
) -> list[bytes]:
    """Those of the statements that are retold, have no date of their own and are known already.

    Their time of receipt stands in for the date, and is another at each reading.
    """
    asked = {
        key: item
        for key, (item, cause) in fresh.items()
        if cause in retold and item.at in (None, item.received_at)
    }
    if not asked:
        return []
    rows = conn.execute(
        select(evidence).where(
            among(conn, evidence.c.contact, {item.contact for item in asked.values()}),
            or_(evidence.c.at.is_(None), evidence.c.at == evidence.c.received_at),
        )
    ).mappings()
    known = {_undated(item_of(row)) for row in rows}
    return [key for key, item in asked.items() if _undated(item) in known]


def _undated(item: Evidence) -> tuple[object, ...]:
    return (
        item.contact, item.purpose, item.claim, item.source, item.reference, item.wording,
    )  # fmt: skip


def enter_erasure(conn: Connection, contacts: Iterable[str], *, at: datetime, reason: str) -> None:
    """Enter for every purpose that these contact points were erased; under their digests."""
    keys = suppressions.keyring_of(conn)
    append(
        conn,
        [
            (
                Evidence(
                    contact=keys.digest(contact).contact,
                    purpose=purpose,
                    claim=Claim.ERASE,
                    source=reason,
                    at=at,
                    received_at=at,
                    method="erasure",
                ),
                None,
            )
            for contact in sorted(contacts)
            for purpose in Purpose
        ],
    )


def of_people(
    conn: Connection, persons: Collection[str], purpose: Purpose | None = None
) -> dict[str, list[Evidence]]:
    """All that counts for each person: said of their address, and taken away at a former one.

    Also what was said of texts to the number that they go by; unless that is asked for by itself.
    A yes that an account or order repeats of the next address is undated there, where anything was
    ever taken back: it was not said of that address, and must not outweigh what was.
    """
    if not persons:
        return {}
    former = aliases(conn, persons)
    everywhere = {*persons, *(alias for others in former.values() for alias in others)}
    numbers = {
        person: number
        for person, number in (
            numbers_of(conn, persons) if purpose in (None, Purpose.SMS) else {}
        ).items()
        if number not in everywhere
    }
    everywhere |= {*numbers.values()}
    digests = suppressions.forms_of(conn, everywhere)
    query = select(evidence).where(among(conn, evidence.c.contact, {*everywhere, *digests}))
    if purpose is not None:
        query = query.where(evidence.c.purpose == purpose)
    said: dict[str, list[Evidence]] = {}
    for row in conn.execute(query.order_by(evidence.c.received_at)).mappings().all():
        said.setdefault(digests.get(row["contact"], row["contact"]), []).append(item_of(row))
    whose = repeated.whose(
        conn, [item for each in said.values() if repeated.has_left(each) for item in each]
    )
    return {
        person: repeated.of_itself(
            said.get(person, []),
            [item for alias in former.get(person, ()) for item in said.get(alias, ())],
            {
                place
                for place in {repeated.place(item) for item in said.get(person, ())}
                if any(digests.get(other, other) != person for other in whose.get(place, ()))
            },
        )
        + [
            item
            for alias in sorted(former.get(person, ()))
            for item in said.get(alias, ())
            if item.claim in repeated.CARRIED
        ]
        + [item for item in said.get(numbers.get(person, ""), ()) if item.purpose is Purpose.SMS]
        for person in persons
    }


def item_of(row: Any) -> Evidence:
    """The statement in a row of the ledger."""
    return Evidence(
        contact=row["contact"],
        purpose=Purpose(row["purpose"]),
        claim=Claim(row["claim"]),
        source=row["source"],
        at=row["at"],
        received_at=row["received_at"],
        method=row["method"],
        reference=row["reference"],
        wording=row["wording"],
        wording_sha256=row["wording_sha256"],
        country=row["country"],
    )


def identify(item: Evidence) -> bytes:
    """A digest of source, reference and content; the time of receipt only stands in for a date."""
    content = (
        item.source,
        item.reference,
        item.contact,
        item.purpose,
        item.claim,
        item.at or item.received_at,
        item.at is None,
        item.wording,
    )
    return hashlib.sha256(msgspec.json.encode(content)).digest()
