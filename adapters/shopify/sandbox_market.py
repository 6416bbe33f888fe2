"""The town buys in the stand-in shop: what that means in Shopify's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.town import market
from adapters.town.people import Person
from adapters.town.till import Payment, Purchase
from adapters.town.wares import (
    COUPON,
    COUPON_PERCENT,
    KINDS,
    PIECES,
    SENDING,
    WARES,
    Offer,
    Ware,
    picture_of,
    sku_of,
)

if TYPE_CHECKING:
    from adapters.shopify.sandbox import Sandbox

_PAYMENTS: Mapping[Payment, Mapping[str, str]] = {
    Payment.CARD: {"financial_status": "paid", "gateway": "shopify_payments"},
    Payment.DECLINED: {"financial_status": "voided", "gateway": "shopify_payments"},
    Payment.UNPAID: {"financial_status": "pending", "gateway": "shopify_payments"},
    Payment.TRANSFER: {"financial_status": "pending", "gateway": "Bankoverføring"},
    Payment.ON_DELIVERY: {"financial_status": "pending", "gateway": "Betal ved levering"},
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
        return self._on_sale() or self._stock(now)

    def check_out(self, purchase: Purchase, now: datetime) -> tuple[int, int]:
        person = purchase.person
        discount = {"code": COUPON.upper(), "percent": COUPON_PERCENT}
        given: dict[str, Any] = {
            "email": person.billing(typed=purchase.typed)["email"],
            "address": _address(person),
            "account": purchase.opens_account,
            "line_items": [
                {"variant_id": offer.variant, "quantity": pieces}
                for offer, pieces in purchase.basket
            ],
            "shipping": "0.00" if purchase.sent_free else SENDING,
            "discount": discount if purchase.coupon else None,
            "accepts_marketing": purchase.ticked,
            "note": purchase.note,
            **_PAYMENTS[purchase.payment],
        }
        order = self._shop.orders.check_out(given, now=now)
        opened = person.account or purchase.opens_account
        return int(order["id"]), int(order["customer"]["id"]) if opened else 0

    def pay(self, order: int, now: datetime) -> None:
        self._shop.orders.pay(order, now=now)

    def complete(self, order: int, now: datetime) -> None:
        self._shop.orders.fulfil(order, now=now)

    def cancel(self, order: int, now: datetime) -> None:
        self._shop.orders.cancel(order, now=now)

    def throw_away(self, order: int, now: datetime) -> None:
        self._shop.orders.delete(order, now=now)

    def give_back(self, order: int, line: int | None, now: datetime) -> None:
        orders = self._shop.orders
        if line is None:
            orders.refund(order, note="Angret kjøp", now=now)
        else:
            lines = {orders.get(order)["line_items"][line]["id"]: 1}
            orders.refund(order, lines=lines, note="Feil farge", restock=True, now=now)

    def register(self, person: Person, now: datetime) -> int:
        known = self._shop.customers.find(person.email)
        if known is not None:
            return int(self._shop.customers.enable(known["id"], now=now)["id"])
        address = _address(person)
        names = {k: address[k] for k in ("first_name", "last_name", "phone")}
        given = {**names, "email": person.email, "address": address, "state": "enabled"}
        return int(self._shop.customers.create(given, now=now)["id"])

    def withdraw(self, account: int, now: datetime) -> None:
        self._shop.customers.withdraw(account, now=now)

    def move(self, account: int, email: str, now: datetime) -> None:
        self._shop.customers.change(account, {"email": email}, now=now)

    def _on_sale(self) -> list[Offer]:
        rows = self._shop.books.rows("products", f"kind IN ({', '.join('?' * len(KINDS))})", KINDS)
        products = [self._shop.products.get(row["id"])["rest"] for row in rows]
        return [
            Offer(kind=product["product_type"], product=product["id"], variant=variant["id"])
            for product in products
            for variant in product["variants"]
            if product["status"] == "active"
        ]

    def _stock(self, now: datetime) -> list[Offer]:
        for number, ware in enumerate(WARES, 1):
            given = {
                "title": ware.name,
                "product_type": ware.kind,
                "vendor": "Ull og Pinner",
                "image": picture_of(number),
                "option": ware.option or "Title",
            }
            variants = [
                _terms(ware, sku_of(number, ware, place)) | {"value": option}
                for place, option in enumerate(ware.options, 1)
            ]
            only = [_terms(ware, sku_of(number, ware))]
            self._shop.products.create({**given, "variants": variants or only}, now=now)
        return self._on_sale()


def _terms(ware: Ware, sku: str) -> dict[str, Any]:
    before = ware.price if ware.sale else None
    counted = {"quantity": PIECES} if ware.counted else {}
    price = ware.sale or ware.price
    return {"price": price, "compare_at_price": before, "sku": sku, **counted}


def _address(person: Person) -> dict[str, Any]:
    at = person.address
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "company": person.company or None,
        "address1": at["address_1"],
        "city": at["city"],
        "zip": at["postcode"],
        "country": at["country"],
        "country_code": at["country"],
        "phone": at["phone"] or None,
    }
