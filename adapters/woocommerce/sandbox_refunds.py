"""The exact bodies of refunds: positive by themselves, negative where an order lists them.

Shapes: https://woocommerce.github.io/woocommerce-rest-api-docs/#order-refund-properties.
"""

from __future__ import annotations

from datetime import datetime

from adapters.woocommerce.sandbox_orders import add, tax_line
from adapters.woocommerce.sandbox_payloads import Body, Site, both, links, money
from connector.money import to_minor


def refund(
    site: Site,
    order: Body,
    number: int,
    now: datetime,
    *,
    amount: int,
    reason: str,
    lines: list[Body],
) -> tuple[Body, Body]:
    """A refund as asked for by itself, and its short form inside the order."""
    tax = add(lines, "total_tax")
    kind = "full" if amount == to_minor(order["total"], site.currency) else "partial"
    path = f"orders/{order['id']}/refunds/{number}"
    full: Body = {
        "id": number,
        **both("date_created", now, site),
        "amount": money(amount, site.currency),
        "reason": reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [{"id": number, "key": "_refund_type", "value": kind}],
        "line_items": lines,
        "shipping_lines": [],
        "tax_lines": [tax_line(site, number, tax, 0)] if tax else [],
        "fee_lines": [],
        "_links": links(site, path, methods=("GET", "DELETE")),
    }
    full["_links"]["up"] = [{"href": f"{site.api}/orders/{order['id']}"}]
    return full, refund_entry(site, number, amount=amount, reason=reason, tax=tax)


def refund_entry(site: Site, number: int, *, amount: int, reason: str, tax: int = 0) -> Body:
    """A refund as an order lists it: negative, while the refund itself is positive."""
    return {
        "id": number,
        "reason": reason,
        "total": money(-amount, site.currency),
        "total_tax": money(tax, site.currency),
    }


def refund_line(site: Site, item: int, sold: Body, quantity: int) -> Body:
    """The line that gives back ``quantity`` pieces of a line that was sold: all of it negative."""
    whole = sold["quantity"]
    shares = {
        field: -_share(to_minor(sold[field], site.currency) or 0, quantity, whole)
        for field in ("subtotal", "subtotal_tax", "total", "total_tax")
    }
    amounts = {field: money(minor, site.currency) for field, minor in shares.items()}
    told = str(sold["id"])
    origin = {"key": "_refunded_item_id", "value": told}
    shown = {"display_key": "_refunded_item_id", "display_value": told}
    taxes = [{"id": 1, "total": amounts["total_tax"], "subtotal": amounts["subtotal_tax"]}]
    return sold | {
        "id": item,
        "quantity": -quantity,
        **amounts,
        "taxes": taxes if sold["taxes"] else [],
        "meta_data": [{"id": item, **origin, **shown}],
    }


def _share(minor: int, part: int, whole: int) -> int:
    return (minor * part * 2 + whole) // (whole * 2)
