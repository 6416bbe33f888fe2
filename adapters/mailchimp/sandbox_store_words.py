"""What the stand-in's stores accept: the shape of every body, as strict as Mailchimp describes it.

https://mailchimp.com/developer/marketing/api/ecommerce-stores/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

_NUMERIC = r"^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_Amount: TypeAlias = float | Annotated[str, Meta(pattern=_NUMERIC)]
_Whole: TypeAlias = Annotated[float, Meta(multiple_of=1)]  # JSON has one kind of number: 1.0 is 1
_CustomerId: TypeAlias = Annotated[str, Meta(max_length=50)]
_Named: TypeAlias = Annotated[str, Meta(pattern=r"\S")]
_Text: TypeAlias = str | UnsetType
_Sum: TypeAlias = _Amount | UnsetType
_Flag: TypeAlias = bool | UnsetType
_Count: TypeAlias = _Whole | UnsetType


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class _Address(_Strict):
    address1: _Text = UNSET
    address2: _Text = UNSET
    city: _Text = UNSET
    province: _Text = UNSET
    province_code: _Text = UNSET
    postal_code: _Text = UNSET
    country: _Text = UNSET
    country_code: _Text = UNSET


class _Place(_Address):
    longitude: _Sum = UNSET
    latitude: _Sum = UNSET


class _Sent(_Place):
    name: _Text = UNSET
    phone: _Text = UNSET
    company: _Text = UNSET


class _StoreChange(_Strict):
    name: _Text = UNSET
    platform: _Text = UNSET
    domain: _Text = UNSET
    is_syncing: _Flag = UNSET
    email_address: _Text = UNSET
    currency_code: _Text = UNSET
    money_format: _Text = UNSET
    primary_locale: _Text = UNSET
    timezone: _Text = UNSET
    phone: _Text = UNSET
    address: _Place | UnsetType = UNSET


class _Store(_StoreChange, kw_only=True):
    id: str
    list_id: str
    name: str
    currency_code: str


class _Buyer(_Strict):
    company: _Text = UNSET
    first_name: _Text = UNSET
    last_name: _Text = UNSET
    address: _Address | UnsetType = UNSET


class _OrderCustomer(_Buyer, kw_only=True):
    id: _CustomerId
    email_address: _Text = UNSET
    opt_in_status: _Flag = UNSET


class _CartCustomer(_Buyer, kw_only=True):
    id: _CustomerId
    opt_in_status: bool
    email_address: _Text = UNSET


class _CartCustomerChange(_Buyer, kw_only=True):
    id: _CustomerId
    email_address: str
    opt_in_status: bool


class _OrderCustomerChange(_Buyer):
    opt_in_status: _Flag = UNSET


class _CustomerChange(_Buyer):
    opt_in_status: _Flag = UNSET
    sms_phone_number: _Text = UNSET
    total_spent: _Sum = UNSET


class _CustomerId50(_CustomerChange, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=50, pattern=r"\S")]
    opt_in_status: bool


class _Customer(_CustomerId50):
    email_address: _Text = UNSET


class _CustomerPut(_CustomerId50, kw_only=True):
    email_address: str


class _CartLineChange(_Strict):
    product_id: _Text = UNSET
    product_variant_id: _Text = UNSET
    quantity: _Count = UNSET
    price: _Sum = UNSET


class _CartLine(_CartLineChange, kw_only=True):
    id: str
    product_id: str
    product_variant_id: str
    quantity: _Whole
    price: _Amount


class _LineChange(_CartLineChange):
    discount: _Sum = UNSET


class _Line(_CartLine):
    discount: _Sum = UNSET


class _NamedLineChange(_LineChange):
    id: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class _CartWords(_Strict):
    campaign_id: _Text = UNSET
    checkout_url: _Text = UNSET
    currency_code: _Text = UNSET
    order_total: _Sum = UNSET
    tax_total: _Sum = UNSET


class _CartChange(_CartWords):
    customer: _CartCustomerChange | UnsetType = UNSET
    lines: list[_CartLine] | UnsetType = UNSET


class _Cart(_CartWords, kw_only=True):
    id: str
    customer: _CartCustomer
    currency_code: str
    order_total: _Amount
    lines: list[_CartLine]


class _Promo(_Strict, kw_only=True):
    code: str
    amount_discounted: _Amount
    type: Literal["fixed", "percentage"]


class _Outreach(_Strict):
    id: _Text = UNSET


class _OrderWords(_Strict):
    campaign_id: _Text = UNSET
    landing_site: _Text = UNSET
    financial_status: _Text = UNSET
    fulfillment_status: _Text = UNSET
    currency_code: _Text = UNSET
    order_total: _Sum = UNSET
    order_url: _Text = UNSET
    discount_total: _Sum = UNSET
    tax_total: _Sum = UNSET
    shipping_total: _Sum = UNSET
    tracking_code: Literal["prec"] | UnsetType = UNSET
    processed_at_foreign: _Text = UNSET
    cancelled_at_foreign: _Text = UNSET
    updated_at_foreign: _Text = UNSET
    shipping_address: _Sent | UnsetType = UNSET
    billing_address: _Sent | UnsetType = UNSET
    promos: list[_Promo] | UnsetType = UNSET
    outreach: _Outreach | UnsetType = UNSET
    tracking_number: _Text = UNSET
    tracking_carrier: _Text = UNSET
    tracking_url: _Text = UNSET
    cart_id: Annotated[str, Meta(max_length=50)] | _Whole | UnsetType = UNSET


class _OrderChange(_OrderWords):
    id: _Named | UnsetType = UNSET
    customer: _OrderCustomerChange | UnsetType = UNSET
    lines: list[_NamedLineChange] | UnsetType = UNSET


class _Order(_OrderWords, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^(?!0\Z)[\s\S]*\S")]
    customer: _OrderCustomer
    currency_code: str
    order_total: _Amount
    lines: list[_Line]


class _VariantWords(_Strict):
    url: _Text = UNSET
    sku: _Text = UNSET
    price: _Sum = UNSET
    inventory_quantity: _Count = UNSET
    image_url: _Text = UNSET
    backorders: _Text = UNSET
    visibility: _Text = UNSET


class _VariantInProduct(_VariantWords, kw_only=True):
    id: str
    title: str


class _VariantInChange(_VariantWords):
    title: _Text = UNSET


class _Variant(_VariantWords, kw_only=True):
    id: _Named
    title: _Named


class _VariantChange(_VariantWords):
    title: _Named | UnsetType = UNSET


class _Image(_Strict, kw_only=True):
    id: str
    url: str
    variant_ids: list[str] | UnsetType = UNSET


class _ImageChange(_Strict):
    id: _Text = UNSET
    url: _Text = UNSET
    variant_ids: list[str] | UnsetType = UNSET


class _ProductWords(_Strict):
    handle: _Text = UNSET
    url: _Text = UNSET
    description: _Text = UNSET
    type: _Text = UNSET
    vendor: _Text = UNSET
    image_url: _Text = UNSET
    published_at_foreign: _Text = UNSET


class _ProductChange(_ProductWords):
    title: _Text = UNSET
    variants: list[_VariantInChange] | UnsetType = UNSET
    images: list[_ImageChange] | UnsetType = UNSET


class _Product(_ProductWords, kw_only=True):
    id: str
    title: str
    variants: list[_VariantInProduct]
    images: list[_Image] | UnsetType = UNSET


class _RuleChange(_Strict):
    title: _Text = UNSET
    description: _Text = UNSET
    starts_at: _Text = UNSET
    ends_at: _Text = UNSET
    amount: _Sum = UNSET
    type: Literal["fixed", "percentage"] | UnsetType = UNSET
    target: Literal["per_item", "total", "shipping"] | UnsetType = UNSET
    enabled: _Flag = UNSET
    created_at_foreign: _Text = UNSET
    updated_at_foreign: _Text = UNSET


class _Rule(_RuleChange, kw_only=True):
    id: str
    description: str
    amount: _Amount
    type: Literal["fixed", "percentage"]
    target: Literal["per_item", "total", "shipping"]


class _CodeChange(_Strict):
    code: _Text = UNSET
    redemption_url: _Text = UNSET
    usage_count: _Count = UNSET
    enabled: _Flag = UNSET
    created_at_foreign: _Text = UNSET
    updated_at_foreign: _Text = UNSET


class _Code(_CodeChange, kw_only=True):
    id: str
    code: str
    redemption_url: str


class _Operation(_Strict, kw_only=True):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    params: Annotated[dict[str, Any], Meta(max_length=0)] | UnsetType = UNSET
    body: _Text = UNSET
    operation_id: _Text = UNSET


class _Operations(_Strict, kw_only=True):
    operations: list[_Operation]


_S = "/ecommerce/stores/{store_id}"
_R = f"{_S}/promo-rules/{{promo_rule_id}}"
BODIES: Mapping[str, type[msgspec.Struct]] = {
    "POST /batches": _Operations,
    "POST /ecommerce/stores": _Store,
    f"PATCH {_S}": _StoreChange,
    f"POST {_S}/products": _Product,
    f"PATCH {_S}/products/{{product_id}}": _ProductChange,
    f"POST {_S}/products/{{product_id}}/variants": _Variant,
    f"PUT {_S}/products/{{product_id}}/variants/{{variant_id}}": _Variant,
    f"PATCH {_S}/products/{{product_id}}/variants/{{variant_id}}": _VariantChange,
    f"POST {_S}/customers": _Customer,
    f"PUT {_S}/customers/{{customer_id}}": _CustomerPut,
    f"PATCH {_S}/customers/{{customer_id}}": _CustomerChange,
    f"POST {_S}/orders": _Order,
    f"PATCH {_S}/orders/{{order_id}}": _OrderChange,
    f"POST {_S}/orders/{{order_id}}/lines": _Line,
    f"PATCH {_S}/orders/{{order_id}}/lines/{{line_id}}": _LineChange,
    f"POST {_S}/carts": _Cart,
    f"PATCH {_S}/carts/{{cart_id}}": _CartChange,
    f"POST {_S}/carts/{{cart_id}}/lines": _CartLine,
    f"PATCH {_S}/carts/{{cart_id}}/lines/{{line_id}}": _CartLineChange,
    f"POST {_S}/promo-rules": _Rule,
    f"PATCH {_R}": _RuleChange,
    f"POST {_R}/promo-codes": _Code,
    f"PATCH {_R}/promo-codes/{{promo_code_id}}": _CodeChange,
}
"""The shape of the body of every endpoint that takes one."""

_ITEMS = {
    "stores": "{store_id}",
    "products": "{product_id}",
    "variants": "{variant_id}",
    "customers": "{customer_id}",
    "orders": "{order_id}",
    "carts": "{cart_id}",
    "lines": "{line_id}",
    "promo-rules": "{promo_rule_id}",
    "promo-codes": "{promo_code_id}",
    "batches": "{batch_id}",
}


def endpoint(method: str, path: str) -> str | None:
    """The endpoint as Mailchimp's description names it; ``None`` for what is not of the stores."""
    parts = path.split("/")
    if len(parts) == 1 or parts[1] not in ("ecommerce", "batches", "archives"):
        return None
    shown: list[str] = []
    for part in parts:  # an id may be called as a collection is: what follows it is no id again
        shown.append(_ITEMS.get(shown[-1], part) if shown else part)
    return f"{method} {'/'.join(shown[:2] if parts[1] == 'archives' else shown)}"


def read_body(method: str, path: str, body: bytes) -> Any:
    """The body as JSON. Raises `ValueError` with what is wrong with it."""
    shape = BODIES.get(endpoint(method, path) or "")
    if shape is None:
        return None
    try:
        said = msgspec.json.decode(body)
        msgspec.convert(said, type=shape)
    except RecursionError:
        raise ValueError("too deep") from None
    return said
