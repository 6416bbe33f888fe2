"""The customer accounts of the stand-in shop, and what is told when one comes, changes or goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.town.books import opened
from adapters.woocommerce import sandbox_payloads as bodies
from adapters.woocommerce.sandbox_desk import SUBSCRIPTION, Desk, Refusal, chosen, merge_meta
from adapters.woocommerce.sandbox_payloads import Body
from connector.identity import normal_email


class Accounts:
    """People with an account: buyers, and the staff that some topics speak of too."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self, given: Mapping[str, Any], *, now: datetime | None = None, tell: bool = True
    ) -> Body:
        """Open an account. A new buyer is told as created and updated, staff as created only."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            self._refuse_taken(given.get("email"))
            number = desk.books.number("users")
            meta_data = merge_meta([], given.get("meta_data", ()), desk.books)
            body = bodies.customer(desk.site, number, moment, given, meta_data)
            self._keep(body, moment)
            if tell:
                self.tell_new(body)
        return body

    def tell_new(self, body: Body) -> None:
        """Announce a new account."""
        self._desk.announce("customer.created", body["id"])
        if body["role"] == "customer":
            self._desk.announce("customer.updated", body["id"])

    def get(self, number: int) -> Body:
        """One account; refuses with 404."""
        body = self._desk.books.body("customers", number)
        if body is None:
            raise Refusal("wc_user_invalid_id", "Invalid user ID.", 404)
        return body

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change an account; even a change of nothing is told."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            body = self.get(number)
            if given.get("email") and given["email"].lower() != body["email"].lower():
                self._refuse_taken(given["email"])
            body["email"] = given.get("email") or body["email"]
            for field in ("first_name", "last_name"):
                body[field] = bodies.escaped(given.get(field, body[field]))
            for field in ("billing", "shipping"):
                asked = given.get(field) or {}
                body[field] |= {k: str(v or "") for k, v in asked.items() if k in body[field]}
            body["meta_data"] = merge_meta(
                body["meta_data"], given.get("meta_data", ()), desk.books
            )
            bodies.touch(body, moment, desk.site)
            self._keep(body, moment)
            desk.announce("customer.updated", number)
        return body

    def withdraw(self, number: int, *, now: datetime | None = None) -> Body:
        """The person unsubscribes; the newsletter plugin notes it in the account."""
        noted = [{"key": SUBSCRIPTION, "value": "unsubscribed"}]
        return self.change(number, {"meta_data": noted}, now=now)

    def mark_paying(self, number: int, *, now: datetime) -> bool:
        """Note that a buyer has paid for the first time; whether that was news."""
        body = self._desk.books.body("customers", number)
        if body is None or body["is_paying_customer"]:
            return False
        body["is_paying_customer"] = True
        bodies.touch(body, now, self._desk.site)
        self._keep(body, now)
        return True

    def delete(self, number: int, *, force: bool = True) -> Body:
        """Close an account: its orders silently become a guest's, and staff go unannounced."""
        desk = self._desk
        with desk.books.turn():
            body = self.get(number)
            if not force:
                told = "Customers do not support trashing."
                raise Refusal("woocommerce_rest_trash_not_supported", told, 501)
            for row in desk.books.rows("orders", "customer_id = ?", (number,)):
                order = opened(row)
                order["customer_id"] = 0
                order["_links"].pop("customer", None)
                desk.books.keep("orders", order, customer_id=0)
            desk.books.drop("customers", number)
            if body["role"] == "customer":
                desk.announce("customer.deleted", number)
        return body

    def _refuse_taken(self, email: Any) -> None:
        if not isinstance(email, str) or "@" not in email:
            params = {"email": "Invalid email address."}
            told = "Invalid parameter(s): email"
            raise Refusal("rest_invalid_param", told, 400, params=params, details={})
        if self._desk.books.count("customers", "email = ?", (email.lower(),)):
            told = f"An account is already registered with {email}. Please log in or use a "
            told += "different email address."
            raise Refusal("registration-error-email-exists", told, 400)

    def _keep(self, body: Body, moment: datetime) -> None:
        books, email = self._desk.books, normal_email(body["email"])
        books.keep(
            "customers",
            body,
            moment,
            role=body["role"],
            email=body["email"].lower(),
            withdrawn=int(chosen(body["meta_data"], SUBSCRIPTION) == "unsubscribed"),
        )
        known = books.count("addresses", "email = ? AND customer_id = ?", (email, body["id"]))
        if body["role"] == "customer" and not known:
            entry = {"id": books.number("addresses")}
            books.keep("addresses", entry, customer_id=body["id"], email=email)
