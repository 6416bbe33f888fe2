"""Where each kind of thing is kept, and how a fact becomes its row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Column, Table

from connector.identity import normal_email
from connector.model import Customer, Deleted, Kind, Order, Product, Variant
from connector.store.schema import customers, orders, products, variants

Thing: TypeAlias = Customer | Order | Product | Variant | Deleted
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where one kind of thing is kept, and how a fact becomes its row."""

    kind: Kind
    table: Table
    row: Callable[[Any], Row]

    @property
    def id(self) -> Column[str]:
        """The column of the shop's own id."""
        return self.table.c[f"{self.kind}_id"]


def kind_of(fact: Thing) -> Kind:
    """What kind of thing a fact is about."""
    return fact.kind if isinstance(fact, Deleted) else _KINDS[type(fact)]


def row_of(shelf: Shelf, fact: Thing) -> Row:
    """The whole row of a fact, with a digest of all that it says."""
    content = _blank(shelf.table) if isinstance(fact, Deleted) else shelf.row(fact)
    parts = _parts(fact) if isinstance(fact, Order) else ()
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


def _parts(order: Order) -> tuple[Any, ...]:
    """Lines and refunds in an order that does not depend on how they were stated or read back."""
    return tuple(sorted(part, key=_ID) for part in (order.lines, order.refunds))


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


def part_rows(order: Order) -> tuple[list[Row], list[Row]]:
    """The rows of an order's lines and of its refunds."""
    key = {"shop": order.shop, "order_id": order.id}
    return (
        [
            {
                **key,
                "line_id": line.id,
                "product_id": line.product_id,
                "variant_id": line.variant_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "total": line.total,
            }
            for line in order.lines
        ],
        [
            {
                **key,
                "refund_id": refund.id,
                "amount": refund.amount,
                "reason": refund.reason,
                "created_at": refund.created_at,
            }
            for refund in order.refunds
        ],
    )


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


_ID = attrgetter("id")
_AMOUNTS = {"total", "tax", "shipping", "discount", "refunded"}
_KINDS: dict[type, Kind] = {
    Customer: Kind.CUSTOMER,
    Order: Kind.ORDER,
    Product: Kind.PRODUCT,
    Variant: Kind.VARIANT,
}
SHELVES = {
    shelf.kind: shelf
    for shelf in (
        Shelf(Kind.CUSTOMER, customers, _customer),
        Shelf(Kind.ORDER, orders, _order),
        Shelf(
            Kind.PRODUCT,
            products,
            _copied(
                "title", "status", "type", "description", "url", "image_url", "vendor",
                "tags", "categories", "meta",
            ),
        ),
        Shelf(
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
