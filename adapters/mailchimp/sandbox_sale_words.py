"""The shape of what the stand-in's stores are sent of buyers, orders and carts.

https://mailchimp.com/developer/marketing/api/ecommerce-orders/
https://mailchimp.com/developer/marketing/api/ecommerce-carts/
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from adapters.mailchimp.sandbox_store_forms import (
    Address,
    Amount,
    Count,
    CustomerId,
    Flag,
    Named,
    Place,
    Strict,
    Sum,
    Text,
    Whole,
)


class _Sent(Place):
    name: Text = UNSET
    phone: Text = UNSET
    company: Text = UNSET


class _Buyer(Strict):
    company: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    address: Address | UnsetType = UNSET


class _OrderCustomer(_Buyer, kw_only=True):
    id: CustomerId
    email_address: Text = UNSET
    opt_in_status: Flag = UNSET


class _CartCustomer(_Buyer, kw_only=True):
    id: CustomerId
    opt_in_status: bool
    email_address: Text = UNSET


class _CartCustomerChange(_Buyer, kw_only=True):
    id: CustomerId
    email_address: str
    opt_in_status: bool


class _OrderCustomerChange(_Buyer):
    opt_in_status: Flag = UNSET


class CustomerChangeBody(_Buyer):
    """A buyer, to be changed."""

    opt_in_status: Flag = UNSET
    sms_phone_number: Text = UNSET
    total_spent: Sum = UNSET


class _CustomerId50(CustomerChangeBody, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=50, pattern=r"\S")]
    opt_in_status: bool


class CustomerBody(_CustomerId50):
    """A buyer, to be made."""

    email_address: Text = UNSET


class CustomerPutBody(_CustomerId50, kw_only=True):
    """A buyer, to be made or changed."""

    email_address: str


class CartLineChangeBody(Strict):
    """A line of a cart, to be changed."""

    product_id: Text = UNSET
    product_variant_id: Text = UNSET
    quantity: Count = UNSET
    price: Sum = UNSET


class CartLineBody(CartLineChangeBody, kw_only=True):
    """A line of a cart."""

    id: str
    product_id: str
    product_variant_id: str
    quantity: Whole
    price: Amount


class LineChangeBody(CartLineChangeBody):
    """A line of an order, to be changed."""

    discount: Sum = UNSET


class LineBody(CartLineBody):
    """A line of an order."""

    discount: Sum = UNSET


class _NamedLineChange(LineChangeBody):
    id: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class _CartWords(Strict):
    campaign_id: Text = UNSET
    checkout_url: Text = UNSET
    currency_code: Text = UNSET
    order_total: Sum = UNSET
    tax_total: Sum = UNSET


class CartChangeBody(_CartWords):
    """A cart, to be changed."""

    customer: _CartCustomerChange | UnsetType = UNSET
    lines: list[CartLineBody] | UnsetType = UNSET


class CartBody(_CartWords, kw_only=True):
    """A cart."""

    id: str
    customer: _CartCustomer
    currency_code: str
    order_total: Amount
    lines: list[CartLineBody]


class _Promo(Strict, kw_only=True):
    code: str
    amount_discounted: Amount
    type: Literal["fixed", "percentage"]


class _Outreach(Strict):
    id: Text = UNSET


class _OrderWords(Strict):
    campaign_id: Text = UNSET
    landing_site: Text = UNSET
    financial_status: Text = UNSET
    fulfillment_status: Text = UNSET
    currency_code: Text = UNSET
    order_total: Sum = UNSET
    order_url: Text = UNSET
    discount_total: Sum = UNSET
    tax_total: Sum = UNSET
    shipping_total: Sum = UNSET
    tracking_code: Literal["prec"] | UnsetType = UNSET
    processed_at_foreign: Text = UNSET
    cancelled_at_foreign: Text = UNSET
    updated_at_foreign: Text = UNSET
    shipping_address: _Sent | UnsetType = UNSET
    billing_address: _Sent | UnsetType = UNSET
    promos: list[_Promo] | UnsetType = UNSET
    outreach: _Outreach | UnsetType = UNSET
    tracking_number: Text = UNSET
    tracking_carrier: Text = UNSET
    tracking_url: Text = UNSET
    cart_id: Annotated[str, Meta(max_length=50)] | Whole | UnsetType = UNSET


class OrderChangeBody(_OrderWords):
    """An order, to be changed."""

    id: Named | UnsetType = UNSET
    customer: _OrderCustomerChange | UnsetType = UNSET
    lines: list[_NamedLineChange] | UnsetType = UNSET


class OrderBody(_OrderWords, kw_only=True):
    """An order."""

    id: Annotated[str, Meta(pattern=r"^(?!0\Z)[\s\S]*\S")]
    customer: _OrderCustomer
    currency_code: str
    order_total: Amount
    lines: list[LineBody]
