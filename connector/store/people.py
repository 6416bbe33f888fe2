"""Who is the same person: accounts and guest orders find each other by address.

An account is the person of its present address. An order belongs to its account; without one, to
the person its billing address leads to. An address leads to itself while an account has it, and
after an account has moved away, to where that account went. All of it is derived from sets that
only grow and from the newest statement of each account, so the order of arrival does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, bindparam, or_, select, text, update

from connector.store.schema import contact_points, customer_addresses, customers, orders
from connector.store.sql import among, at_places, insert_missing, upsert, write_rows

Account: TypeAlias = tuple[str, str]
"""A shop's name and its id of a customer."""
Link: TypeAlias = tuple[str, str, str]
"""An address and the account that has, or once had, it."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where the accounts and addresses of a batch lead."""

    accounts: frozenset[Account]
    owners: Mapping[Account, str]
    leads: Mapping[str, str]
    moved: frozenset[str]

    def person_of(self, order: Mapping[str, Any]) -> str:
        """The person an order belongs to."""
        account = (order["shop"], order["customer_id"])
        if account in self.owners:
            return self.owners[account]
        email = order["email"]
        return self.leads[email] if email else f"{order['shop']}:order:{order['order_id']}"


def account_person(account: Mapping[str, Any]) -> str:
    """The person of an account: its address, or a name of its own if it has none."""
    return account["email"] or f"{account['shop']}:customer:{account['customer_id']}"


def lock(conn: Connection, identities: Iterable[str]) -> None:
    """Let nobody else resolve these people until the transaction ends.

    PostgreSQL takes one advisory lock for each name, in one order everywhere; SQLite has a single
    writer anyway, and the names are not even looked at.
    """
    if conn.dialect.name != "postgresql":
        return
    digests = sorted(
        {
            int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
            for name in identities
        }
    )
    if not digests:
        return
    conn.execute(
        text("SELECT count(pg_advisory_xact_lock(k)) FROM unnest(CAST(:keys AS bigint[])) AS k"),
        {"keys": digests},
    )


def remember_addresses(conn: Connection, links: Mapping[Link, int]) -> dict[Link, int]:
    """Keep every address an account ever had; gives those not known before."""
    if not links:
        return {}
    mine = among(conn, customer_addresses.c.email, {email for email, _, _ in links})
    known = {tuple(row) for row in conn.execute(select(customer_addresses).where(mine))}
    fresh = {link: cause for link, cause in sorted(links.items()) if link not in known}
    if fresh:
        write_rows(
            conn,
            insert_missing(conn, customer_addresses),
            [{"email": e, "shop": s, "customer_id": c} for e, s, c in fresh],
        )
    return fresh


def aliases(conn: Connection, emails: Collection[str]) -> dict[str, set[str]]:
    """For each address the others that some account has had beside it."""
    found: dict[str, set[str]] = {}
    if not emails:
        return found
    mine, theirs = customer_addresses.alias("mine"), customer_addresses.alias("theirs")
    for email, other in conn.execute(
        select(mine.c.email, theirs.c.email)
        .join(
            theirs,
            and_(mine.c.shop == theirs.c.shop, mine.c.customer_id == theirs.c.customer_id),
        )
        .where(among(conn, mine.c.email, emails), theirs.c.email != mine.c.email)
    ).all():
        found.setdefault(email, set()).add(other)
    return found


def resolve(
    conn: Connection,
    *,
    accounts: Collection[Account],
    addresses: Collection[str | None],
    buyers: Collection[Account],
) -> Resolution:
    """Find where these accounts, addresses and buyers lead now, and keep where addresses lead."""
    concerned = {address for address in addresses if address} | _history(conn, accounts)
    leads = _leads(conn, concerned)
    before = (
        dict(
            conn.execute(
                select(contact_points.c.email, contact_points.c.person).where(
                    among(conn, contact_points.c.email, concerned)
                )
            ).all()
        )
        if concerned
        else {}
    )
    changed = {email: person for email, person in leads.items() if before.get(email) != person}
    if changed:
        write_rows(
            conn,
            upsert(conn, contact_points),
            [{"email": email, "person": person} for email, person in sorted(changed.items())],
        )
    return Resolution(
        accounts=frozenset(accounts),
        owners=_owners(conn, {*accounts, *buyers}),
        leads=leads,
        moved=frozenset(email for email in changed if email in before),
    )


