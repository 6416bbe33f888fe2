"""Facts settle here: whatever the order in which they arrive, the newest statement stands.

Every thing a shop tells of has one row with the version it was last stated in. A fact is written
only over an older version; a deletion is a row that says so and holds nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Column, Connection, Table, and_, bindparam, delete, insert, select, tuple_

from connector.identity import normal_email
from connector.model import Customer, Deleted, Kind, Order, Product, Variant, Version
from connector.store import people
from connector.store.schema import (
    customers,
    order_lines,
    orders,
    products,
    refunds,
    variants,
)
from connector.store.sql import upsert_newer

Thing: TypeAlias = Customer | Order | Product | Variant | Deleted
Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact and the delivery that stated it."""

    fact: Thing
    delivery_id: int


@dataclass(slots=True)
class Settlement:
    """What settling a batch changed: the deliveries that did, and the people concerned."""

    applied: set[int] = field(default_factory=set)
    dirty: dict[str, int | None] = field(default_factory=dict)

    def touch(self, persons: Iterable[str | None], delivery_id: int | None) -> None:
        """Note that the facts about these people changed through this delivery."""
        self.dirty.update({person: delivery_id for person in persons if person is not None})


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where one kind of thing is kept, and how a fact becomes its row."""

    kind: Kind
    table: Table
    row: Callable[[Any], Row]

    @property
    def id(self) -> Column[str]:
        """The column of the shop's own id."""
        return self.table.c[f"{self.kind}_id"]


@dataclass(frozen=True, slots=True)
class _Winner:
    """A statement newer than what was stored; ``before`` is the stored row, if there was one."""

    row: Row
    delivery_id: int
    fact: Thing
    before: Row | None

    @property
    def changes(self) -> bool:
        """Whether it says anything else than the stored row, beside being newer."""
        stored = self.before
        return (
            stored is None
            or stored["digest"] != self.row["digest"]
            or stored["deleted"] != self.row["deleted"]
        )


def settle(conn: Connection, stated: Sequence[Stated]) -> Settlement:
    """Write every statement that is newer than what is known; the rest changes nothing.

    Runs in the caller's transaction. People whose facts changed are in the result, for `dirty`.
    """
    done = Settlement()
    sorted_out: dict[Kind, list[Stated]] = {kind: [] for kind in Kind}
    for statement in _spread(stated):
        sorted_out[_kind(statement.fact)].append(statement)

    people.lock(conn, _identities(sorted_out[Kind.CUSTOMER], sorted_out[Kind.ORDER]))
    for kind in (Kind.PRODUCT, Kind.VARIANT):
        _note(done, _write(conn, _SHELVES[kind], _winners(conn, kind, sorted_out[kind])))
    _settle_people(conn, sorted_out[Kind.CUSTOMER], sorted_out[Kind.ORDER], done)
    return done


def _settle_people(
    conn: Connection, accounts: Sequence[Stated], bought: Sequence[Stated], done: Settlement
) -> None:
    moved_in = _winners(conn, Kind.CUSTOMER, accounts)
    for winner in moved_in:
        winner.row["person"] = people.account_person(winner.row)
    _note(done, _write(conn, _SHELVES[Kind.CUSTOMER], moved_in))
    new_links = people.remember_addresses(
        conn,
        {
            (email, s.fact.shop, s.fact.id): s.delivery_id
            for s in accounts
            if isinstance(s.fact, Customer) and (email := normal_email(s.fact.email))
        },
    )
    placed = _winners(conn, Kind.ORDER, bought)
    resolution = people.resolve(
        conn,
        accounts={(w.row["shop"], w.row["customer_id"]) for w in moved_in},
        addresses={w.row["email"] for w in placed}
        | {w.before["email"] for w in moved_in if w.before}
        | {link[0] for link in new_links},
        buyers={(w.row["shop"], w.row["customer_id"]) for w in placed if w.row["customer_id"]},
    )
    for winner in placed:
        winner.row["person"] = resolution.person_of(winner.row)
    _note(done, _write(conn, _SHELVES[Kind.ORDER], placed))
    _write_parts(conn, placed)

    for winner in (*moved_in, *placed):
        before = winner.before["person"] if winner.before else None
        if winner.changes or before != winner.row["person"]:
            done.touch((before, winner.row["person"]), winner.delivery_id)
    here = {(w.row["shop"], w.row["order_id"]) for w in placed}
    cause = max((s.delivery_id for s in (*accounts, *bought)), default=None)
    done.touch(people.move_orders(conn, resolution, leave=here), cause)
    for link, delivery_id in new_links.items():
        done.applied.add(delivery_id)
        done.touch({link[0]}, delivery_id)
        done.touch(people.aliases(conn, {link[0]}).get(link[0], ()), delivery_id)


