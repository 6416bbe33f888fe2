"""A yes that a shop repeats of another address: an account moved, or an order was changed.

It was not said of that address, so it never outweighs what was taken back there. Where nothing was,
the shop's word about its own account or order is believed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import Connection, select

from connector.model import Claim, Evidence
from connector.store.schema import evidence
from connector.store.sql import at_places, chunks

CARRIED = (Claim.WITHDRAW, Claim.ERASE)
"""What follows a person from one address to the next. Grants never do."""
_YES = (Claim.GRANT, Claim.GRANT_CONFIRMED, Claim.GRANT_STATE)
_OF_ORDER = "order:"

Place: TypeAlias = tuple[str, str]
"""A source and its reference: the thing that somebody said something with."""


def of_itself(
    own: list[Evidence], former: Sequence[Evidence], shared: Collection[Place]
) -> list[Evidence]:
    """What was said of an address, and not only repeated of it because its account has it now.

    ``shared`` are the orders that another address had, too: somebody corrected it there.
    """
    moved = {_statement(item) for item in former if item.claim in _YES}
    left = {item.purpose for item in (*own, *former) if item.claim in CARRIED}
    return [
        replace(item, claim=Claim.GRANT_UNDATED)
        if item.claim in _YES
        and item.purpose in left
        and (_statement(item) in moved or place(item) in shared)
        else item
        for item in own
    ]


def has_left(own: Iterable[Evidence]) -> bool:
    """Whether anything was taken back among this."""
    return any(item.claim in CARRIED for item in own)


def place(item: Evidence) -> Place:
    """What it was said with."""
    return item.source, item.reference


def whose(conn: Connection, said: Iterable[Evidence]) -> dict[Place, set[str]]:
    """Of whom each order among these says yes, if it does: of more than one when it was changed."""
    places = {
        place(item) for item in said if item.claim in _YES and item.reference.startswith(_OF_ORDER)
    }
    found: dict[Place, set[str]] = {}
    for some in chunks(places):
        here = at_places(conn, evidence.c.source, evidence.c.reference, some)
        query = select(evidence.c.source, evidence.c.reference, evidence.c.contact)
        for source, reference, contact in conn.execute(
            query.where(here, evidence.c.claim.in_(_YES))
        ):
            found.setdefault((source, reference), set()).add(contact)
    return found


def _statement(item: Evidence) -> tuple[object, ...] | None:
    """What is the same whatever address a shop says it of."""
    of_something = item.reference.startswith(("customer:", _OF_ORDER))
    same = (item.source, item.reference, item.purpose, item.claim, item.at, item.wording)
    return same if of_something else (item.contact, *same)
