"""What follows from the facts: people, and the segments they are in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from connector.store.schema.columns import Id, JsonText, Moment, metadata

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
    Index(None, "phone"),
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
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("segment", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("entered", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("delivery_id", BigInteger),
    Index(None, "person"),
    Index(None, "segment", "at"),
)
