"""Where each kind of thing is kept, and how a fact becomes its row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Column, Table

from connector.identity import normal_email
from connector.model import (
    Cart,
    Customer,
    Deleted,
    Kind,
    Line,
    Order,
    Product,
    Promotion,
    Variant,
)
from connector.store.schema import carts, customers, orders, products, promotions, variants

Thing: TypeAlias = Customer | Order | Product | Variant | Cart | Promotion | Deleted
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
        column.name: (_BLANKS.get(column.name, "") if column.server_default is not None else None)
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
                "discount": line.discount,
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
    values_of = attrgetter(*names)

    def row(fact: Any) -> Row:
        return {
            name: value if type(value) in _PLAIN else _plain(value)
            for name, value in zip(names, values_of(fact), strict=True)
        }

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
    "placed_at", "paid_at", "customer_id", "countries", "fulfilled", "cancelled_at", "landing_url",
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


_cart_row = _copied(
    "currency", "total", "created_at", "url", "customer_id", "first_name", "last_name", "company",
    "other_name",
)  # fmt: skip


def _cart(fact: Cart) -> Row:
    return {
        **_cart_row(fact),
        "email": normal_email(fact.email),
        "lines": [_line(line) for line in sorted(fact.lines, key=_ID)],
    }


def _line(line: Line) -> Row:
    return {
        "id": line.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "total": line.total,
        "discount": line.discount,
    }


_PLAIN = frozenset({str, int, bool, type(None), datetime, dict})
"""What nearly all values are; to ask of each whether it is a Mapping takes longer than the rest."""
_ID = attrgetter("id")
_BLANKS: Mapping[str, int | bool] = {
    **dict.fromkeys(("total", "tax", "shipping", "discount", "refunded", "amount"), 0),
    "usage_count": 0,
    "fulfilled": False,
    "enabled": False,
}
_KINDS: dict[type, Kind] = {
    Customer: Kind.CUSTOMER,
    Order: Kind.ORDER,
    Product: Kind.PRODUCT,
    Variant: Kind.VARIANT,
    Cart: Kind.CART,
    Promotion: Kind.PROMOTION,
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
        Shelf(Kind.CART, carts, _cart),
        Shelf(
            Kind.PROMOTION,
            promotions,
            _copied(
                "code", "title", "worth", "amount", "bearing", "currency", "starts_at", "ends_at",
                "usage_count", "enabled",
            ),
        ),
    )
}  # fmt: skip
