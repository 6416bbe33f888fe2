"""The shape of what the stand-in's stores are sent of products and of discount codes.

https://mailchimp.com/developer/marketing/api/ecommerce-products/
https://mailchimp.com/developer/marketing/api/ecommerce-promo-rules/
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from adapters.mailchimp.sandbox_store_forms import Amount, Count, Flag, Named, Strict, Sum, Text


class _VariantWords(Strict):
    url: Text = UNSET
    sku: Text = UNSET
    price: Sum = UNSET
    inventory_quantity: Count = UNSET
    image_url: Text = UNSET
    backorders: Text = UNSET
    visibility: Text = UNSET


class _VariantInProduct(_VariantWords, kw_only=True):
    id: str
    title: str


class _VariantInChange(_VariantWords):
    title: Text = UNSET


class VariantBody(_VariantWords, kw_only=True):
    """A variant."""

    id: Named
    title: Named


class VariantChangeBody(_VariantWords):
    """A variant, to be changed."""

    title: Named | UnsetType = UNSET


class _Image(Strict, kw_only=True):
    id: str
    url: str
    variant_ids: list[str] | UnsetType = UNSET


class _ImageChange(Strict):
    id: Text = UNSET
    url: Text = UNSET
    variant_ids: list[str] | UnsetType = UNSET


class _ProductWords(Strict):
    handle: Text = UNSET
    url: Text = UNSET
    description: Text = UNSET
    type: Text = UNSET
    vendor: Text = UNSET
    image_url: Text = UNSET
    published_at_foreign: Text = UNSET


class ProductChangeBody(_ProductWords):
    """A product, to be changed."""

    title: Text = UNSET
    variants: list[_VariantInChange] | UnsetType = UNSET
    images: list[_ImageChange] | UnsetType = UNSET


class ProductBody(_ProductWords, kw_only=True):
    """A product with its variants."""

    id: str
    title: str
    variants: list[_VariantInProduct]
    images: list[_Image] | UnsetType = UNSET


class RuleChangeBody(Strict):
    """A promotion, to be changed."""

    title: Text = UNSET
    description: Text = UNSET
    starts_at: Text = UNSET
    ends_at: Text = UNSET
    amount: Sum = UNSET
    type: Literal["fixed", "percentage"] | UnsetType = UNSET
    target: Literal["per_item", "total", "shipping"] | UnsetType = UNSET
    enabled: Flag = UNSET
    created_at_foreign: Text = UNSET
    updated_at_foreign: Text = UNSET


class RuleBody(RuleChangeBody, kw_only=True):
    """A promotion: how much is off."""

    id: str
    description: str
    amount: Amount
    type: Literal["fixed", "percentage"]
    target: Literal["per_item", "total", "shipping"]


class CodeChangeBody(Strict):
    """The code of a promotion, to be changed."""

    code: Text = UNSET
    redemption_url: Text = UNSET
    usage_count: Count = UNSET
    enabled: Flag = UNSET
    created_at_foreign: Text = UNSET
    updated_at_foreign: Text = UNSET


class CodeBody(CodeChangeBody, kw_only=True):
    """The code of a promotion."""

    id: str
    code: str
    redemption_url: str
