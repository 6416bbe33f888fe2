"""What the stand-in shop itself believes at the end, to hold our own figures against.

People are told apart as the connector does: an account is the person of its present address, a
guest's address leads to whoever has it now, or else to the account that had it before. Money
changed hands where an order is processing, completed or refunded.
"""

from __future__ import annotations

from collections import Counter

from adapters.town.books import Books, Row, opened
from adapters.town.totals import Sale, Totals
from adapters.woocommerce.sandbox_desk import ADS_OPT_IN, chosen
from adapters.woocommerce.sandbox_orders import SOLD
from connector.identity import normal_email


def add_up(books: Books) -> Totals:
    """Read the books as they stand."""
    with books.turn():
        accounts = books.ask(
            "SELECT id, email, withdrawn FROM customers WHERE role = 'customer' ORDER BY id"
        )
        whose = _Whose(books, accounts)
        orders = books.ask(
            "SELECT status, customer_id, email, total, refunded, opted_in FROM orders"
        )
        refunds = books.ask("SELECT count(*) AS n, coalesce(sum(amount), 0) AS s FROM refunds")[0]
    statuses: Counter[str] = Counter()
    revenue: Counter[str] = Counter()
    purchases: Counter[str] = Counter()
    people = {address for address in whose.present.values() if address}
    opted_in = set()
    nameless = 0
    for order in orders:
        statuses[order["status"]] += 1
        person = whose.is_it(order)
        if not person:
            nameless += 1
            continue
        people.add(person)
        if order["status"] in SOLD:
            revenue[person] += order["total"] - order["refunded"]
            purchases[person] += 1
        if order["opted_in"]:
            opted_in.add(person)
    withdrawn = {whose.present[row["id"]] for row in accounts if row["withdrawn"]}
    return Totals(
        customers=len(accounts),
        orders=dict(statuses),
        orders_without_address=nameless,
        refunds=refunds["n"],
        refunded=refunds["s"],
        revenue=dict(revenue),
        purchases=dict(purchases),
        people=frozenset(people),
        opted_in=frozenset(opted_in),
        withdrawn=frozenset(address for address in withdrawn if address),
    )


def sales(books: Books) -> dict[str, Sale]:
    """Every order that the shop shows, by its id: what lies in the trash is not shown."""
    with books.turn():
        whose = _Whose(books, books.ask("SELECT id, email FROM customers WHERE role = 'customer'"))
        rows = books.rows("orders", "status <> 'trash'")
    return {
        str(row["id"]): Sale(
            person=whose.is_it(row),
            email=row["email"] or None,
            total=row["total"],
            refunded=row["refunded"],
            counts=row["status"] in SOLD,
            opted_in=bool(row["opted_in"]),
            ads=chosen(opened(row)["meta_data"], ADS_OPT_IN) == "1",
        )
        for row in rows
    }


class _Whose:
    """Who somebody is by now. The books must be held still while it is made."""

    def __init__(self, books: Books, accounts: list[Row]) -> None:
        former = books.ask("SELECT customer_id, email FROM addresses ORDER BY customer_id")
        self.present = {row["id"]: normal_email(row["email"]) for row in accounts}
        self._leads = {
            row["email"]: self.present[row["customer_id"]]
            for row in former
            if row["customer_id"] in self.present
        }
        self._leads |= {address: address for address in self.present.values()}

    def is_it(self, order: Row) -> str | None:
        """The person of an order, or ``None``."""
        guest = self._leads.get(order["email"], order["email"])
        return self.present.get(order["customer_id"], guest) or None
