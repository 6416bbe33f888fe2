"""What the stand-in refuses: a call that is not made right, an item that cannot be right.

It is stricter than Meta, which meets an unknown key with a warning: here it is a fault.
https://developers.facebook.com/docs/marketing-api/reference/product-catalog/items_batch/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any], bool]

MOST_ITEMS = 5_000
MOST_BYTES = 28_000_000
NEEDED = (
    *("id", "title", "description", "availability", "condition", "price", "link", "image_link"),
)
"""What a new item must have, beside one of ``brand``, ``mpn`` and ``gtin``."""

_PRICE = re.compile(r"\d+(\.\d{1,2})? [A-Z]{3}", re.ASCII)
_URL = re.compile(r"https?://\S+")
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?"
_PERIOD = re.compile(f"{_MOMENT}/{_MOMENT}", re.ASCII)
_GTIN = re.compile(r"\d{8,14}", re.ASCII)
_PARAMETERS = frozenset({"item_type", "item_sub_type", "allow_upsert", "version", "requests"})
_METHODS = ("CREATE", "UPDATE", "DELETE")


def _text(longest: int, shortest: int = 0) -> Check:
    return lambda value: isinstance(value, str) and shortest <= len(value) <= longest


def _like(pattern: re.Pattern[str], longest: int = 2_000) -> Check:
    return lambda value: (
        isinstance(value, str) and len(value) <= longest and bool(pattern.fullmatch(value))
    )


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _category(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _pictures(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 2_000  # noqa: PLR2004 - an address's length
    return isinstance(value, list) and len(value) <= 20 and all(map(_like(_URL), value))  # noqa: PLR2004


def _images(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and _like(_URL)(each.get("url")) for each in value
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _anything(_value: Any) -> bool:
    return True


FIELDS: Mapping[str, Check] = {
    "id": _text(100, 1),
    "title": _text(200, 1),
    "description": _text(9_999, 1),
    "rich_text_description": _text(9_999),
    "availability": _one_of(
        *("in stock", "out of stock", "preorder", "available for order", "discontinued"),
        *("pending", "mark_as_sold", "mark_as_expired"),
    ),
    "condition": _one_of(
        *("new", "refurbished", "used", "used_like_new", "used_good", "used_fair", "cpo"),
        "open_box_new",
    ),
    "price": _like(_PRICE),
    "sale_price": _like(_PRICE),
    "sale_price_effective_date": _like(_PERIOD),
    "link": _like(_URL),
    "image_link": _like(_URL),
    "additional_image_link": _pictures,
    "image": _images,
    "brand": _text(100),
    "mpn": _text(100),
    "gtin": _like(_GTIN),
    "item_group_id": _text(100, 1),
    "google_product_category": _category,
    "fb_product_category": _category,
    "product_type": _text(750),
    "color": _text(200),
    "size": _text(200),
    "material": _text(200),
    "pattern": _text(100),
    "gender": _one_of("male", "female", "unisex"),
    "age_group": _one_of("adult", "all ages", "teen", "kids", "toddler", "infant", "newborn"),
    "additional_variant_attribute": lambda value: isinstance(value, str | dict),
    "quantity_to_sell_on_facebook": _count,
    "inventory": _count,
    "visibility": _one_of("published", "staging", "hidden", "whitelist_only"),
    "status": _one_of("active", "archived"),
    "internal_label": _texts,
    "shipping": _anything,
    "shipping_weight": _text(10_000),
    "tax": _anything,
    "unit_price": _anything,
    "commerce_tax_category": _text(10_000),
    "expiration_date": _text(10_000),
    "launch_date": _text(10_000),
    "disabled_capabilities": lambda value: isinstance(value, list),
    "origin_country": _text(10_000),
    **{f"custom_label_{number}": _text(100) for number in range(5)},
    **{f"custom_number_{number}": _count for number in range(5)},
}
"""The fields of an item, each with what may stand in it."""


def call_fault(params: Mapping[str, Any]) -> str | None:
    """What is wrong with a whole call, its ``requests`` read already; ``None`` for nothing."""
    if unknown := sorted(params.keys() - _PARAMETERS):
        return f"Unknown parameter {unknown[0]}"
    if params.get("item_type") != "PRODUCT_ITEM":
        return "The parameter item_type is required"
    if params.get("allow_upsert", "true") not in ("true", "false", True, False):
        return "Param allow_upsert must be a boolean"
    requests = params.get("requests")
    if not isinstance(requests, list) or not requests:
        return "Param requests must be an array"
    if len(requests) > MOST_ITEMS:
        return f"Too many requests in one batch, at most {MOST_ITEMS}"
    return next((fault for each in requests if (fault := _request_fault(each))), None)


def _request_fault(request: Any) -> str | None:
    if not isinstance(request, dict) or request.keys() != {"method", "data"}:
        return "A request has a method and data"
    data = request["data"]
    if request["method"] not in _METHODS or not isinstance(data, dict):
        return "A request has a method and data"
    if not FIELDS["id"](data.get("id")):
        return "data.id is required"
    if request["method"] == "DELETE" and len(data) > 1:
        return "DELETE takes data.id alone"
    if unknown := sorted(data.keys() - FIELDS.keys()):
        return f"Unrecognised field {unknown[0]}"
    return None


def item_faults(method: str, data: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one item: its values, and for a new one what it lacks."""
    for name, value in data.items():
        if not FIELDS[name](value):
            yield f'Invalid value: Value passed for field "{name}" is invalid'
    if method == "CREATE":
        yield from missing(data)


def missing(item: Mapping[str, Any]) -> Iterator[str]:
    """What an item lacks to be made."""
    for name in NEEDED:
        if name not in item:
            yield f"You cannot create a ProductItem without required field {name}"
    if not any(item.get(name) for name in ("brand", "mpn", "gtin")):
        yield "You cannot create a ProductItem without one of brand, mpn and gtin"


_OF_SET = frozenset({"name", "filter", "retailer_id", "metadata"})


def set_fault(form: Mapping[str, str], *, new: bool) -> str | None:
    """What is wrong with a product set; an empty filter would be everything.

    https://developers.facebook.com/docs/marketing-api/reference/product-catalog/product_sets/
    """
    if unknown := sorted(form.keys() - _OF_SET):
        return f"Unknown parameter {unknown[0]}"
    if new and not form.get("name"):
        return "The parameter name is required"
    if "filter" not in form:
        return "The parameter filter is required" if new else None
    try:
        rule = json.loads(form["filter"])
    except ValueError:
        return "Param filter must be valid JSON"
    good = isinstance(rule, dict) and len(rule) == 1
    ((name, test),) = rule.items() if good else (("", None),)
    if name not in FIELDS or not isinstance(test, dict) or test.keys() != {"eq"}:
        return "Param filter must be one field that equals something"
    return None if test["eq"] else "Param filter must not be empty"
