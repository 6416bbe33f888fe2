"""The exact body of an order as a Shopify shop writes it in webhooks of version 2026-10.

Shapes are those of https://shopify.dev/docs/api/webhooks/2026-10, its ``orders/*`` topics. Every
amount is told as a field in the shop's currency and in a bag that has the buyer's too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.shopify.sandbox_words import Currencies, Site, gid, local
from adapters.town.books import Body
from connector.money import to_minor

SOLD = ("paid", "partially_paid", "partially_refunded", "refunded")
"""The statuses in which money changed hands."""
CANCELLED = "cancelled"
_NOTHING_KNOWN = (
    *("app_id", "browser_ip", "cancel_reason", "cancelled_at", "cart_token", "checkout_token"),
    *("client_details", "closed_at", "confirmation_number"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What a line sells; an item the staff typed in has neither product nor variant."""

    title: str
    price: int
    quantity: int
    product_id: int | None = None
    variant_id: int | None = None
    variant_title: str | None = None
    sku: str | None = None
    vendor: str | None = None


def currencies_of(order: Mapping[str, Any]) -> Currencies:
    """The currencies an order is told in. The rate is kept in the order: it never changes."""
    shown = order["presentment_currency"]
    return Currencies(shop=order["currency"], shown=shown, rate=Decimal(order["_rate"]))


def new_order(site: Site, number: int, place: int, moment: datetime, given: Body) -> Body:
    """An order without lines, the ``place``-th of the shop."""
    at, email = local(moment, site), given.get("email")
    shown = given.get("presentment") or {}
    return {
        "id": number,
        "admin_graphql_api_id": gid("Order", number),
        **dict.fromkeys(_NOTHING_KNOWN),
        "checkout_token": given.get("checkout_token"),
        "buyer_accepts_marketing": bool(given.get("accepts_marketing")),
        "confirmed": True,
        "contact_email": email,
        "created_at": at,
        "currency": site.currency,
        "customer_locale": given.get("locale", "nb"),
        "discount_codes": [],
        "email": email,
        "estimated_taxes": False,
        "financial_status": given.get("financial_status", "paid"),
        "fulfillment_status": None,
        "landing_site": None,
        "location_id": None,
        "name": f"#{1000 + place}",
        "note": given.get("note") or None,
        "note_attributes": list(given.get("note_attributes", ())),
        "number": place,
        "order_number": 1000 + place,
        "order_status_url": f"{site.storefront}/{site.id}/orders/{number:x}/authenticate",
        "payment_gateway_names": [given.get("gateway", "shopify_payments")],
        "phone": given.get("phone"),
        "po_number": None,
        "presentment_currency": shown.get("currency", site.currency),
        "processed_at": local(given.get("processed_at") or moment, site),
        "referring_site": None,
        "source_identifier": None,
        "source_name": given.get("source_name", "web"),
        "source_url": None,
        "tags": ", ".join(given.get("tags", ())),
        "tax_exempt": False,
        "taxes_included": site.taxes_included,
        "test": bool(given.get("test")),
        "token": f"{number:x}",
        "total_tip_received": "0.00",
        "total_weight": 0,
        "updated_at": at,
        "user_id": None,
        "billing_address": given.get("billing_address"),
        "customer": given.get("customer"),
        "discount_applications": [],
        "fulfillments": [],
        "line_items": [],
        "payment_terms": None,
        "refunds": [],
        "shipping_address": given.get("shipping_address"),
        "shipping_lines": [],
        "returns": [],
        "line_item_groups": [],
        "_rate": str(shown.get("rate", 1)),
        "_worths": {},
    }


def line(site: Site, money: Currencies, number: int, goods: Goods, discount: int) -> Body:
    """One line; ``discount`` is its share of the whole order's."""
    worth = goods.price * goods.quantity - discount
    body: Body = {
        "id": number,
        "admin_graphql_api_id": gid("LineItem", number),
        "attributed_staffs": [],
        "current_quantity": goods.quantity,
        "fulfillable_quantity": goods.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 0,
        "name": f"{goods.title} - {goods.variant_title}" if goods.variant_title else goods.title,
        "product_exists": goods.product_id is not None,
        "product_id": goods.product_id,
        "properties": [],
        "quantity": goods.quantity,
        "requires_shipping": True,
        "sales_line_item_group_id": None,
        "sku": goods.sku,
        "taxable": True,
        "title": goods.title,
        "variant_id": goods.variant_id,
        "variant_inventory_management": None,
        "variant_title": goods.variant_title,
        "vendor": goods.vendor,
        "tax_lines": tax_lines(site, money, worth),
        "duties": [],
        "discount_allocations": [],
    }
    money.put(body, "price", goods.price)
    money.put(body, "total_discount", 0)
    if discount:
        share: Body = {"discount_application_index": 0}
        money.put(share, "amount", discount)
        body["discount_allocations"] = [share]
    return body


