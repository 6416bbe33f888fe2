"""What a catalog should hold about one thing for sale: the variant, its product and the mapping."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from connector.doubts import newest
from connector.model import Json, Record
from connector.moments import to_text
from connector.store.catalog import ForSale, key_of
from mappings.grammar import DestinationMapping, ItemRules
from mappings.item_facts import status_of, stock_of
from mappings.item_labels import label_text
from mappings.item_query import holds

PLACEHOLDER = re.compile(r"\{(\w*)\}")
PLACEHOLDERS = ("shop", "variant_id", "product_id", "sku")
"""What the pattern of an item's id may be made of."""

_NO_CHOICE = "Default Title"  # what Shopify calls the one variant of a product without options
# A product that is sold in variations is none itself, whatever an older statement said of it.
_SOLD_IN_VARIATIONS = frozenset({"variable", "variable-subscription"})


def project(
    key: str, item: ForSale, rules: DestinationMapping, held: Record | None
) -> Record | None:
    """The record, or ``None`` when the catalog should hold nothing about this item.

    What is published no longer goes from the catalog, or stays there as archived with what was
    last ``held``; what it never held is not brought there to be archived.
    """
    wanted = rules.items or ItemRules()
    if is_sold_in_variations(item):
        return None
    if status_of(item) == "active" and holds(wanted.query, item) is True:
        return Record(key=key, email=None, permission=None, fields=_fields(item, rules, wanted))
    if held is None or wanted.unpublished == "delete":
        return None
    return replace(held, fields={**newest(held.fields), "status": "archived"})


def is_sold_in_variations(item: ForSale) -> bool:
    """Whether this is no variant but a product that has variations, as older statements had it."""
    return item.variant.id == item.product.id and item.product.type in _SOLD_IN_VARIATIONS


def _fields(item: ForSale, rules: DestinationMapping, wanted: ItemRules) -> dict[str, Json]:
    product, variant = item.product, item.variant
    known: dict[str, Json] = {
        "status": "active",
        "id": item_id(wanted.id, item),
        "group": f"{variant.shop}_{variant.product_id}",
        "title": _title(item),
        "description": product.description,
        "url": variant.url or product.url,
        "image_url": variant.image_url or product.image_url,
        "currency": variant.currency,
        "stock": stock_of(item),
        "sku": variant.sku,
        "options": {} if _is_default(item) else dict(variant.attributes),
        "mapped": {
            name: text
            for name, source in {**rules.fields, **rules.labels}.items()
            if (text := label_text(source, item, wanted, rules.sets)) is not None
        },
        **_prices(item),
    }
    return {name: value for name, value in known.items() if value not in (None, "", {})}


def item_id(template: str, item: ForSale) -> str:
    """The item's id in the catalog."""
    variant = item.variant
    given = {
        "shop": variant.shop,
        "variant_id": variant.id,
        "product_id": variant.product_id,
        "sku": variant.sku,
    }
    return PLACEHOLDER.sub(lambda found: given[found[1]], template)


def keys_of_id(template: str, item_id: str, shops: Collection[str]) -> set[str]:
    """The keys of the records that may have this id in the catalog, by the pattern of the ids.

    Both platforms number their variants; of others whatever stands there is taken.
    """
    for number in (r"\d+", r".+"):
        found = {
            key_of((shop, match["variant"]))
            for shop in shops
            if (match := re.fullmatch(_pattern(template, shop, number), item_id))
        }
        if found:
            return found
    return set()


def _pattern(template: str, shop: str, number: str) -> str:
    """What an id looks like that was made for an item of one shop."""
    first, *texts = PLACEHOLDER.split(template)
    pattern, is_known = re.escape(first), False
    for name, text in zip(texts[::2], texts[1::2], strict=True):
        match name:
            case "shop":
                pattern += re.escape(shop)
            case "variant_id":
                pattern += "(?P=variant)" if is_known else f"(?P<variant>{number})"
                is_known = True
            case _:
                pattern += ".*"
        pattern += re.escape(text)
    return pattern


def _prices(item: ForSale) -> Mapping[str, Json]:
    """The regular price, and beside it one that is lower; both in minor units.

    https://woocommerce.github.io/woocommerce-rest-api-docs/#product-properties: ``price`` is the
    one in force, a planned sale is in ``sale_price`` with its dates.
    """
    variant = item.variant
    regular = variant.price if variant.regular_price is None else variant.regular_price
    sale = variant.price if variant.sale_price is None else variant.sale_price
    if regular is None or sale is None or sale >= regular:
        return {"price": regular}
    return {
        "price": regular,
        "sale_price": sale,
        "sale_from": to_text(variant.sale_from) if variant.sale_from else None,
        "sale_to": to_text(variant.sale_to) if variant.sale_to else None,
    }


def _title(item: ForSale) -> str:
    """The product's name and what sets the variant apart, as shops write it: ``Tee - Red, M``.

    A variation's own name has it in the right order, and may begin with an older name of its
    product.
    """
    name, own = item.product.title, item.variant.title
    if item.variant.id == item.product.id or _is_default(item):
        return name or own
    if own.startswith(f"{name} - "):
        return own
    if item.product.type in _SOLD_IN_VARIATIONS:
        own = own.rpartition(" - ")[2]
    return " - ".join(part for part in (name, own) if part)


def _is_default(item: ForSale) -> bool:
    """Whether this is the one variant of a product that offers no choice."""
    return [*item.variant.attributes.values()] == [_NO_CHOICE]
