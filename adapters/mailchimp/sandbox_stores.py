"""The stand-in's stores: Mailchimp's rules of what may be sold to whom, one call after another.

https://mailchimp.com/developer/marketing/docs/e-commerce/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

from adapters.mailchimp.sandbox_members import member_id, stamp
from adapters.mailchimp.sandbox_state import AudienceState, Held
from adapters.mailchimp.sandbox_store_state import Refusal, Row, Sales, Store, missing
from adapters.mailchimp.sandbox_store_words import endpoint, read_body

_Rows: TypeAlias = dict[str, Row]
_MAILED_OF = {
    "financial_status": ("pending", "paid", "refunded", "cancelled"),
    "fulfillment_status": ("shipped",),
}
_KINDS = {
    "products": "A product",
    "orders": "An order",
    "carts": "A cart",
    "promo-rules": "A promo rule",
    "promo-codes": "A promo code",
    "variants": "A product variant",
    "lines": "A line",
}
_LAST = 1000
_OWN = ("id", "lines", "customer")  # of a sale; changed at addresses of their own


class Counter:
    """Serves the addresses below ``/ecommerce`` over the books of one account."""

    def __init__(
        self, audience: str, state: AudienceState, sales: Sales, clock: Callable[[], datetime]
    ) -> None:
        self._audience = audience
        self._state = state
        self._sales = sales
        self._clock = clock

    def answer(
        self, method: str, path: str, body: bytes, query: Mapping[str, str] | None = None
    ) -> tuple[int, Row | None]:
        """Do what a call asks for; ``path`` is as it was sent, quoted."""
        try:
            said = self._read(method, path, body)
            parts = [unquote(part) for part in path.split("/")[2:]]
            self._refuse_some(*parts, (said or {}).get("id"))
            answer = self._of_stores(method, parts, said, query or {})
        except Refusal as no:
            return no.status, no.body
        return (204, None) if answer is None else (200, answer)

    def _refuse_some(self, *ids: str | None) -> None:
        for one in ids:
            if one in self._sales.refused:
                status, words = self._sales.refused[one]
                raise Refusal(words, status=status)

    def _read(self, method: str, path: str, body: bytes) -> Row | None:
        try:
            said: Row | None = read_body(method, path, body)
        except ValueError as wrong:
            words = (
                "The resource submitted could not be validated. "
                "For field-specific details, see the 'errors' array."
            )
            fields = [{"field": "", "message": str(wrong)}]
            raise Refusal(words, title="Invalid Resource", errors=fields) from None
        if said is not None:
            self._sales.bodies.append((endpoint(method, path) or "", said))
        return said

    def _of_stores(
        self, method: str, parts: list[str], said: Row | None, query: Mapping[str, str]
    ) -> Row | None:
        match method, parts:
            case "GET", ["stores"]:
                return {"stores": [each.words for each in self._sales.stores.values()]}
            case "POST", ["stores"]:
                return self._open(said or {})
            case _, ["stores", name, *rest] if name in self._sales.stores:
                return self._of_store(method, name, rest, said, query)
            case _:
                raise missing()

    def _open(self, said: Row) -> Row:
        if said["list_id"] != self._audience:
            raise Refusal("The list does not exist in the account.")
        if said["id"] in self._sales.stores:
            raise Refusal("A store with the provided ID already exists in the account.")
        self._sales.stores[said["id"]] = Store({"is_syncing": False, **said})
        return self._sales.stores[said["id"]].words

    def _of_store(
        self, method: str, name: str, parts: list[str], said: Row | None, query: Mapping[str, str]
    ) -> Row | None:
        store = self._sales.stores[name]
        match method, parts:
            case "GET", []:
                return store.words
            case "PATCH", []:
                store.words |= said or {}
                return store.words
            case "DELETE", []:
                del self._sales.stores[name]
                return {}
            case _, ["products", *rest]:
                return self._products(store, method, rest, said, query)
            case _, ["customers", *rest]:
                return self._customers(store, method, rest, said)
            case _, ["orders", *rest]:
                return self._sold(store, "orders", method, rest, said)
            case _, ["carts", *rest]:
                return self._sold(store, "carts", method, rest, said)
            case _, ["promo-rules", *rest]:
                return self._promotions(store, method, rest, said)
            case _:
                raise missing()

    # --- products and codes -------------------------------------------------------------------

    def _products(
        self,
        store: Store,
        method: str,
        parts: list[str],
        said: Row | None,
        query: Mapping[str, str],
    ) -> Row | None:
        match method, parts, said:
            case "GET", [], _:
                start, count = int(query.get("offset", "0")), int(query.get("count", "10"))
                rows = [_shown(each) for each in store.products.values()]
                page = rows[start : start + min(count, _LAST)]
                return {"products": page, "total_items": len(rows)}
            case "POST", [], dict():
                if not said["variants"]:
                    raise Refusal("A product must have at least one variant.")
                variants = {each["id"]: each for each in said["variants"]}
                return _shown(_make(store.products, "products", {**said, "variants": variants}))
            case "PATCH", [product], dict():
                held = _find(store.products, product)
                held |= {name: value for name, value in said.items() if name != "variants"}
                return _shown(held)
            case _, [product, "variants", *rest], _:
                variants = _find(store.products, product)["variants"]
                return _kept(variants, "variants", method, rest, said)
            case _:
                return _kept(store.products, "products", method, parts, said)

    def _promotions(
        self, store: Store, method: str, parts: list[str], said: Row | None
    ) -> Row | None:
        match parts:
            case [rule, "promo-codes", *rest]:
                codes = _find(store.rules, rule)["codes"]
                return _kept(codes, "promo-codes", method, rest, said)
            case []:
                if said is not None:
                    self._check_rule(said)
                    said = {**said, "codes": {}}
            case _:
                self._check_rule(said or {})
        return _kept(store.rules, "promo-rules", method, parts, said)

    def _check_rule(self, said: Mapping[str, Any]) -> None:
        if said.get("type") == "percentage" and not 0 <= float(said.get("amount", 0)) <= 1:
            raise Refusal("A percentage is a number from 0.0 to 1.0.")

    # --- customers: each is a contact of the audience -----------------------------------------

    def _customers(
        self, store: Store, method: str, parts: list[str], said: Row | None
    ) -> Row | None:
        match method, parts, said:
            case "POST" | "PUT", [] | [_], dict():
                return self._customer(store, said)
            case "DELETE", [customer], _:
                gone = _find(store.customers, customer)
                del store.customers[customer], store.emails[gone["email_address"].lower()]
                return None
            case _:
                return _kept(store.customers, "customers", method, parts, said)

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

    def _sold(
        self, store: Store, kind: str, method: str, parts: list[str], said: Row | None
    ) -> Row | None:
        rows = store.orders if kind == "orders" else store.carts
        match method, parts, said:
            case "POST", [], dict():
                return self._sell(store, kind, rows, said)
            case "PATCH", [sale], dict():
                held = _find(rows, sale)
                held |= {name: value for name, value in said.items() if name not in _OWN}
                self._mail(store, kind, held, said)
                return self._sale(store, held)
            case "GET", [sale], _:
                return self._sale(store, _find(rows, sale))
            case _, [sale, "lines", *rest], _:
                return self._lines(store, _find(rows, sale)["lines"], method, rest, said)
            case _:
                return _kept(rows, kind, method, parts, said)

    def _sell(self, store: Store, kind: str, rows: _Rows, said: Row) -> Row:
        lines = {each["id"]: each for each in said["lines"]}
        if said["id"] in rows:
            raise Refusal(f"{_KINDS[kind]} with the provided ID already exists in the account.")
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
        self, store: Store, lines: _Rows, method: str, parts: list[str], said: Row | None
    ) -> Row | None:
        if said is not None:
            held = lines.get(parts[0], {}) if parts else {}
            _check_product(store, {**held, **said})
        if method == "DELETE" and len(lines) == 1:
            raise Refusal("There must be at least one line.")
        return _kept(lines, "lines", method, parts, said)

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


def _kept(rows: _Rows, kind: str, method: str, parts: list[str], said: Row | None) -> Row | None:
    """What every kind of thing can be asked for."""
    match method, parts, said:
        case "GET", [], _:
            return {kind.replace("-", "_"): list(rows.values()), "total_items": len(rows)}
        case "GET", [one], _:
            return _shown(_find(rows, one))
        case "POST", [], dict():
            return _shown(_make(rows, kind, said))
        case "PUT", [one], dict():
            rows[one] = {**rows.get(one, {}), **said}
            return rows[one]
        case "PATCH", [one], dict():
            _find(rows, one).update(said)
            return _shown(rows[one])
        case "DELETE", [one], _:
            _find(rows, one)
            del rows[one]
            return None
        case _:
            raise missing()


def _make(rows: _Rows, kind: str, said: Row) -> Row:
    if said["id"] in rows:
        raise Refusal(f"{_KINDS[kind]} with the provided ID already exists in the account.")
    rows[said["id"]] = said
    return said


def _find(rows: _Rows, one: str) -> Row:
    if one not in rows:
        raise missing()
    return rows[one]


def _shown(row: Row) -> Row:
    variants = row.get("variants")
    return {**row, "variants": list(variants.values())} if isinstance(variants, dict) else row
