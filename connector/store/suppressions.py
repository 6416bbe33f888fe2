"""Who must not come back: digests of the contact points of everybody who was erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, select

from connector.errors import ConfigurationFault
from connector.keys import Digest, Keyring
from connector.store.schema import suppressions
from connector.store.sql import insert_into

KEYRING = "keyring"
"""The option of a store's connections under which they carry the keys."""
_MOST = 1000  # digests in one question


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One digest: since when, and on whose demand."""

    digest: Digest
    erased_at: datetime
    reason: str


def keyring_of(conn: Connection) -> Keyring:
    """The keys that the store was opened with."""
    keys: Keyring = conn.get_execution_options().get(KEYRING, Keyring())
    return keys


def is_empty(conn: Connection) -> bool:
    """Whether nobody was ever erased: then nothing else need be asked."""
    return conn.scalar(select(suppressions.c.digest).limit(1)) is None


def find(conn: Connection, contacts: Collection[str]) -> dict[str, Entry]:
    """Which of these contact points belong to somebody erased, under any of the keys.

    Raises `ConfigurationFault` when somebody was erased and no key is there to recognise them.
    """
    if not contacts or is_empty(conn):
        return {}
    owners = {
        digest.value: contact
        for contact in contacts
        for digest in _keys_to_ask(conn).digests(contact)
    }
    found: dict[str, Entry] = {}
    for entry in _rows(conn, owners):
        contact = owners[entry.digest.value]
        if contact not in found or found[contact].erased_at < entry.erased_at:
            found[contact] = entry
    return found


def forms_of(conn: Connection, contacts: Collection[str]) -> dict[str, str]:
    """Under which digests the ledger may speak of these contact points: to whom each belongs."""
    if not contacts or is_empty(conn):
        return {}
    keys = _keys_to_ask(conn)
    return {digest.contact: contact for contact in contacts for digest in keys.digests(contact)}


def add(conn: Connection, contacts: Iterable[str], *, at: datetime, reason: str) -> None:
    """Keep digests of these contact points, under the newest key."""
    keys = keyring_of(conn)
    put(
        conn,
        [
            Entry(digest=keys.digest(contact), erased_at=at, reason=reason)
            for contact in sorted(set(contacts))
        ],
    )


def renew(conn: Connection, found: Mapping[str, Entry]) -> None:
    """Keep under the newest key what was recognised by an older one: so old keys wear out."""
    keys = keyring_of(conn)
    put(
        conn,
        [
            Entry(digest=keys.digest(contact), erased_at=entry.erased_at, reason=entry.reason)
            for contact, entry in sorted(found.items())
            if entry.digest.version != keys.versions[0]
        ],
    )


def put(conn: Connection, entries: Collection[Entry]) -> None:
    """Write entries; of one digest the latest erasure counts."""
    if not entries:
        return
    statement = insert_into(conn, suppressions)
    fresh = statement.excluded
    later = fresh.erased_at > suppressions.c.erased_at
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["digest"],
            set_={
                "erased_at": case((later, fresh.erased_at), else_=suppressions.c.erased_at),
                "reason": case((later, fresh.reason), else_=suppressions.c.reason),
            },
        ),
        [
            {
                "digest": entry.digest.value,
                "key_version": entry.digest.version,
                "erased_at": entry.erased_at,
                "reason": entry.reason,
            }
            for entry in entries
        ],
    )


def everything(conn: Connection) -> list[Entry]:
    """All that is kept, in one order."""
    return [_entry(row) for row in conn.execute(select(suppressions).order_by("digest"))]


def unknown_keys(conn: Connection) -> list[str]:
    """Versions of keys under which somebody was erased, and which the store was not given."""
    used = conn.scalars(select(suppressions.c.key_version).distinct())
    return sorted(set(used) - set(keyring_of(conn).versions))


def _keys_to_ask(conn: Connection) -> Keyring:
    keys = keyring_of(conn)
    if not keys:
        raise ConfigurationFault(key_missing(1))
    return keys


def key_missing(number: int) -> str:
    """What is said when erased people could not be recognised."""
    return (
        f"CONNECTOR_SECRET_KEY lacks {number} key{'' if number == 1 else 's'} under which people "
        "were erased: without it they would not be recognised, and could come back. Set it as it "
        "was; several are allowed, with commas between, the one to use from now on first."
    )


def _rows(conn: Connection, digests: Collection[bytes]) -> Iterator[Entry]:
    asked = sorted(digests)
    for start in range(0, len(asked), _MOST):
        some = asked[start : start + _MOST]
        rows = conn.execute(select(suppressions).where(suppressions.c.digest.in_(some)))
        yield from map(_entry, rows)


def _entry(row: Any) -> Entry:
    return Entry(
        digest=Digest(row.key_version, bytes(row.digest)),
        erased_at=row.erased_at,
        reason=row.reason,
    )
