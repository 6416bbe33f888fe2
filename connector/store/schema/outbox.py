"""The outbox: what each destination holds, and where that is not what it should."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from connector.store.schema.columns import JsonText, Moment, metadata

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
    Column("seen_at", Moment),  # when it was last read there; NULL: never since it was taken
    # How often in a row it was sent again because what was read there was not what was taken.
    Column("repairs", Integer, nullable=False, server_default="0"),
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
