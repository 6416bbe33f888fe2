"""An item as it can be compared: what we told Meta of it, and what Meta shows of it when read.

Only what Meta gives back as it was sent is compared. Left out are the picture (Meta shows one from
its own servers), categories, gtin, mpn, variant choices that fit none of its fields, and the times
of a sale. Fields are named as in our records: ``price`` is the amount with its currency and sale,
``mapped`` all of brand, labels, condition and variant fields, ``stock`` in Meta's words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from adapters.meta_catalog.amounts import is_kept_exactly, read_amount
from adapters.meta_catalog.words import body
from connector.doubts import newest
from connector.model import Json, Record
from connector.money import parse_currency
from connector.ports import Held

_MAPPED = (
    *("brand", "condition", "color", "size", "material", "pattern"),
    *(f"custom_label_{number}" for number in range(5)),
)
ASKED = (
    *("retailer_id", "visibility", "name", "description", "url", "availability", "currency"),
    *("price", "sale_price", "sale_price_end_date", "retailer_product_group_id", *_MAPPED),
)
"""The fields to ask for.

https://developers.facebook.com/docs/marketing-api/reference/product-item/
"""

_PUBLISHED = "published"
_OVER = re.compile("19[0-7]")  # how a sale ends that is over (`words`)
# One page of Meta's takes descriptions of 9,999 characters, another of 5,000:
# https://developers.facebook.com/docs/marketing-api/reference/product-catalog/products/
_COMPARED = 4_900


def held(row: Mapping[str, Any]) -> Held:
    """What a row says, whose ``retailer_id`` is a text. What cannot be read is left out."""
    item_id = str(row["retailer_id"])
    if row.get("visibility", _PUBLISHED) != _PUBLISHED:
        return Held(record=_record(item_id, _archived(row.get("availability"))))
    told: dict[str, Json] = {
        "status": "active",
        "title": _text(row.get("name")),
        "description": _text(row.get("description")),
        "url": _address(row.get("url")),
        "stock": row.get("availability"),
        "group": row.get("retailer_product_group_id"),
        "mapped": _mapped(row),
    }
    currency = parse_currency(row.get("currency"))
    amount = read_amount(row.get("price"), currency) if currency else None
    if currency and amount is not None:
        over = _OVER.match(str(row.get("sale_price_end_date") or ""))
        sale = None if over else read_amount(row.get("sale_price"), currency)
        told["price"] = _price(amount, currency, sale)
    return Held(record=_record(item_id, told))


def as_shown(record: Record) -> Record:
    """What `held` gives of an item that Meta took whole."""
    fields = newest(record.fields)
    item_id = str(fields.get("id") or "")
    if fields.get("status") == "archived":
        return _record(item_id, _archived("out of stock"))
    data = body(fields)
    if data is None:
        return _record(item_id, {})
    told: dict[str, Json] = {
        "status": "active",
        "title": _text(data["title"]),
        "description": _text(data["description"]),
        "url": _address(data["link"]),
        "stock": data["availability"],
        "group": data["item_group_id"],
        "mapped": _mapped(data),
    }
    amount, currency = fields["price"], fields["currency"]
    sale = fields["sale_price"] if "sale_price" in data else None
    if all(is_kept_exactly(each, currency) for each in (amount, sale or 0)):
        told["price"] = _price(amount, currency, sale)
    return _record(item_id, told)


def _record(item_id: str, fields: Mapping[str, Json]) -> Record:
    return Record(key=item_id, email=None, permission=None, fields={"id": item_id, **fields})


def _archived(availability: Json) -> Mapping[str, Json]:
    """All that counts of an item that nobody is shown."""
    return {"status": "archived", "stock": availability}


def _price(amount: int, currency: str, sale: int | None) -> Mapping[str, Json]:
    """In minor units; a sale that is not lower is none."""
    lower = sale if sale is not None and 0 < sale < amount else None
    return {"amount": amount, "currency": currency, "sale": lower}


def _mapped(row: Mapping[str, Any]) -> Mapping[str, str]:
    """The fields of which Meta gives back the words, without those that are empty."""
    return {name: text for name in _MAPPED if (text := _text(row.get(name)))}


def _text(value: Json) -> str:
    """Letters in one form, blanks as one, and no further than Meta may cut it."""
    text = unicodedata.normalize("NFC", str(value or ""))
    return " ".join(text.split())[:_COMPARED].rstrip()


def _address(value: Json) -> str:
    """An address however its letters are escaped."""
    return unquote(str(value or ""))
