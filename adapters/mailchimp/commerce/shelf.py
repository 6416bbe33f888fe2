"""Which products and variants a store has: an order that names another is refused.

https://mailchimp.com/developer/marketing/docs/e-commerce/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.model import Json

Pair = tuple[str, str]
"""A product's id with the id of one of its variants."""

HIDDEN = "hidden"
VISIBLE = "visible"
MOST_SHOWN = 50
"""So many variants are shown with their product; whoever wants all asks for them.

https://mailchimp.com/developer/marketing/api/ecommerce-products/list-product/
"""
NOTHING = "no-items"
"""The stand-in product of an order without items, which Mailchimp does not take otherwise."""


@dataclass(slots=True)
class Shelf:
    """The products of one store by id, each with its variants: is each of them shown.

    Of those that are ``cut`` only the first variants are known.
    """

    products: dict[str, dict[str, bool]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    def has(self, pair: Pair) -> bool:
        """Can an order name this variant."""
        return pair[1] in self.products.get(pair[0], ())

    def put(self, product: str, shown: Mapping[str, bool]) -> None:
        """Mailchimp has these variants now, besides those it had."""
        self.products.setdefault(product, {}).update(shown)

    def read(self, rows: Iterable[Json]) -> None:
        """Learn from a page of products as Mailchimp shows them."""
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                shown = _shown(row.get("variants"))
                if len(shown) >= MOST_SHOWN and row["id"] not in self.products:
                    self.cut.add(row["id"])
                self.put(row["id"], shown)

    def complete(self, product: str, variants: Iterable[Json]) -> None:
        """Learn all variants of a product as Mailchimp shows them."""
        self.put(product, _shown(list(variants)))
        self.cut.discard(product)


def _shown(variants: Json) -> dict[str, bool]:
    return {
        each["id"]: each.get("visibility") != HIDDEN
        for each in (variants if isinstance(variants, list) else [])
        if isinstance(each, dict) and isinstance(each.get("id"), str)
    }


def pair_of(line: Mapping[str, Json]) -> Pair:
    """The ids that a line names. A product that the shop forgot gets one from its title."""
    product, variant = line.get("product_id"), line.get("variant_id")
    if not product:
        digest = hashlib.sha256(title_of(line).encode()).hexdigest()[:24]
        product = f"gone-{digest}"
    return str(product), str(variant or product)


def title_of(line: Mapping[str, Json]) -> str:
    """What a line's product is called. Mailchimp takes no empty title."""
    return str(line.get("product_title") or line.get("title") or "").strip() or "(no title)"
