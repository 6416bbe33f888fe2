"""A backup brought people back who had been erased since: they are erased once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from connector.errors import ConfigurationFault
from connector.keys import is_digest
from connector.model import Kind
from connector.store import erasure, ledger, suppressions
from connector.store.connect import Store
from connector.store.schema import (
    carts,
    contact_points,
    customer_addresses,
    customers,
    evidence,
    orders,
    profiles,
    records,
)
from connector.store.subjects import Named
from connector.store.suppressions import Entry


def erase_again(store: Store, *, now: datetime) -> int:
    """Carry out every erasure that is noted beside the store and unknown to it; how many digests.

    The store knows them afterwards, and may be used. Raises `ConfigurationFault` if the key of one
    is not there: its person could not be found.
    """
    if store.file is None:
        return 0
    noted = ledger.read(ledger.beside(store.file))
    with store.read() as conn:
        lost = ledger.missing(conn, noted)
        unknown = {entry.digest.version for entry in lost} - set(
            suppressions.keyring_of(conn).versions
        )
        if unknown:
            raise ConfigurationFault(suppressions.key_missing(len(unknown)))
        back = _recognised(conn, lost)
    for (at, reason), named in back.items():
        erasure.carry_out(store, named, at=at, reason=reason, now=now)
    with store.write() as conn:
        suppressions.put(conn, lost)
    store.note_erasures()
    store.untidy.set()
    return len(lost)


def _recognised(conn: Connection, lost: list[Entry]) -> dict[tuple[datetime, str], Named]:
    """Whom of those the store knows, together with whoever was erased at the same moment."""
    wanted = {entry.digest.value: entry for entry in lost}
    keys = suppressions.keyring_of(conn)
    found: dict[tuple[datetime, str], set[Named]] = defaultdict(set)
    for named, name in _everybody(conn):
        for digest in keys.digests(name):
            if entry := wanted.get(digest.value):
                found[entry.erased_at, entry.reason].add(named)
    return {moment: Named.together(several) for moment, several in sorted(found.items())}


def _everybody(conn: Connection) -> Iterator[tuple[Named, str]]:
    """Everything that names a person, with the name it is digested by."""
    for column in (
        customers.c.email,
        customer_addresses.c.email,
        contact_points.c.email,
        orders.c.email,
        carts.c.email,
        evidence.c.contact,
        profiles.c.person,
        records.c.key,
    ):
        for name in conn.scalars(select(column).where(column.is_not(None)).distinct()):
            if "@" in name:
                yield Named(emails=frozenset({name})), name
            elif name.startswith("+") and not is_digest(name):
                yield Named(phones=frozenset({name})), name
    for row in conn.execute(select(customers.c.shop, customers.c.customer_id)):
        account = (row.shop, row.customer_id)
        yield Named(accounts=frozenset({account})), f"{row.shop}:{Kind.CUSTOMER}:{row.customer_id}"
    for row in conn.execute(select(orders.c.shop, orders.c.order_id)):
        order = (row.shop, row.order_id)
        yield Named(orders=frozenset({order})), f"{row.shop}:{Kind.ORDER}:{row.order_id}"
