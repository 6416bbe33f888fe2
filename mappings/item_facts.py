"""What a mapping can ask about something for sale, and what it is: a variant with its product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from connector import money
from connector.model import Json
from connector.store.catalog import ForSale
from mappings.fields import text_of
from mappings.segments.attributes import Kind

Value: TypeAlias = str | int | Decimal | tuple[str, ...] | None
"""A text, a number, a list of texts; ``None`` where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAttribute:
    """One attribute: what it holds, how it is read, and its only words if it has such."""

    kind: Kind
    read: Callable[[ForSale], Value]
    words: tuple[str, ...] = ()


# How the shops spell whether a thing is shown. Private and unlisted things are for sale to some,
# and advertised to nobody. https://woocommerce.github.io/woocommerce-rest-api-docs/#products
# https://shopify.dev/docs/api/admin-graphql/latest/enums/ProductStatus
_STATUS = {
    "publish": "active",
    "active": "active",
    "draft": "draft",
    "pending": "draft",
    "future": "draft",
    "private": "draft",
    "unlisted": "draft",
    "archived": "archived",
    "trash": "archived",
}
_STOCK = {"instock": "in_stock", "outofstock": "out_of_stock", "onbackorder": "on_backorder"}
_BY_SHOWING = ("archived", "draft", "active")


def status_of(item: ForSale) -> str | None:
    """``active``, ``draft`` or ``archived``: what is shown less, of the product and the variant."""
    words = [_STATUS.get(item.product.status.casefold())]
    if item.variant.status:
        words.append(_STATUS.get(item.variant.status.casefold()))
    known = [word for word in words if word is not None]
    return min(known, key=_BY_SHOWING.index) if len(known) == len(words) else None


def stock_of(item: ForSale) -> str | None:
    """``in_stock``, ``out_of_stock`` or ``on_backorder``; from the quantity if nothing is said."""
    said = "".join(filter(str.isalpha, (item.variant.stock_status or "").casefold()))
    if said in _STOCK:
        return _STOCK[said]
    quantity = item.variant.stock_quantity
    return None if quantity is None else "in_stock" if quantity > 0 else "out_of_stock"


def price_of(item: ForSale) -> Decimal | None:
    """The price in force, in whole currency units."""
    price, currency = item.variant.price, item.variant.currency
    return None if price is None or currency is None else money.to_major(price, currency)


def _text(read: Callable[[ForSale], str | None]) -> ItemAttribute:
    return ItemAttribute(kind=Kind.TEXT, read=lambda item: read(item) or None)


ATTRIBUTES: Mapping[str, ItemAttribute] = {
    "status": ItemAttribute(kind=Kind.WORD, read=status_of, words=("active", "draft", "archived")),
    "stock_status": ItemAttribute(kind=Kind.WORD, read=stock_of, words=tuple(_STOCK.values())),
    "stock_quantity": ItemAttribute(kind=Kind.WHOLE, read=lambda item: item.variant.stock_quantity),
    "price": ItemAttribute(kind=Kind.NUMBER, read=price_of),
    "tags": ItemAttribute(kind=Kind.TEXTS, read=lambda item: item.product.tags),
    "categories": ItemAttribute(kind=Kind.TEXTS, read=lambda item: item.product.categories),
    "shop": _text(lambda item: item.variant.shop),
    "product_id": _text(lambda item: item.variant.product_id),
    "variant_id": _text(lambda item: item.variant.id),
    "sku": _text(lambda item: item.variant.sku),
    "type": _text(lambda item: item.product.type),
    "vendor": _text(lambda item: item.product.vendor),
    "title": _text(lambda item: item.product.title),
    "currency": _text(lambda item: item.variant.currency),
}
"""What ``items.when`` may ask for."""

_MORE_TEXTS: Mapping[str, Callable[[ForSale], str | None]] = {
    "description": lambda item: item.product.description,
    "url": lambda item: item.variant.url or item.product.url,
    "image_url": lambda item: item.variant.image_url or item.product.image_url,
    "category": lambda item: next(iter(item.product.categories), None),
    "tag": lambda item: next(iter(item.product.tags), None),
}


def _own_field(item: ForSale, key: str) -> str | None:
    """The variant's own goes before its product's."""
    found: Json = item.variant.meta.get(key)
    text = text_of(found)
    return text if text is not None else text_of(item.product.meta.get(key))


# What stands behind these is the shop's own word.
_OPEN: Mapping[str, Callable[[ForSale, str], str | None]] = {
    "metafields": _own_field,
    "meta_data": _own_field,
    "attributes": lambda item, key: item.variant.attributes.get(key),
    "tag": lambda item, key: key if key in item.product.tags else None,
    "category": lambda item, key: key if key in item.product.categories else None,
}
OVER_TIME = ("bestseller", "new_arrival")
"""Labels that a product gains and loses as time passes: see `mappings.item_labels`."""

SOURCES: tuple[str, ...] = (
    *OVER_TIME,
    *ATTRIBUTES,
    *_MORE_TEXTS,
    "metafields.NAMESPACE.KEY",
    "meta_data.KEY",
    "attributes.NAME",
    "tag.NAME",
    "category.NAME",
)
"""What may fill a field or a label; the words in capitals stand for the shop's own."""

NOT_YET: frozenset[str] = frozenset({"slow_mover", "trending"})
"""Words for labels that this version cannot answer: they need the whole shop's sales."""


def is_known(source: str) -> bool:
    """Whether there is such a source of a field or label."""
    head, _, key = source.partition(".")
    if head == "metafields":
        namespace, _, name = key.partition(".")
        return bool(namespace and name)
    if key and head in _OPEN:
        return True
    return source in ATTRIBUTES or source in _MORE_TEXTS or source in OVER_TIME


def source_text(source: str, item: ForSale) -> str | None:
    """What fills a field or label, as text; ``None`` where there is nothing."""
    head, _, key = source.partition(".")
    if key:
        return _OPEN[head](item, key) or None
    value = ATTRIBUTES[source].read(item) if source in ATTRIBUTES else _MORE_TEXTS[source](item)
    return (", ".join(value) if isinstance(value, tuple) else text_of(value)) or None
