"""Turns a Shopify order into a fact, with the permission its buyer gave at the checkout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.shopify.amounts import read_amount, read_currency_of
from adapters.shopify.carts import carts_of
from adapters.shopify.consents import state_of, takes_back
from adapters.shopify.payloads import BuyerOfOrder, LineItem, OrderBody, RefundOfOrder
from adapters.shopify.reading import (
    Slip,
    country_of,
    members,
    need_own_id,
    read_believed,
    read_named,
)
from connector.model import (
    Claim,
    Evidence,
    Ignored,
    Kind,
    Line,
    Order,
    Purpose,
    Refund,
    Understanding,
    Understood,
    Wish,
)
from connector.money import parse_currency
from connector.shop_fields import (
    BadFieldError,
    need_amount,
    need_id,
    read_email,
    read_id,
    read_moment,
    read_past,
    read_phone,
    read_text,
    read_url,
    read_version,
    read_whole,
)

CANCELLED = "cancelled"
_NOBODY = BuyerOfOrder()
_STAFF_MADE = "shopify_draft_order"  # its tick is what the shop's staff or the account had
# https://shopify.dev/docs/api/admin-graphql/2026-10/enums/OrderTransactionStatus
_NO_MONEY_MOVED = frozenset({"failure", "error"})


class _NeedsAskingError(Exception):
    """Something in this body only GraphQL can tell."""


def understand_order(body: OrderBody, slip: Slip) -> Understanding:
    """An order as a fact; a test order is none.

    A refund in another currency than the shop's is not counted from the body: the wish asks for
    the order as a whole. Raises `BadFieldError` without an id, a currency, readable amounts or a
    date.
    """
    if body.test is True:
        return Ignored(reason="test order")
    order_id = need_own_id(body.id, body.admin_graphql_api_id, "Order")
    try:
        order = _order(body, order_id, slip)
    except _NeedsAskingError:
        return Understood(wishes=(Wish(kind=Kind.ORDER, id=order_id),), flags=tuple(slip.flags))
    return Understood(facts=(order, *_permission(body, order, slip)), flags=tuple(slip.flags))


def _order(body: OrderBody, order_id: str, slip: Slip) -> Order:
    currency = read_currency_of(body.total_price_set, body.currency)
    if body.total_price is None and body.total_price_set is None:
        raise BadFieldError("money", "total_price")
    created_at, processed_at = read_past(body.created_at, slip), read_past(body.processed_at, slip)
    moments = [moment for moment in (created_at, processed_at) if moment is not None]
    if not moments:
        raise BadFieldError("date", "created_at")
    buyer = body.customer or _NOBODY
    billing, shipping = body.billing_address, body.shipping_address
    address = billing or shipping
    countries = tuple(filter(None, (country_of(billing), country_of(shipping))))
    phone = body.phone or next((a.phone for a in (billing, shipping) if a and a.phone), None)
    return Order(
        shop=slip.shop,
        id=order_id,
        version=read_version(body.updated_at, body.created_at, slip),
        number=read_text(body.name) or order_id,
        status=CANCELLED if body.cancelled_at else read_text(body.financial_status) or "pending",
        currency=currency,
        total=read_amount(body.total_price_set, body.total_price, currency, "total_price"),
        placed_at=min(moments),  # an imported order was processed elsewhere, long before
        tax=read_amount(body.total_tax_set, body.total_tax, currency, "total_tax"),
        shipping=_shipping(body, currency),
        discount=read_amount(
            body.total_discounts_set, body.total_discounts, currency, "total_discounts"
        ),
        customer_id=read_id(buyer.id),
        email=read_email(body.email or body.contact_email, slip),
        phone=read_phone(phone, next(iter(countries), None), slip),
        first_name=read_text(address.first_name if address else buyer.first_name),
        last_name=read_text(address.last_name if address else buyer.last_name),
        company=read_text(address.company) if address else "",
        countries=tuple(dict.fromkeys(countries)),
        lines=_lines(body, currency, slip),
        refunds=tuple(_refunds(body.refunds or (), currency)),
        fulfilled=body.fulfillment_status == "fulfilled",
        cancelled_at=read_moment(body.cancelled_at),
        landing_url=_landing(body.landing_site, slip),
        carts=carts_of(body.checkout_token, body.cart_token),
        meta=read_named(body.note_attributes),
    )


def _landing(page: object, slip: Slip) -> str | None:
    """The page by which the buyer came: a path in the shop, or a whole address."""
    path = read_text(page)
    return slip.storefront + path if path.startswith("/") else read_url(page)


def _shipping(body: OrderBody, currency: str) -> int:
    """The shipping total, which bodies of 2018 and before only tell line by line."""
    where = "total_shipping_price_set"
    if body.total_shipping_price_set is not None:
        return read_amount(body.total_shipping_price_set, None, currency, where)
    return sum(
        read_amount(line.get("price_set"), line.get("price"), currency, f"shipping_lines[{index}]")
        for index, line in enumerate(members(body.shipping_lines))
    )


def _lines(body: OrderBody, currency: str, slip: Slip) -> tuple[Line, ...]:
    with_tax = body.taxes_included is True
    lines: dict[str, Line] = {}
    for index, item in enumerate(body.line_items):
        line_id = read_id(item.id)
        if line_id is None or line_id in lines:  # a line still counts when its id is of no use
            line_id = f"#{index}"
        try:
            lines[line_id] = _line(item, line_id, currency, slip, with_tax=with_tax)
        except BadFieldError as bad:
            raise BadFieldError(bad.reason, f"line_items[{index}].{bad.where}") from None
    return tuple(lines.values())


def _line(item: LineItem, line_id: str, currency: str, slip: Slip, *, with_tax: bool) -> Line:
    quantity = read_whole(item.quantity)
    if quantity is None or quantity != item.quantity:
        slip.flag("quantity_rounded")
    discount = _taken_off(item, currency)
    total = (quantity or 0) * read_amount(item.price_set, item.price, currency, "price")
    for tax in members(item.tax_lines) if with_tax else ():
        total -= read_amount(tax.get("price_set"), tax.get("price"), currency, "tax")
    return Line(
        id=line_id,
        product_id=read_id(item.product_id),
        variant_id=read_id(item.variant_id),
        sku=read_text(item.sku),
        name=read_text(item.name) or read_text(item.title),
        quantity=quantity or 0,
        total=total - discount,
        discount=discount,
    )


def _taken_off(item: LineItem, currency: str) -> int:
    """What all discounts took off the line."""
    off = 0
    for given in members(item.discount_allocations):
        off += read_amount(given.get("amount_set"), given.get("amount"), currency, "discount")
    return off


def _refunds(refunds: Iterable[RefundOfOrder], currency: str) -> Iterator[Refund]:
    for index, refund in enumerate(refunds):
        where = f"refunds[{index}]"
        yield Refund(
            id=need_id(refund.id, f"{where}.id"),
            amount=abs(_given_back(refund, currency, where)),
            reason=read_text(refund.note),
            created_at=read_moment(refund.created_at),
        )


def _given_back(refund: RefundOfOrder, currency: str, where: str) -> int:
    """What went back to the buyer: the refund's transactions, those that failed left out."""
    if refund.total_refunded_set is not None:
        return read_amount(refund.total_refunded_set, None, currency, where)
    total = 0
    for moved in members(refund.transactions):
        if moved.get("kind") != "refund" or moved.get("status") in _NO_MONEY_MOVED:
            continue
        if parse_currency(moved.get("currency") or currency) != currency:
            raise _NeedsAskingError
        total += need_amount(moved.get("amount"), currency, f"{where}.transactions")
    return total


def _permission(body: OrderBody, order: Order, slip: Slip) -> Iterator[Evidence]:
    """The box ticked at the checkout: the buyer's own act, at the moment of the order.

    The account's own state wins where it says no. https://shopify.dev/docs/api/admin-graphql/
    2026-10/objects/Order#field-Order.fields.customerAcceptsMarketing
    """
    ticked = body.buyer_accepts_marketing is True and body.source_name != _STAFF_MADE
    state = state_of(body.customer.email_marketing_consent if body.customer else None)
    if not ticked or takes_back(state) or order.email is None:
        return
    at = read_believed(body.created_at, slip.received_at)
    yield Evidence(
        contact=order.email,
        purpose=Purpose.EMAIL,
        claim=Claim.GRANT if at else Claim.GRANT_UNDATED,
        source=slip.shop,
        received_at=slip.received_at,
        at=at,
        method="checkout_tick",
        reference=f"order:{order.id}",
        country=next(iter(order.countries), None),
    )
