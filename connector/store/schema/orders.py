"""What was bought and what was nearly bought, as the shops last stated it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from connector.store.schema.columns import JsonText, Moment, metadata

orders = Table(
    "orders",
    metadata,
    Column("shop", Text),
    Column("order_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("number", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("currency", Text),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("tax", BigInteger, nullable=False, server_default="0"),
    Column("shipping", BigInteger, nullable=False, server_default="0"),
    Column("discount", BigInteger, nullable=False, server_default="0"),
    Column("refunded", BigInteger, nullable=False, server_default="0"),
    Column("placed_at", Moment),
    Column("paid_at", Moment),
    Column("customer_id", Text),
    Column("email", Text),  # normal form of the billing address
    Column("phone", Text),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("countries", JsonText),
    Column("fulfilled", Boolean, nullable=False, server_default=false()),
    Column("cancelled_at", Moment),
    Column("landing_url", Text),
    Column("meta", JsonText),
    Column("person", Text, nullable=False),
    PrimaryKeyConstraint("shop", "order_id"),
    Index(None, "person"),
    Index(None, "shop", "customer_id"),
    Index(None, "email"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("shop", Text),
    Column("order_id", Text),
    Column("line_id", Text),
    Column("product_id", Text),
    Column("variant_id", Text),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("discount", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("shop", "order_id", "line_id"),
)

refunds = Table(
    "refunds",
    metadata,
    Column("shop", Text),
    Column("order_id", Text),
    Column("refund_id", Text),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Moment),
    PrimaryKeyConstraint("shop", "order_id", "refund_id"),
)

# What somebody began to buy and has not ordered. Whose it is, its address and account say: those
# move. Nothing of it is left once it is deleted, erased, or was left alone for thirty days.
carts = Table(
    "carts",
    metadata,
    Column("shop", Text),
    Column("cart_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("currency", Text),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Moment),
    Column("url", Text),
    Column("customer_id", Text),
    Column("email", Text),  # normal form
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("other_name", Text),
    Column("lines", JsonText),
    PrimaryKeyConstraint("shop", "cart_id"),
    Index(None, "shop", "other_name"),
    Index(None, "email"),
    Index(None, "shop", "customer_id"),
    Index(None, "version_at"),
)

# Under which names carts were ordered: a set that only grows, so that it does not matter whether
# the order or the cart is told of first.
ordered_carts = Table(
    "ordered_carts",
    metadata,
    Column("shop", Text),
    Column("name", Text),  # one of the names that the shop has for a cart
    Column("order_id", Text),
    PrimaryKeyConstraint("shop", "name", "order_id"),
    Index(None, "shop", "order_id"),
)
