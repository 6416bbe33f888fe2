"""Removals that look like a mistake, by their number, wait until a person confirms them.

An emptied catalog stops every advertisement of the shop. So what a day takes away is counted
together: the batch that would make it more than half of all is parked, and so is all after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.flow.rules import Holds, Target
from connector.model import Change, Kind, Parked
from connector.policy import breaker
from connector.store.removals import tally_removals

HELD = "held_by_breaker"
_WINDOW = timedelta(days=1)
_CARTS = f"{Kind.CART.value}/"
_WHOLE = {
    Holds.ITEMS: "the catalog",
    Holds.SALES: "what is held of the shop's sales",
    Holds.PEOPLE: "the audience",
}


def held_back(
    conn: Connection, target: Target, changes: Iterable[tuple[Change, bool]], *, now: datetime
) -> dict[str, Parked]:
    """The removals among the changes that must not go through now, with what to do about them.

    Each change comes with whether a person confirmed it. People are never held: who is removed
    has left, or was erased. Nor are carts, which go when they are ordered.
    """
    if target.holds is Holds.PEOPLE:
        return {}
    going = [
        change.key
        for change, confirmed in changes
        if change.before is not None
        and change.after is None
        and not confirmed
        and not change.erased
        and not change.key.startswith(_CARTS)
    ]
    if not going:
        return {}
    tally = tally_removals(conn, target.name, since=now - _WINDOW, held_as=HELD, passing=_CARTS)
    removals = len(going) + tally.taken + tally.held
    if not breaker.too_many(removals, tally.acknowledged + tally.taken):
        return {}
    parked = Parked(
        reason=HELD,
        mend=f"More than half of {_WHOLE[target.holds]} would be removed within a day. If that is "
        f"meant: "
        f"connector parked --release {target.name}",
    )
    return dict.fromkeys(going, parked)
