"""A year of a real shop's invoices in the stand-in shop's books, as if it had all been sold there.

What the invoices become is told in `adapters.woocommerce.sandbox_retail`. Each order is in the
state in which its last delivery told it; each customer of the data has an account from their first
invoice on, and each stock code is a product, at the price at which it was first sold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.town.books import Books, Row
from adapters.woocommerce import sandbox_payloads as payloads
from adapters.woocommerce import sandbox_products as products
from adapters.woocommerce.sandbox_orders import Goods, line
from adapters.woocommerce.sandbox_payloads import Body, money, php_json
from adapters.woocommerce.sandbox_refunds import refund
from adapters.woocommerce.sandbox_retail import (
    SITE,
    online_retail_orders,
    read_invoices,
    row_worth,
)
from adapters.woocommerce.sandbox_retail import Row as RetailRow
from connector.identity import normal_email
from connector.money import to_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the shop has at the end of the year, each kind by id."""

    orders: Mapping[int, Body]
    customers: Mapping[int, Body]
    products: Mapping[int, Body]
    refunds: Mapping[int, tuple[int, datetime, Body]]
    """By id: the order's number, when, and the refund as asked for by itself."""

    def told(self) -> Iterator[tuple[str, bytes]]:
        """Topic and body of a webhook for every account and every product."""
        for topic, kind in (("customer", self.customers), ("product", self.products)):
            for body in kind.values():
                yield f"{topic}.created", php_json(body)


def online_retail_past(csv_path: Path | str, *, limit: int | None = None) -> Past:
    """All that the file, or its first ``limit`` invoices, comes to."""
    orders: dict[int, Body] = {}
    customers: dict[int, Body] = {}
    wares: dict[int, Body] = {}
    refunds: dict[int, tuple[int, datetime, Body]] = {}
    for _, moment, order in online_retail_orders(csv_path, limit=limit):
        orders[order["id"]] = order
        if order["customer_id"]:
            number = int(order["customer_id"])
            customers.setdefault(number, _account(number, order, moment))
        for sold in order["line_items"]:
            if sold["product_id"]:
                wares.setdefault(sold["product_id"], _ware(sold, moment))
        for entry in order["refunds"]:
            if entry["id"] not in refunds:
                refunds[entry["id"]] = (order["id"], moment, _whole(order, entry, moment))
    for row in _never_sold(csv_path, limit, {body["sku"].upper() for body in wares.values()}):
        number = max(wares) + 1
        wares[number] = _ware(_as_line(row, number), _moment_of(row))
    return Past(orders=orders, customers=customers, products=wares, refunds=refunds)


def fill(books: Books, past: Past) -> None:
    """Write all of it into empty books. Nothing is announced."""
    books.load("customers", map(_customer_row, past.customers.values()))
    books.load("addresses", _address_rows(past.customers.values()))
    books.load("products", map(_product_row, past.products.values()))
    books.load("orders", map(_order_row, past.orders.values()))
    books.load(
        "refunds",
        (
            {**_row(body, moment, moment), "order_id": order, "amount": _minor(body["amount"])}
            for order, moment, body in past.refunds.values()
        ),
    )
    books.after("users", max(past.customers, default=0))
    books.after("posts", max([*past.orders, *past.products, *past.refunds], default=0))


def _account(number: int, order: Body, moment: datetime) -> Body:
    email, country = order["billing"]["email"], order["billing"]["country"]
    given = {"email": email, "billing": {"email": email, "country": country}}
    return payloads.customer(SITE, number, moment, given, [])


def _never_sold(csv_path: Path | str, limit: int | None, known: set[str]) -> Iterator[RetailRow]:
    """The first row of each stock code that no order has."""
    for rows in read_invoices(csv_path, limit=limit).values():
        for row in rows:
            if row["StockCode"].upper() not in known:
                known.add(row["StockCode"].upper())
                yield row


def _as_line(row: RetailRow, number: int) -> Body:
    worth, quantity = abs(row_worth(row)), abs(int(row["Quantity"]))
    goods = Goods(name=row["Description"], product_id=number, sku=row["StockCode"])
    return line(SITE, number, goods, quantity=quantity, subtotal=worth, total=worth)


def _moment_of(row: RetailRow) -> datetime:
    return datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=SITE.zone)


def _ware(sold: Body, moment: datetime) -> Body:
    each = (to_minor(sold["total"], SITE.currency) or 0) // max(1, sold["quantity"])
    given = {
        "name": sold["name"] or sold["sku"],  # some rows have no description
        "sku": sold["sku"],
        "regular_price": money(each, SITE.currency),
    }
    return products.product(SITE, sold["product_id"], moment, given, meta_data=[])


def _whole(order: Body, entry: Body, moment: datetime) -> Body:
    amount = -_minor(entry["total"])
    return refund(
        SITE, order, entry["id"], moment, amount=amount, reason=entry["reason"], lines=[]
    )[0]


def _order_row(order: Body) -> Row:
    return {
        **_row(order, _moment(order, "date_created_gmt"), _moment(order, "date_modified_gmt")),
        "status": order["status"],
        "was": None,
        "customer_id": int(order["customer_id"]),
        "email": normal_email(order["billing"]["email"]),
        "total": _minor(order["total"]),
        "refunded": -sum(_minor(entry["total"]) for entry in order["refunds"]),
        "opted_in": 0,
        "stock_taken": 0,
    }


def _customer_row(body: Body) -> Row:
    moment = _moment(body, "date_created_gmt")
    known = {"role": body["role"], "email": body["email"].lower(), "withdrawn": 0}
    return {**_row(body, moment, moment), **known}


def _address_rows(bodies: Iterable[Body]) -> Iterator[Row]:
    for number, body in enumerate(bodies, 1):
        moment = _moment(body, "date_created_gmt")
        own = {"customer_id": body["id"], "email": normal_email(body["email"])}
        yield {**_row({"id": number}, moment, moment), **own}


def _product_row(body: Body) -> Row:
    moment = _moment(body, "date_created_gmt")
    known = {"parent_id": 0, "type": body["type"], "status": body["status"], "was": None}
    return {**_row(body, moment, moment), **known, "sku": body["sku"]}


def _row(body: Body, created: datetime, modified: datetime) -> Row:
    return {
        "id": body["id"],
        "created": int(created.timestamp()),
        "modified": int(modified.timestamp()),
        "body": php_json(body).decode(),
    }


def _moment(body: Body, name: str) -> datetime:
    return datetime.fromisoformat(body[name]).replace(tzinfo=UTC)


def _minor(amount: str) -> int:
    return to_minor(amount, SITE.currency) or 0
