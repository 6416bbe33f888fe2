"""Deliveries that only point at something: what they point at is asked for, or left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.shopify.compliance import other_shop
from adapters.shopify.reading import Slip, need_own_id, read_gid
from connector.model import Ignored, Kind, Understanding, Understood, Wish
from connector.shop_fields import BadFieldError, need_id

Value = Mapping[str, Any]

_CARTS = "a cart of nobody: the checkout names its buyer"
_STOCK = "products/update says the same"
UNUSED: Mapping[str, str] = {
    "carts/create": _CARTS,
    "carts/update": _CARTS,
    "discounts/redeemcode_added": "discounts/update says the same",
    "discounts/redeemcode_removed": "discounts/update says the same",
    "customers/purchasing_summary": "sums are worked out from the orders",
    "customers_whats_app_marketing_consent/update": "WhatsApp permissions are not kept",
    "variants/in_stock": _STOCK,
    "variants/out_of_stock": _STOCK,
    "inventory_items/delete": _STOCK,
    "bulk_operations/finish": "bulk operations are looked after where they were started",
}
"""Topics that are understood and deliberately not used, with the reason."""


def understand_refund(value: Value, slip: Slip) -> Understanding:
    """A refund is not an order and does not carry one: the order is asked for, refunds and all.

    Its own subtotals are JSON numbers and may be in the buyer's currency; the order's are exact.
    """
    return _ask(Kind.ORDER, need_id(value["order_id"], "order_id"), slip)


def understand_order_edit(value: Value, slip: Slip) -> Understanding:
    """What was added and removed, without the order it was done to: that is asked for."""
    edit = value["order_edit"]
    order_id = edit.get("order_id") if isinstance(edit, dict) else None
    return _ask(Kind.ORDER, need_id(order_id, "order_edit.order_id"), slip)


def understand_tags(value: Value, slip: Slip) -> Understanding:
    """Tags put on or taken off an account: which it has now, the account tells."""
    return _ask(Kind.CUSTOMER, _need_gid(value["customerId"], "Customer", "customerId"), slip)


def understand_inventory_level(value: Value, slip: Slip) -> Understanding:
    """Stock at one place: what can be sold in all is asked for."""
    item_id = need_id(value["inventory_item_id"], "inventory_item_id")
    return _ask(Kind.INVENTORY_ITEM, item_id, slip)


def understand_inventory_item(value: Value, slip: Slip) -> Understanding:
    """Whether stock is counted, and the SKU: both are its variant's."""
    item_id = need_own_id(value["id"], value.get("admin_graphql_api_id"), "InventoryItem")
    return _ask(Kind.INVENTORY_ITEM, item_id, slip)


def understand_merge(value: Value, slip: Slip) -> Understanding:
    """Two accounts became one. Permissions stay with the addresses they were given for."""
    if value["status"] != "completed":
        return Ignored(reason="the merge was not carried out")
    kept, gone = (
        _need_gid(value[key], "Customer", key)
        for key in ("admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id")
    )
    return Understood(
        wishes=(
            Wish(kind=Kind.CUSTOMER, id=kept),
            Wish(kind=Kind.CUSTOMER, id=gone, expected_gone=True),
        ),
        flags=tuple(slip.flags),
    )


def understand_thin_deletion(kind: Kind) -> Callable[[Value, Slip], Understanding]:
    """``{"id": 22}``; whether that thing is gone, only the shop can say."""

    def read(value: Value, slip: Slip) -> Understanding:
        gid = value.get("admin_graphql_api_id")
        gone = need_own_id(value["id"], gid, kind.value.capitalize())
        return Understood(
            wishes=(Wish(kind=kind, id=gone, expected_gone=True),), flags=tuple(slip.flags)
        )

    return read


def understand_uninstall(value: Value, domain: str) -> Understanding | None:
    """The app was taken out of the shop; ``None`` if the body is not a shop's."""
    told = value.get("myshopify_domain")
    if not isinstance(told, str) or not {"id", "name", "domain"} <= value.keys():
        return None
    if told.strip().lower() != domain:
        return other_shop("myshopify_domain", told, domain)
    return Ignored(reason="the app was uninstalled: this shop sends nothing until it is back")


def _ask(kind: Kind, thing_id: str, slip: Slip) -> Understood:
    return Understood(wishes=(Wish(kind=kind, id=thing_id),), flags=tuple(slip.flags))


def _need_gid(value: object, kind: str, where: str) -> str:
    found = read_gid(value, kind)
    if found is None:
        raise BadFieldError("id", where)
    return found