def _note(done: Settlement, written: Iterable[_Winner]) -> None:
    done.applied.update(w.delivery_id for w in written if w.changes)


def _spread(stated: Sequence[Stated]) -> Iterable[Stated]:
    """A product that brings its variants states them as well."""
    for statement in stated:
        yield statement
        if isinstance(statement.fact, Product):
            for variant in statement.fact.variants:
                yield Stated(variant, statement.delivery_id)


def _kind(fact: Thing) -> Kind:
    return fact.kind if isinstance(fact, Deleted) else _KINDS[type(fact)]


def _identities(accounts: Sequence[Stated], bought: Sequence[Stated]) -> set[str]:
    names: set[str] = set()
    for statement in (*accounts, *bought):
        fact = statement.fact
        if isinstance(fact, Customer | Order):
            names.add(normal_email(fact.email) or "")
            account = fact.id if isinstance(fact, Customer) else fact.customer_id
            names.add(f"{fact.shop}:customer:{account}" if account else "")
        elif isinstance(fact, Deleted) and fact.kind is Kind.CUSTOMER:
            names.add(f"{fact.shop}:customer:{fact.id}")
    return names - {""}


def _winners(conn: Connection, kind: Kind, stated: Sequence[Stated]) -> list[_Winner]:
    if not stated:
        return []
    shelf = _SHELVES[kind]
    newest: dict[Key, Stated] = {}
    for statement in stated:
        key = (statement.fact.shop, statement.fact.id)
        if key not in newest or newest[key].fact.version < statement.fact.version:
            newest[key] = statement
    stored = {
        (row["shop"], row[shelf.id.name]): dict(row)
        for row in conn.execute(
            select(*_known_columns(shelf))
            .where(tuple_(shelf.table.c.shop, shelf.id).in_(sorted(newest)))
            .with_for_update()
        ).mappings()
    }
    return [
        _Winner(_row(shelf, statement.fact), statement.delivery_id, statement.fact, before)
        for key, statement in sorted(newest.items())
        if (before := stored.get(key)) is None
        or Version(before["version_at"], before["version_tie"]) < statement.fact.version
    ]


def _known_columns(shelf: _Shelf) -> list[Column[Any]]:
    names = ("shop", shelf.id.name, "version_at", "version_tie", "deleted", "digest")
    personal = ("email", "person") if "person" in shelf.table.c else ()
    return [shelf.table.c[name] for name in (*names, *personal)]


def _row(shelf: _Shelf, fact: Thing) -> Row:
    content = _blank(shelf.table) if isinstance(fact, Deleted) else shelf.row(fact)
    parts = (fact.lines, fact.refunds) if isinstance(fact, Order) else ()
    return {
        "shop": fact.shop,
        shelf.id.name: fact.id,
        "version_at": fact.version.at,
        "version_tie": fact.version.tie,
        "deleted": isinstance(fact, Deleted),
        "digest": hashlib.blake2b(
            msgspec.json.encode((content, parts), order="sorted"), digest_size=16
        ).digest(),
        **content,
        **({"person": f"{fact.shop}:{shelf.kind}:{fact.id}"} if "person" in shelf.table.c else {}),
    }


