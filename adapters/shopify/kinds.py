"""The kinds of thing whose past can be read, and by which queries each is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.model import Kind

CODES = ("DiscountCodeNode", "DiscountNode")
"""GraphQL's words for a discount with a code: as webhooks name it, and as one of all discounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One kind: GraphQL's words for one, for many, and for what belongs to one of them.

    ``words`` is what its queries are named for. ``only`` narrows a list to what is meant; without
    ``in_file`` there are too few of them to have a file written.
    """

    one: tuple[str, ...]
    many: str
    words: str
    part: str | None = None
    parts: str | None = None
    only: str | None = None
    in_file: bool = True

    @property
    def bulk(self) -> str:
        """The query for a file of all of them."""
        return f"bulk_{self.words}"

    @property
    def page(self) -> str:
        """The query for one page of them."""
        return f"page_{self.words}"

    @property
    def ids(self) -> str:
        """The query for a page of nothing but their ids."""
        return f"ids_{self.words}"


SHELVES: Mapping[Kind, Shelf] = {
    Kind.CUSTOMER: Shelf(one=("Customer",), many="customers", words="customers"),
    Kind.PRODUCT: Shelf(
        one=("Product",),
        many="products",
        words="products",
        part="ProductVariant",
        parts="variants",
    ),
    Kind.PROMOTION: Shelf(
        one=CODES, many="discountNodes", words="discounts", only="method:code", in_file=False
    ),
    Kind.ORDER: Shelf(
        one=("Order",), many="orders", words="orders", part="LineItem", parts="lineItems"
    ),
}
"""In the order in which they are best read: an order names accounts and products."""
