"""The one gate through which facts about people come in: nobody who was erased comes back by it.

What a shop states of an erased person is kept without the person when it is dated up to the
erasure: an order as a number and its sums, an account as one that is gone. What is dated later is
kept; whether the person may be written to is another question, which the ledger answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from connector.identity import normal_phone
from connector.model import Cart, Customer, Deleted, Evidence, Kind, Order
from connector.spellings import loose_email
from connector.store import gate, suppressions
from connector.store.shelves import Thing
from connector.store.suppressions import Entry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A fact, and the addresses its delivery names that the fact itself could not take."""

    fact: Thing
    addresses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """The facts as they may be kept; one that is kept without its person is another object.

    ``recognised`` are contact points that turned out to be an erased person's just now.
    """

    facts: list[Thing]
    recognised: Mapping[str, Entry] = field(default_factory=dict)


def admit(conn: Connection, claimed: Sequence[Claimed]) -> Admitted:
    """Take the people who were erased out of what is dated up to their erasure."""
    gate.hold(conn)
    if suppressions.is_empty(conn):
        return Admitted([each.fact for each in claimed])
    known_by = [frozenset(_identities(each)) for each in claimed]
    found = suppressions.find(conn, frozenset().union(*known_by))
    suppressions.renew(conn, found)
    admitted: list[Thing] = []
    recognised: dict[str, Entry] = {}
    for each, names in zip(claimed, known_by, strict=True):
        entry = _reason_to_block(each.fact, names, found)
        admitted.append(each.fact if entry is None else without_person(each.fact))
        if entry is not None:
            new = set(_traits(each.fact)) - found.keys()
            suppressions.add(conn, new, at=entry.erased_at, reason=entry.reason)
            recognised |= {name: entry for name in new if is_contact_point(name)}
    return Admitted(admitted, recognised)


def without_person(fact: Thing) -> Thing:
    """What is kept of a fact about an erased person."""
    match fact:
        case Customer():
            return Deleted(shop=fact.shop, kind=Kind.CUSTOMER, id=fact.id, version=fact.version)
        case Deleted():
            return replace(fact)
        case Cart():
            return Deleted(shop=fact.shop, kind=Kind.CART, id=fact.id, version=fact.version)
        case Order():
            return replace(
                fact,
                customer_id=None,
                email=None,
                phone=None,
                first_name="",
                last_name="",
                company="",
                refunds=tuple(replace(refund, reason="") for refund in fact.refunds),
                landing_url=None,
                carts=(),
                meta={},
            )
        case _:
            return fact


def admit_evidence(
    conn: Connection, said: Sequence[tuple[Evidence, T]], *, hidden: Collection[T] = ()
) -> list[tuple[Evidence, T]]:
    """The statements as the ledger may keep them: of erased people under their digest.

    ``hidden`` are deliveries whose facts are kept without their person: so is what they say.
    """
    gate.hold(conn)
    if suppressions.is_empty(conn):
        return list(said)
    names = [loose_email(item.contact) or item.contact for item, _ in said]
    found = suppressions.find(conn, set(names))
    suppressions.renew(conn, found)
    keys = suppressions.keyring_of(conn)
    return [
        (replace(item, contact=keys.digest(name).contact), cause)
        if name in found or cause in hidden
        else (item, cause)
        for name, (item, cause) in zip(names, said, strict=True)
    ]


def is_contact_point(name: str) -> bool:
    """Whether a permission can hang on it: an address or a telephone, not a shop's own number."""
    return "@" in name or name.startswith("+")


def account_name(shop: str, customer_id: str) -> str:
    """The name under which an account itself is suppressed: its person key without an address."""
    return f"{shop}:{Kind.CUSTOMER}:{customer_id}"


def order_name(shop: str, order_id: str) -> str:
    """The name under which an order itself is suppressed."""
    return f"{shop}:{Kind.ORDER}:{order_id}"


def _identities(claimed: Claimed) -> Iterator[str]:
    """Everything by which an erased person may be recognised in a fact.

    A telephone alone counts only where there is no address: families share one.
    """
    fact = claimed.fact
    yield from claimed.addresses
    if not isinstance(fact, Customer | Order | Cart):
        return
    yield from _ids(fact)
    email = loose_email(fact.email)
    if email is not None:
        yield email
    elif not isinstance(fact, Cart) and (phone := phone_of(fact)):
        yield phone


def _traits(fact: Thing) -> Iterator[str]:
    """By what else the erased person of a fact is recognised from now on.

    Whose address an order was billed to is less certain than whose account it is.
    """
    if isinstance(fact, Customer | Order):
        yield from _ids(fact)
        if phone := phone_of(fact):
            yield phone
        if isinstance(fact, Customer) and (email := loose_email(fact.email)):
            yield email


def _ids(fact: Customer | Order | Cart) -> Iterator[str]:
    if isinstance(fact, Customer):
        yield account_name(fact.shop, fact.id)
        return
    if isinstance(fact, Order):
        yield order_name(fact.shop, fact.id)
    if fact.customer_id:
        yield account_name(fact.shop, fact.customer_id)


def phone_of(fact: Customer | Order) -> str | None:
    """The E.164 form of a fact's telephone."""
    country = fact.country if isinstance(fact, Customer) else next(iter(fact.countries), None)
    return normal_phone(fact.phone, country)


def _reason_to_block(
    fact: Thing, names: Collection[str], found: Mapping[str, Entry]
) -> Entry | None:
    """The last erasure that the fact is not newer than.

    An order is dated by when it was placed, a cart by when it was begun: an old one that is changed
    later stays old.
    """
    if not isinstance(fact, Customer | Order | Cart | Deleted):
        return None
    dated = _dated(fact)
    entries = [found[name] for name in names if name in found]
    latest = max(entries, key=lambda entry: entry.erased_at, default=None)
    return latest if latest is not None and dated <= latest.erased_at else None


def _dated(fact: Customer | Order | Cart | Deleted) -> datetime:
    match fact:
        case Order():
            return fact.placed_at
        case Cart():
            return fact.created_at
        case Customer() | Deleted():
            return fact.version.at
