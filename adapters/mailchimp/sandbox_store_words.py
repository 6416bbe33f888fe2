"""What the stand-in's stores accept: the shape of every body, as strict as Mailchimp describes it.

https://mailchimp.com/developer/marketing/api/ecommerce-stores/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.mailchimp.sandbox_goods_words import (
    CodeBody,
    CodeChangeBody,
    ProductBody,
    ProductChangeBody,
    RuleBody,
    RuleChangeBody,
    VariantBody,
    VariantChangeBody,
)
from adapters.mailchimp.sandbox_sale_words import (
    CartBody,
    CartChangeBody,
    CartLineBody,
    CartLineChangeBody,
    CustomerBody,
    CustomerChangeBody,
    CustomerPutBody,
    LineBody,
    LineChangeBody,
    OrderBody,
    OrderChangeBody,
)
from adapters.mailchimp.sandbox_store_forms import Flag, Place, Strict, Text


class _StoreChange(Strict):
    name: Text = UNSET
    platform: Text = UNSET
    domain: Text = UNSET
    is_syncing: Flag = UNSET
    email_address: Text = UNSET
    currency_code: Text = UNSET
    money_format: Text = UNSET
    primary_locale: Text = UNSET
    timezone: Text = UNSET
    phone: Text = UNSET
    address: Place | UnsetType = UNSET


class _Store(_StoreChange, kw_only=True):
    id: str
    list_id: str
    name: str
    currency_code: str


class _Operation(Strict, kw_only=True):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    params: Annotated[dict[str, Any], Meta(max_length=0)] | UnsetType = UNSET
    body: Text = UNSET
    operation_id: Text = UNSET


class _Operations(Strict, kw_only=True):
    operations: list[_Operation]


_S = "/ecommerce/stores/{store_id}"
_R = f"{_S}/promo-rules/{{promo_rule_id}}"
BODIES: Mapping[str, type[msgspec.Struct]] = {
    "POST /batches": _Operations,
    "POST /ecommerce/stores": _Store,
    f"PATCH {_S}": _StoreChange,
    f"POST {_S}/products": ProductBody,
    f"PATCH {_S}/products/{{product_id}}": ProductChangeBody,
    f"POST {_S}/products/{{product_id}}/variants": VariantBody,
    f"PUT {_S}/products/{{product_id}}/variants/{{variant_id}}": VariantBody,
    f"PATCH {_S}/products/{{product_id}}/variants/{{variant_id}}": VariantChangeBody,
    f"POST {_S}/customers": CustomerBody,
    f"PUT {_S}/customers/{{customer_id}}": CustomerPutBody,
    f"PATCH {_S}/customers/{{customer_id}}": CustomerChangeBody,
    f"POST {_S}/orders": OrderBody,
    f"PATCH {_S}/orders/{{order_id}}": OrderChangeBody,
    f"POST {_S}/orders/{{order_id}}/lines": LineBody,
    f"PATCH {_S}/orders/{{order_id}}/lines/{{line_id}}": LineChangeBody,
    f"POST {_S}/carts": CartBody,
    f"PATCH {_S}/carts/{{cart_id}}": CartChangeBody,
    f"POST {_S}/carts/{{cart_id}}/lines": CartLineBody,
    f"PATCH {_S}/carts/{{cart_id}}/lines/{{line_id}}": CartLineChangeBody,
    f"POST {_S}/promo-rules": RuleBody,
    f"PATCH {_R}": RuleChangeBody,
    f"POST {_R}/promo-codes": CodeBody,
    f"PATCH {_R}/promo-codes/{{promo_code_id}}": CodeChangeBody,
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
