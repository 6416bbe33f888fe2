"""What Meta would refuse, found before anything is sent: for each item the reason and the mend.

What an item must have: https://developers.facebook.com/docs/commerce-platform/catalog/fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.meta_catalog.plain import plain
from connector.model import Json, Parked
from connector.money import exponent, parse_currency, to_major

LONGEST_ID = 100
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 9_999
LONGEST_URL = 2_000
_LONGEST_PLACES = 2  # Meta's prices have no more decimals

_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
_GTIN = re.compile(r"\d{8,14}", re.ASCII)
_WORDS: Mapping[str, frozenset[str]] = {
    "condition": frozenset(
        {"new", "refurbished", "used", "used_like_new", "used_good", "used_fair"}
    ),
    "gender": frozenset({"male", "female", "unisex"}),
    "age_group": frozenset({"adult", "all ages", "teen", "kids", "toddler", "infant", "newborn"}),
}
_LONGEST: Mapping[str, int] = {
    "brand": 100,
    "mpn": 100,
    "product_type": 750,
    "color": 200,
    "size": 200,
    "material": 200,
    "pattern": 100,
    **{f"custom_label_{number}": 100 for number in range(5)},
}


def check(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]] | Parked:
    """An item's fields made clean, and which mapped ones were left out; or why it cannot go.

    ``description`` and ``title`` come without HTML, ``mapped`` with only what Meta takes.
    """
    mapped, left_out = _mapped(fields.get("mapped") or {})
    title = plain(mapped.pop("title", "") or fields.get("title") or "")
    clean = {
        **fields,
        "title": title,
        "description": plain(mapped.pop("description", "") or fields.get("description") or "")
        or title,
        "url": mapped.pop("link", "") or fields.get("url"),
        "image_url": mapped.pop("image_link", "") or fields.get("image_url"),
        "mapped": mapped,
    }
    if faults := list(_faults(clean)):
        return Parked(reason=faults[0][0], mend=" ".join(mend for _, mend in faults))
    return clean, left_out


def _faults(clean: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    item_id, group = clean.get("id"), clean.get("group")
    if not item_id or not group:
        yield "no_id", "Report it: every item must have an id, and its group's."
    elif max(len(item_id), len(group)) > LONGEST_ID:
        yield "id_too_long", f"Shorten its SKU in the shop, or items.id: {LONGEST_ID} characters."
    if not clean["title"]:
        yield "no_title", "Give it a name in the shop."
    elif len(clean["title"]) > LONGEST_TITLE:
        yield (
            "title_too_long",
            f"Shorten its name in the shop from {len(clean['title'])} to {LONGEST_TITLE} "
            "characters.",
        )
    if len(clean["description"]) > LONGEST_DESCRIPTION:
        yield (
            "description_too_long",
            f"Shorten its description in the shop from {len(clean['description'])} to "
            f"{LONGEST_DESCRIPTION} characters.",
        )
    yield from _price_faults(clean)
    yield from _address_faults("link", clean["url"], "Publish it, so that it has a page")
    yield from _address_faults("image", clean["image_url"], "Give it a picture")


def _price_faults(clean: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    currency = clean.get("currency")
    if parse_currency(currency) != currency or not currency:
        yield "no_currency", "Set the shop's currency in connector.yaml (as currency: NOK)."
        return
    price = clean.get("price")
    if price is None:
        yield "no_price", "Give it a price in the shop."
    elif price <= 0:
        yield "price_zero", "Give it a price above 0 in the shop, or leave it out by items.when."
    elif exponent(currency) > _LONGEST_PLACES and _needs_places(
        (price, clean.get("sale_price")), currency
    ):
        yield "price_not_exact", f"Meta takes two decimals: round its price in {currency}."


def _needs_places(amounts: tuple[int | None, ...], currency: str) -> bool:
    surplus = 10 ** (exponent(currency) - _LONGEST_PLACES)
    return any(amount % surplus for amount in amounts if amount is not None)


def _address_faults(what: str, url: str | None, mend: str) -> Iterator[tuple[str, str]]:
    if not url:
        yield f"no_{what}", f"{mend} in the shop."
    elif len(url) > LONGEST_URL or not _URL.fullmatch(url):
        yield f"bad_{what}", f"Its {what} address is none that Meta can open: correct it."


def _mapped(written: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The mapped fields that Meta would take, cut to its lengths, and the names of the others."""
    kept: dict[str, str] = {}
    left_out: list[str] = []
    for name, value in written.items():
        text = " ".join(value.split()) if name != "description" else value
        if name in _WORDS:
            text = text.casefold()
        good = text and (name not in _WORDS or text in _WORDS[name])
        if not good or (name == "gtin" and not _GTIN.fullmatch(text)):
            left_out.append(name)
            continue
        kept[name] = text[: _LONGEST[name]] if name in _LONGEST else text
    return kept, left_out


def price_text(minor: int, currency: str) -> str:
    """An amount as Meta writes it: ``9.99 USD``, exact, with at most two decimals."""
    amount: Json = to_major(minor, currency)
    places = min(exponent(currency), _LONGEST_PLACES)
    return f"{amount:.{places}f} {currency}"
