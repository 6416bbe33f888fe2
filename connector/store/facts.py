"""Facts settle here: whatever the order in which they arrive, the newest statement stands.

Every thing a shop tells of has one row with the version it was last stated in. A fact is written
only over an older version; a deletion is a row that says so and holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, and_, bindparam, delete, insert, select

from connector import sales_keys
from connector.identity import normal_email
from connector.model import Customer, Deleted, Kind, Order, Product, Version
from connector.store import admission, baskets, catalog, evidence, people
from connector.store.admission import Claimed
from connector.store.schema import order_lines, refunds
from connector.store.shelves import SHELVES, Row, Shelf, Thing, kind_of, part_rows, row_of
from connector.store.sql import at_places, upsert_newer, write_rows

Key: TypeAlias = tuple[str, str]

_INSERT_PART = {table.name: insert(table) for table in (order_lines, refunds)}


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact and what stated it (`causes`): a delivery, by its number, or something read.

    ``addresses`` are those that the delivery names and the fact could not take, in spellings that
    are not believed but may give away somebody who was erased.
    """

    fact: Thing
    delivery_id: int
    addresses: frozenset[str] = frozenset()


@dataclass(slots=True)
class Settlement:
    """What settling a batch changed: the deliveries that did, the people and the items concerned.

    ``items`` are variants; a changed product concerns all of its own. ``newer`` are the deliveries
    that stated something later than what was known, be it the same. ``hidden`` are those whose
    person was erased and is not kept with what they state. ``sold`` are orders, carts, products and
    promotions that are not as they were.
    """

    applied: set[int] = field(default_factory=set)
    newer: set[int] = field(default_factory=set)
    dirty: dict[str, int | None] = field(default_factory=dict)
    items: set[Key] = field(default_factory=set)
    sold: set[sales_keys.Thing] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)

    def touch(self, persons: Iterable[str | None], delivery_id: int | None) -> None:
        """Note that the facts about these people changed through this delivery."""
        self.dirty.update({person: delivery_id for person in persons if person is not None})


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
    for statement in _spread(_admitted(conn, stated, done)):
        sorted_out[kind_of(statement.fact)].append(statement)

    people.lock(conn, _identities(sorted_out[Kind.CUSTOMER], sorted_out[Kind.ORDER]))
    _settle_catalog(conn, sorted_out[Kind.PRODUCT], sorted_out[Kind.VARIANT], done)
    for kind in (Kind.CART, Kind.PROMOTION):
        written = _write(conn, SHELVES[kind], _winners(conn, kind, sorted_out[kind]))
        _note(done, written)
        done.sold |= {sales_keys.Thing(kind, w.fact.shop, w.fact.id) for w in written if w.changes}
    placed = _settle_people(conn, sorted_out[Kind.CUSTOMER], sorted_out[Kind.ORDER], done)
    _settle_sales(conn, placed, sorted_out[Kind.ORDER], done)
    return done


def _admitted(conn: Connection, stated: Sequence[Stated], done: Settlement) -> Sequence[Stated]:
    """What was stated, without the people who were erased."""
    admitted = admission.admit(conn, [Claimed(each.fact, each.addresses) for each in stated])
    for contact, entry in admitted.recognised.items():
        evidence.enter_erasure(conn, [contact], at=entry.erased_at, reason=entry.reason)
    kept = [
        each if each.fact is fact else replace(each, fact=fact)
        for each, fact in zip(stated, admitted.facts, strict=True)
    ]
    done.hidden = {
        each.delivery_id for each, now in zip(stated, kept, strict=True) if each is not now
    }
    return kept


def _settle_catalog(
    conn: Connection, shown: Sequence[Stated], sold: Sequence[Stated], done: Settlement
) -> None:
    """Products, their variants, and the lists that say which variants a product has."""
    changed: dict[Kind, set[Key]] = {}
    for kind, stated in ((Kind.PRODUCT, shown), (Kind.VARIANT, sold)):
        written = _write(conn, SHELVES[kind], _winners(conn, kind, stated))
        _note(done, written)
        changed[kind] = {(w.fact.shop, w.fact.id) for w in written if w.changes}
        done.sold |= {thing for w in written if w.changes for thing in _products_of(w)}
    whole = [
        (s.fact, s.delivery_id)
        for s in shown
        if isinstance(s.fact, Product) and s.fact.all_variants
    ]
    relisted = catalog.settle_assortments(conn, (product for product, _ in whole))
    done.applied |= {
        delivery_id for product, delivery_id in whole if (product.shop, product.id) in relisted
    }
    done.sold |= {sales_keys.Thing(Kind.PRODUCT, *place) for place in relisted}
    done.items |= changed[Kind.VARIANT]
    done.items |= catalog.variants_of(conn, changed[Kind.PRODUCT] | relisted)