def _blank(table: Table) -> Row:
    """What a deleted thing's row holds: nothing that could name a person."""
    kept = {"shop", f"{table.name[:-1]}_id", "version_at", "version_tie", "deleted", "digest"}
    return {
        column.name: (
            (0 if column.name in _AMOUNTS else "") if column.server_default is not None else None
        )
        for column in table.c
        if column.name not in kept | {"person"}
    }


def _write(conn: Connection, shelf: _Shelf, winners: Sequence[_Winner]) -> Sequence[_Winner]:
    if winners:
        conn.execute(upsert_newer(conn, shelf.table), [winner.row for winner in winners])
    return winners


def _write_parts(conn: Connection, placed: Sequence[_Winner]) -> None:
    """Lines and refunds belong to the version of their order: they are replaced with it."""
    known = [
        {"b_shop": w.row["shop"], "b_id": w.row["order_id"]}
        for w in placed
        if w.before is not None and w.changes
    ]
    for table in (order_lines, refunds):
        if known:
            conn.execute(
                delete(table).where(
                    and_(table.c.shop == bindparam("b_shop"), table.c.order_id == bindparam("b_id"))
                ),
                known,
            )
    facts = [w.fact for w in placed if isinstance(w.fact, Order) and w.changes]
    for table, rows in (
        (order_lines, [_line(o, i) for o in facts for i in range(len(o.lines))]),
        (refunds, [_refund(o, i) for o in facts for i in range(len(o.refunds))]),
    ):
        if rows:
            conn.execute(insert(table), rows)


def _line(order: Order, index: int) -> Row:
    line = order.lines[index]
    return {
        "shop": order.shop,
        "order_id": order.id,
        "line_id": line.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "total": line.total,
    }


def _refund(order: Order, index: int) -> Row:
    refund = order.refunds[index]
    return {
        "shop": order.shop,
        "order_id": order.id,
        "refund_id": refund.id,
        "amount": refund.amount,
        "reason": refund.reason,
        "created_at": refund.created_at,
    }


def _copied(*names: str) -> Callable[[Any], Row]:
    def row(fact: Any) -> Row:
        return {name: _plain(getattr(fact, name)) for name in names}

    return row


def _plain(value: Any) -> Any:
    """What the JSON columns take: lists for tuples, dicts for mappings."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


_person_row = _copied("phone", "first_name", "last_name", "company", "meta")
_customer_row = _copied("country", "language", "created_at", "tags")
_order_row = _copied(
    "number", "status", "currency", "total", "tax", "shipping", "discount",
    "placed_at", "paid_at", "customer_id", "countries",
)  # fmt: skip


def _customer(fact: Customer) -> Row:
    return {**_person_row(fact), **_customer_row(fact), "email": normal_email(fact.email)}


def _order(fact: Order) -> Row:
    return {
        **_person_row(fact),
        **_order_row(fact),
        "email": normal_email(fact.email),
        "refunded": sum(refund.amount for refund in fact.refunds),
    }


_AMOUNTS = {"total", "tax", "shipping", "discount", "refunded"}
_KINDS: dict[type, Kind] = {
    Customer: Kind.CUSTOMER,
    Order: Kind.ORDER,
    Product: Kind.PRODUCT,
    Variant: Kind.VARIANT,
}
_SHELVES = {
    shelf.kind: shelf
    for shelf in (
        _Shelf(Kind.CUSTOMER, customers, _customer),
        _Shelf(Kind.ORDER, orders, _order),
        _Shelf(
            Kind.PRODUCT,
            products,
            _copied(
                "title", "status", "type", "description", "url", "image_url", "vendor",
                "tags", "categories", "meta",
            ),
        ),
        _Shelf(
            Kind.VARIANT,
            variants,
            _copied(
                "product_id", "sku", "title", "status", "currency", "price", "regular_price",
                "sale_price", "sale_from", "sale_to", "stock_status", "stock_quantity",
                "image_url", "url", "attributes", "meta",
            ),
        ),
    )
}  # fmt: skip
