"""The words of WooCommerce: which parts of its REST v3 resources are read, under their own names.

Only the frame is typed: a list that is no list spoils a body, a field of an odd type does not
(shops have sent ``"price": 13.99``, ``"sku": 12345`` and ``"permalink": 0`` where their reference
has text: `shop_fields` sorts that out). Everything else in a body is left alone.
Reference: https://woocommerce.github.io/woocommerce-rest-api-docs/.
"""

from __future__ import annotations

from typing import Any

import msgspec

from connector.shop_fields import Leaf, Loose


class Address(msgspec.Struct, frozen=True):
    """The billing or shipping part of an order or customer: as the buyer typed it, not escaped."""

    first_name: Leaf = None
    last_name: Leaf = None
    company: Leaf = None
    country: Leaf = None
    email: Leaf = None
    phone: Leaf = None


NO_ADDRESS = Address()


class LineItem(msgspec.Struct, frozen=True):
    """What was bought. Its ``price`` is a rounded number and is not read; ``total`` is."""

    id: Leaf = None
    name: Leaf = None
    product_id: Leaf = None
    variation_id: Leaf = None
    quantity: Leaf = None
    sku: Leaf = None
    subtotal: Leaf = None
    total: Leaf = None


class RefundOfOrder(msgspec.Struct, frozen=True):
    """The short form inside an order; ``total`` is negative. Old documentation says ``refund``."""

    id: Leaf = None
    reason: Leaf = None
    refund: Leaf = None
    total: Leaf = None


class OrderBody(msgspec.Struct, frozen=True):
    """An order. PHP writes an empty object as ``[]``: an address may be a list."""

    status: str
    currency: Leaf
    total: Leaf
    line_items: list[LineItem]
    billing: Address | list[Any] | None
    shipping: Address | list[Any] | None = None
    id: Leaf = None
    number: Leaf = None
    date_created_gmt: Leaf = None
    date_modified_gmt: Leaf = None
    date_paid_gmt: Leaf = None
    total_tax: Leaf = None
    shipping_total: Leaf = None
    discount_total: Leaf = None
    customer_id: Leaf = None
    refunds: list[RefundOfOrder] | None = None
    meta_data: Loose = None


class CustomerBody(msgspec.Struct, frozen=True):
    """An account; its own names are HTML-escaped, those in its addresses are not."""

    email: Leaf
    role: Leaf
    billing: Address | list[Any] | None
    shipping: Address | list[Any] | None = None
    id: Leaf = None
    first_name: Leaf = None
    last_name: Leaf = None
    date_created_gmt: Leaf = None
    date_modified_gmt: Leaf = None
    meta_data: Loose = None


class ProductBody(msgspec.Struct, frozen=True):
    """A product, or one variation of one in the same shape.

    From ``/products/{id}/variations`` it comes with ``image`` instead of ``images``, and from older
    shops without name, type and parent.
    """

    price: Leaf
    status: Leaf = None
    id: Leaf = None
    name: Leaf = None
    type: Leaf = None
    parent_id: Leaf = None
    permalink: Leaf = None
    description: Leaf = None
    short_description: Leaf = None
    sku: Leaf = None
    regular_price: Leaf = None
    sale_price: Leaf = None
    date_created_gmt: Leaf = None
    date_modified_gmt: Leaf = None
    date_on_sale_from_gmt: Leaf = None
    date_on_sale_to_gmt: Leaf = None
    manage_stock: Leaf = None
    stock_status: Leaf = None
    stock_quantity: Leaf = None
    categories: Loose = None
    tags: Loose = None
    brands: Loose = None
    images: Loose = None
    image: Loose = None
    attributes: Loose = None
    variations: Loose = None
    meta_data: Loose = None
