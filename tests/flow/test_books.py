"""The books add up, and show it when they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, update

from connector.flow import books
from connector.model import Lane
from connector.store import outbox
from connector.store.connect import Store
from connector.store.schema import deliveries, records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(store: Store) -> None:
    statuses = ["applied", "applied", "unchanged", "ignored", "waiting", "quarantined"]
    with store.write() as conn:
        conn.execute(
            insert(deliveries),
            [
                {
                    "key": bytes([number]),
                    "shop": "wool",
                    "topic": "order.updated",
                    "received_at": NOON + timedelta(seconds=number),
                    "headers": {},
                    "body": b"{}",
                    "body_sha256": b"",
                    "status": status,
                }
                for number, status in enumerate(statuses)
            ],
        )
        outbox.mark_due(conn, "newsletter", {"a": Lane.NORMAL, "b": Lane.NORMAL}, now=NOON)
        conn.execute(update(records).where(records.c.key == "b").values(status="settled"))


def draw_up(store: Store) -> dict[str, object]:
    with store.read() as conn:
        return books.draw_up(
            conn,
            shops=["wool", "yarn"],
            destinations=["newsletter"],
            mode="live",
            now=NOON + timedelta(minutes=1),
        )


def test_every_row_is_in_one_column(store: Store) -> None:
    """Received is the sum of its parts, and so are the records; ages are in seconds."""
    fill(store)
    told = draw_up(store)
    assert told["balanced"] is True
    wool = told["shops"]["wool"]
    assert (6, 2, 1, 1, 1, 1) == tuple(
        wool[part]
        for part in ("received", "applied", "unchanged", "ignored", "waiting", "quarantined")
    )
    assert (56.0, "2026-03-01T12:00:05Z") == (
        wool["oldest_waiting_seconds"],
        wool["last_received_at"],
    )
    assert 0 == told["shops"]["yarn"]["received"]
    newsletter = told["destinations"]["newsletter"]
    assert (2, 1, 1, 0, 60.0) == tuple(
        newsletter[part] for part in ("records", "settled", "due", "parked", "oldest_due_seconds")
    )


def test_a_row_that_fell_out_of_every_column_is_seen(store: Store) -> None:
    """A status nobody knows makes the books not balance, for deliveries and for records."""
    fill(store)
    with store.write() as conn:
        conn.execute(update(deliveries).where(deliveries.c.status == "ignored").values(status="x"))
    assert draw_up(store)["balanced"] is False
    with store.write() as conn:
        conn.execute(update(deliveries).where(deliveries.c.status == "x").values(status="ignored"))
        conn.execute(update(records).where(records.c.key == "a").values(status="lost"))
    assert draw_up(store)["balanced"] is False
