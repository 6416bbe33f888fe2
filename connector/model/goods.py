"""What is for sale: products, their variants, and codes that make a purchase cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from connector.model.statements import Json, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What can be put in a basket. A simple product has one, with the product's own id."""

    shop: str
    id: str
    product_id: str
    version: Version
    sku: str = ""
    title: str = ""
    status: str = ""
    currency: str | None = None
    price: int | None = None
    regular_price: int | None = None
    sale_price: int | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    stock_status: str | None = None
    stock_quantity: int | None = None
    image_url: str | None = None
    url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as shown in the shop. ``variants`` may be empty when the shop sends them apart.

    ``all_variants`` says that there are no others: one known of this product and not among them
    was deleted.
    """

    shop: str
    id: str
    version: Version
    title: str
    status: str
    type: str = ""
    description: str = ""
    url: str | None = None
    image_url: str | None = None
    vendor: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    all_variants: bool = False
    meta: Mapping[str, Json] = field(default_factory=dict)


class Worth(StrEnum):
    """In what a promotion's ``amount`` is counted."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"


class Bearing(StrEnum):
    """What a promotion takes its amount off."""

    TOTAL = "total"
    PER_ITEM = "per_item"
    SHIPPING = "shipping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A code that makes a purchase cheaper, for everybody who has it.

    ``amount`` in hundredths: of a percent for `Worth.PERCENTAGE` (1250 is 12.5 %); for
    `Worth.FIXED` in minor units of ``currency``.
    """

    shop: str
    id: str
    version: Version
    code: str
    worth: Worth
    amount: int
    bearing: Bearing
    currency: str | None = None
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_count: int = 0
    enabled: bool = True
