"""Profiles: what everything known of a person adds up to, worked out anew from the facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    or_,
    select,
)

from connector.identity import domain_of
from connector.model import Profile
from connector.store.schema import customers, orders, profile_values, profiles
from connector.store.sql import among, upsert, write_rows

Value: TypeAlias = tuple[str, str, str]
"""A person, the name of what they can have many of, and one value of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What counts as bought: order statuses by shop, and the currency that amounts are summed in.

    Orders in other currencies are counted but never added to a sum.
    """

    statuses: Mapping[str, frozenset[str]]
    currency: str


@dataclass(slots=True)
class _Sheet:
    """Everything found about one person, before it is a profile."""

    account: Any = None
    order: Any = None
    totals: Any = None
    shops: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)


def work_out(conn: Connection, persons: Sequence[str], counting: Counting) -> dict[str, Profile]:
    """The profiles of these people from accounts and orders; nobody for whom neither is left."""
    sheets = {person: _Sheet() for person in persons}
    for row in _accounts(conn, persons):
        sheet = sheets[row.person]
        sheet.account = row  # the newest comes last
        sheet.shops.add(row.shop)
        sheet.countries.update([row.country] if row.country else ())
    for row in _newest_orders(conn, persons):
        sheets[row.person].order = row
    for row in _places(conn, persons):
        sheets[row.person].shops.add(row.shop)
        sheets[row.person].countries.update(row.countries or ())
    for row in _totals(conn, persons, counting):
        sheets[row.person].totals = row
    return {
        person: _profile(person, sheet, counting) for person, sheet in sheets.items() if sheet.shops
    }


def write(
    conn: Connection,
    worked_out: Mapping[str, Profile],
    *,
    gone: Collection[str],
    status: Mapping[str, str],
    next_flip: Mapping[str, datetime | None],
) -> None:
    """Keep the profiles, with the e-mail consent state as the platforms spell it; drop the gone."""
    if gone:
        conn.execute(delete(profiles).where(among(conn, profiles.c.person, gone)))
    if worked_out:
        write_rows(
            conn,
            upsert(conn, profiles),
            [
                {
                    "person": person,
                    "email": profile.email,
                    "email_domain": domain_of(profile.email) if profile.email else None,
                    "phone": profile.phone,
                    "first_name": profile.first_name,
                    "last_name": profile.last_name,
                    "company": profile.company,
                    "country": profile.country,
                    "language": profile.language,
                    "shops": list(profile.shops),
                    "currency": profile.currency,
                    "number_of_orders": profile.number_of_orders,
                    "amount_spent": profile.amount_spent,
                    "first_order_at": profile.first_order_at,
                    "last_order_at": profile.last_order_at,
                    "added_at": profile.added_at,
                    "email_subscription_status": status.get(person),
                    "next_flip_at": next_flip.get(person),
                }
                for person, profile in sorted(worked_out.items())
            ],
        )
    _write_values(conn, worked_out, gone)


def read(conn: Connection, persons: Collection[str]) -> dict[str, Profile]:
    """The profiles kept of these people."""
    many: dict[str, list[tuple[str, str]]] = {}
    for person, name, value in _values_of(conn, persons):
        many.setdefault(person, []).append((name, value))
    found: dict[str, Profile] = {}
    for row in conn.execute(
        select(profiles).where(among(conn, profiles.c.person, persons))
    ).mappings():
        values = many.get(row["person"], [])
        found[row["person"]] = Profile(
            person=row["person"],
            email=row["email"],
            phone=row["phone"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            company=row["company"],
            country=row["country"],
            language=row["language"],
            shops=tuple(row["shops"]),
            currency=row["currency"],
            number_of_orders=row["number_of_orders"],
            amount_spent=row["amount_spent"],
            first_order_at=row["first_order_at"],
            last_order_at=row["last_order_at"],
            added_at=row["added_at"],
            countries=tuple(value for name, value in values if name == "country"),
            tags=tuple(value for name, value in values if name == "tag"),
            attributes={
                name.removeprefix(_ATTRIBUTE): value
                for name, value in values
                if name.startswith(_ATTRIBUTE)
            },
        )
    return found


_ATTRIBUTE = "attribute."
_OF_NEWEST = ("person", "phone", "first_name", "last_name", "company", "countries")
_ADD_VALUE = insert(profile_values)
_DROP_VALUE = delete(profile_values).where(
    profile_values.c.person == bindparam("b_person"),
    profile_values.c.name == bindparam("b_name"),
    profile_values.c.value == bindparam("b_value"),
)


def _accounts(conn: Connection, persons: Sequence[str]) -> Any:
    return conn.execute(
        select(customers)
        .where(among(conn, customers.c.person, persons), ~customers.c.deleted)
        .order_by(customers.c.version_at, customers.c.version_tie, customers.c.customer_id)
    )


def _newest_orders(conn: Connection, persons: Sequence[str]) -> Any:
    ranked = (
        select(
            *(orders.c[name] for name in _OF_NEWEST),
            func.row_number()
            .over(
                partition_by=orders.c.person,
                order_by=(orders.c.placed_at.desc(), orders.c.shop, orders.c.order_id.desc()),
            )
            .label("rank"),
        )
        .where(among(conn, orders.c.person, persons), ~orders.c.deleted)
        .subquery()
    )
    return conn.execute(select(ranked).where(ranked.c.rank == 1)).all()


def _places(conn: Connection, persons: Sequence[str]) -> Any:
    return conn.execute(
        select(orders.c.person, orders.c.shop, orders.c.countries)
        .where(among(conn, orders.c.person, persons), ~orders.c.deleted)
        .distinct()
    ).all()


def _totals(conn: Connection, persons: Sequence[str], counting: Counting) -> Any:
    counts: ColumnElement[bool] = or_(
        false(),
        *(
            and_(orders.c.shop == shop, orders.c.status.in_(sorted(statuses)))
            for shop, statuses in sorted(counting.statuses.items())
        ),
    )
    summed = case(
        (orders.c.currency == counting.currency, orders.c.total - orders.c.refunded), else_=0
    )
    return conn.execute(
        select(
            orders.c.person,
            func.sum(case((counts, 1), else_=0)).label("number"),
            func.sum(case((counts, summed), else_=0)).label("spent"),
            func.min(case((counts, orders.c.placed_at))).label("first"),
            func.max(case((counts, orders.c.placed_at))).label("last"),
            func.min(orders.c.placed_at).label("seen"),
        )
        .where(among(conn, orders.c.person, persons), ~orders.c.deleted)
        .group_by(orders.c.person)
    ).all()


def _profile(person: str, sheet: _Sheet, counting: Counting) -> Profile:
    account, order, totals = sheet.account, sheet.order, sheet.totals
    # The account speaks for its owner; what it leaves open, the newest order fills in.
    sources = [source for source in (account, order) if source is not None]

    def first(name: str, empty: Any) -> Any:
        return next((v for s in sources if (v := getattr(s, name))), empty)

    seen = [
        moment
        for moment in (account and account.created_at, totals and totals.seen)
        if moment is not None
    ]
    return Profile(
        person=person,
        email=person if "@" in person else None,
        phone=first("phone", None),
        first_name=first("first_name", ""),
        last_name=first("last_name", ""),
        company=first("company", ""),
        country=(account and account.country)
        or next(iter((order is not None and order.countries) or ()), None),
        language=account.language if account else None,
        shops=tuple(sorted(sheet.shops)),
        currency=counting.currency,
        number_of_orders=int(totals.number) if totals else 0,
        amount_spent=int(totals.spent) if totals else 0,
        first_order_at=totals.first if totals else None,
        last_order_at=totals.last if totals else None,
        added_at=min(seen, default=None),
        countries=tuple(sorted(sheet.countries)),
        tags=tuple(account.tags or ()) if account else (),
    )


def _write_values(
    conn: Connection, worked_out: Mapping[str, Profile], gone: Collection[str]
) -> None:
    known = set(_values_of(conn, [*worked_out, *gone]))
    wanted = {
        (person, name, value)
        for person, profile in worked_out.items()
        for name, value in (
            *(("country", country) for country in profile.countries),
            *(("tag", tag) for tag in profile.tags),
            *((_ATTRIBUTE + name, value) for name, value in profile.attributes.items()),
        )
    }
    if lost := sorted(known - wanted):
        write_rows(
            conn,
            _DROP_VALUE,
            [{"b_person": p, "b_name": n, "b_value": v} for p, n, v in lost],
        )
    if fresh := sorted(wanted - known):
        write_rows(
            conn,
            _ADD_VALUE,
            [{"person": p, "name": n, "value": v, "folded": v.casefold()} for p, n, v in fresh],
        )


def _values_of(conn: Connection, persons: Collection[str]) -> list[Value]:
    if not persons:
        return []
    return [
        (row.person, row.name, row.value)
        for row in conn.execute(
            select(profile_values.c.person, profile_values.c.name, profile_values.c.value)
            .where(among(conn, profile_values.c.person, persons))
            .order_by(profile_values.c.name, profile_values.c.value)
        )
    ]