def shipping_line(site: Site, money: Currencies, number: int, cost: int, title: str) -> Body:
    """What sending costs."""
    body: Body = {
        "id": number,
        "carrier_identifier": None,
        "code": title,
        "is_removed": False,
        "phone": None,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": title,
        "tax_lines": tax_lines(site, money, cost),
        "discount_allocations": [],
    }
    money.put(body, "price", cost)
    money.put(body, "discounted_price", cost)
    return body


def tax_lines(site: Site, money: Currencies, worth: int) -> list[Body]:
    """The tax in a worth, or upon it, as the shop's prices are meant."""
    if not site.tax_percent or not worth:
        return []
    tax: Body = {
        "channel_liable": False,
        "rate": site.tax_percent / 100,
        "title": "MVA",
    }
    money.put(tax, "price", tax_of(site, worth))
    return [tax]


def tax_of(site: Site, worth: int) -> int:
    """How much tax a worth has in it, or must bear."""
    whole = 100 + site.tax_percent if site.taxes_included else 100
    share = Decimal(worth * site.tax_percent) / whole
    return int(share.quantize(Decimal(1), rounding="ROUND_HALF_UP"))


def tell_discount(order: Body, money: Currencies, code: str, percent: Decimal, whole: int) -> None:
    """Note which code gave how much."""
    order["discount_codes"] = [{"code": code, "amount": money.plain(whole), "type": "percentage"}]
    order["discount_applications"] = [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": str(percent),
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "code": code,
        }
    ]


def total_up(order: Body, site: Site) -> None:
    """Work out all totals from the lines."""
    money, lines, currency = currencies_of(order), order["line_items"], site.currency
    goods = sum(amount(each["price"], currency) * each["quantity"] for each in lines)
    discount = sum(
        amount(share["amount"], currency)
        for each in lines
        for share in each["discount_allocations"]
    )
    sending = sum(amount(each["price"], currency) for each in order["shipping_lines"])
    tax = sum(
        amount(each["price"], currency)
        for taxed in (*lines, *order["shipping_lines"])
        for each in taxed["tax_lines"]
    )
    order["tax_lines"] = _summed_tax(site, money, tax)
    money.put(order, "total_line_items_price", goods)
    money.put(order, "total_discounts", discount)
    money.put(order, "subtotal_price", goods - discount)
    money.put(order, "total_tax", tax)
    order["total_shipping_price_set"] = money.bag(sending)
    total = goods - discount + sending + (0 if site.taxes_included else tax)
    money.put(order, "total_price", total)
    money.put(order, "current_total_price", total)
    money.put(order, "current_subtotal_price", goods - discount)
    money.put(order, "current_total_discounts", discount)
    money.put(order, "current_total_tax", tax)
    order["current_shipping_price_set"] = money.bag(sending)
    order["total_outstanding"] = money.plain(0 if order["financial_status"] in SOLD else total)


def amount(text: object, currency: str) -> int:
    """An amount of a body in minor units."""
    return to_minor(text, currency) or 0


def status_of(order: Mapping[str, Any]) -> str:
    """One word for how an order stands: cancelled, or else what was paid."""
    return CANCELLED if order["cancelled_at"] else str(order["financial_status"])


def spread(worths: Sequence[int], percent: Decimal) -> list[int]:
    """A percent discount over lines: rounded down for each, the last takes the difference."""
    whole = int((sum(worths) * percent / 100).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    shares = [int(worth * percent / 100) for worth in worths]
    if shares:
        shares[-1] += whole - sum(shares)
    return shares


def _summed_tax(site: Site, money: Currencies, tax: int) -> list[Body]:
    if not tax:
        return []
    body: Body = {"channel_liable": False, "rate": site.tax_percent / 100, "title": "MVA"}
    money.put(body, "price", tax)
    return [body]


def shown(order: Mapping[str, Any]) -> Body:
    """The order as it is told: without what only the shop itself keeps."""
    return {key: value for key, value in order.items() if not key.startswith("_")}
