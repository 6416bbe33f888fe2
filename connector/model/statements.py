"""What every statement of a shop has: a thing of some kind, and which word is newer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What JSON can hold: objects, arrays, text, numbers, booleans, null."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Which of two statements about one thing is newer: the shop's own time, then a digest.

    ``tie`` is 63 bits of the body's SHA-256, so that two different bodies of one moment are
    ordered the same way in whatever order they arrive.
    """

    at: datetime
    tie: int = 0


class Kind(StrEnum):
    """The kinds of thing a shop can be asked for; all but the last two can also be deleted."""

    CUSTOMER = "customer"
    ORDER = "order"
    PRODUCT = "product"
    VARIANT = "variant"
    CART = "cart"
    PROMOTION = "promotion"
    INVENTORY_ITEM = "inventory_item"
    """What a stock belongs to: only ever asked for, the answer is about its variant."""
    CONTACT = "contact"
    """A contact of a destination: only ever asked for, the answer is about a permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A thing is gone (or in the trash) since ``version.at``."""

    shop: str
    kind: Kind
    id: str
    version: Version
