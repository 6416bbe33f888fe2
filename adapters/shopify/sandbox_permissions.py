"""What an app may change of people at the stand-in shop: what they permit, and nothing else.

The statement with the newest date counts, so that one dated before what is there changes nothing.
https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/customerEmailMarketingConsentUpdate
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.shopify.sandbox_customers import Customers
from adapters.shopify.sandbox_desk import Desk, Missing
from adapters.shopify.sandbox_parts import need
from adapters.shopify.sandbox_words import number_in
from adapters.town.books import Body

_SETTABLE = frozenset({"SUBSCRIBED", "UNSUBSCRIBED", "PENDING"})


class Permissions:
    """The two mutations. ``fields`` has a function for each; ``view`` shows a customer."""

    def __init__(
        self,
        desk: Desk,
        customers: Customers,
        scopes: frozenset[str],
        view: Callable[[Body], Body],
    ) -> None:
        self._desk = desk
        self._customers = customers
        self._scopes = scopes
        self._view = view
        self.fields: Mapping[str, Callable[..., Body]] = {
            "customerEmailMarketingConsentUpdate": lambda _, **given: self._change(
                "Email", given["input"]
            ),
            "customerSmsMarketingConsentUpdate": lambda _, **given: self._change(
                "Sms", given["input"]
            ),
        }

    def _change(self, word: str, given: Mapping[str, Any]) -> Body:
        need(self._scopes, f"customer{word}MarketingConsentUpdate", "write_customers")
        wanted = given[f"{word.lower()}MarketingConsent"]
        number = number_in(given["customerId"], "Customer")
        if wanted["marketingState"] not in _SETTABLE:
            return _refused(f"{word.lower()}MarketingConsent", "Marketing state is not allowed")
        try:
            record = self._customers.get(number or 0)
        except Missing:
            return _refused("customerId", "Customer not found")
        if not record["rest"]["email" if word == "Email" else "phone"]:
            return _refused("customerId", f"The customer has no {word.lower()} contact")
        told = wanted.get("consentUpdatedAt")
        at = datetime.fromisoformat(told) if told else self._desk.clock()
        level = wanted.get("marketingOptInLevel")
        if not self._is_older(record, word, at):
            self._customers.state(
                record["id"],
                word.lower(),
                wanted["marketingState"].lower(),
                level=level.lower() if level else None,
                dated=at,
            )
        return {"customer": self._view(self._customers.get(record["id"])), "userErrors": []}

    def _is_older(self, record: Body, word: str, at: datetime) -> bool:
        kept = record[f"{word.lower()}_consent"] or {}
        known = kept.get("consent_updated_at")
        return known is not None and at < datetime.fromisoformat(known)


def _refused(field: str, message: str) -> Body:
    error = {"code": "INVALID", "field": ["input", field], "message": message}
    return {"customer": None, "userErrors": [error]}