def _settle_people(
    conn: Connection, accounts: Sequence[Stated], bought: Sequence[Stated], done: Settlement
) -> Sequence[_Winner]:
    """Accounts, orders, and whose they are; gives the orders that are newer than what was known."""
    moved_in = _winners(conn, Kind.CUSTOMER, accounts)
    for winner in moved_in:
        winner.row["person"] = people.account_person(winner.row)
    _note(done, _write(conn, SHELVES[Kind.CUSTOMER], moved_in))
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
    _note(done, _write(conn, SHELVES[Kind.ORDER], placed))
    _write_parts(conn, placed)

    for winner in (*moved_in, *placed):
        before = winner.before["person"] if winner.before else None
        if winner.changes or before != winner.row["person"]:
            done.touch((before, winner.row["person"]), winner.delivery_id)
    here = {(w.row["shop"], w.row["order_id"]) for w in placed}
    cause = max((s.delivery_id for s in (*accounts, *bought)), default=None)
    done.touch(people.move_orders(conn, resolution, leave=here), cause)
    beside = people.aliases(conn, {link[0] for link in new_links})
    for link, delivery_id in new_links.items():
        done.applied.add(delivery_id)
        done.touch({link[0], *beside.get(link[0], ())}, delivery_id)
    return placed


def _settle_sales(
    conn: Connection, placed: Sequence[_Winner], bought: Sequence[Stated], done: Settlement
) -> None:
    """Orders that changed, and the carts that are ordered now."""
    changed = [
        w
        for w in placed
        if w.changes or (w.before is not None and w.before["person"] != w.row["person"])
    ]
    done.sold |= {sales_keys.Thing(Kind.ORDER, w.fact.shop, w.fact.id) for w in changed}
    linked = baskets.remember_ordered(
        conn, (s.fact for s in bought if isinstance(s.fact, Order) and s.fact.carts)
    )
    done.applied |= {s.delivery_id for s in bought if (s.fact.shop, s.fact.id) in linked}
    buyers = {w.row["person"] for w in changed}
    done.sold |= {
        sales_keys.Thing(Kind.CART, *place)
        for place in baskets.concerned_carts(conn, linked, buyers)
    }


def _products_of(winner: _Winner) -> Iterator[sales_keys.Thing]:
    """The products that a product's or variant's statement concerns: a variant may have moved."""
    if kind_of(winner.fact) is Kind.PRODUCT:
        yield sales_keys.Thing(Kind.PRODUCT, winner.fact.shop, winner.fact.id)
        return
    for row in (winner.row, winner.before):
        if row is not None and row["product_id"]:
            yield sales_keys.Thing(Kind.PRODUCT, winner.fact.shop, row["product_id"])


def _note(done: Settlement, written: Sequence[_Winner]) -> None:
    done.newer.update(w.delivery_id for w in written)
    done.applied.update(w.delivery_id for w in written if w.changes)


def _spread(stated: Sequence[Stated]) -> Iterable[Stated]:
    """A product that brings its variants states them as well."""
    for statement in stated:
        yield statement
        if isinstance(statement.fact, Product):
            for variant in statement.fact.variants:
                yield Stated(variant, statement.delivery_id)


def _identities(accounts: Sequence[Stated], bought: Sequence[Stated]) -> Iterator[str]:
    for statement in (*accounts, *bought):
        fact = statement.fact
        if isinstance(fact, Customer | Order):
            if email := normal_email(fact.email):
                yield email
            account = fact.id if isinstance(fact, Customer) else fact.customer_id
            if account:
                yield f"{fact.shop}:customer:{account}"
        elif isinstance(fact, Deleted) and fact.kind is Kind.CUSTOMER:
            yield f"{fact.shop}:customer:{fact.id}"


def _winners(conn: Connection, kind: Kind, stated: Sequence[Stated]) -> list[_Winner]:
    if not stated:
        return []
    shelf = SHELVES[kind]
    newest: dict[Key, Stated] = {}
    for statement in stated:
        key = (statement.fact.shop, statement.fact.id)
        if key not in newest or newest[key].fact.version < statement.fact.version:
            newest[key] = statement
    stored = {
        (row["shop"], row[shelf.id.name]): dict(row)
        for row in conn.execute(
            select(*_known_columns(shelf))
            .where(at_places(conn, shelf.table.c.shop, shelf.id, newest))
            .with_for_update()
        ).mappings()
    }
    return [
        _Winner(row_of(shelf, statement.fact), statement.delivery_id, statement.fact, before)
        for key, statement in sorted(newest.items())
        if (before := stored.get(key)) is None
        or Version(before["version_at"], before["version_tie"]) < statement.fact.version
    ]


def _known_columns(shelf: Shelf) -> list[Column[Any]]:
    names = ("shop", shelf.id.name, "version_at", "version_tie", "deleted", "digest")
    personal = ("email", "person") if "person" in shelf.table.c else ()
    belonging = ("product_id",) if shelf.kind is Kind.VARIANT else ()
    return [shelf.table.c[name] for name in (*names, *personal, *belonging)]


def _write(conn: Connection, shelf: Shelf, winners: Sequence[_Winner]) -> Sequence[_Winner]:
    write_rows(conn, upsert_newer(conn, shelf.table), [winner.row for winner in winners])
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
    parts = [part_rows(w.fact) for w in placed if isinstance(w.fact, Order) and w.changes]
    for index, table in enumerate((order_lines, refunds)):
        write_rows(conn, _INSERT_PART[table.name], [row for part in parts for row in part[index]])
