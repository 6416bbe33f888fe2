"""The consent ledger, who was erased, and what people demanded."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from connector.store.schema.columns import JsonText, Moment, metadata

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
    Index(None, "source", "reference"),
)

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
