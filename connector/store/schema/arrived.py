"""The inbox: every webhook as it came, and what became of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text

from connector.store.schema.columns import Id, JsonText, Moment, metadata

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
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
