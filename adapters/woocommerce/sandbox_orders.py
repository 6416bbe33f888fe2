"""The exact bodies of orders, and the sums in them, to the smallest coin.

Shapes: https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties. Amounts in an
order are text with two decimals; only a line's ``price`` and two rates are JSON numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.woocommerce.sandbox_payloads import (
    Body,
    Site,
    billing,
    both,
    links,
    money,
    php_json,
    php_number,
    shipping,
    touch,
)
from connector.money import to_major, to_minor

STATUSES = (
    *("auto-draft", "pending", "processing", "on-hold", "completed", "cancelled"),
    *("refunded", "failed", "checkout-draft"),
)
"""What an order's status can be set to; the trash is reached by deleting."""
SOLD = ("processing", "completed", "refunded")
"""The statuses in which money changed hands."""
RESERVED = ("processing", "on-hold", "completed")
"""The statuses that take goods from stock."""
_ITEMS = ("line_items", "shipping_lines", "fee_lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What a line of an order is about; ids are 0 for what is no product of the shop.

    ``options`` are the attributes of a variation, such as its colour.
    """

    name: str
    product_id: int = 0
    variation_id: int = 0
    sku: str = ""
    parent_name: str | None = None
    options: tuple[Body, ...] = ()


def order_body(order: Body) -> bytes:
    """The bytes of an order, as a webhook or the REST API carries it."""
    return php_json(order)


def new_order(
    site: Site,
    number: int,
    now: datetime,
    given: Mapping[str, Any],
    *,
    key: str,
    created_via: str = "rest-api",
    meta_data: list[Body] | None = None,
) -> Body:
    """A new order without lines, pending; `total_up` and `turn` do the rest."""
    zero = money(0, site.currency)
    customer = int(given.get("customer_id") or 0)
    order_links = links(site, f"orders/{number}")
    order_links["email_templates"] = [
        {"embeddable": True, "href": f"{site.api}/orders/{number}/actions/email_templates"}
    ]
    if customer:
        order_links["customer"] = [{"href": f"{site.api}/customers/{customer}"}]
    created, modified = both("date_created", now, site), both("date_modified", now, site)
    checkout = f"{site.url}/checkout/order-pay/{number}/?pay_for_order=true&key={key}"
    return {
        "id": number,
        "parent_id": 0,
        "status": "pending",
        "currency": site.currency,
        "version": site.woocommerce,
        "prices_include_tax": False,
        "date_created": created["date_created"],
        "date_modified": modified["date_modified"],
        **dict.fromkeys(("discount_total", "discount_tax", "shipping_total", "shipping_tax"), zero),
        **dict.fromkeys(("cart_tax", "total", "total_tax"), zero),
        "customer_id": customer,
        "order_key": key,
        "billing": billing(given.get("billing")),
        "shipping": shipping(given.get("shipping")),
        "payment_method": given.get("payment_method", ""),
        "payment_method_title": given.get("payment_method_title", ""),
        "transaction_id": given.get("transaction_id", ""),
        "customer_ip_address": given.get("customer_ip_address", ""),
        "customer_user_agent": given.get("customer_user_agent", ""),
        "created_via": created_via,
        "customer_note": given.get("customer_note", ""),
        "date_completed": None,
        "date_paid": None,
        "cart_hash": given.get("cart_hash", ""),
        "number": str(number),
        "meta_data": meta_data or [],
        **{name: [] for name in ("line_items", "tax_lines", "shipping_lines", "fee_lines")},
        **{name: [] for name in ("coupon_lines", "refunds")},
        "payment_url": checkout,
        "is_editable": True,
        "needs_payment": False,
        "needs_processing": False,
        "date_created_gmt": created["date_created_gmt"],
        "date_modified_gmt": modified["date_modified_gmt"],
        "date_completed_gmt": None,
        "date_paid_gmt": None,
        "currency_symbol": site.symbol,
        "_links": order_links,
    }


def line(
    site: Site,
    item: int,
    goods: Goods,
    *,
    quantity: int,
    subtotal: int,
    total: int,
) -> Body:
    """One line of goods; ``subtotal`` and ``total`` in minor units, before and after discount."""
    each = to_major(total, site.currency) / quantity if quantity else Decimal(0)
    before, after = money(subtotal, site.currency), money(total, site.currency)
    return {
        "id": item,
        "name": goods.name,
        "product_id": goods.product_id,
        "variation_id": goods.variation_id,
        "quantity": quantity,
        "tax_class": "",
        "subtotal": before,
        "subtotal_tax": money(_tax(site, subtotal), site.currency),
        "total": after,
        "total_tax": money(_tax(site, total), site.currency),
        "taxes": _taxes(site, total, subtotal),
        "meta_data": [_option(item, option) for option in goods.options],
        "sku": goods.sku,
        "global_unique_id": "",
        "price": php_number(each),
        "image": {"id": 0 if goods.variation_id else "", "src": ""},
        "parent_name": goods.parent_name,
    }


def shipping_line(
    site: Site, item: int, total: int, title: str = "Flat rate", packed: str = ""
) -> Body:
    """What sending costs; ``total`` in minor units. ``packed`` is what the checkout notes of it."""
    shown = {"display_key": "Items", "display_value": packed}
    items = {"id": item, "key": "Items", "value": packed, **shown}
    return {
        "id": item,
        "method_title": title,
        "method_id": "flat_rate",
        "instance_id": "1",
        "total": money(total, site.currency),
        "total_tax": money(_tax(site, total), site.currency),
        "taxes": _taxes(site, total, None),
        "tax_status": "taxable",
        "meta_data": [items] if packed else [],
    }


def fee_line(site: Site, item: int, name: str, total: int) -> Body:
    """A fee such as gift wrapping; ``total`` in minor units."""
    return {
        "id": item,
        "name": name,
        "tax_class": "",
        "tax_status": "taxable",
        "amount": "",
        "total": money(total, site.currency),
        "total_tax": money(_tax(site, total), site.currency),
        "taxes": _taxes(site, total, None),
        "meta_data": [],
    }


def coupon_line(
    site: Site, item: int, *, code: str, percent: Decimal, discount: int, tax: int
) -> Body:
    """A percent coupon that was used; what it took off in minor units."""
    rate = php_number(percent)
    told = f'[0,"{code}","percent",{rate}]'
    shown = {"display_key": "coupon_info", "display_value": told}
    return {
        "id": item,
        "code": code,
        "discount": money(discount, site.currency),
        "discount_tax": money(tax, site.currency),
        "meta_data": [{"id": item, "key": "coupon_info", "value": told, **shown}],
        "discount_type": "percent",
        "nominal_amount": rate,
        "free_shipping": False,
    }


def total_up(order: Body, site: Site, tax_item: int) -> None:
    """Add up the lines, shipping and fees; ``tax_item`` is the id of a tax line made anew."""
    goods, sending, fees = (order[name] for name in _ITEMS)
    cart_tax = add(goods, "total_tax") + add(fees, "total_tax")
    sending_tax = add(sending, "total_tax")
    net = add(goods, "total") + add(fees, "total") + add(sending, "total")
    figures = {
        "discount_total": add(goods, "subtotal") - add(goods, "total"),
        "discount_tax": add(goods, "subtotal_tax") - add(goods, "total_tax"),
        "shipping_total": add(sending, "total"),
        "shipping_tax": sending_tax,
        "cart_tax": cart_tax,
        "total": net + cart_tax + sending_tax,
        "total_tax": cart_tax + sending_tax,
    }
    order.update({name: money(minor, site.currency) for name, minor in figures.items()})
    if site.tax_percent and (goods or sending or fees):
        known = order["tax_lines"]
        taxed = tax_line(site, known[0]["id"] if known else tax_item, cart_tax, sending_tax)
        order["tax_lines"] = [taxed]
    _mark(order, site)


def turn(order: Body, status: str, now: datetime, site: Site, *, paid: bool = False) -> None:
    """Give the order a status; ``paid`` when the money came with it.

    An order created as processing or paid on delivery has no ``date_paid``; one that was turned to
    processing or completed afterwards has.
    """
    order["status"] = status
    if paid and order["date_paid"] is None:
        touch(order, now, site, "date_paid")
    if status == "completed" and order["date_completed"] is None:
        touch(order, now, site, "date_completed")
    _mark(order, site)


def _option(item: int, option: Body) -> Body:
    shown = {"display_key": option["name"], "display_value": option["option"]}
    return {"id": item, "key": option["slug"], "value": option["option"], **shown}


def _mark(order: Body, site: Site) -> None:
    owed = order["status"] in {"pending", "failed"} and bool(
        to_minor(order["total"], site.currency)
    )
    order["is_editable"] = order["status"] in {"pending", "on-hold", "auto-draft"}
    order["needs_payment"] = owed
    order["needs_processing"] = bool(order["line_items"])


def add(items: list[Body], field: str) -> int:
    """The sum of one amount over items, in minor units."""
    return sum(int(item[field].replace(".", "")) for item in items)  # always all decimals


def _tax(site: Site, minor: int) -> int:
    return (minor * site.tax_percent + 50) // 100


def _taxes(site: Site, total: int, subtotal: int | None) -> list[Body]:
    if not site.tax_percent:
        return []
    before = "" if subtotal is None else money(_tax(site, subtotal), site.currency)
    return [{"id": 1, "total": money(_tax(site, total), site.currency), "subtotal": before}]


def tax_line(site: Site, item: int, cart: int, sending: int) -> Body:
    """The one tax of an order: on the goods and fees, and on sending; in minor units."""
    return {
        "id": item,
        "rate_code": "VAT-1",
        "rate_id": 1,
        "label": "VAT",
        "compound": False,
        "tax_total": money(cart, site.currency),
        "shipping_tax_total": money(sending, site.currency),
        "rate_percent": site.tax_percent,
        "meta_data": [],
    }
