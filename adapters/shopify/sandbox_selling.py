"""Selling in the stand-in shop: orders, their states, money given back, and what is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.shopify import sandbox_orders as bodies
from adapters.shopify.sandbox_customers import Customers, address_of, buyer_of
from adapters.shopify.sandbox_desk import Act, Desk, Missing
from adapters.shopify.sandbox_orders import Goods, shown, status_of
from adapters.shopify.sandbox_refunds import Return, refund, whole
from adapters.shopify.sandbox_shelves import Shelves
from adapters.shopify.sandbox_words import local
from adapters.town.books import Body
from connector.identity import normal_email
from connector.money import to_minor


class Orders:
    """The orders of the shop."""

    def __init__(self, desk: Desk, customers: Customers, shelves: Shelves) -> None:
        self._desk = desk
        self._customers = customers
        self._shelves = shelves

    def check_out(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Take an order.

        ``given`` may have ``email`` and ``address`` (of the buyer, who becomes a customer, unless
        ``nobody``), ``account`` (open one), ``line_items`` (``variant_id`` and ``quantity``, or
        ``title``, ``price`` and ``quantity``), ``shipping`` (an amount), ``discount`` (``code`` and
        ``percent``), ``accepts_marketing`` (the box), ``financial_status`` (else paid),
        ``gateway``, ``note``, ``note_attributes``, ``source_name``, ``test``, ``tags``,
        ``checkout_token``, ``processed_at`` and ``presentment`` (``currency`` and ``rate``).
        """
        desk = self._desk
        with desk.act(now) as act:
            customer = None if given.get("nobody") else self._welcome(given, act)
            address = address_of(given["address"]) if given.get("address") else None
            more = {
                "billing_address": address,
                "shipping_address": address,
                "customer": buyer_of(customer) if customer else None,
            }
            number = desk.number("orders")
            place = desk.books.number("order names")
            order = bodies.new_order(desk.site, number, place, act.moment, {**given, **more})
            self._fill(order, given)
            self._keep(order, act, customer_id=customer["id"] if customer else 0)
            act.tell("orders/create", shown(order))
            if order["financial_status"] == "paid":
                act.tell("orders/paid", shown(order))
            if given.get("accepts_marketing") and customer:
                self._customers.tick(customer, act)
            if order["financial_status"] in {"paid", "pending", "authorized"}:
                self._take(order, act)
        return order

    def get(self, number: int) -> Body:
        """One order as the shop keeps it. Raises `Missing`."""
        order = self._desk.books.body("orders", number)
        if order is None:
            raise Missing
        return order

    def pay(self, number: int, *, now: datetime | None = None) -> Body:
        """The money has come."""
        with self._desk.act(now) as act:
            order = self.get(number)
            _settle(order)
            self._change(order, act, "orders/paid")
        return order

    def fulfil(self, number: int, *, now: datetime | None = None) -> Body:
        """The goods have arrived; what was to be paid at the door is."""
        with self._desk.act(now) as act:
            order = self.get(number)
            topics = ["orders/fulfilled"]
            if order["financial_status"] == "pending":
                _settle(order)
                topics.insert(0, "orders/paid")
            order["fulfillment_status"] = "fulfilled"
            order["closed_at"] = local(act.moment, self._desk.site)
            for line in order["line_items"]:
                line |= {"fulfillable_quantity": 0, "fulfillment_status": "fulfilled"}
            self._change(order, act, *topics)
        return order

    def cancel(self, number: int, *, reason: str = "customer", now: datetime | None = None) -> Body:
        """An order is called off: what was not paid is void, the goods go back on the shelf."""
        with self._desk.act(now) as act:
            order = self.get(number)
            order["cancelled_at"] = order["closed_at"] = local(act.moment, self._desk.site)
            order["cancel_reason"] = reason
            if order["financial_status"] in {"pending", "authorized"}:
                order["financial_status"] = "voided"
            self._change(order, act, "orders/cancelled")
            self._take(order, act, back=True)
        return order

    def edit(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change ``note``, ``tags``, ``email`` or ``note_attributes``."""
        with self._desk.act(now) as act:
            order = self.get(number)
            order |= {k: given[k] for k in ("note", "email", "note_attributes") if k in given}
            if "tags" in given:
                order["tags"] = ", ".join(given["tags"])
            self._change(order, act)
        return order

    def refund(
        self,
        number: int,
        *,
        lines: Mapping[int, int] | None = None,
        amount: str | None = None,
        note: str | None = None,
        restock: bool = False,
        now: datetime | None = None,
    ) -> Body:
        """Give money back: for pieces of ``lines`` (by id), or all; ``amount`` if agreed otherwise.

        Raises `ValueError` for more than was paid.
        """
        desk, site = self._desk, self._desk.site
        with desk.act(now) as act:
            order, row = self.get(number), desk.books.row("orders", number) or {}
            back = whole(order, site) if lines is None and amount is None else None
            agreed = None if amount is None else bodies.amount(amount, site.currency)
            back = back or Return(pieces=lines or {}, agreed=agreed, restock=restock, note=note)
            told, worth = refund(order, site, act.moment, back, desk.number)
            given_back = row["refunded"] + worth
            if given_back > row["total"]:
                raise ValueError("Refund amount must be less than the paid amount")
            everything = given_back == row["total"]
            order["financial_status"] = "refunded" if everything else "partially_refunded"
            act.tell("refunds/create", told)
            self._change(order, act, refunded=given_back)
            if restock:
                self._take(order, act, back=True, pieces=back.pieces)
        return told

    def delete(self, number: int, *, now: datetime | None = None) -> None:
        """Remove an order for good: told by its id only."""
        with self._desk.act(now) as act:
            self.get(number)
            self._desk.books.drop("orders", number)
            act.tell("orders/delete", {"id": number})

    def _welcome(self, given: Mapping[str, Any], act: Act) -> Body:
        """Whose order it is: known by the address, or new."""
        customers = self._customers
        record = customers.find(given.get("email"))
        if record is None:
            names = given.get("address") or {}
            known = {k: names.get(k) for k in ("first_name", "last_name", "phone")}
            known |= {"email": given.get("email"), "address": given.get("address")}
            state = {"state": "enabled"} if given.get("account") else {}
            return customers.add({**known, **state}, act)
        if given.get("account"):
            customers.open_account(record, act)
        else:
            customers.touch(record, act)
        return record

    def _fill(self, order: Body, given: Mapping[str, Any]) -> None:
        desk, site, money = self._desk, self._desk.site, bodies.currencies_of(order)
        goods = [self._goods(item) for item in given.get("line_items", ())]
        discount = given.get("discount") or {}
        percent = Decimal(discount.get("percent", 0))
        shares = bodies.spread([each.price * each.quantity for each in goods], percent)
        order["line_items"] = [
            bodies.line(site, money, desk.number("lines"), each, share)
            for each, share in zip(goods, shares, strict=True)
        ]
        if discount:
            bodies.tell_discount(order, money, discount["code"], percent, sum(shares))
        cost = to_minor(given.get("shipping", "0"), site.currency) or 0
        sent = bodies.shipping_line(site, money, desk.number("others"), cost, "Brev")
        order["shipping_lines"] = [sent] if given.get("shipping") else []
        bodies.total_up(order, site)

    def _goods(self, item: Mapping[str, Any]) -> Goods:
        pieces, currency = int(item.get("quantity", 1)), self._desk.site.currency
        if "variant_id" not in item:
            price = bodies.amount(item["price"], currency)
            return Goods(title=item["title"], price=price, quantity=pieces)
        product, variant = self._shelves.find(item["variant_id"])
        only = variant["title"] == "Default Title"
        return Goods(
            title=product["title"],
            price=bodies.amount(item.get("price", variant["price"]), currency),
            quantity=pieces,
            product_id=product["id"],
            variant_id=variant["id"],
            variant_title=None if only else variant["title"],
            sku=variant["sku"],
            vendor=product["vendor"],
        )

    def _take(
        self,
        order: Body,
        act: Act,
        *,
        back: bool = False,
        pieces: Mapping[int, int] | None = None,
    ) -> None:
        moves: Counter[int] = Counter()
        for line in order["line_items"]:
            moved = pieces.get(line["id"], 0) if pieces else line["quantity"]
            if line["variant_id"]:
                moves[line["variant_id"]] += -moved if back else moved
        self._shelves.move_stock(moves, act)

    def _change(self, order: Body, act: Act, *topics: str, **columns: Any) -> None:
        order["updated_at"] = local(act.moment, self._desk.site)
        self._keep(order, act, **columns)
        for topic in (*topics, "orders/updated"):
            act.tell(topic, shown(order))

    def _keep(self, order: Body, act: Act, **columns: Any) -> None:
        new = {} if "customer_id" not in columns else {"refunded": 0}
        self._desk.books.keep(
            "orders",
            order,
            act.moment,
            status=status_of(order),
            email=normal_email(order["email"]),
            total=bodies.amount(order["total_price"], self._desk.site.currency),
            opted_in=int(order["buyer_accepts_marketing"]),
            test=int(order["test"]),
            **new,
            **columns,
        )


def _settle(order: Body) -> None:
    order["financial_status"], order["total_outstanding"] = "paid", "0.00"
