"""How far each reading of a shop has come, and small facts that outlive a run."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, Text

from connector.store.schema.columns import JsonText, Moment, metadata

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

# Small facts that outlive a process: cursors, what a shop said of itself, lane states, heartbeats.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JsonText),
    Column("updated_at", Moment, nullable=False),
)
