"""A shop, a Mailchimp audience and the connector between them, for stories about permissions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from tests.journeys.premises import Clock, Premises

OPT_IN = "_wc_other/mycorp/newsletter-opt-in"
MAPPING = """\
version: 1
orders: {counting: {woocommerce: [processing, completed, refunded]}}
consent:
  wordings: {box: "Yes, send me news and offers by e-mail. I can unsubscribe at any time."}
  sources:
    - {purpose: email, from: order.meta_data._wc_other/mycorp/newsletter-opt-in, wording: box}
    - {purpose: email, from: customer.meta_data.mailchimp_woocommerce_is_subscribed, wording: box}
segments:
  first-time: {when: "number_of_orders = 1", tag: "First-time buyer"}
  returning: {when: "number_of_orders >= 2", tag: "Returning"}
  lapsed: {when: "last_order_date < -365d", tag: "Lapsed"}
  big: {when: "amount_spent > 200 AND in_segment('returning')", tag: "Big basket"}
destinations:
  newsletter:
    fields: {FNAME: first_name, ORDERS: number_of_orders, SPENT: amount_spent}
"""


@dataclass(kw_only=True)
class Town:
    """The three together, on one clock. Each story ends in `pass_on`."""

    shop: Shop
    audience: Audience
    premises: Premises
    clock: Clock

    def pass_on(self) -> None:
        """An hour passes; webhooks are sent and worked off."""
        self.clock.skip(hours=1)
        self.shop.deliver()
        self.premises.work()

    def buy(self, email: str, *, ticks: bool = False, account: int = 0) -> int:
        """Somebody buys something for 125.00 including tax; gives the order's id."""
        self.clock.skip(minutes=10)
        order = self.shop.orders.check_out(
            {
                "customer_id": account,
                "billing": {"email": email, "first_name": "Åse", "country": "NO"},
                "line_items": [{"name": "Garn", "quantity": 1, "subtotal": "100.00"}],
                "meta_data": [{"key": OPT_IN, "value": "1"}] if ticks else [],
                "status": "processing",
                "paid": True,
            }
        )
        return int(order["id"])

    def register(self, email: str) -> int:
        """Somebody opens an account; gives its id."""
        self.clock.skip(minutes=10)
        return int(self.shop.customers.create({"email": email, "first_name": "Åse"})["id"])

    def withdraw(self, account: int) -> None:
        """An account holder takes the permission back, in the shop."""
        self.clock.skip(minutes=10)
        self.shop.customers.withdraw(account)

    def move(self, account: int, email: str) -> None:
        """An account holder changes the address."""
        self.clock.skip(minutes=10)
        self.shop.customers.change(account, {"email": email, "billing": {"email": email}})

    def held(self, email: str) -> dict[str, Any] | None:
        """What Mailchimp holds of somebody."""
        return self.audience.members().get(email)

    def status(self, email: str) -> str | None:
        """How Mailchimp holds somebody: ``None`` for not at all."""
        held = self.held(email)
        return held["status"] if held else None

    def by_hand(self, email: str, fields: dict[str, Any]) -> None:
        """An admin fills merge fields of a contact in Mailchimp."""
        httpx.patch(
            f"{self.audience.url}/3.0/lists/{self.audience.audience}/members/{email}",
            auth=("admin", self.audience.api_key),
            json={"merge_fields": fields},
        ).raise_for_status()

    def explain(self, email: str) -> dict[str, Any]:
        """What ``connector explain`` says of somebody's permission to be mailed."""
        told: dict[str, Any] = self.premises.command("explain", email, "--json")[1]
        return told

    def newsletter(self) -> dict[str, Any]:
        """What ``connector status`` says of the newsletter."""
        told: dict[str, Any] = self.premises.command("status", "--json")[1]
        book: dict[str, Any] = told["destinations"]["newsletter"]
        return book


@contextmanager
def opened(shop: Shop, audience: Audience, premises: Premises, clock: Clock) -> Iterator[Town]:
    """Open the receiver and let the shop know where it is."""
    with premises.door():
        shop.register(f"{premises.hook}/wool", next(iter(premises.shops.values())).webhook_secret)
        yield Town(shop=shop, audience=audience, premises=premises, clock=clock)
