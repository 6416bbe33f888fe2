"""Forgetting a person: in one transaction gone from every table, with a keyed digest left.

What stays is what nobody is named by: orders with their sums, the ledger under digests (what was
granted and withdrawn when, in which words, is kept against claims), the books. Records stay until
their destination has confirmed that it removed the person for good.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select, tuple_, update

from connector.keys import is_digest
from connector.model import Kind
from connector.sales_keys import key_of
from connector.store import (
    baskets,
    bodies,
    evidence,
    farewell,
    gate,
    recall,
    sales,
    subjects,
    suppressions,
)
from connector.store.admission import order_name, without_person
from connector.store.bodies import Searched
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.people import Account
from connector.store.schema import (
    contact_points,
    customer_addresses,
    customers,
    dirty,
    memberships,
    moves,
    ordered_carts,
    orders,
    profile_values,
    profiles,
    refunds,
    requests,
)
from connector.store.schema import evidence as ledger
from connector.store.shelves import SHELVES, row_of
from connector.store.sql import chunks
from connector.store.subjects import Named, Subject

OPERATOR = "operator"
"""Who demanded an erasure that no shop did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure found: how much of it, never whose."""

    accounts: int = 0
    orders: int = 0
    records: int = 0
    deliveries: int = 0


def carry_out(store: Store, named: Named, *, at: datetime, reason: str, now: datetime) -> Erased:
    """Erase a person who is named somehow, as of a moment, on somebody's demand.

    Bodies are searched before the transaction, so that no webhook waits for that. Raises
    `ConfigurationFault` without a secret key, `StoreUnavailable` when it must be tried again.
    """
    with store.read() as conn:
        searched = bodies.search(conn, subjects.find(conn, named))
    with store.write() as conn:
        done = erase(conn, named, at=at, reason=reason, now=now, searched=searched)
    store.note_erasures()
    store.untidy.set()
    return done


def erase(
    conn: Connection,
    named: Named,
    *,
    at: datetime,
    reason: str,
    now: datetime,
    searched: Searched | None = None,
) -> Erased:
    """Do it in the caller's transaction. A person nobody knows leaves a digest all the same."""
    gate.close(conn, now=now)
    subject = subjects.find(conn, named)
    if searched is None:
        searched = bodies.search(conn, subject)
    if unlinked := subjects.without_address(conn, searched.orders, searched.accounts):
        subject = subjects.find(conn, named.joined(unlinked))
    suppressions.add(conn, subject.contacts, at=at, reason=reason)
    left = _left_with_nothing(conn, blank_orders(conn, subject.orders) - subject.emails)
    whole = replace(subject, emails=subject.emails | left, persons=subject.persons | left)
    sold = keys_of_sales(orders=subject.orders, carts=subject.carts)
    records = farewell.mark(conn, whole.persons | sold, now=now)
    blank_carts(conn, subject.carts)
    blank_accounts(conn, subject.accounts)
    _rewrite_ledger(conn, whole)
    evidence.enter_erasure(conn, subject.emails | subject.phones, at=at, reason=reason)
    _forget_addresses(conn, whole)
    for table in (profile_values, profiles, memberships, moves, dirty):
        for some in chunks(whole.persons):
            conn.execute(delete(table).where(table.c.person.in_(some)))
    mark_dirty(conn, {order_name(*order): None for order in subject.orders}, now=now)
    named_in = _search_rest(conn, whole, searched)
    bodies.forget(conn, named_in)
    _close_requests(conn, subject, now=now)
    return Erased(
        accounts=len(subject.accounts),
        orders=len(subject.orders),
        records=records,
        deliveries=len(named_in),
    )


def _search_rest(conn: Connection, subject: Subject, searched: Searched) -> frozenset[int]:
    """What came since the search; all of it once more if only now more is known of the person."""
    if searched.subject is None:
        return searched.found
    if searched.subject != subject:
        return searched.found | bodies.search(conn, subject).found
    return searched.found | bodies.search(conn, subject, after=searched.up_to).found


def keys_of_sales(
    *, orders: Collection[tuple[str, str]] = (), carts: Collection[tuple[str, str]] = ()
) -> frozenset[str]:
    """The keys of the records of these orders and carts."""
    return frozenset(
        {
            *(key_of(Kind.ORDER, *place) for place in orders),
            *(key_of(Kind.CART, *place) for place in carts),
        }
    )


def blank_orders(conn: Connection, chosen: Collection[tuple[str, str]]) -> frozenset[str]:
    """Leave of each order what it would be had it come after the erasure.

    Gives the people whose orders these were, and the addresses in them.
    """
    losers: set[str] = set()
    for some in chunks(chosen):
        blanked = []
        for bought in sales.orders_at(conn, some).values():
            losers.update(name for name in (bought.person, bought.order.email) if name)
            fact = without_person(bought.order)
            blanked.append({f"b_{name}": value for name, value in row_of(_ORDERS, fact).items()})
        if blanked:
            conn.execute(_OVERWRITE_ORDER, blanked)
            conn.execute(
                update(refunds)
                .where(tuple_(refunds.c.shop, refunds.c.order_id).in_(some))
                .values(reason="")
            )
        conn.execute(
            delete(ordered_carts).where(
                tuple_(ordered_carts.c.shop, ordered_carts.c.order_id).in_(some)
            )
        )
    return frozenset(losers - {order_name(*order) for order in chosen})


