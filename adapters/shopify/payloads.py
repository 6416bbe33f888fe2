"""The words of Shopify: which parts of its webhook bodies are read, under their own names.

Only the frame is typed: a list that is no list spoils a body, a field of an odd type does not.
What GraphQL answers is first said in these words (`translate`), so that there is one way to read.
Reference: https://shopify.dev/docs/api/webhooks/2026-10.
"""

from __future__ import annotations

import msgspec

from connector.shop_fields import Leaf, Loose


class Address(msgspec.Struct, frozen=True):
    """The billing, shipping or default address."""

    first_name: Leaf = None
    last_name: Leaf = None
    company: Leaf = None
    phone: Leaf = None
    country_code: Leaf = None


class Consent(msgspec.Struct, frozen=True):
    """What the platform itself holds about one permission, for e-mail or for SMS."""

    state: Leaf = None
    opt_in_level: Leaf = None
    consent_updated_at: Leaf = None


class CustomerBody(msgspec.Struct, frozen=True):
    """An account. Since version 2025-01 webhooks leave out tags and permissions: unset then."""

    email: Leaf
    first_name: Leaf = None
    last_name: Leaf = None
    id: Leaf = None
    admin_graphql_api_id: Leaf = None
    phone: Leaf = None
    created_at: Leaf = None
    updated_at: Leaf = None
    locale: Leaf = None
    default_address: Address | None = None
    metafields: Loose = None
    tags: Loose = msgspec.UNSET
    email_marketing_consent: Consent | msgspec.UnsetType | None = msgspec.UNSET
    sms_marketing_consent: Consent | msgspec.UnsetType | None = msgspec.UNSET
    accepts_marketing: Leaf = msgspec.UNSET
    accepts_marketing_updated_at: Leaf = None
    marketing_opt_in_level: Leaf = None


class BuyerOfOrder(msgspec.Struct, frozen=True):
    """The account inside an order; before version 2025-01 with its permission."""

    id: Leaf = None
    first_name: Leaf = None
    last_name: Leaf = None
    phone: Leaf = None
    email_marketing_consent: Consent | None = None


class LineItem(msgspec.Struct, frozen=True):
    """What was bought: ``price`` for one, discounts apart, tax inside it if ``taxes_included``."""

    id: Leaf = None
    product_id: Leaf = None
    variant_id: Leaf = None
    sku: Leaf = None
    name: Leaf = None
    title: Leaf = None
    quantity: Leaf = None
    price: Leaf = None
    price_set: Loose = None
    discount_allocations: Loose = None
    tax_lines: Loose = None


class RefundOfOrder(msgspec.Struct, frozen=True):
    """Money given back, as its transactions; ``total_refunded_set`` is GraphQL's sum of them."""

    id: Leaf = None
    note: Leaf = None
    created_at: Leaf = None
    transactions: Loose = None
    total_refunded_set: Loose = None


class OrderBody(msgspec.Struct, frozen=True):
    """An order, the same under all its topics."""

    line_items: list[LineItem]
    financial_status: Leaf
    total_price: Leaf
    currency: Leaf
    id: Leaf = None
    admin_graphql_api_id: Leaf = None
    name: Leaf = None
    test: Leaf = None
    created_at: Leaf = None
    updated_at: Leaf = None
    processed_at: Leaf = None
    cancelled_at: Leaf = None
    fulfillment_status: Leaf = None
    landing_site: Leaf = None
    checkout_token: Leaf = None
    cart_token: Leaf = None
    source_name: Leaf = None
    buyer_accepts_marketing: Leaf = None
    email: Leaf = None
    contact_email: Leaf = None
    phone: Leaf = None
    customer: BuyerOfOrder | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    taxes_included: Leaf = None
    total_price_set: Loose = None
    total_tax: Leaf = None
    total_tax_set: Loose = None
    total_shipping_price_set: Loose = None
    total_discounts: Leaf = None
    total_discounts_set: Loose = None
    shipping_lines: Loose = None
    note_attributes: Loose = None
    refunds: list[RefundOfOrder] | None = None


class VariantBody(msgspec.Struct, frozen=True):
    """One of a product's variants. ``chosen`` and ``image_url`` come from GraphQL alone.

    ``inventory_management`` is null where stock is not counted; since 2025 webhooks are silent.
    """

    id: Leaf = None
    title: Leaf = None
    sku: Leaf = None
    price: Leaf = None
    compare_at_price: Leaf = None
    updated_at: Leaf = None
    option1: Leaf = None
    option2: Leaf = None
    option3: Leaf = None
    image_id: Leaf = None
    inventory_policy: Leaf = None
    inventory_quantity: Leaf = None
    inventory_management: Leaf = msgspec.UNSET
    chosen: Loose = None
    image_url: Leaf = None


class ProductBody(msgspec.Struct, frozen=True):
    """A product with its variants; webhooks about large ones carry only a part of them."""

    title: Leaf
    variants: list[VariantBody]
    id: Leaf = None
    admin_graphql_api_id: Leaf = None
    body_html: Leaf = None
    vendor: Leaf = None
    product_type: Leaf = None
    handle: Leaf = None
    status: Leaf = None
    created_at: Leaf = None
    updated_at: Leaf = None
    published_at: Leaf = None
    tags: Loose = None
    category: Loose = None
    options: Loose = None
    images: Loose = None
    image: Loose = None
    metafields: Loose = None
    variant_gids: Loose = None
