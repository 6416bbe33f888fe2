"""Whose record it is that a destination shows under a name of its own."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from connector.flow.rules import Holds, Target
from connector.store import seen
from mappings.grammar import ItemRules
from mappings.items import keys_of_id


def keys_of(conn: Connection, target: Target, names: Collection[str]) -> dict[str, str]:
    """The keys of our records by the names under which they are shown; of others there is none.

    A person, an order is shown under its key; an item under the id that the mapping gives it.
    """
    if target.holds is not Holds.ITEMS:
        return {name: name for name in names}
    template = (target.mapping.items or ItemRules()).id
    meant = {name: keys_of_id(template, name, target.shops) for name in names}
    known = seen.known(conn, target.name, {key for keys in meant.values() for key in keys})
    return {
        name: next(iter(found))
        for name, keys in meant.items()
        if len(found := known & {*keys}) == 1
    }
