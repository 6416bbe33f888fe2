"""Says in the words of the webhooks what GraphQL answered, so that both are read the same way.

Nothing is decided here: names change, ``gid://shopify/Order/1`` becomes ``1``. What a node does not
have, or may not show us (it is null then), stays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from adapters.shopify.payloads import (
    Address,
    BuyerOfOrder,
    Consent,
    CustomerBody,
    LineItem,
    OrderBody,
    ProductBody,
    RefundOfOrder,
    VariantBody,
)
from adapters.shopify.reading import members, read_gid

Node: TypeAlias = Mapping[str, Any]
_NONE: Node = {}


def customer_body(node: Node) -> CustomerBody:
    """A ``Customer`` as ``customers/update`` would say it, permissions and tags included."""
    mail, phone = _inner(node, "defaultEmailAddress"), _inner(node, "defaultPhoneNumber")
    sms = _inner(phone, "smsMarketingConsent")
    return CustomerBody(
        id=read_gid(node.get("id"), "Customer"),
        email=mail.get("emailAddress"),
        phone=phone.get("phoneNumber"),
        first_name=node.get("firstName"),
        last_name=node.get("lastName"),
        locale=node.get("locale"),
        created_at=node.get("createdAt"),
        updated_at=node.get("updatedAt"),
        tags=node.get("tags"),
        default_address=_address(node.get("defaultAddress")),
        metafields=nodes_in(node.get("metafields")),
        email_marketing_consent=Consent(
            state=mail.get("marketingState"),
            opt_in_level=mail.get("marketingOptInLevel"),
            consent_updated_at=mail.get("marketingUpdatedAt"),
        ),
        sms_marketing_consent=Consent(
            state=sms.get("state"),
            opt_in_level=sms.get("optInLevel"),
            consent_updated_at=sms.get("updatedAt"),
        ),
    )


def order_body(node: Node, lines: Iterable[Node]) -> OrderBody:
    """An ``Order`` as ``orders/updated`` would say it, with the lines of all its pages."""
    told = node.get
    return OrderBody(
        id=read_gid(told("id"), "Order"),
        name=told("name"),
        test=told("test"),
        created_at=told("createdAt"),
        updated_at=told("updatedAt"),
        processed_at=told("processedAt"),
        cancelled_at=told("cancelledAt"),
        fulfillment_status=_small(told("displayFulfillmentStatus")),
        source_name=told("sourceName"),
        buyer_accepts_marketing=told("customerAcceptsMarketing"),
        financial_status=_small(told("displayFinancialStatus")),
        email=told("email"),
        phone=told("phone"),
        taxes_included=told("taxesIncluded"),
        currency=told("currencyCode"),
        customer=_buyer(told("customer")),
        billing_address=_address(told("billingAddress")),
        shipping_address=_address(told("shippingAddress")),
        total_price=None,
        total_price_set=told("totalPriceSet"),
        total_tax_set=told("totalTaxSet"),
        total_shipping_price_set=told("totalShippingPriceSet"),
        total_discounts_set=told("totalDiscountsSet"),
        note_attributes=[
            {"name": each.get("key"), "value": each.get("value")}
            for each in members(told("customAttributes"))
        ],
        refunds=[_refund(refund) for refund in members(told("refunds"))],
        line_items=[_line(line) for line in lines],
    )


def product_body(node: Node, variants: Iterable[Node]) -> ProductBody:
    """A ``Product`` as ``products/update`` would say it, with the variants of all its pages."""
    picture = _picture(node.get("featuredMedia"))
    category = node.get("category")
    return ProductBody(
        id=read_gid(node.get("id"), "Product"),
        title=node.get("title"),
        handle=node.get("handle"),
        status=_small(node.get("status")),
        vendor=node.get("vendor"),
        product_type=node.get("productType"),
        body_html=node.get("descriptionHtml"),
        tags=node.get("tags"),
        created_at=node.get("createdAt"),
        updated_at=node.get("updatedAt"),
        published_at=node.get("publishedAt"),
        category={"full_name": category.get("fullName")} if isinstance(category, dict) else None,
        image={"src": picture} if picture else None,
        metafields=nodes_in(node.get("metafields")),
        variants=[_variant(variant) for variant in variants],
    )


def nodes_in(connection: object) -> list[Node]:
    """The nodes of one page of a connection."""
    return list(members(connection.get("nodes"))) if isinstance(connection, dict) else []


def _buyer(node: object) -> BuyerOfOrder | None:
    if not isinstance(node, dict):
        return None
    return BuyerOfOrder(
        id=read_gid(node.get("id"), "Customer"),
        first_name=node.get("firstName"),
        last_name=node.get("lastName"),
    )


def _refund(node: Node) -> RefundOfOrder:
    return RefundOfOrder(
        id=read_gid(node.get("id"), "Refund"),
        note=node.get("note"),
        created_at=node.get("createdAt"),
        total_refunded_set=node.get("totalRefundedSet"),
    )


def _line(node: Node) -> LineItem:
    told = node.get
    return LineItem(
        id=read_gid(told("id"), "LineItem"),
        name=told("name"),
        sku=told("sku"),
        quantity=told("quantity"),
        product_id=read_gid(_inner(node, "product").get("id"), "Product"),
        variant_id=read_gid(_inner(node, "variant").get("id"), "ProductVariant"),
        price_set=told("originalUnitPriceSet"),
        discount_allocations=[
            {"amount_set": given.get("allocatedAmountSet")}
            for given in members(told("discountAllocations"))
        ],
        tax_lines=[{"price_set": tax.get("priceSet")} for tax in members(told("taxLines"))],
    )


def _variant(node: Node) -> VariantBody:
    tracked = _inner(node, "inventoryItem").get("tracked")
    pictures = nodes_in(node.get("media"))
    return VariantBody(
        id=read_gid(node.get("id"), "ProductVariant"),
        title=node.get("title"),
        sku=node.get("sku"),
        price=node.get("price"),
        compare_at_price=node.get("compareAtPrice"),
        inventory_policy=node.get("inventoryPolicy"),
        inventory_quantity=node.get("inventoryQuantity"),
        inventory_management=_counted(tracked),
        updated_at=node.get("updatedAt"),
        chosen=node.get("selectedOptions"),
        image_url=next(filter(None, map(_picture, pictures)), None),
    )


def _counted(tracked: object) -> object:
    """Who counts the stock: nobody, or it is not said."""
    return msgspec.UNSET if tracked is None else "shopify" if tracked else None


def _address(node: object) -> Address | None:
    if not isinstance(node, dict):
        return None
    return Address(
        first_name=node.get("firstName"),
        last_name=node.get("lastName"),
        company=node.get("company"),
        phone=node.get("phone"),
        country_code=node.get("countryCodeV2"),
    )


def _picture(media: object) -> object:
    return _inner(_inner(media, "preview"), "image").get("url")


def _inner(node: object, name: str) -> Node:
    inner = node.get(name) if isinstance(node, dict) else None
    return inner if isinstance(inner, dict) else _NONE


def _small(word: object) -> object:
    """GraphQL's ``PARTIALLY_REFUNDED`` is the webhooks' ``partially_refunded``."""
    return word.lower() if isinstance(word, str) else word
