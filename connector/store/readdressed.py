"""Contacts that a destination knows under another address now: what was taken back follows them.

Both addresses are kept as those of one account at that destination, so that the ledger carries
withdrawals from one to the other, in whatever order they come (`evidence.of_people`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connector.model import AddressChange
from connector.store import people, suppressions


@dataclass(frozen=True, slots=True)
class Followed:
    """Whose evidence counts for somebody else now, and the deliveries that told anything new."""

    contacts: frozenset[str] = frozenset()
    causes: frozenset[int] = frozenset()


def follow(conn: Connection, told: Sequence[tuple[AddressChange, int]]) -> Followed:
    """Keep that two addresses are one contact's, unless one of them is an erased person's."""
    if not told:
        return Followed()
    named = {address for change, _ in told for address in (change.old, change.new)}
    erased = suppressions.find(conn, named).keys()
    links = {
        (address, change.source, _account(change)): cause
        for change, cause in told
        if not {change.old, change.new} & erased
        for address in (change.old, change.new)
    }
    fresh = people.remember_addresses(conn, links)
    return Followed(
        contacts=frozenset(address for address, _, _ in fresh),
        causes=frozenset(fresh.values()),
    )


def _account(change: AddressChange) -> str:
    """A name for the pair: the destination's own id of a contact is not in what it tells."""
    pair = "\n".join(sorted((change.old, change.new)))
    return "moved:" + hashlib.blake2b(pair.encode(), digest_size=16).hexdigest()
