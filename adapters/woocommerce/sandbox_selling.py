"""Selling in the stand-in shop: orders, their states, money given back, and what is told of it.

Which webhooks follow an action, and in which order, is as a real WooCommerce 11.0 shop did it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.town.books import opened
from adapters.woocommerce import sandbox_orders as bodies
from adapters.woocommerce.sandbox_accounts import Accounts
from adapters.woocommerce.sandbox_basket import fill
from adapters.woocommerce.sandbox_desk import OPT_IN, Desk, Refusal, chosen, merge_meta
from adapters.woocommerce.sandbox_payloads import Body, touch
from adapters.woocommerce.sandbox_refunds import refund, refund_line
from adapters.woocommerce.sandbox_shelves import Shelves
from connector.identity import normal_email
from connector.money import to_minor

COMPLETED = "action.woocommerce_order_status_completed"
"""The topic of a webhook on a WordPress action, as plugins and shop owners make them."""
_DEBUG = "_debug_log_source_pending_deletion"
_KEPT = (
    *("payment_method", "payment_method_title", "transaction_id", "customer_note"),
    *("customer_ip_address", "customer_user_agent"),
)


class Orders:
    """The orders of the shop."""

    def __init__(self, desk: Desk, accounts: Accounts, shelves: Shelves) -> None:
        self._desk = desk
        self._accounts = accounts
        self._shelves = shelves

    def create(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Take an order through the REST API: told as created, then updated."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            order = self._write(given, moment, "rest-api")
            paid = bool(given.get("set_paid")) and given.get("status", "pending") == "pending"
            status = "processing" if paid else given.get("status", "pending")
            touched, paying = self._turn(order, status, moment, paid=paid, charged=paid)
            desk.announce("order.created", order["id"])
            desk.announce("order.updated", order["id"])
            self._tell(order, touched, paying=paying, completed=status == "completed")
        return order

    def check_out(
        self,
        given: Mapping[str, Any],
        *,
        now: datetime | None = None,
        account: Mapping[str, Any] | None = None,
    ) -> Body:
        """Take an order from the storefront, with ``account`` opening one on the way.

        Told as updated before created; ``paid`` in ``given`` says that a card was charged.
        """
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            opened_account = None
            if account is not None:
                opened_account = self._accounts.create(account, now=moment, tell=False)
                given = {**given, "customer_id": opened_account["id"]}
            order = self._write(given, moment, "store-api")
            paid = bool(given.get("paid"))
            status = given.get("status", "processing")
            touched, paying = self._turn(order, status, moment, paid=paid, charged=paid)
            desk.announce("order.updated", order["id"])
            if opened_account is not None:
                self._accounts.tell_new(opened_account)
            desk.announce("order.created", order["id"])
            self._tell(order, touched, paying=paying, completed=False)
        return order

    def get(self, number: int) -> Body:
        """One order; refuses with 404."""
        return opened(self._row(number))

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change an order; even a change of nothing is told. One in the trash comes back untold."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            order = self.get(number)
            was = order["status"]
            order |= {field: given[field] for field in _KEPT if field in given}
            for field in ("billing", "shipping"):
                asked = given.get(field) or {}
                order[field] |= {k: str(v or "") for k, v in asked.items() if k in order[field]}
            kept = [item for item in order["meta_data"] if item["key"] != _DEBUG]
            order["meta_data"] = merge_meta(kept, given.get("meta_data", ()), desk.books)
            if "customer_id" in given:
                order["customer_id"] = int(given["customer_id"])
            if given.get("line_items"):
                fill(order, given, desk.site, desk.books, self._shelves)
            touch(order, moment, desk.site)
            paid = bool(given.get("set_paid")) and order["date_paid"] is None
            status = given.get("status") or ("processing" if paid else was)
            late = status != was and status in {"processing", "completed"}
            touched, paying = self._turn(order, status, moment, paid=paid or late, charged=paid)
            if was != "trash":
                desk.announce("order.updated", number)
                completed = status == "completed" != was
                self._tell(order, touched, paying=paying, completed=completed)
        return order

    def refund(
        self,
        number: int,
        *,
        amount: str | None = None,
        reason: str = "",
        lines: Mapping[int, int] | None = None,
        restock: bool = False,
        now: datetime | None = None,
    ) -> Body:
        """Give money back: ``amount`` in major units, or the worth of ``lines`` (id to pieces)."""
        desk, moment, site = self._desk, self._desk.at(now), self._desk.site
        with desk.books.turn():
            row = self._row(number)
            order = opened(row)
            returned = [
                refund_line(site, desk.books.number("items"), sold, lines[sold["id"]])
                for sold in order["line_items"]
                if lines and lines.get(sold["id"])
            ]
            worth = -sum(bodies.add(returned, name) for name in ("total", "total_tax"))
            minor = worth if amount is None else to_minor(amount, site.currency) or 0
            self._refuse_amount(minor, left=row["total"] - row["refunded"])
            refund_id = desk.books.number("posts")
            full, entry = refund(
                site, order, refund_id, moment, amount=minor, reason=reason, lines=returned
            )
            desk.books.keep("refunds", full, moment, order_id=number, amount=minor)
            order["refunds"].insert(0, entry)
            touch(order, moment, site)
            if row["refunded"] + minor == row["total"]:
                bodies.turn(order, "refunded", moment, site)
            self._keep(order, moment)
            for line in returned if restock else ():
                self._move(line, line["quantity"], moment)
            desk.announce("order.updated", number)
        return full

    def delete_refund(self, number: int, refund_id: int) -> None:
        """Undo a refund: the order shows it no more, and nothing is told."""
        with self._desk.books.turn():
            order = self.get(number)
            order["refunds"] = [e for e in order["refunds"] if e["id"] != refund_id]
            self._desk.books.drop("refunds", refund_id)
            self._keep(order, None)

    def trash(self, number: int, *, now: datetime | None = None) -> Body:
        """Throw an order away: told by its id only."""
        with self._desk.books.turn():
            order = self.get(number)
            was, order["status"] = order["status"], "trash"
            touch(order, self._desk.at(now), self._desk.site)
            self._keep(order, self._desk.at(now))
            self._desk.books.mark("orders", number, was=was)
            self._desk.announce("order.deleted", number)
        return order

    def untrash(self, number: int, *, now: datetime | None = None) -> Body:
        """Take an order out of the trash as wp-admin does: told as restored."""
        with self._desk.books.turn():
            order = self.get(number)
            order["status"] = self._row(number)["was"]
            touch(order, self._desk.at(now), self._desk.site)
            self._keep(order, self._desk.at(now))
            self._desk.announce("order.restored", number)
        return order

    def delete(self, number: int) -> Body:
        """Remove an order for good: nothing is told of it."""
        with self._desk.books.turn():
            order = self.get(number)
            self._desk.books.drop("orders", number)
        return order

    def refunds_of(self, number: int) -> list[Body]:
        """The refunds of an order, newest first; refuses with 404."""
        self._row(number)
        rows = self._desk.books.rows("refunds", "order_id = ?", (number,), "ORDER BY id DESC")
        return [opened(row) for row in rows]

    def _write(self, given: Mapping[str, Any], moment: datetime, via: str) -> Body:
        desk = self._desk
        customer = given.get("customer_id")
        if customer and desk.books.row("customers", int(customer)) is None:
            told = "Customer ID is invalid."
            raise Refusal("woocommerce_rest_invalid_customer_id", told, 400)
        extra = list(given.get("meta_data") or ())
        if via == "store-api":
            debug = f"place-order-debug-{secrets.token_hex(4)}"
            extra += [{"key": "is_vat_exempt", "value": "no"}, {"key": _DEBUG, "value": debug}]
        order = bodies.new_order(
            desk.site,
            desk.books.number("posts"),
            moment,
            given,
            key=f"wc_order_{secrets.token_hex(6)}1",
            created_via=via,
            meta_data=merge_meta([], extra, desk.books),
        )
        fill(order, given, desk.site, desk.books, self._shelves)
        return order

    def _turn(
        self, order: Body, status: str, moment: datetime, *, paid: bool, charged: bool
    ) -> tuple[list[int], bool]:
        books, site, number = self._desk.books, self._desk.site, order["id"]
        bodies.turn(order, status, moment, site, paid=paid)
        self._keep(order, moment)
        row = self._row(number)
        touched: list[int] = []
        takes = status in bodies.RESERVED and not row["stock_taken"]
        gives = status in {"cancelled", "pending"} and row["stock_taken"]
        if takes or gives:
            for line in order["line_items"]:
                pieces = line["quantity"] if takes else -line["quantity"]
                touched += self._move(line, pieces, moment, tell=False)
            books.mark("orders", number, stock_taken=int(takes))
        settles = order["customer_id"] and (charged or status == "completed")
        paying = settles and self._accounts.mark_paying(order["customer_id"], now=moment)
        return touched, bool(paying)

    def _tell(self, order: Body, touched: list[int], *, paying: bool, completed: bool) -> None:
        for product in touched:
            self._desk.announce("product.updated", product)
        if paying:
            self._desk.announce("customer.updated", order["customer_id"])
        if completed:
            self._desk.announce(COMPLETED, order["id"])

    def _move(self, line: Body, pieces: int, moment: datetime, *, tell: bool = True) -> list[int]:
        number = line["variation_id"] or line["product_id"]
        if not number or not self._shelves.move_stock(number, pieces, now=moment):
            return []
        if tell:
            self._desk.announce("product.updated", number)
        return [number]

    def _row(self, number: int) -> dict[str, Any]:
        row = self._desk.books.row("orders", number)
        if row is None:
            raise Refusal("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return row

    def _refuse_amount(self, minor: int, *, left: int) -> None:
        if minor <= 0:
            told = "Refund amount must be greater than zero."
            raise Refusal("woocommerce_rest_invalid_order_refund", told, 400)
        if minor > left:
            code = "woocommerce_rest_cannot_create_order_refund"
            raise Refusal(code, "Invalid refund amount.", 500)

    def _keep(self, order: Body, moment: datetime | None) -> None:
        currency = self._desk.site.currency
        refunded = -sum(to_minor(e["total"], currency) or 0 for e in order["refunds"])
        self._desk.books.keep(
            "orders",
            order,
            moment,
            status=order["status"],
            customer_id=order["customer_id"],
            email=normal_email(order["billing"]["email"]),
            total=to_minor(order["total"], currency),
            refunded=refunded,
            opted_in=int(chosen(order["meta_data"], OPT_IN) == "1"),
        )
