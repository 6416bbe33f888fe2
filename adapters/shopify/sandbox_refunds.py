"""Money given back in the stand-in shop: the refund's body, and what becomes of the order.

Of all that a shop writes, only a refund line's ``subtotal`` and ``total_tax`` are JSON numbers.
https://shopify.dev/docs/api/webhooks/2026-10, ``refunds/create``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from adapters.shopify.sandbox_orders import amount, currencies_of, tax_of
from adapters.shopify.sandbox_words import Currencies, Site, gid, local
from adapters.town.books import Body
from connector.money import to_major

_ORDERS_OWN = frozenset({"attributed_staffs", "current_quantity", "sales_line_item_group_id"})
"""Fields of a line that only the order tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What comes back: pieces by line, the sending's cost, and an amount agreed upon instead."""

    pieces: Mapping[int, int]
    sending: int = 0
    agreed: int | None = None
    restock: bool = False
    note: str | None = None


def whole(order: Body, site: Site) -> Return:
    """All that has not come back yet, and the sending."""
    pieces = {line["id"]: line["current_quantity"] for line in order["line_items"]}
    cost = order["current_shipping_price_set"]["shop_money"]["amount"]
    return Return(pieces=pieces, sending=amount(cost, site.currency), note="Angret kjøp")


def refund(
    order: Body, site: Site, moment: datetime, back: Return, number: Callable[[str], int]
) -> tuple[Body, int]:
    """The refund's body and its worth; the order's lines and current totals are brought up."""
    money, at, refund_id = currencies_of(order), local(moment, site), number("refunds")
    lines = [
        _line(order, site, money, line, back.pieces[line["id"]], number("lines"), back.restock)
        for line in order["line_items"]
        if back.pieces.get(line["id"])
    ]
    goods = sum(amount(x["subtotal_set"]["shop_money"]["amount"], site.currency) for x in lines)
    tax = sum(amount(x["total_tax_set"]["shop_money"]["amount"], site.currency) for x in lines)
    sending_tax = tax_of(site, back.sending) if back.sending else 0
    worth = goods + back.sending + (0 if site.taxes_included else tax + sending_tax)
    paid = worth if back.agreed is None else back.agreed
    body: Body = {
        "id": refund_id,
        "order_id": order["id"],
        "created_at": at,
        "note": back.note,
        "user_id": None,
        "processed_at": at,
        "duties": [],
        "total_duties_set": money.bag(0),
        "return": None,
        "refund_shipping_lines": [],
        "restock": back.restock,
        "admin_graphql_api_id": gid("Refund", refund_id),
        "order_adjustments": [],
        "refund_line_items": lines,
        "transactions": [_transaction(order, money, at, paid, number("others"))],
    }
    if back.sending:
        told = {"id": number("others"), "subtotal_amount_set": money.bag(back.sending)}
        body["refund_shipping_lines"] = [told]
    if paid != worth:
        difference: Body = {"id": number("others"), "order_id": order["id"], "refund_id": refund_id}
        difference |= {"kind": "refund_discrepancy", "reason": "Refund discrepancy"}
        money.put(difference, "amount", worth - paid)
        money.put(difference, "tax_amount", 0)
        body["order_adjustments"] = [difference]
    _lessen(order, site, money, (paid, goods, tax + sending_tax, back.sending))
    order["refunds"].append(body)
    order["_worths"][str(refund_id)] = paid
    return body, paid


def _line(
    order: Body,
    site: Site,
    money: Currencies,
    sold: Body,
    pieces: int,
    number: int,
    restock: bool,  # noqa: FBT001 - as the field is called
) -> Body:
    net = amount(sold["price"], order["currency"]) * sold["quantity"] - sum(
        amount(share["amount"], order["currency"]) for share in sold["discount_allocations"]
    )
    part = Decimal(net * pieces) / sold["quantity"]
    subtotal = int(part.quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    tax = tax_of(site, subtotal)
    sold["current_quantity"] -= pieces
    return {
        "id": number,
        "quantity": pieces,
        "line_item_id": sold["id"],
        "location_id": None,
        "restock_type": "return" if restock else "no_restock",
        "subtotal": float(to_major(subtotal, order["currency"])),
        "total_tax": float(to_major(tax, order["currency"])),
        "subtotal_set": money.bag(subtotal),
        "total_tax_set": money.bag(tax),
        "line_item": {key: value for key, value in sold.items() if key not in _ORDERS_OWN},
    }


def _transaction(order: Body, money: Currencies, at: str | None, paid: int, number: int) -> Body:
    """What went back, in the money that the buyer paid with."""
    bag = money.bag(paid)["presentment_money"]
    return {
        "id": number,
        "order_id": order["id"],
        "kind": "refund",
        "gateway": order["payment_gateway_names"][0],
        "status": "success",
        "message": None,
        "created_at": at,
        "test": order["test"],
        "authorization": None,
        "parent_id": None,
        "processed_at": at,
        "error_code": None,
        "source_name": order["source_name"],
        "amount": bag["amount"],
        "currency": bag["currency_code"],
        "manual_payment_gateway": False,
        "admin_graphql_api_id": gid("OrderTransaction", number),
    }


def _lessen(order: Body, site: Site, money: Currencies, less: tuple[int, int, int, int]) -> None:
    paid, goods, tax, sending = less
    for name, part in (
        ("current_total_price", paid),
        ("current_subtotal_price", goods),
        ("current_total_tax", tax),
    ):
        money.put(order, name, amount(order[name], site.currency) - part)
    left = amount(order["current_shipping_price_set"]["shop_money"]["amount"], site.currency)
    order["current_shipping_price_set"] = money.bag(left - sending)