def _left_with_nothing(conn: Connection, losers: Collection[str]) -> frozenset[str]:
    """The addresses that were known by nothing but what was taken from them."""
    addresses = {person for person in losers if "@" in person}
    keepers: set[str] = set()
    for some in chunks(addresses):
        for column in (orders.c.person, orders.c.email, customers.c.person, customers.c.email):
            keepers.update(conn.scalars(select(column).where(column.in_(some))))
    return frozenset(addresses - keepers)


def blank_carts(conn: Connection, chosen: Collection[tuple[str, str]]) -> None:
    """An erased person's cart is one that is gone, since its last statement."""
    for some in chunks(chosen):
        gone = [
            {
                f"b_{name}": value
                for name, value in row_of(_CARTS, without_person(basket.cart)).items()
            }
            for basket in baskets.carts_at(conn, some).values()
        ]
        if gone:
            conn.execute(_OVERWRITE_CART, gone)


def blank_accounts(conn: Connection, accounts: Collection[Account]) -> None:
    """An erased account is one that is gone, since its last statement."""
    holder = tuple_(customers.c.shop, customers.c.customer_id)
    for some in chunks(accounts):
        gone = [
            {
                f"b_{name}": value
                for name, value in row_of(
                    SHELVES[Kind.CUSTOMER], without_person(recall.customer_from(row))
                ).items()
            }
            for row in conn.execute(select(customers).where(holder.in_(some))).mappings()
        ]
        if gone:
            conn.execute(_OVERWRITE_ACCOUNT, gone)


def _rewrite_ledger(conn: Connection, subject: Subject) -> None:
    """Put the digest in place of the contact in everything said of the person.

    The id of a statement is worked out anew: it is a digest without a key of all that is said.
    """
    contacts = subject.emails | subject.phones
    keys = suppressions.keyring_of(conn)
    references = [
        *((shop, f"{Kind.ORDER}:{order}") for shop, order in subject.orders),
        *((shop, f"{Kind.CUSTOMER}:{account}") for shop, account in subject.accounts),
    ]
    said = tuple_(ledger.c.source, ledger.c.reference)
    questions: list[ColumnElement[bool]] = [
        *(ledger.c.contact.in_(some) for some in chunks(contacts)),
        *(said.in_(some) for some in chunks(references)),
    ]
    for question in questions:
        rows = conn.execute(select(ledger).where(question)).mappings().all()
        for row in rows:
            if is_digest(row["contact"]):
                continue
            item = evidence.item_of(row)
            item = replace(item, contact=keys.digest(item.contact).contact)
            conn.execute(delete(ledger).where(ledger.c.evidence_id == row["evidence_id"]))
            evidence.append(conn, [(item, row["delivery_id"])])


def _forget_addresses(conn: Connection, subject: Subject) -> None:
    owner = tuple_(customer_addresses.c.shop, customer_addresses.c.customer_id)
    for accounts in chunks(subject.accounts):
        conn.execute(delete(customer_addresses).where(owner.in_(accounts)))
    for emails in chunks(subject.emails):
        conn.execute(delete(customer_addresses).where(customer_addresses.c.email.in_(emails)))
        conn.execute(
            delete(contact_points).where(
                or_(contact_points.c.email.in_(emails), contact_points.c.person.in_(emails))
            )
        )


def _close_requests(conn: Connection, subject: Subject, *, now: datetime) -> None:
    """A question about what is held, still open: nothing is, any more."""
    for row in conn.execute(select(requests).where(requests.c.subject.is_not(None))).mappings():
        if row["kind"] == "data_request" and _is_of(row["subject"], row["shop"], subject):
            conn.execute(
                update(requests)
                .where(requests.c.delivery_id == row["delivery_id"])
                .values(subject=None, done_at=now, problem="the person was erased before")
            )


def _is_of(asked: dict[str, Any], shop: str, subject: Subject) -> bool:
    account: Account = (shop, asked["customer_id"] or "")
    return account in subject.accounts or asked["email"] in subject.emails


def _overwriting(kind: Kind) -> Any:
    shelf = SHELVES[kind]
    names = {column.name for column in shelf.table.c} - {"shop", shelf.id.name}
    return (
        update(shelf.table)
        .where(
            shelf.table.c.shop == bindparam("b_shop"), shelf.id == bindparam(f"b_{shelf.id.name}")
        )
        .values({name: bindparam(f"b_{name}", type_=shelf.table.c[name].type) for name in names})
    )


_ORDERS = SHELVES[Kind.ORDER]
_CARTS = SHELVES[Kind.CART]
_OVERWRITE_ORDER = _overwriting(Kind.ORDER)
_OVERWRITE_CART = _overwriting(Kind.CART)
_OVERWRITE_ACCOUNT = _overwriting(Kind.CUSTOMER)
