"""One thing for sale, to be changed by each test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connector.model import Product, Variant, Version
from connector.store.catalog import ForSale

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def thing(product: dict[str, Any] | None = None, **variant: Any) -> ForSale:
    """A jumper in one size; ``product`` and the rest say what is different."""
    version = Version(NOON)
    return ForSale(
        Product(
            **{
                "shop": "wool",
                "id": "9",
                "version": version,
                "title": "Genser",
                "status": "publish",
                "type": "variable",
                "description": "<p>Varm.</p>",
                "url": "https://wool.example/genser",
                "image_url": "https://wool.example/9.jpg",
                "vendor": "Ull",
                "tags": ("winter", "Ny"),
                "categories": ("Klær", "Gensere"),
                "meta": {"_gtin": "7038010001234", "google.category": "212"},
                **(product or {}),
            }
        ),
        Variant(
            **{
                "shop": "wool",
                "id": "11",
                "product_id": "9",
                "version": version,
                "sku": "G-M",
                "title": "Genser - M, Rød",
                "status": "publish",
                "currency": "NOK",
                "price": 89900,
                "regular_price": 89900,
                "stock_status": "instock",
                "stock_quantity": 3,
                "url": "https://wool.example/genser?size=M",
                "attributes": {"Farge": "Rød", "Størrelse": "M"},
                **variant,
            }
        ),
    )
