"""How the stand-in shows an item that is read: under other names than it was written, and dressed.

https://developers.facebook.com/docs/marketing-api/reference/product-item/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_READ_AS = {
    "id": "retailer_id",
    "title": "name",
    "link": "url",
    "mpn": "manufacturer_part_number",
    "item_group_id": "retailer_product_group_id",
    "google_product_category": "category",
}
_AS_WRITTEN = frozenset(
    {
        *("description", "rich_text_description", "availability", "condition", "brand", "gtin"),
        *("product_type", "fb_product_category", "color", "size", "material", "pattern", "gender"),
        *("age_group", "inventory", "origin_country", "commerce_tax_category", "expiration_date"),
        *("launch_date", "quantity_to_sell_on_facebook"),
        *(f"custom_label_{number}" for number in range(5)),
        *(f"custom_number_{number}" for number in range(5)),
    }
)
READABLE = frozenset(
    {
        *_READ_AS.values(),
        *_AS_WRITTEN,
        *("id", "price", "currency", "sale_price", "sale_price_start_date", "sale_price_end_date"),
        *("visibility", "image_url", "image_cdn_urls", "additional_variant_attributes"),
        *("review_status", "image_fetch_status"),
    }
)
"""The fields that can be asked for; Meta has more."""

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
# https://developers.facebook.com/docs/marketing-api/currencies: those of offset 1.
_WHOLE = frozenset(
    {"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"},
)


def shown(node: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """An item with all its fields. What is empty is left out, as Meta does.

    Amounts come as a person reads them, texts trimmed, the picture from Meta's own servers, and
    what is archived as not published.
    """
    told = {
        _READ_AS.get(name, name): value.strip() if isinstance(value, str) else value
        for name, value in item.items()
        if name in _READ_AS or name in _AS_WRITTEN
    }
    hidden = item.get("status") == "archived"
    told |= {"id": node, "visibility": "staging" if hidden else item.get("visibility", "published")}
    told |= {"review_status": "approved", "image_fetch_status": "DIRECT_UPLOAD"}
    if "image_link" in item:
        told["image_url"] = f"https://scontent.example/v/{node}.jpg?_nc_cat=1&oh=0"
        told["image_cdn_urls"] = [{"key": "original", "value": told["image_url"]}]
    for name in ("price", "sale_price"):
        if name in item:
            amount, _, told["currency"] = str(item[name]).partition(" ")
            told[name] = _dressed(Decimal(amount), told["currency"])
    begin, _, end = str(item.get("sale_price_effective_date", "")).partition("/")
    if end:
        told |= {"sale_price_start_date": _moment(begin), "sale_price_end_date": _moment(end)}
    if choices := item.get("additional_variant_attribute"):
        pairs = (each.partition(":") for each in str(choices).split(","))
        told["additional_variant_attributes"] = [
            {"key": name, "value": value} for name, _, value in pairs
        ]
    return told


def _dressed(amount: Decimal, currency: str) -> str:
    places = 0 if currency in _WHOLE else 2
    return f"{_SIGNS.get(currency, f'{currency} ')}{amount:,.{places}f}"


def _moment(text: str) -> str:
    return text.replace("Z", "+0000")
