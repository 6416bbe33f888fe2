"""The tables: one text for SQLite and PostgreSQL; ``docs/architecture.md`` draws them.

Moments are whole microseconds since 1970 UTC (`Moment`), so both engines order and subtract them
alike; JSON is text; every business key is text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

from connector import moments


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Datetime to microseconds."""
        return self.kept(value)

    @staticmethod
    def kept(value: datetime | None) -> int | None:
        """As it is kept."""
        return None if value is None else moments.to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Microseconds to datetime."""
        return None if value is None else moments.from_micros(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value in its one compact, sorted spelling, so that equal values are equal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Value to text."""
        return self.kept(value)

    @staticmethod
    def kept(value: Any) -> str | None:
        """As it is kept."""
        return None if value is None else msgspec.json.encode(value, order="sorted").decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Text to value."""
        return None if value is None else msgspec.json.decode(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")

# --- The inbox: every claim, as it came ----------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", LargeBinary, nullable=False, unique=True),  # digest that proves a duplicate
    Column("shop", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("headers", JsonText, nullable=False),
    Column("body", LargeBinary),  # NULL once its retention is over; the digest stays
    Column("body_sha256", LargeBinary, nullable=False),
    # waiting | applied | unchanged | ignored | quarantined
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("reason", Text),
    Column("detail", Text),
    Column("mend", Text),
    Column("flags", JsonText),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment),
    Column("finished_at", Moment),
    Index(None, "shop", "status", "received_at"),
    # Looked at twenty times a second, however much waits: no row is read that is not taken.
    Index(
        "ix_deliveries_waiting",
        "attempts",
        "id",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index(
        "ix_deliveries_asking",
        "id",
        "next_attempt_at",
        sqlite_where=text("status = 'waiting' AND attempts > 0"),
        postgresql_where=text("status = 'waiting' AND attempts > 0"),
    ),
)

# --- Facts, as the shops last stated them ---------------------------------------------------------

customers = Table(
    "customers",
    metadata,
    Column("shop", Text),
    Column("customer_id", Text),
    Column("version_at", Moment, nullable=False),
    Column("version_tie", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("email", Text),  # normal form: the person key of the account
    Column("phone", Text),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("country", Text),
    Column("language", Text),
    Column("created_at", Moment),
    Column("tags", JsonText),
    Column("meta", JsonText),
    Column("person", Text, nullable=False),
    PrimaryKeyConstraint("shop", "customer_id"),
    Index(None, "person"),
    Index(None, "email"),
)

# Every address an account ever had, whatever came last: this is how an opt-out follows a person.
customer_addresses = Table(
    "customer_addresses",
    metadata,
    Column("email", Text),
    Column("shop", Text),
    Column("customer_id", Text),
    PrimaryKeyConstraint("email", "shop", "customer_id"),
    Index(None, "shop", "customer_id"),
)

# The person an address leads to: itself, or where its owner has moved.
contact_points = Table(
    "contact_points",
    metadata,
    Column("email", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Index(None, "person"),
)

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

# --- The consent ledger: append-only -----------------------------------------------------------

evidence = Table(
    "evidence",
    metadata,
    Column("evidence_id", LargeBinary, primary_key=True),  # digest of source, reference, content
    Column("contact", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("claim", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Moment),
    Column("received_at", Moment, nullable=False),
    Column("method", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("wording", Text),
    Column("wording_sha256", Text),
    Column("country", Text),
    Column("delivery_id", BigInteger),
    Index(None, "contact"),
)

# --- What follows: people, segments --------------------------------------------------------------

# People whose facts changed since they were last evaluated. ``mark`` counts the changes, so that
# one that comes while a worker evaluates is not swept away with those it saw.
dirty = Table(
    "dirty",
    metadata,
    Column("person", Text, primary_key=True),
    Column("mark", BigInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("delivery_id", BigInteger),
    Index(None, "since"),
)

profiles = Table(
    "profiles",
    metadata,
    Column("person", Text, primary_key=True),
    Column("email", Text),
    Column("email_domain", Text),
    Column("phone", Text),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("company", Text, nullable=False),
    Column("country", Text),
    Column("language", Text),
    Column("shops", JsonText, nullable=False),
    Column("currency", Text),
    Column("number_of_orders", Integer, nullable=False),
    Column("amount_spent", BigInteger, nullable=False),  # minor units of ``currency``
    Column("first_order_at", Moment),
    Column("last_order_at", Moment),
    Column("added_at", Moment),
    # The platform spelling of the e-mail consent state: SUBSCRIBED, UNSUBSCRIBED, …
    Column("email_subscription_status", Text),
    Column("next_flip_at", Moment),  # when some segment changes merely because time passes
    Index(None, "next_flip_at"),
)

# What a person has many of: name is country, tag, or attribute.<name>; compared without case there.
profile_values = Table(
    "profile_values",
    metadata,
    Column("person", Text),
    Column("name", Text),
    Column("value", Text),
    Column("folded", Text, nullable=False),  # value.casefold()
    PrimaryKeyConstraint("person", "name", "value"),
    Index(None, "name", "folded"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("segment", Text),
    Column("person", Text),
    Column("since", Moment, nullable=False),
    Column("delivery_id", BigInteger),  # what decided it; NULL when time or a mapping did
    PrimaryKeyConstraint("segment", "person"),
    Index(None, "person"),
)

moves = Table(
    "moves",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("segment", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("entered", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("delivery_id", BigInteger),
    Index(None, "person"),
    Index(None, "segment", "at"),
)

# --- The outbox: what each destination holds, and where that is not what it should ---------------

records = Table(
    "records",
    metadata,
    Column("destination", Text),
    Column("key", Text),
    Column("status", Text, nullable=False),  # settled | due | parked
    Column("lane", SmallInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),  # grows with every mark: a late settle is seen
    Column("due_since", Moment),
    Column("next_attempt_at", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("acknowledged", JsonText),  # the record the destination last took; NULL: it holds none
    Column("acknowledged_at", Moment),
    Column("reason", Text),
    Column("mend", Text),
    # A person let this change through although so many together looked like a mistake.
    Column("confirmed", Boolean, nullable=False, server_default=false()),
    # ``acknowledged`` was sent, and the destination has not said yet whether it took it.
    Column("unsure", Boolean, nullable=False, server_default=false()),
    # Its person was erased: to be removed for good, and then forgotten here.
    Column("erased", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("destination", "key"),
    Index(
        "ix_records_due",
        "destination",
        "lane",
        "due_since",
        sqlite_where=text("status = 'due'"),
        postgresql_where=text("status = 'due'"),
    ),
    Index(None, "destination", "status"),
)

# --- Who was erased, and what was demanded --------------------------------------------------------

# What is left of erased people: a digest of each of their contact points, under a key that is kept
# elsewhere. Whatever is dated up to ``erased_at`` is never again kept of them.
suppressions = Table(
    "suppressions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("key_version", Text, nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),  # who demanded it: a shop's name, or operator
    Column("purpose", Text, nullable=False, server_default="all"),
)

# What people demand through a shop, and until when. Once done it names nobody any more.
requests = Table(
    "requests",
    metadata,
    Column("delivery_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # data_request | redaction | shop_redaction
    Column("shop", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("subject", JsonText),  # whom it is about; NULL once done
    Column("file", Text),  # the answer to a data request
    Column("problem", Text),  # why it is not done yet, if something is in the way
)

# --- Reading a shop's past -----------------------------------------------------------------------

# How far each errand to a shop has come. ``read`` = applied + unchanged + ignored + quarantined.
errands = Table(
    "errands",
    metadata,
    Column("shop", Text),
    Column("errand", Text),  # backfill | reconcile
    Column("kind", Text),  # what is read: customer, order, product
    Column("since", Moment),
    Column("cursor", Text),  # the adapter's own; NULL: nothing is read yet
    Column("started_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("total", BigInteger),
    Column("read", BigInteger, nullable=False, server_default="0"),
    Column("applied", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),
    Column("ignored", BigInteger, nullable=False, server_default="0"),
    Column("quarantined", BigInteger, nullable=False, server_default="0"),
    Column("problem", Text),
    Column("mend", Text),
    PrimaryKeyConstraint("shop", "errand", "kind"),
)

# --- Keeping house ------------------------------------------------------------------------------

# Small facts that outlive a process: cursors, what a shop said of itself, lane states, heartbeats.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JsonText),
    Column("updated_at", Moment, nullable=False),
)
