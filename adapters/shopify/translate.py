"""Says in the words of the webhooks what GraphQL answered, so that both are read the same way.

Nothing is decided here: names change, ``gid://shopify/Order/1`` becomes ``1``. What a node does not
have, or may not show us (it is null then), stays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from adapters.shopify.reading import members, read_gid

Node: TypeAlias = Mapping[str, Any]
Words: TypeAlias = dict[str, Any]


def customer_words(node: Node) -> Words:
    """A ``Customer`` as ``customers/update`` would say it, permissions and tags included."""
    mail, phone = _inner(node, "defaultEmailAddress"), _inner(node, "defaultPhoneNumber")
    sms = _inner(phone, "smsMarketingConsent")
    return {
        "id": read_gid(node.get("id"), "Customer"),
        "email": mail.get("emailAddress"),
        "phone": phone.get("phoneNumber"),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "locale": node.get("locale"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "tags": node.get("tags"),
        "default_address": _address(node.get("defaultAddress")),
        "metafields": nodes_in(node.get("metafields")),
        "email_marketing_consent": {
            "state": mail.get("marketingState"),
            "opt_in_level": mail.get("marketingOptInLevel"),
            "consent_updated_at": mail.get("marketingUpdatedAt"),
        },
        "sms_marketing_consent": {
            "state": sms.get("state"),
            "opt_in_level": sms.get("optInLevel"),
            "consent_updated_at": sms.get("updatedAt"),
        },
    }


def order_words(node: Node, lines: Iterable[Node]) -> Words:
    """An ``Order`` as ``orders/updated`` would say it, with the lines of all its pages."""
    buyer = node.get("customer")
    return {
        "id": read_gid(node.get("id"), "Order"),
        "name": node.get("name"),
        "test": node.get("test"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "processed_at": node.get("processedAt"),
        "cancelled_at": node.get("cancelledAt"),
        "fulfillment_status": _small(node.get("displayFulfillmentStatus")),
        "source_name": node.get("sourceName"),
        "buyer_accepts_marketing": node.get("customerAcceptsMarketing"),
        "financial_status": _small(node.get("displayFinancialStatus")),
        "email": node.get("email"),
        "phone": node.get("phone"),
        "taxes_included": node.get("taxesIncluded"),
        "currency": node.get("currencyCode"),
        "customer": None
        if not isinstance(buyer, dict)
        else {
            "id": read_gid(buyer.get("id"), "Customer"),
            "first_name": buyer.get("firstName"),
            "last_name": buyer.get("lastName"),
        },
        "billing_address": _address(node.get("billingAddress")),
        "shipping_address": _address(node.get("shippingAddress")),
        "total_price": None,
        "total_price_set": node.get("totalPriceSet"),
        "total_tax_set": node.get("totalTaxSet"),
        "total_shipping_price_set": node.get("totalShippingPriceSet"),
        "total_discounts_set": node.get("totalDiscountsSet"),
        "note_attributes": [
            {"name": each.get("key"), "value": each.get("value")}
            for each in members(node.get("customAttributes"))
        ],
        "refunds": [
            {
                "id": read_gid(refund.get("id"), "Refund"),
                "note": refund.get("note"),
                "created_at": refund.get("createdAt"),
                "total_refunded_set": refund.get("totalRefundedSet"),
            }
            for refund in members(node.get("refunds"))
        ],
        "line_items": [_line_words(line) for line in lines],
    }


def product_words(node: Node, variants: Iterable[Node]) -> Words:
    """A ``Product`` as ``products/update`` would say it, with the variants of all its pages."""
    picture = _picture(node.get("featuredMedia"))
    category = node.get("category")
    return {
        "id": read_gid(node.get("id"), "Product"),
        "title": node.get("title"),
        "handle": node.get("handle"),
        "status": _small(node.get("status")),
        "vendor": node.get("vendor"),
        "product_type": node.get("productType"),
        "body_html": node.get("descriptionHtml"),
        "tags": node.get("tags"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "published_at": node.get("publishedAt"),
        "category": {"full_name": category.get("fullName")} if isinstance(category, dict) else None,
        "image": {"src": picture} if picture else None,
        "metafields": nodes_in(node.get("metafields")),
        "variants": [_variant_words(variant) for variant in variants],
    }


def nodes_in(connection: object) -> list[Node]:
    """The nodes of one page of a connection."""
    return list(members(connection.get("nodes"))) if isinstance(connection, dict) else []


def _line_words(node: Node) -> Words:
    return {
        "id": read_gid(node.get("id"), "LineItem"),
        "name": node.get("name"),
        "sku": node.get("sku"),
        "quantity": node.get("quantity"),
        "product_id": read_gid(_inner(node, "product").get("id"), "Product"),
        "variant_id": read_gid(_inner(node, "variant").get("id"), "ProductVariant"),
        "price_set": node.get("originalUnitPriceSet"),
        "discount_allocations": [
            {"amount_set": given.get("allocatedAmountSet")}
            for given in members(node.get("discountAllocations"))
        ],
        "tax_lines": [{"price_set": tax.get("priceSet")} for tax in members(node.get("taxLines"))],
    }


def _variant_words(node: Node) -> Words:
    tracked = _inner(node, "inventoryItem").get("tracked")
    known = {} if tracked is None else {"inventory_management": "shopify" if tracked else None}
    pictures = nodes_in(node.get("media"))
    return known | {
        "id": read_gid(node.get("id"), "ProductVariant"),
        "title": node.get("title"),
        "sku": node.get("sku"),
        "price": node.get("price"),
        "compare_at_price": node.get("compareAtPrice"),
        "inventory_policy": node.get("inventoryPolicy"),
        "inventory_quantity": node.get("inventoryQuantity"),
        "updated_at": node.get("updatedAt"),
        "chosen": node.get("selectedOptions"),
        "image_url": next(filter(None, map(_picture, pictures)), None),
    }


def _address(node: object) -> Words | None:
    if not isinstance(node, dict):
        return None
    return {
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "company": node.get("company"),
        "phone": node.get("phone"),
        "country_code": node.get("countryCodeV2"),
    }


def _picture(media: object) -> object:
    return _inner(_inner(media, "preview"), "image").get("url")


def _inner(node: object, name: str) -> Node:
    inner = node.get(name) if isinstance(node, dict) else None
    return inner if isinstance(inner, dict) else {}


def _small(word: object) -> object:
    """GraphQL's ``PARTIALLY_REFUNDED`` is the webhooks' ``partially_refunded``."""
    return word.lower() if isinstance(word, str) else word
