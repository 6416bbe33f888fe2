"""Who a person is in the store: every account, address, telephone and order that is theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection, and_, or_, select, tuple_

from connector.identity import normal_phone
from connector.store.admission import account_name, order_name
from connector.store.people import Account
from connector.store.schema import carts, customer_addresses, customers, orders
from connector.store.sql import chunks

Key: TypeAlias = tuple[str, str]
"""A shop's name and its number of an order, a cart or an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """How somebody is named from outside: addresses, telephones, accounts, orders."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    accounts: frozenset[Account] = frozenset()
    orders: frozenset[tuple[str, str]] = frozenset()

    def joined(self, other: Named) -> Named:
        """Named by what either is named by."""
        return Named.together([self, other])

    @staticmethod
    def together(several: Collection[Named]) -> Named:
        """Named by what any of them is named by."""
        return Named(
            emails=frozenset[str]().union(*(each.emails for each in several)),
            phones=frozenset[str]().union(*(each.phones for each in several)),
            accounts=frozenset[Account]().union(*(each.accounts for each in several)),
            orders=frozenset[tuple[str, str]]().union(*(each.orders for each in several)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Named):
    """All that is theirs. ``persons`` are the keys under which profiles and records know them."""

    persons: frozenset[str] = field(default=frozenset())
    carts: frozenset[Key] = field(default=frozenset())

    @property
    def contacts(self) -> frozenset[str]:
        """Everything by which they could be recognised again."""
        return frozenset(
            {
                *self.emails,
                *self.phones,
                *(account_name(*account) for account in self.accounts),
                *(order_name(*order) for order in self.orders),
            }
        )

    @property
    def is_known(self) -> bool:
        """Whether anything more is kept of them than what they were named by."""
        return bool(self.accounts or self.orders)


def find(conn: Connection, named: Named) -> Subject:
    """Follow what somebody is named by to all that is theirs.

    An address leads to the accounts that have it, or if none has, to those that once had it; an
    account leads to every address it ever had that nobody else has now, and to its orders.
    """
    accounts = named.accounts | _accounts_of(conn, named.emails) | _by_phone(conn, named)
    emails = named.emails | _history(conn, accounts)
    bought = _orders(conn, named, accounts, emails)
    phones = {
        normal_phone(phone, country)
        for phone, country in (*_account_phones(conn, accounts), *bought.values())
    }
    return Subject(
        emails=emails,
        phones=frozenset({*named.phones, *(phone for phone in phones if phone)}),
        accounts=accounts,
        orders=named.orders | bought.keys(),
        carts=_carts(conn, accounts, emails),
        persons=frozenset({*emails, *(account_name(*account) for account in accounts)}),
    )


def without_address(
    conn: Connection, bought: Collection[Key], accounts: Collection[Key]
) -> Named | None:
    """Those of these orders and accounts whose address, as it was spelled, nobody could take."""
    found = []
    for table, number, chosen in (
        (orders, orders.c.order_id, bought),
        (customers, customers.c.customer_id, accounts),
    ):
        key = tuple_(table.c.shop, number)
        found.append(
            frozenset(
                (row[0], row[1])
                for some in chunks(chosen)
                for row in conn.execute(
                    select(table.c.shop, number).where(
                        key.in_(some), table.c.email.is_(None), ~table.c.deleted
                    )
                )
            )
        )
    return Named(orders=found[0], accounts=found[1]) if any(found) else None


def _accounts_of(conn: Connection, emails: Collection[str]) -> frozenset[Account]:
    holders: dict[str, set[Account]] = {}
    for email, *account in conn.execute(
        select(customers.c.email, customers.c.shop, customers.c.customer_id).where(
            customers.c.email.in_(emails)
        )
    ):
        holders.setdefault(email, set()).add((account[0], account[1]))
    for email, *account in conn.execute(
        select(customer_addresses).where(
            customer_addresses.c.email.in_(set(emails) - holders.keys())
        )
    ).all():
        holders.setdefault(email, set()).add((account[0], account[1]))
    return frozenset(account for each in holders.values() for account in each)


def _by_phone(conn: Connection, named: Named) -> frozenset[Account]:
    """Accounts that are known by nothing but a telephone."""
    if not named.phones:
        return frozenset()
    rows = conn.execute(
        select(customers.c.shop, customers.c.customer_id).where(
            customers.c.phone.in_(named.phones), customers.c.email.is_(None)
        )
    )
    return frozenset((row.shop, row.customer_id) for row in rows)


def _history(conn: Connection, accounts: Collection[Account]) -> frozenset[str]:
    """Every address that these accounts ever had, without those that others have now."""
    ours = tuple_(customer_addresses.c.shop, customer_addresses.c.customer_id)
    found: set[str] = set()
    for some in chunks(accounts):
        found.update(conn.scalars(select(customer_addresses.c.email).where(ours.in_(some))))
    others: set[str] = set()
    for emails in chunks(found):
        others.update(
            row.email
            for row in conn.execute(
                select(customers.c.email, customers.c.shop, customers.c.customer_id).where(
                    customers.c.email.in_(emails)
                )
            )
            if (row.shop, row.customer_id) not in accounts
        )
    return frozenset(found - others)


def _orders(
    conn: Connection, named: Named, accounts: Collection[Account], emails: Collection[str]
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """The orders, each with its telephone and the country to read that with."""
    columns = select(orders.c.shop, orders.c.order_id, orders.c.phone, orders.c.countries)
    key, buyer = (
        tuple_(orders.c.shop, orders.c.order_id),
        tuple_(orders.c.shop, orders.c.customer_id),
    )
    questions = [
        *(columns.where(orders.c.email.in_(some)) for some in chunks(emails)),
        *(columns.where(orders.c.person.in_(some)) for some in chunks(emails)),
        *(columns.where(buyer.in_(some)) for some in chunks(accounts)),
        *(columns.where(key.in_(some)) for some in chunks(named.orders)),
    ]
    if named.phones:
        questions.append(
            columns.where(
                and_(orders.c.phone.in_(named.phones), orders.c.email.is_(None)),
                or_(orders.c.customer_id.is_(None), buyer.in_(accounts)),
            )
        )
    return {
        (row.shop, row.order_id): (row.phone, next(iter(row.countries or ()), None))
        for question in questions
        for row in conn.execute(question)
    }


def _carts(
    conn: Connection, accounts: Collection[Account], emails: Collection[str]
) -> frozenset[Key]:
    buyer = tuple_(carts.c.shop, carts.c.customer_id)
    questions = [
        *(carts.c.email.in_(some) for some in chunks(emails)),
        *(buyer.in_(some) for some in chunks(accounts)),
    ]
    return frozenset(
        (row.shop, row.cart_id)
        for question in questions
        for row in conn.execute(select(carts.c.shop, carts.c.cart_id).where(question))
    )


def _account_phones(
    conn: Connection, accounts: Collection[Account]
) -> Iterable[tuple[str | None, str | None]]:
    holder = tuple_(customers.c.shop, customers.c.customer_id)
    for some in chunks(accounts):
        for row in conn.execute(
            select(customers.c.phone, customers.c.country).where(holder.in_(some))
        ):
            yield row.phone, row.country
