"""What the law and the merchant demand of an app: to tell, to forget, and to be gone.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance. These deliveries go to the
address in the app's own configuration and name the person whatever the app may see.
"""

from __future__ import annotations

from datetime import datetime

from adapters.shopify.sandbox_customers import Customers
from adapters.shopify.sandbox_desk import Desk
from adapters.shopify.sandbox_doors import Doors
from adapters.town.books import Body


class Demands:
    """Sends what comes on demand."""

    def __init__(self, desk: Desk, customers: Customers, doors: Doors) -> None:
        self._desk = desk
        self._customers = customers
        self._doors = doors

    def request_data(self, customer: int, *, now: datetime | None = None) -> Body:
        """A customer wants to know what is held of them."""
        told = self._about(customer, "orders_requested")
        told["data_request"] = {"id": self._desk.books.number("data requests")}
        self._tell("customers/data_request", told, now)
        return told

    def redact_customer(self, customer: int, *, now: datetime | None = None) -> Body:
        """A customer is to be forgotten."""
        told = self._about(customer, "orders_to_redact")
        self._tell("customers/redact", told, now)
        return told

    def redact_shop(self, *, now: datetime | None = None) -> Body:
        """The whole shop is to be forgotten: two days after the app was uninstalled."""
        told = self._shop()
        self._tell("shop/redact", told, now)
        return told

    def uninstall(self, *, now: datetime | None = None) -> None:
        """The app is taken out of the shop: told once more, and then no token opens anything."""
        site = self._desk.site
        told = {
            "id": site.id,
            "name": site.name,
            "email": f"post@{site.domain}",
            "domain": site.storefront.partition("://")[2],
            "country": "NO",
            "currency": site.currency,
            "iana_timezone": site.timezone,
            "shop_owner": "Åse Ødegård",
            "plan_name": "basic",
            "taxes_included": site.taxes_included,
            "myshopify_domain": site.domain,
        }
        self._tell("app/uninstalled", told, now)
        self._doors.close_all()

    def _about(self, number: int, orders: str) -> Body:
        rest = self._customers.get(number)["rest"]
        rows = self._desk.books.rows("orders", "customer_id = ?", (number,))
        person = {"id": number, "email": rest["email"], "phone": rest["phone"]}
        return {**self._shop(), "customer": person, orders: [row["id"] for row in rows]}

    def _shop(self) -> Body:
        return {"shop_id": self._desk.site.id, "shop_domain": self._desk.site.domain}

    def _tell(self, topic: str, told: Body, now: datetime | None) -> None:
        with self._desk.act(now) as act:
            act.tell_all(topic, told)
