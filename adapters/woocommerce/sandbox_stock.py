"""Fills the stand-in shop's books at once with things that are written out already: nothing told.

For a past that is too long to be sold order by order, and for the year of Online Retail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from adapters.town.books import Row
from adapters.woocommerce import sandbox_payloads as payloads
from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_desk import OPT_IN, SUBSCRIPTION, chosen
from adapters.woocommerce.sandbox_payloads import Body, php_json
from adapters.woocommerce.sandbox_retail import SITE, online_retail_orders
from connector.identity import normal_email
from connector.money import to_minor


def stock_orders(shop: Sandbox, orders: Iterable[Body]) -> int:
    """Put orders into the books; how many. Their refunds are in the books with them."""
    written, refunds, last = 0, list[Row](), 0

    def rows() -> Iterator[Row]:
        nonlocal written, last
        for order in orders:
            written, last = written + 1, max(last, order["id"])
            refunds.extend(_refund_rows(order))
            yield _order_row(order)

    shop.books.load("orders", rows())
    shop.books.load("refunds", refunds)
    shop.books.after("posts", max([last, *(row["id"] for row in refunds)]))
    return written


def stock_customers(shop: Sandbox, accounts: Iterable[Body]) -> int:
    """Put buyers' accounts into the books; how many."""
    rows = [_customer_row(account) for account in accounts]
    shop.books.load("customers", rows)
    addresses = [
        {"id": row["id"], "created": 0, "modified": 0, "body": "{}", "customer_id": row["id"]}
        | {"email": normal_email(row["email"])}
        for row in rows
    ]
    shop.books.load("addresses", addresses)
    last = max((row["id"] for row in rows), default=0)
    shop.books.after("users", last)
    shop.books.after("addresses", last)
    return len(rows)


def retail_shop() -> Sandbox:
    """A shop as the one of the data was: its currency, time zone and taxes. It tells nothing."""
    return Sandbox(
        url=SITE.url,
        name=SITE.name,
        timezone=SITE.timezone,
        currency=SITE.currency,
        tax_percent=SITE.tax_percent,
        auto=False,
    )


def stock_retail(shop: Sandbox, csv_path: Path | str, *, limit: int | None = None) -> int:
    """Put the year of Online Retail into the books as it ended; how many orders that are.

    Money given back is there as refunds of the orders; a customer's account was opened when they
    first bought, with the address that their orders bear.
    """
    orders: dict[int, Body] = {}
    buyers: dict[int, Body] = {}
    for _, moment, order in online_retail_orders(csv_path, limit=limit):
        orders[order["id"]] = order  # the same dict each time that it changes
        number = int(order["customer_id"])
        if number and number not in buyers:
            given = {"email": order["billing"]["email"], "billing": order["billing"]}
            buyers[number] = payloads.customer(SITE, number, moment, given, [])
    stock_customers(shop, (buyers[number] for number in sorted(buyers)))
    return stock_orders(shop, (orders[number] for number in sorted(orders)))


def _order_row(order: Body) -> Row:
    currency = order["currency"]
    refunded = -sum(to_minor(each["total"], currency) or 0 for each in order["refunds"])
    return _row(order) | {
        "status": order["status"],
        "was": None,
        "customer_id": order["customer_id"],
        "email": normal_email(order["billing"]["email"]),
        "total": to_minor(order["total"], currency),
        "refunded": refunded,
        "opted_in": int(chosen(order["meta_data"], OPT_IN) == "1"),
        "stock_taken": 0,
    }


def _refund_rows(order: Body) -> Iterator[Row]:
    for entry in order["refunds"]:
        amount = -(to_minor(entry["total"], order["currency"]) or 0)
        body = {"id": entry["id"], "amount": entry["total"].lstrip("-"), "reason": entry["reason"]}
        dates = {name: order[name] for name in ("date_created_gmt", "date_modified_gmt")}
        yield _row(body | dates) | {"order_id": order["id"], "amount": amount}


def _customer_row(account: Body) -> Row:
    return _row(account) | {
        "role": account["role"],
        "email": account["email"].lower(),
        "withdrawn": int(chosen(account["meta_data"], SUBSCRIPTION) == "unsubscribed"),
    }


def _row(body: Body) -> Row:
    return {
        "id": body["id"],
        "created": _seconds(body["date_created_gmt"]),
        "modified": _seconds(body["date_modified_gmt"] or body["date_created_gmt"]),
        "body": php_json(body).decode("ascii"),
    }


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())
