"""What the stand-in shop itself believes at the end, to hold our own figures against.

A person is a customer of the shop, by their present address: what they permitted is theirs, also
when the order with the ticked box was deleted. Money changed hands where an order is
paid, also where it was given back again; test orders never happened.
"""

from __future__ import annotations

from collections import Counter

from adapters.shopify.sandbox_orders import SOLD
from adapters.town.books import Books
from adapters.town.totals import Sale, Totals


def add_up(books: Books) -> Totals:
    """Read the books as they stand."""
    with books.turn():
        customers = books.ask("SELECT id, email, opted_in, withdrawn FROM customers ORDER BY id")
        orders = books.ask(
            "SELECT status, customer_id, email, total, refunded, opted_in "
            "FROM orders WHERE test = 0"
        )
        refunds = books.ask(
            "SELECT count(*) AS n FROM orders, json_each(orders.body, '$.refunds') WHERE test = 0"
        )[0]
    present = {row["id"]: row["email"] for row in customers}
    statuses: Counter[str] = Counter()
    revenue: Counter[str] = Counter()
    purchases: Counter[str] = Counter()
    opted_in = {row["email"] for row in customers if row["opted_in"] and row["email"]}
    people = {email for email in present.values() if email}
    nameless = 0
    for order in orders:
        statuses[order["status"]] += 1
        person = present.get(order["customer_id"], order["email"])
        if not person:
            nameless += 1
            continue
        people.add(person)
        if order["status"] in SOLD:
            revenue[person] += order["total"] - order["refunded"]
            purchases[person] += 1
        if order["opted_in"]:
            opted_in.add(person)
    withdrawn = {row["email"] for row in customers if row["withdrawn"] and row["email"]}
    return Totals(
        customers=len(customers),
        orders=dict(statuses),
        orders_without_address=nameless,
        refunds=refunds["n"],
        refunded=sum(order["refunded"] for order in orders),
        revenue=dict(revenue),
        purchases=dict(purchases),
        people=frozenset(people),
        opted_in=frozenset(opted_in),
        withdrawn=frozenset(withdrawn),
    )


def sales(books: Books) -> dict[str, Sale]:
    """Every order of the shop, by its id; it asks nobody about advertisements."""
    with books.turn():
        customers = books.ask("SELECT id, email FROM customers")
        rows = books.ask(
            "SELECT id, status, customer_id, email, total, refunded, opted_in "
            "FROM orders WHERE test = 0"
        )
    present = {row["id"]: row["email"] for row in customers}
    return {
        str(row["id"]): Sale(
            person=present.get(row["customer_id"], row["email"]) or None,
            email=row["email"] or None,
            total=row["total"],
            refunded=row["refunded"],
            counts=row["status"] in SOLD,
            opted_in=bool(row["opted_in"]),
            ads=False,
        )
        for row in rows
    }
