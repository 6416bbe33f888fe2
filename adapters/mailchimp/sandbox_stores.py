"""The stand-in's stores: Mailchimp's rules of what may be sold to whom, one call after another.

https://mailchimp.com/developer/marketing/docs/e-commerce/
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from adapters.mailchimp.sandbox_state import AudienceState
from adapters.mailchimp.sandbox_store_rows import chosen, find, kept, make, page, shown
from adapters.mailchimp.sandbox_store_state import Refusal, Row, Sales, Store, missing
from adapters.mailchimp.sandbox_store_words import endpoint, read_body
from adapters.mailchimp.sandbox_till import Till


class Counter:
    """Serves the addresses below ``/ecommerce`` over the books of one account."""

    def __init__(
        self, audience: str, state: AudienceState, sales: Sales, clock: Callable[[], datetime]
    ) -> None:
        self._audience = audience
        self._sales = sales
        self._till = Till(state, sales, clock)

    def answer(
        self, method: str, path: str, body: bytes, query: Mapping[str, str] | None = None
    ) -> tuple[int, Row | None]:
        """Do what a call asks for; ``path`` is as it was sent, quoted."""
        try:
            said = self._read(method, path, body)
            parts = [unquote(part) for part in path.split("/")[2:]]
            named = {*parts, (said or {}).get("id")}
            self._refuse_some(named)
            before = self._before(named) if method != "GET" else None
            answer = self._of_stores(method, parts, said, query or {})
            if before is not None:
                self._sales.stores = before
        except Refusal as no:
            return no.status, no.body
        wanted = (query or {}).get("fields")
        if wanted and answer is not None:
            answer = chosen(answer, wanted)
        return (204, None) if answer is None else (200, answer)

    def _before(self, named: set[str | None]) -> dict[str, Store] | None:
        """What is there now, if this call is to be taken and not kept."""
        return copy.deepcopy(self._sales.stores) if named & self._sales.forgotten else None

    def _refuse_some(self, named: set[str | None]) -> None:
        for one in named:
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
                return self._till.customers(store, method, rest, said, query)
            case _, ["orders", *rest]:
                return self._till.sold(store, "orders", method, rest, said, query)
            case _, ["carts", *rest]:
                return self._till.sold(store, "carts", method, rest, said, query)
            case _, ["promo-rules", *rest]:
                return self._promotions(store, method, rest, said, query)
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
                return page("products", store.products, query, shown)
            case "POST", [], dict():
                if not said["variants"]:
                    raise Refusal("A product must have at least one variant.")
                variants = {each["id"]: each for each in said["variants"]}
                return shown(make(store.products, "products", {**said, "variants": variants}))
            case "PATCH", [product], dict():
                held = find(store.products, product)
                held |= {name: value for name, value in said.items() if name != "variants"}
                return shown(held)
            case _, [product, "variants", *rest], _:
                variants = find(store.products, product)["variants"]
                return kept(variants, "variants", method, rest, said, query)
            case _:
                return kept(store.products, "products", method, parts, said, query)

    def _promotions(
        self,
        store: Store,
        method: str,
        parts: list[str],
        said: Row | None,
        query: Mapping[str, str],
    ) -> Row | None:
        match parts:
            case [rule, "promo-codes", *rest]:
                codes = find(store.rules, rule)["codes"]
                return kept(codes, "promo-codes", method, rest, said, query)
            case []:
                if said is not None:
                    self._check_rule(said)
                    said = {**said, "codes": {}}
            case _:
                self._check_rule(said or {})
        return kept(store.rules, "promo-rules", method, parts, said, query, _bare)

    def _check_rule(self, said: Mapping[str, Any]) -> None:
        if said.get("type") == "percentage" and not 0 <= float(said.get("amount", 0)) <= 1:
            raise Refusal("A percentage is a number from 0.0 to 1.0.")


def _bare(rule: Row) -> Row:
    """A rule as it is shown: its codes have an address of their own."""
    return {name: value for name, value in rule.items() if name != "codes"}
