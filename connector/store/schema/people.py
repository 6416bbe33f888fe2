"""People in the shops: accounts, their addresses, and whom an address leads to."""

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
)

from connector.store.schema.columns import JsonText, Moment, metadata

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
