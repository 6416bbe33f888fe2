"""What a destination of sales should hold: orders and carts with buyers, products, promotions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from connector.flow.buyers import Buyer, buyers_of
from connector.flow.rules import Rules, Target
from connector.model import Kind, Record
from connector.sales_keys import Place, thing_of
from connector.store import baskets, sales
from mappings import sales as worded

Wanted: TypeAlias = tuple[Record | None, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Things of one kind by their keys, and what the destination acknowledged under each."""

    conn: Connection
    places: Mapping[str, Place]
    held: Mapping[str, Record | None]
    target: Target
    rules: Rules

    def buyers(self, persons: set[str]) -> dict[str, Buyer]:
        """Those of these people who have an address."""
        there = {person for person in persons if "@" in person}
        return buyers_of(self.conn, there, self.target, self.rules)

    def holds(self, kind: Kind, key: str, buyer: Buyer) -> bool:
        """Whether a thing of this buyer is held."""
        is_held = self.held[key] is not None
        return worded.should_hold(kind, buyer.permission, is_held=is_held)


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
            asked = _Asked(conn=conn, places=mine, held=held, target=target, rules=rules)
            wanted |= _WORKED_OUT[kind](asked)
    return wanted


def _orders(asked: _Asked) -> dict[str, Wanted]:
    there = sales.orders_at(asked.conn, set(asked.places.values()))
    buyers = asked.buyers({bought.person for bought in there.values()})
    counting = asked.rules.counting.statuses
    wanted: dict[str, Wanted] = dict.fromkeys(asked.places, (None, None))
    for key, place in asked.places.items():
        bought = there.get(place)
        buyer = buyers.get(bought.person) if bought else None
        if bought and buyer and asked.holds(Kind.ORDER, key, buyer):
            fields = worded.order(
                bought,
                bought.person,
                platform=asked.rules.platforms.get(place[0], ""),
                counting=counting.get(place[0], frozenset()),
            )
            wanted[key] = (_record(key, bought.person, buyer, fields), buyer.granted_at)
    return wanted


def _carts(asked: _Asked) -> dict[str, Wanted]:
    there = baskets.carts_at(asked.conn, set(asked.places.values()))
    buyers = asked.buyers({basket.person for basket in there.values() if basket.person})
    wanted: dict[str, Wanted] = dict.fromkeys(asked.places, (None, None))
    for key, place in asked.places.items():
        basket = there.get(place)
        person = basket.person if basket else None
        buyer = buyers.get(person) if person else None
        fields = worded.cart(basket, person) if basket and person else None
        if fields and person and buyer and asked.holds(Kind.CART, key, buyer):
            wanted[key] = (_record(key, person, buyer, fields), buyer.granted_at)
    return wanted


def _products(asked: _Asked) -> dict[str, Wanted]:
    """One that is not shown stays for the orders that name it, and is not brought there."""
    there = sales.products_at(asked.conn, set(asked.places.values()))
    wanted: dict[str, Wanted] = dict.fromkeys(asked.places, (None, None))
    for key, place in asked.places.items():
        fields = worded.product(there[place]) if place in there else None
        if fields is not None and (asked.held[key] is not None or worded.is_shown(fields)):
            wanted[key] = (_thing(key, fields), None)
    return wanted


def _promotions(asked: _Asked) -> dict[str, Wanted]:
    there = sales.promotions_at(asked.conn, set(asked.places.values()))
    wanted: dict[str, Wanted] = dict.fromkeys(asked.places, (None, None))
    for key, place in asked.places.items():
        told = there.get(place)
        fields = worded.promotion(told, asked.target.homes.get(place[0])) if told else None
        if fields:
            wanted[key] = (_thing(key, fields), None)
    return wanted


def _record(key: str, email: str, buyer: Buyer, fields: worded.Fields) -> Record:
    return Record(key=key, email=email, permission=buyer.held_as, fields=fields)


def _thing(key: str, fields: worded.Fields) -> Record:
    return Record(key=key, email=None, permission=None, fields=fields)


_WORKED_OUT: Mapping[Kind, Callable[[_Asked], dict[str, Wanted]]] = {
    Kind.PRODUCT: _products,
    Kind.PROMOTION: _promotions,
    Kind.ORDER: _orders,
    Kind.CART: _carts,
}
