"""Which orders, carts, products and promotions are due where, after what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.flow.buyers import Buyer, buyers_of
from connector.flow.rules import Holds, Rules, Target
from connector.model import Kind, Lane
from connector.sales_keys import OF_PEOPLE, Thing, key_of
from connector.store import outbox, sales, standings
from connector.store.standings import Standing
from mappings import sales as worded

WAITS = "waits until the buyer is there"
LOOK_AGAIN = timedelta(minutes=1)
"""When an order that waits is looked at again, should nobody have told that its buyer is there."""


def are_told(rules: Rules, kind: Kind, shop: str) -> bool:
    """Whether any destination is told of such things of this shop."""
    return any(
        kind in target.sells and shop in target.shops for target in rules.holding(Holds.SALES)
    )


def mark_sold(conn: Connection, rules: Rules, sold: Iterable[Thing], *, now: datetime) -> None:
    """What changed of these things is due wherever sales of their shop are held."""
    things = list(sold)
    for target in rules.holding(Holds.SALES):
        lanes = {
            key_of(*thing): _lane(thing.kind)
            for thing in things
            if thing.kind in target.sells and thing.shop in target.shops
        }
        outbox.mark_due(conn, target.name, lanes, now=now)


def mark_of_people(
    conn: Connection, targets: Iterable[Target], rules: Rules, persons: Collection[str],
    *, now: datetime,
) -> None:  # fmt: skip
    """Mark the orders and carts due that follow a change of whose they are, or of their permission.

    Those that a destination holds as it should are left alone: a buyer of thousands of orders
    changes with each of them.
    """
    chosen = [target for target in targets if target.sells & OF_PEOPLE]
    if not chosen or not persons:
        return
    things = sales.of_people(conn, persons)
    for target in chosen:
        mine = {
            key_of(*thing): (thing.kind, person)
            for thing, person in things.items()
            if thing.kind in target.sells and thing.shop in target.shops
        }
        rows = standings.look(conn, target.name, mine)
        buyers = buyers_of(conn, {person for _, person in mine.values()}, target, rules)
        lanes = {
            key: lane
            for key, (kind, person) in mine.items()
            if (lane := _follows(kind, person, buyers[person], rows.get(key))) is not None
        }
        outbox.mark_due(conn, target.name, lanes, now=now)


def mark_everything(conn: Connection, target: Target, *, now: datetime) -> None:
    """A destination that was never told of anything is due all that there is."""
    if standings.is_new(conn, target.name):
        for kind in target.sells:
            standings.mark_all_sold(conn, target.name, kind, target.shops, _lane(kind), now=now)


def followers(rules: Rules, name: str) -> tuple[Target, ...]:
    """The destinations of sales whose buyers are the people of this destination."""
    return tuple(target for target in rules.holding(Holds.SALES) if target.members == name)


def _lane(kind: Kind) -> Lane:
    """Orders name products, and a batch sends those first."""
    return Lane.RESTING if kind in OF_PEOPLE else Lane.NORMAL


def _follows(kind: Kind, person: str, buyer: Buyer, row: Standing | None) -> Lane | None:
    is_held = row is not None and row.is_held
    wants = worded.should_hold(kind, buyer.permission, is_held=is_held) and "@" in person
    if is_held and not wants:
        return Lane.WITHDRAWAL
    if wants != is_held or _may_wait(row):
        return Lane.RESTING
    differs = row is not None and is_held and (row.email, row.permission) != (
        person, buyer.held_as
    )  # fmt: skip
    return Lane.RESTING if differs else None


def _may_wait(row: Standing | None) -> bool:
    """Whether it waits for its buyer, or its lane may be finding just now that it does.

    That lane then sees that it changed meanwhile, and does not let it wait for nothing.
    """
    return row is not None and row.status == "due" and row.reason in (None, WAITS)
