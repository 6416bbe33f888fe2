"""The stand-in's tills: Mailchimp's rules of who buys what, and the mails that sets off.

https://mailchimp.com/developer/marketing/docs/e-commerce/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.mailchimp.sandbox_members import member_id, stamp
from adapters.mailchimp.sandbox_state import AudienceState, Held
from adapters.mailchimp.sandbox_store_rows import KINDS, Rows, find, kept, page
from adapters.mailchimp.sandbox_store_state import Refusal, Row, Sales, Store

_MAILED_OF = {
    "financial_status": ("pending", "paid", "refunded", "cancelled"),
    "fulfillment_status": ("shipped",),
}
_OWN = ("id", "lines", "customer")  # of a sale; changed at addresses of their own


class Till:
    """Serves the buyers, orders and carts of one account's stores."""

    def __init__(self, state: AudienceState, sales: Sales, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._sales = sales
        self._clock = clock

    # --- customers: each is a contact of the audience -----------------------------------------

    def customers(
        self,
        store: Store,
        method: str,
        parts: list[str],
        said: Row | None,
        query: Mapping[str, str],
    ) -> Row | None:
        """Serve what is below ``customers``."""
        match method, parts, said:
            case "POST" | "PUT", [] | [_], dict():
                return self._customer(store, said)
            case "DELETE", [customer], _:
                gone = find(store.customers, customer)
                del store.customers[customer], store.emails[gone["email_address"].lower()]
                return None
            case _:
                return kept(store.customers, "customers", method, parts, said, query)

    def _customer(self, store: Store, said: Row) -> Row:
        held = store.customers.get(said["id"])
        email = said.get("email_address", held and held.get("email_address"))
        if not email:
            raise Refusal("A new customer needs an email address.")
        if held is not None and held["email_address"].lower() != email.lower():
            raise Refusal("An email address may not be changed once a customer is created.")
        if store.emails.get(email.lower(), said["id"]) != said["id"]:
            raise Refusal("This customer email already exists.")
        if said.get("opt_in_status"):
            self._sales.opt_ins.append(said["id"])
        self._contact(email, opted_in=bool(said.get("opt_in_status")))
        store.emails[email.lower()] = said["id"]
        store.customers[said["id"]] = {**(held or {}), **said, "email_address": email}
        return store.customers[said["id"]]

    def _contact(self, email: str, *, opted_in: bool) -> None:
        """A stranger becomes a contact that is not mailed; nobody else's status is lowered."""
        key = member_id(email)
        if "@" not in email or email.lower().endswith(".invalid"):
            raise Refusal(f"{email} looks fake or invalid, please enter a real email address.")
        if self._state.forgotten([key]):
            raise Refusal(
                f"{email} was permanently deleted and cannot be re-imported.",
                title="Forgotten Email Not Subscribed",
            )
        held = self._state.find([key]).get(key)
        if held is None or (opted_in and held.status == "transactional"):
            status = "subscribed" if opted_in else "transactional"
            moment = stamp(self._clock())
            self._state.save([Held(id=key, email=email, status=status, changed=moment)])

    # --- orders and carts ---------------------------------------------------------------------

    def sold(
        self,
        store: Store,
        kind: str,
        method: str,
        parts: list[str],
        said: Row | None,
        query: Mapping[str, str],
    ) -> Row | None:
        """Serve what is below ``orders`` or ``carts``."""
        rows = store.orders if kind == "orders" else store.carts
        match method, parts, said:
            case "POST", [], dict():
                return self._sell(store, kind, rows, said)
            case "PATCH", [sale], dict():
                held = find(rows, sale)
                held |= {name: value for name, value in said.items() if name not in _OWN}
                self._mail(store, kind, held, said)
                return self._sale(store, held)
            case "GET", [], _:
                return page(kind, rows, query, lambda each: self._sale(store, each))
            case "GET", [sale], _:
                return self._sale(store, find(rows, sale))
            case _, [sale, "lines", *rest], _:
                return self._lines(store, find(rows, sale)["lines"], method, rest, said, query)
            case _:
                return kept(rows, kind, method, parts, said, query)

    def _sell(self, store: Store, kind: str, rows: Rows, said: Row) -> Row:
        lines = {each["id"]: each for each in said["lines"]}
        if said["id"] in rows:
            raise Refusal(f"{KINDS[kind]} with the provided ID already exists in the account.")
        if not lines:
            raise Refusal("There must be at least one line.")
        if len(lines) < len(said["lines"]):
            raise Refusal("An order may not contain the same line item id more than once.")
        for line in lines.values():
            _check_product(store, line)
        self._customer(store, said["customer"])
        rows[said["id"]] = {**said, "customer": said["customer"]["id"], "lines": lines}
        self._mail(store, kind, rows[said["id"]], said)
        return self._sale(store, rows[said["id"]])

    def _lines(
        self,
        store: Store,
        lines: Rows,
        method: str,
        parts: list[str],
        said: Row | None,
        query: Mapping[str, str],
    ) -> Row | None:
        if said is not None:
            held = lines.get(parts[0], {}) if parts else {}
            _check_product(store, {**held, **said})
        if method == "DELETE" and len(lines) == 1:
            raise Refusal("There must be at least one line.")
        return kept(lines, "lines", method, parts, said, query)

    def _sale(self, store: Store, held: Row) -> Row:
        lines = list(held["lines"].values())
        return {**held, "customer": store.customers.get(held["customer"], {}), "lines": lines}

    def _mail(self, store: Store, kind: str, held: Row, said: Row) -> None:
        """Set off what Mailchimp would: a store that is syncing sets off nothing."""
        if store.is_syncing:
            return
        name = store.words["id"]
        if kind == "carts":
            self._sales.fired.append((name, held["id"], "cart"))
        for field, values in _MAILED_OF.items() if kind == "orders" else ():
            if said.get(field) in values:
                self._sales.fired.append((name, held["id"], said[field]))


def _check_product(store: Store, line: Mapping[str, Any]) -> None:
    product = store.products.get(line["product_id"])
    what = None
    if product is None:
        what = "ID"
    elif line["product_variant_id"] not in product["variants"]:
        what = "variant ID"
    if what is not None:
        raise Refusal(
            f"A product with the provided {what} does not exist in the account for this list."
        )
