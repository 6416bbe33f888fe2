"""What a destination of sales should hold, and which orders wait until their buyer is there.

An order brings its buyer along, as a contact without permission. So where a destination keeps
people too, the buyer's own record goes first, and the order is held as that record allows
(`mappings.sales`): whom the destination refuses, or may not hold, no order brings there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, select

from connector import consent
from connector.flow.rules import Holds, Rules, Target
from connector.model import Kind, Lane, Permission, Profile, Record
from connector.sales_keys import OF_PEOPLE, Thing, key_of, thing_of
from connector.store import evidence, outbox, sales, standings
from connector.store.sales import Place
from connector.store.schema import dirty
from connector.store.sql import chunks
from connector.store.standings import Standing
from mappings import sales as worded
from mappings.project import Known, permit

WAITS = "waits until the buyer is there"
LOOK_AGAIN = timedelta(minutes=1)
"""When an order that waits is looked at again, should nobody have told that its buyer is there."""

Wanted: TypeAlias = tuple[Record | None, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Buyer:
    """What a destination may do with somebody, and whether it is still to be told of them."""

    permission: Permission | None
    is_coming: bool
    granted_at: datetime | None


def desired(
    conn: Connection,
    keys: Sequence[str],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    """What the destination should hold under these keys; ``held`` is what it acknowledged."""
    things = {key: thing_of(key) for key in keys}
    wanted: dict[str, Wanted] = dict.fromkeys(keys, (None, None))
    for kind in target.sells:
        mine = {
            key: (thing.shop, thing.id)
            for key, thing in things.items()
            if thing.kind is kind and thing.shop in target.shops
        }
        if mine:
            wanted |= _WORKED_OUT[kind](conn, mine, held, target, rules)
    return wanted


def awaited(conn: Connection, target: Target, persons: Collection[str]) -> frozenset[str]:
    """Those of these buyers whose own record at this destination is not settled yet."""
    if target.members is None or not persons:
        return frozenset()
    rows = standings.look(conn, target.members, persons)
    return frozenset(
        person for person, is_coming in _coming(conn, set(persons), rows).items() if is_coming
    )


# --- Due -----------------------------------------------------------------------------------------


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
        buyers = _buyers(conn, {person for _, person in mine.values()}, target, rules)
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


def _follows(kind: Kind, person: str, buyer: _Buyer, row: Standing | None) -> Lane | None:
    is_held = row is not None and row.is_held
    wants = worded.should_hold(kind, buyer.permission, is_held=is_held) and "@" in person
    if is_held and not wants:
        return Lane.WITHDRAWAL
    if wants != is_held or (row is not None and row.reason == WAITS):
        return Lane.RESTING
    differs = row is not None and is_held and (row.email, row.permission) != (
        person, _permission(buyer)
    )  # fmt: skip
    return Lane.RESTING if differs else None


# --- Who may be held ---------------------------------------------------------------------------


def _buyers(
    conn: Connection, persons: Collection[str], target: Target, rules: Rules
) -> dict[str, _Buyer]:
    said = evidence.of_people(conn, persons, target.mapping.purpose)
    rows = standings.look(conn, target.members, persons) if target.members else {}
    coming = _coming(conn, persons, rows) if target.members else {}
    buyers: dict[str, _Buyer] = {}
    for person in persons:
        summary = consent.summarise(said.get(person, ()))
        row = rows.get(person)
        known = Known(
            profile=Profile(person=person),
            segments=(),
            state=consent.decide(summary, rules.consent_policy),
            summary=summary,
            held=Record(key=person, email=person, permission=row.permission)
            if row is not None and row.is_held
            else None,
        )
        permission = permit(known, target.mapping)
        if target.members is None:
            # There is no list of people there, whose policy could allow more than they did.
            allowed = permission in (Permission.SEND, Permission.WITHDRAWN)
        else:
            allowed = (
                coming.get(person, False)
                or permission is Permission.WITHDRAWN
                or _is_member(row, target)
            )
        buyers[person] = _Buyer(
            permission=permission if allowed else None,
            is_coming=coming.get(person, False),
            granted_at=consent.newest_grant(summary),
        )
    return buyers


def _coming(
    conn: Connection, persons: Collection[str], rows: Mapping[str, Standing]
) -> dict[str, bool]:
    """Whether each person's own record is still to be sent, or even to be thought of."""
    unknown = set(persons) - rows.keys()
    changed = {
        person
        for some in chunks(unknown)
        for person in conn.scalars(select(dirty.c.person).where(dirty.c.person.in_(some)))
    }
    return {
        person: rows[person].status == "due" if person in rows else person in changed
        for person in persons
    }


