"""What is for sale, as the shops last stated it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from connector.store.schema.columns import JsonText, Moment, metadata

products = Table(
    "products",
    metadata,
    Column("shop", Text),
    Column("product_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("title", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("type", Text, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("url", Text),
    Column("image_url", Text),
    Column("vendor", Text, nullable=False, server_default=""),
    Column("tags", JsonText),
    Column("categories", JsonText),
    Column("meta", JsonText),
    PrimaryKeyConstraint("shop", "product_id"),
)

variants = Table(
    "variants",
    metadata,
    Column("shop", Text),
    Column("variant_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("product_id", Text, nullable=False, server_default=""),
    Column("sku", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("currency", Text),
    Column("price", BigInteger),
    Column("regular_price", BigInteger),
    Column("sale_price", BigInteger),
    Column("sale_from", Moment),
    Column("sale_to", Moment),
    Column("stock_status", Text),
    Column("stock_quantity", BigInteger),
    Column("image_url", Text),
    Column("url", Text),
    Column("attributes", JsonText),
    Column("meta", JsonText),
    PrimaryKeyConstraint("shop", "variant_id"),
    Index(None, "shop", "product_id"),
)

# The newest list of all variants a product has: one that is older and not in it is gone.
assortments = Table(
    "assortments",
    metadata,
    Column("shop", Text),
    Column("product_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("variant_ids", JsonText, nullable=False),
    PrimaryKeyConstraint("shop", "product_id"),
)

# How a product stands in its shop, as last looked at: the units sold in 30 days, and its place by
# them. It is no fact, and is worked out anew; only since when it is known is kept for good.
popularity = Table(
    "popularity",
    metadata,
    Column("shop", Text),
    Column("product_id", Text),
    Column("first_seen_at", Moment, nullable=False),
    Column("units", BigInteger, nullable=False, server_default="0"),
    Column("place", BigInteger),
    PrimaryKeyConstraint("shop", "product_id"),
)

# Codes that make a purchase cheaper, for everybody who has them.
promotions = Table(
    "promotions",
    metadata,
    Column("shop", Text),
    Column("promotion_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("code", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("worth", Text, nullable=False, server_default=""),
    Column("amount", BigInteger, nullable=False, server_default="0"),
    Column("bearing", Text, nullable=False, server_default=""),
    Column("currency", Text),
    Column("starts_at", Moment),
    Column("ends_at", Moment),
    Column("usage_count", BigInteger, nullable=False, server_default="0"),
    Column("enabled", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("shop", "promotion_id"),
)
