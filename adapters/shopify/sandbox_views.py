"""What GraphQL shows of the stand-in's people and orders, made from what the shop keeps.

A view has a value for each field; a function where arguments matter or another thing begins.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.shopify.sandbox_desk import Desk
from adapters.shopify.sandbox_orders import SOLD, amount, currencies_of
from adapters.shopify.sandbox_pages import connection
from adapters.shopify.sandbox_parts import (
    address,
    bag,
    email_of,
    metafields,
    named,
    need,
    phone_of,
    taxes,
)
from adapters.shopify.sandbox_words import gid, zulu
from adapters.town.books import Body, opened
from connector.money import to_major

_BAGS = {
    "subtotalPriceSet": "subtotal_price_set",
    "totalPriceSet": "total_price_set",
    "currentTotalPriceSet": "current_total_price_set",
    "totalTaxSet": "total_tax_set",
    "totalShippingPriceSet": "total_shipping_price_set",
    "totalDiscountsSet": "total_discounts_set",
}


class People:
    """Views of customers and orders. ``sold`` gives a line's product or variant."""

    def __init__(
        self,
        desk: Desk,
        scopes: frozenset[str],
        sold: Callable[[str, int | None], Body | None],
    ) -> None:
        self._desk = desk
        self._scopes = scopes
        self._sold = sold

    def customer(self, record: Body) -> Body:
        """A customer."""
        rest, hidden = record["rest"], self._desk.hides()
        known = {} if hidden else rest
        names = [name for name in (known.get("first_name"), known.get("last_name")) if name]
        return {
            **named("Customer", rest["id"]),
            "firstName": known.get("first_name"),
            "lastName": known.get("last_name"),
            "displayName": " ".join(names),
            "locale": record["locale"],
            "tags": record["tags"],
            "note": rest["note"],
            "state": rest["state"].upper(),
            "verifiedEmail": rest["verified_email"],
            "taxExempt": rest["tax_exempt"],
            "createdAt": zulu(rest["created_at"]),
            "updatedAt": zulu(rest["updated_at"]),
            "numberOfOrders": lambda _: str(self._spent(rest["id"])[0]),
            "amountSpent": lambda _: self._spent(rest["id"])[1],
            "defaultAddress": address(known.get("default_address"), rest["id"]),
            "defaultEmailAddress": None if hidden else email_of(record),
            "defaultPhoneNumber": None if hidden else phone_of(record),
            **metafields(record["metafields"], rest),
            "orders": lambda _, **given: connection(self._orders_of(rest["id"]), given),
        }

    def order(self, order: Body) -> Body:
        """An order."""
        hidden = self._desk.hides()
        money = currencies_of(order)
        back = sum(order["_worths"].values())
        billing, shipping = (
            None if hidden else address(order[name], order["id"])
            for name in ("billing_address", "shipping_address")
        )
        status, reason = order["fulfillment_status"] or "unfulfilled", order["cancel_reason"]
        return {
            **named("Order", order["id"]),
            "name": order["name"],
            "email": None if hidden else order["email"],
            "phone": None if hidden else order["phone"],
            "note": order["note"],
            "tags": [tag for tag in order["tags"].split(", ") if tag],
            "test": order["test"],
            "createdAt": zulu(order["created_at"]),
            "updatedAt": zulu(order["updated_at"]),
            "processedAt": zulu(order["processed_at"]),
            "cancelledAt": zulu(order["cancelled_at"]),
            "cancelReason": reason.upper() if reason else None,
            "closedAt": zulu(order["closed_at"]),
            "confirmed": order["confirmed"],
            "sourceName": order["source_name"],
            "customerAcceptsMarketing": order["buyer_accepts_marketing"],
            "customerLocale": order["customer_locale"],
            "displayFinancialStatus": order["financial_status"].upper(),
            "displayFulfillmentStatus": status.upper(),
            "currencyCode": order["currency"],
            "presentmentCurrencyCode": order["presentment_currency"],
            "taxesIncluded": order["taxes_included"],
            "customer": lambda _: self._buyer(order),
            "billingAddress": billing,
            "shippingAddress": shipping,
            "customAttributes": [
                {"key": each["name"], "value": each["value"]} for each in order["note_attributes"]
            ],
            "discountCodes": [each["code"] for each in order["discount_codes"]],
            **{name: bag(order[word]) for name, word in _BAGS.items()},
            "totalRefundedSet": bag(money.bag(back)),
            "lineItems": lambda _, **given: connection(self._lines(order), given),
            "refunds": lambda _, first=None: [
                self._refund(each, order) for each in order["refunds"][:first]
            ],
            **metafields([], order),
        }

    def _orders_of(self, customer: int) -> list[Body]:
        need(self._scopes, "orders", "read_orders")
        rows = self._desk.books.rows("orders", "customer_id = ?", (customer,))
        return [self.order(opened(row)) for row in rows]

    def _spent(self, customer: int) -> tuple[int, Body]:
        rows = self._desk.books.rows("orders", "customer_id = ? AND test = 0", (customer,))
        money = sum(row["total"] - row["refunded"] for row in rows if row["status"] in SOLD)
        site = self._desk.site
        worth = {"amount": str(to_major(money, site.currency)), "currencyCode": site.currency}
        return len(rows), worth

    def _buyer(self, order: Body) -> Body | None:
        need(self._scopes, "customer", "read_customers")
        buyer = order["customer"]
        record = self._desk.books.body("customers", buyer["id"]) if buyer else None
        return self.customer(record) if record else None

    def _lines(self, order: Body) -> list[Body]:
        return [self._line(line, order) for line in order["line_items"]]

    def _line(self, line: Body, order: Body) -> Body:
        money, currency = currencies_of(order), order["currency"]
        shares = [amount(each["amount"], currency) for each in line["discount_allocations"]]
        unit, pieces = amount(line["price"], currency), line["quantity"]
        net = unit * pieces - sum(shares)
        return {
            "id": gid("LineItem", line["id"]),
            "name": line["name"],
            "title": line["title"],
            "sku": line["sku"],
            "variantTitle": line["variant_title"],
            "vendor": line["vendor"],
            "quantity": pieces,
            "currentQuantity": line["current_quantity"],
            "product": lambda _: self._sold("product", line["product_id"]),
            "variant": lambda _: self._sold("variant", line["variant_id"]),
            "originalUnitPriceSet": bag(money.bag(unit)),
            "originalTotalSet": bag(money.bag(unit * pieces)),
            "discountedUnitPriceSet": bag(money.bag(unit)),
            "discountedTotalSet": lambda _, withCodeDiscounts=False: bag(  # noqa: N803 - Shopify's
                money.bag(net if withCodeDiscounts else unit * pieces)
            ),
            "totalDiscountSet": bag(money.bag(0)),
            "discountAllocations": [
                {"allocatedAmountSet": bag(each["amount_set"])}
                for each in line["discount_allocations"]
            ],
            "taxLines": lambda _, first=None: taxes(line["tax_lines"])[:first],
            "customAttributes": [],
        }

    def _refund(self, refund: Body, order: Body) -> Body:
        money, at = currencies_of(order), zulu(refund["created_at"])
        sold = {line["id"]: line for line in order["line_items"]}
        worth = bag(money.bag(order["_worths"][str(refund["id"])]))
        lines = [
            {
                "id": gid("RefundLineItem", each["id"]),
                "quantity": each["quantity"],
                "lineItem": self._line(sold[each["line_item_id"]], order),
                "restocked": each["restock_type"] == "return",
                "restockType": each["restock_type"].upper(),
                "subtotalSet": bag(each["subtotal_set"]),
                "totalTaxSet": bag(each["total_tax_set"]),
            }
            for each in refund["refund_line_items"]
        ]
        moved = [
            {
                "id": gid("OrderTransaction", each["id"]),
                "kind": each["kind"].upper(),
                "status": each["status"].upper(),
                "gateway": each["gateway"],
                "createdAt": at,
                "processedAt": at,
                "amountSet": worth,
                "test": each["test"],
            }
            for each in refund["transactions"]
        ]
        return {
            "id": gid("Refund", refund["id"]),
            "note": refund["note"],
            "createdAt": at,
            "updatedAt": at,
            "totalRefundedSet": worth,
            "transactions": lambda _, **given: connection(moved, given),
            "refundLineItems": lambda _, **given: connection(lines, given),
        }
