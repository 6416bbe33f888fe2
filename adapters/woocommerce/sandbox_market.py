"""The town buys in the stand-in shop: what that means in WooCommerce's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.town import market
from adapters.town.people import Person
from adapters.town.till import Payment, Purchase
from adapters.town.wares import COUPON, SENDING, Offer
from adapters.woocommerce.sandbox_desk import ADS_OPT_IN, OPT_IN
from adapters.woocommerce.sandbox_wares import on_sale, stock

if TYPE_CHECKING:
    from adapters.woocommerce.sandbox import Sandbox

_CARD = {"payment_method": "stripe", "payment_method_title": "Kort"}
_BANK = {"payment_method": "bacs", "payment_method_title": "Bankoverføring"}
_CASH = {"payment_method": "cod", "payment_method_title": "Betal ved levering"}
_PAYMENTS: Mapping[Payment, Mapping[str, Any]] = {
    Payment.CARD: {"status": "processing", "paid": True, **_CARD},
    Payment.DECLINED: {"status": "failed", "paid": False, **_CARD},
    Payment.UNPAID: {"status": "pending", "paid": False, **_CARD},
    Payment.TRANSFER: {"status": "on-hold", "paid": False, **_BANK},
    Payment.ON_DELIVERY: {"status": "processing", "paid": False, **_CASH},
}


class Market(market.Market):
    """The market of one shop. Puts goods on sale at ``start`` unless the shop has some already."""

    def __init__(self, shop: Sandbox, *, seed: int, start: datetime) -> None:
        super().__init__(_Till(shop), seed=seed, start=start)


class _Till:
    def __init__(self, shop: Sandbox) -> None:
        self._shop = shop
        self.clock = shop.clock

    def goods(self, now: datetime) -> Sequence[Offer]:
        shop = self._shop
        return on_sale(shop.books, shop.products) or stock(shop.products, now)

    def check_out(self, purchase: Purchase, now: datetime) -> tuple[int, int]:
        person = purchase.person
        given = {
            "customer_id": person.account,
            "billing": person.billing(typed=purchase.typed),
            "shipping": person.billing(),
            "line_items": [
                {"product_id": o.product, "variation_id": o.variant, "quantity": pieces}
                for o, pieces in purchase.basket
            ],
            "shipping_lines": [{"total": "0.00" if purchase.sent_free else SENDING}],
            "coupon_lines": [{"code": COUPON}] if purchase.coupon else [],
            "meta_data": [
                {"key": box, "value": "1"}
                for box, is_ticked in ((OPT_IN, purchase.ticked), (ADS_OPT_IN, purchase.ads))
                if is_ticked
            ],
            "customer_note": purchase.note,
            "customer_ip_address": "192.0.2.7",
            "customer_user_agent": "Mozilla/5.0 (sandbox)",
            **_PAYMENTS[purchase.payment],
        }
        account = _account(person) if purchase.opens_account else None
        order = self._shop.orders.check_out(given, now=now, account=account)
        return int(order["id"]), int(order["customer_id"])

    def pay(self, order: int, now: datetime) -> None:
        self._shop.orders.change(order, {"status": "processing"}, now=now)

    def complete(self, order: int, now: datetime) -> None:
        self._shop.orders.change(order, {"status": "completed"}, now=now)

    def cancel(self, order: int, now: datetime) -> None:
        self._shop.orders.change(order, {"status": "cancelled"}, now=now)

    def throw_away(self, order: int, now: datetime) -> None:
        self._shop.orders.trash(order, now=now)

    def give_back(self, order: int, line: int | None, now: datetime) -> None:
        orders = self._shop.orders
        bought = orders.get(order)
        if line is None:
            orders.refund(order, amount=bought["total"], reason="Angret kjøp", now=now)
        else:
            lines = {bought["line_items"][line]["id"]: 1}
            orders.refund(order, lines=lines, reason="Feil farge", restock=True, now=now)

    def register(self, person: Person, now: datetime) -> int:
        return int(self._shop.customers.create(_account(person), now=now)["id"])

    def withdraw(self, account: int, now: datetime) -> None:
        self._shop.customers.withdraw(account, now=now)

    def move(self, account: int, email: str, now: datetime) -> None:
        changed = {"email": email, "billing": {"email": email}}
        self._shop.customers.change(account, changed, now=now)


def _account(person: Person) -> dict[str, Any]:
    names = {"first_name": person.first_name, "last_name": person.last_name}
    return {**names, "email": person.email, "billing": person.billing()}
