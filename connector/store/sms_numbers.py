"""Whose number is whose: a permission to send texts is a number's, and people are told it with it.

What was said of a number counts for everybody who goes by it now, and for nobody who went by it
once: another number is another contact point.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from connector.store.schema import profiles
from connector.store.sql import among


def numbers_of(conn: Connection, persons: Collection[str]) -> dict[str, str]:
    """The number (E.164) of each of these people, of those who have one."""
    if not persons:
        return {}
    rows = conn.execute(
        select(profiles.c.person, profiles.c.phone).where(
            among(conn, profiles.c.person, persons), profiles.c.phone.is_not(None)
        )
    )
    return {person: phone for person, phone in rows}  # noqa: C416 - rows are no plain tuples


def holders_of(conn: Connection, contacts: Collection[str]) -> dict[str, str]:
    """Who goes by which of these contact points, where that is a number."""
    numbers = {contact for contact in contacts if contact.startswith("+")}
    if not numbers:
        return {}
    rows = conn.execute(
        select(profiles.c.person, profiles.c.phone).where(among(conn, profiles.c.phone, numbers))
    )
    return {person: phone for person, phone in rows}  # noqa: C416 - rows are no plain tuples
