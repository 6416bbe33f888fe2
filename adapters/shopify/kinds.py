"""The kinds of thing whose past can be read, and by which queries each is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.model import Kind


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind: GraphQL's word for one, for many, and for what belongs to one of them."""

    one: str
    many: str
    part: str | None = None
    parts: str | None = None

    @property
    def bulk(self) -> str:
        """The query for a file of all of them."""
        return f"bulk_{self.many}"

    @property
    def page(self) -> str:
        """The query for one page of them."""
        return f"page_{self.many}"

    @property
    def ids(self) -> str:
        """The query for a page of nothing but their ids."""
        return f"ids_{self.many}"


SHELVES: Mapping[Kind, Shelf] = {
    Kind.CUSTOMER: Shelf("Customer", "customers"),
    Kind.PRODUCT: Shelf("Product", "products", "ProductVariant", "variants"),
    Kind.ORDER: Shelf("Order", "orders", "LineItem", "lineItems"),
}
"""In the order in which they are best read: an order names accounts and products."""
