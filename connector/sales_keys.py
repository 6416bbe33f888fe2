"""The keys of what was sold and could be: orders, carts, products and promotions.

``product/{shop}/{id}``, ``order/{shop}/{id}``, ``cart/{shop}/{id}``, ``promotion/{shop}/{id}``,
with the shop's own ids. No shop's name has a slash; an id may.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from connector.model import Kind

SOLD = (Kind.PRODUCT, Kind.PROMOTION, Kind.ORDER, Kind.CART)
"""What records of sales are about: first what the others name."""
OF_PEOPLE = frozenset({Kind.ORDER, Kind.CART})
"""Those that are about somebody."""
Place: TypeAlias = tuple[str, str]
"""The shop and its id of a thing."""


class Thing(NamedTuple):
    """One thing of a shop, as a key names it."""

    kind: Kind
    shop: str
    id: str


def key_of(kind: Kind, shop: str, thing_id: str) -> str:
    """The key of a thing's record."""
    return f"{kind.value}/{shop}/{thing_id}"


def thing_of(key: str) -> Thing:
    """The thing that a key names. Raises ``ValueError`` for a key of another sort."""
    kind, shop, thing_id = key.split("/", 2)
    return Thing(Kind(kind), shop, thing_id)