def _is_member(row: Standing | None, target: Target) -> bool:
    """Whether the destination has the person: one that makes nobody says so when it has not."""
    if row is None or not row.is_held:
        return False
    return target.mapping.policy != "existing_only" or row.reason is None


def _permission(buyer: _Buyer) -> Permission:
    """What stands in a record that is held whatever its buyer allows."""
    return buyer.permission or Permission.SILENT


# --- What is wanted --------------------------------------------------------------------------


def _orders(
    conn: Connection,
    mine: Mapping[str, Place],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    there = sales.orders_at(conn, set(mine.values()))
    persons = {bought.person for bought in there.values() if "@" in bought.person}
    buyers = _buyers(conn, persons, target, rules)
    counting = rules.counting.statuses
    wanted: dict[str, Wanted] = {}
    for key, place in mine.items():
        bought = there.get(place)
        buyer = buyers.get(bought.person) if bought else None
        if bought is None or buyer is None or not _holds(Kind.ORDER, buyer, held[key]):
            wanted[key] = (None, None)
            continue
        fields = worded.order(
            bought,
            bought.person,
            platform=rules.platforms.get(place[0], ""),
            counting=counting.get(place[0], frozenset()),
        )
        wanted[key] = (_record(key, bought.person, buyer, fields), buyer.granted_at)
    return wanted


def _carts(
    conn: Connection,
    mine: Mapping[str, Place],
    held: Mapping[str, Record | None],
    target: Target,
    rules: Rules,
) -> dict[str, Wanted]:
    there = sales.carts_at(conn, set(mine.values()))
    persons = {basket.person for basket in there.values() if basket.person}
    buyers = _buyers(conn, {person for person in persons if "@" in person}, target, rules)
    wanted: dict[str, Wanted] = {}
    for key, place in mine.items():
        basket = there.get(place)
        person = basket.person if basket else None
        buyer = buyers.get(person) if person else None
        fields = worded.cart(basket, person) if basket and person else None
        wanted[key] = (None, None)
        if fields and person and buyer and _holds(Kind.CART, buyer, held[key]):
            wanted[key] = (_record(key, person, buyer, fields), buyer.granted_at)
    return wanted


def _products(
    conn: Connection,
    mine: Mapping[str, Place],
    held: Mapping[str, Record | None],
    _target: Target,
    _rules: Rules,
) -> dict[str, Wanted]:
    """One that is not shown stays for the orders that name it, and is not brought there."""
    there = sales.products_at(conn, set(mine.values()))
    wanted: dict[str, Wanted] = {}
    for key, place in mine.items():
        fields = worded.product(there[place]) if place in there else None
        wanted[key] = (
            _thing(key, fields)
            if fields is not None and (held[key] is not None or worded.is_shown(fields))
            else None,
            None,
        )
    return wanted


def _promotions(
    conn: Connection,
    mine: Mapping[str, Place],
    _held: Mapping[str, Record | None],
    target: Target,
    _rules: Rules,
) -> dict[str, Wanted]:
    there = sales.promotions_at(conn, set(mine.values()))
    wanted: dict[str, Wanted] = {}
    for key, place in mine.items():
        told = there.get(place)
        fields = worded.promotion(told, target.homes.get(place[0])) if told else None
        wanted[key] = (_thing(key, fields) if fields else None, None)
    return wanted


def _holds(kind: Kind, buyer: _Buyer, held: Record | None) -> bool:
    return worded.should_hold(kind, buyer.permission, is_held=held is not None)


def _record(key: str, email: str, buyer: _Buyer, fields: worded.Fields) -> Record:
    return Record(key=key, email=email, permission=_permission(buyer), fields=fields)


def _thing(key: str, fields: worded.Fields) -> Record:
    return Record(key=key, email=None, permission=None, fields=fields)


_Worked: TypeAlias = Callable[
    [Connection, Mapping[str, Place], Mapping[str, Record | None], Target, Rules],
    dict[str, Wanted],
]
_WORKED_OUT: Mapping[Kind, _Worked] = {
    Kind.PRODUCT: _products,
    Kind.PROMOTION: _promotions,
    Kind.ORDER: _orders,
    Kind.CART: _carts,
}
