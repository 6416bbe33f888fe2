"""A destination that joins a house with people and products in it is to hold them all.

Records become due when something about them changes; of a destination that was never seen before
nothing changed. So everything it may hold is marked once, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, select, tuple_

from connector.flow.rules import Holds, Rules, Target
from connector.model import Lane
from connector.store import catalog, gate, lanes, outbox
from connector.store.connect import Store
from connector.store.schema import profiles, records, variants

_BATCH = 1000
_BEGINNING = ""
_TAKEN_BACK = frozenset({"UNSUBSCRIBED", "REDACTED"})
"""As `evaluate.SPELLING` has what makes a record a withdrawal."""

_Page: TypeAlias = tuple[Mapping[str, Lane], str | None]
"""What is to be marked due, and after what to go on; ``None`` at the end."""


def meet(store: Store, rules: Rules, *, now: datetime) -> None:
    """Note which destinations are new, before anything is marked due for them.

    One that has records was here before anybody noted who is. Raises `StoreUnavailable`.
    """
    with store.read() as conn:
        new = [each for each in _whole(rules) if lanes.get(conn, _name(each)) is None]
    if new:
        with store.write() as conn:
            for target in new:
                after = None if _has_records(conn, target) else _BEGINNING
                lanes.put(conn, _name(target), {"after": after}, now=now)


def again(conn: Connection, targets: Iterable[Target], *, now: datetime) -> None:
    """Mark all that these destinations may hold once more: what is meant for them has changed."""
    for target in targets:
        if target.holds in _PAGES:
            lanes.put(conn, _name(target), {"after": _BEGINNING}, now=now)


def drain(store: Store, rules: Rules, *, now: datetime) -> int:
    """Mark a batch for a destination that is new. Gives how many steps that was: 0 or 1.

    Raises `StoreUnavailable`.
    """
    with store.read() as conn:
        kept = [(target, lanes.get(conn, _name(target))) for target in _whole(rules)]
    for target, place in kept:
        if place is not None and place["after"] is not None:
            with store.write() as conn:
                gate.hold(conn)  # nobody is erased between the reading and the marking
                due, after = _PAGES[target.holds](conn, target, place["after"])
                outbox.mark_due(conn, target.name, due, now=now)
                lanes.put(conn, _name(target), {"after": after}, now=now)
            return 1
    return 0


def _whole(rules: Rules) -> list[Target]:
    """The destinations that are to hold all there is."""
    return [target for target in rules.targets if target.holds in _PAGES]


def _name(target: Target) -> str:
    return f"target:{target.name}"


def _has_records(conn: Connection, target: Target) -> bool:
    one = select(records.c.key).where(records.c.destination == target.name).limit(1)
    return conn.scalar(one) is not None


def _people(conn: Connection, target: Target, after: str) -> _Page:
    rows = conn.execute(
        select(
            profiles.c.person,
            profiles.c.email,
            profiles.c.shops,
            profiles.c.email_subscription_status,
        )
        .where(profiles.c.person > after)
        .order_by(profiles.c.person)
        .limit(_BATCH)
    ).all()
    due = {
        person: Lane.WITHDRAWAL if status in _TAKEN_BACK else Lane.NORMAL
        for person, email, shops, status in rows
        if target.shops.intersection(shops) and (email or target.mapping.tables)
    }
    return due, rows[-1].person if len(rows) == _BATCH else None


def _items(conn: Connection, target: Target, after: str) -> _Page:
    rows = conn.execute(
        select(variants.c.shop, variants.c.variant_id)
        .where(
            tuple_(variants.c.shop, variants.c.variant_id) > catalog.place_of(after),
            variants.c.shop.in_(target.shops),
        )
        .order_by(variants.c.shop, variants.c.variant_id)
        .limit(_BATCH)
    ).all()
    keys = [catalog.key_of((shop, variant_id)) for shop, variant_id in rows]
    return dict.fromkeys(keys, Lane.NORMAL), keys[-1] if len(rows) == _BATCH else None


_PAGES: Mapping[Holds, Callable[[Connection, Target, str], _Page]] = {
    Holds.PEOPLE: _people,
    Holds.ITEMS: _items,
}