def move_orders(
    conn: Connection, resolution: Resolution, *, leave: Collection[Account]
) -> set[str]:
    """Give orders whose account or address leads elsewhere now to their new person.

    ``leave`` are orders written just now. Gives the people who lost or gained one.
    """
    if not resolution.accounts and not resolution.moved:
        return set()
    columns = ("shop", "order_id", "customer_id", "email", "person")
    rows = [
        dict(row)
        for row in conn.execute(
            select(*(orders.c[name] for name in columns)).where(
                or_(
                    at_places(conn, orders.c.shop, orders.c.customer_id, resolution.accounts),
                    among(conn, orders.c.email, resolution.moved),
                )
            )
        ).mappings()
        if (row["shop"], row["order_id"]) not in leave
    ]
    # An order found by one trait may need the other to be judged by.
    missing = {row["email"] for row in rows if row["email"]} - resolution.leads.keys()
    strangers = {(row["shop"], row["customer_id"]) for row in rows} - resolution.accounts
    known = Resolution(
        accounts=resolution.accounts,
        owners={**resolution.owners, **_owners(conn, strangers)},
        leads={**resolution.leads, **_leads(conn, missing)},
        moved=resolution.moved,
    )
    moving = [(row, person) for row in rows if (person := known.person_of(row)) != row["person"]]
    if moving:
        conn.execute(
            update(orders)
            .where(orders.c.shop == bindparam("b_shop"), orders.c.order_id == bindparam("b_id"))
            .values(person=bindparam("b_person")),
            [
                {"b_shop": row["shop"], "b_id": row["order_id"], "b_person": person}
                for row, person in moving
            ],
        )
    return {who for row, person in moving for who in (row["person"], person)}


def _history(conn: Connection, accounts: Collection[Account]) -> set[str]:
    if not accounts:
        return set()
    owned = at_places(conn, customer_addresses.c.shop, customer_addresses.c.customer_id, accounts)
    return set(conn.scalars(select(customer_addresses.c.email).where(owned)))


def _owners(conn: Connection, accounts: Collection[Account]) -> dict[Account, str]:
    """The person of each account that exists and is not deleted."""
    if not accounts:
        return {}
    return {
        (row.shop, row.customer_id): row.person
        for row in conn.execute(
            select(customers.c.shop, customers.c.customer_id, customers.c.person).where(
                at_places(conn, customers.c.shop, customers.c.customer_id, accounts),
                ~customers.c.deleted,
            )
        ).all()
    }


def _leads(conn: Connection, addresses: Collection[str]) -> dict[str, str]:
    if not addresses:
        return {}
    held = set(
        conn.scalars(
            select(customers.c.email).where(
                among(conn, customers.c.email, addresses), ~customers.c.deleted
            )
        )
    )
    vacated = addresses - held if isinstance(addresses, set) else set(addresses) - held
    went: dict[str, str] = {}
    for email, present in _movers(conn, vacated):
        went.setdefault(email, present)
    return {email: went.get(email, email) for email in addresses}


def _movers(conn: Connection, vacated: Collection[str]) -> Iterable[tuple[str, str]]:
    """Accounts that once had a vacated address, with their present one, the eldest id first."""
    if not vacated:
        return ()
    return (
        (row[0], row[1])
        for row in conn.execute(
            select(customer_addresses.c.email, customers.c.email)
            .join(
                customers,
                and_(
                    customers.c.shop == customer_addresses.c.shop,
                    customers.c.customer_id == customer_addresses.c.customer_id,
                ),
            )
            .where(
                among(conn, customer_addresses.c.email, vacated),
                customers.c.email.is_not(None),
                ~customers.c.deleted,
            )
            .order_by(customers.c.shop, customers.c.customer_id)
        )
    )
