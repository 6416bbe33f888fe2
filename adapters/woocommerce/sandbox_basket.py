"""What lies in a basket becomes the lines of an order: goods, coupon, fees, sending."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.town.books import Books
from adapters.woocommerce import sandbox_orders as bodies
from adapters.woocommerce.sandbox_orders import Goods
from adapters.woocommerce.sandbox_payloads import Body, Site, money
from adapters.woocommerce.sandbox_shelves import Shelves
from connector.money import to_minor


def fill(order: Body, given: Mapping[str, Any], site: Site, books: Books, shelves: Shelves) -> None:
    """Add what was given to an order's lines and add it all up.

    Lines name a product (and its variation) of the shop, or only a ``name``; amounts not given are
    the price in force times the quantity.
    """
    coupon = next((shelves.coupon(c["code"]) for c in given.get("coupon_lines") or ()), None)
    percent = Decimal(coupon["amount"]) if coupon else Decimal(0)
    wanted = [_priced(item, site, shelves) for item in given.get("line_items") or ()]
    discounts = _spread([subtotal for _, _, subtotal, _ in wanted], percent)
    for (goods, quantity, subtotal, total), discount in zip(wanted, discounts, strict=True):
        order["line_items"].append(
            bodies.line(
                site,
                books.number("items"),
                goods,
                quantity=quantity,
                subtotal=subtotal,
                total=total - discount,
            )
        )
    checkout = order["created_via"] == "store-api"
    packed = ", ".join(f"{each['name']} &times; {each['quantity']}" for each in order["line_items"])
    for item in given.get("shipping_lines") or ():
        cost, title = to_minor(item.get("total"), site.currency) or 0, item.get("method_title")
        order["shipping_lines"].append(
            bodies.shipping_line(
                site,
                books.number("items"),
                cost,
                title or "Flat rate",
                packed if checkout else "",
            )
        )
    for item in given.get("fee_lines") or ():
        cost = to_minor(item.get("total"), site.currency) or 0
        order["fee_lines"].append(
            bodies.fee_line(site, books.number("items"), item.get("name", ""), cost)
        )
    bodies.total_up(order, site, books.number("items"))
    if coupon:
        order["coupon_lines"].append(
            bodies.coupon_line(
                site,
                books.number("items"),
                code=coupon["code"],
                percent=percent,
                discount=sum(discounts),
                tax=to_minor(order["discount_tax"], site.currency) or 0,
            )
        )


def _priced(item: Mapping[str, Any], site: Site, shelves: Shelves) -> tuple[Goods, int, int, int]:
    goods, price = _goods(item, shelves)
    quantity = int(item.get("quantity", 1))
    worth = (to_minor(price, site.currency) or 0) * quantity
    subtotal = to_minor(item.get("subtotal", money(worth, site.currency)), site.currency) or 0
    total = to_minor(item.get("total", money(subtotal, site.currency)), site.currency) or 0
    return goods, quantity, subtotal, total


def _goods(item: Mapping[str, Any], shelves: Shelves) -> tuple[Goods, str]:
    product_id = int(item.get("product_id") or 0)
    variation_id = int(item.get("variation_id") or 0)
    if not product_id:
        return Goods(name=item.get("name", ""), sku=item.get("sku", "")), "0"
    sold = shelves.get(variation_id or product_id)
    parent = shelves.get(product_id)["name"] if variation_id else None
    goods = Goods(
        name=sold["name"],
        product_id=product_id,
        variation_id=variation_id,
        sku=sold["sku"],
        parent_name=parent,
        options=tuple(sold["attributes"]) if variation_id else (),
    )
    return goods, sold["price"]


def _spread(subtotals: list[int], percent: Decimal) -> list[int]:
    """A percent discount over lines: rounded down for each, the last takes the difference."""
    whole = int((sum(subtotals) * percent / 100).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    shares = [int(subtotal * percent / 100) for subtotal in subtotals]
    if shares:
        shares[-1] += whole - sum(shares)
    return shares
