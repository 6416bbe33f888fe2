"""What was sent and never answered: held and not held, until somebody knows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.model import Lane, Permission, Record
from connector.store import flights, outbox
from connector.store.connect import Store
from connector.store.flights import either

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
KARI = "kari@shop.example"


def record(permission: Permission | None = Permission.SEND, *tags: str, **fields: object) -> Record:
    """What a destination holds about Kari."""
    return Record(key=KARI, email=KARI, permission=permission, fields=fields, tags=tags)


def test_of_one_that_may_be_there_nothing_is_sure() -> None:
    """Sent and perhaps taken, or to be removed and perhaps still there."""
    one = record(Permission.SEND, "A", ORDERS=1)
    for held in (either(None, one), either(one, None)):
        assert held is not None
        assert (("A",), ("A",), Permission.SEND) == (held.tags, held.doubts, held.permission)
        assert {"ORDERS"} == held.fields.keys()
        assert held.fields["ORDERS"] not in (1, None)
    assert either(None, None) is None


def test_of_two_the_difference_is_open() -> None:
    """Tags of both may be there; a value that may be one or the other equals neither."""
    before = record(Permission.SEND, "A", "B", ORDERS=1, NAME="Kari", GONE=1)
    sent = record(Permission.SILENT, "B", "C", ORDERS=2, NAME="Kari", NEW=1)
    held = either(before, sent)
    assert held is not None
    assert (("A", "B", "C"), ("A", "C")) == (held.tags, held.doubts)
    again = either(held, record(Permission.SEND, "A", "B"))
    assert again is not None
    assert (("A", "B", "C"), ("A", "C")) == (again.tags, again.doubts)
    assert "Kari" == held.fields["NAME"]
    assert {"GONE", "NAME", "NEW", "ORDERS"} == held.fields.keys()
    for name in ("ORDERS", "GONE", "NEW"):
        assert held.fields[name] not in (before.fields.get(name), sent.fields.get(name))


@pytest.mark.parametrize(
    ("before", "sent", "expected"),
    [
        (Permission.SEND, Permission.WITHDRAWN, Permission.SEND),
        (Permission.WITHDRAWN, Permission.SEND, Permission.SEND),
        (Permission.SILENT, Permission.CONFIRM, Permission.CONFIRM),
        (Permission.WITHDRAWN, Permission.SILENT, Permission.SILENT),
        (Permission.WITHDRAWN, Permission.WITHDRAWN, Permission.WITHDRAWN),
        (None, None, None),
    ],
)
def test_in_doubt_the_higher_permission_is_there(
    before: Permission | None, sent: Permission | None, expected: Permission | None
) -> None:
    """So that a withdrawal is still a change, and is sent."""
    held = either(record(before), record(sent))
    assert held is not None
    assert expected == held.permission


def due(store: Store) -> outbox.Due:
    """Kari's one due record."""
    with store.write() as conn:
        outbox.mark_due(conn, "newsletter", {KARI: Lane.NORMAL}, now=NOW)
        (found,) = outbox.claim(conn, "newsletter", now=NOW, limit=10)
    return found


def test_what_never_landed_is_brought_down(store: Store) -> None:
    """The record is as if taken, and unsure; the note is gone, and once is enough."""
    assert due(store).acknowledged is None
    sent = record(Permission.SEND, "A")
    with store.claim() as claim:
        flights.take_off(claim, "newsletter", {KARI: sent, "gone@shop.example": sent})
    with store.claim() as claim:
        assert 0 == flights.bring_down(claim, "news")
        assert 2 == flights.bring_down(claim, "newsletter")
        assert 0 == flights.bring_down(claim, "newsletter")
    found = due(store)
    assert (either(None, sent), True) == (found.acknowledged, found.unsure)
    with store.read() as conn:
        assert 1 == outbox.queue(conn, "newsletter", now=NOW, limit=9).number


def test_what_landed_leaves_nothing(store: Store) -> None:
    """The note goes in the transaction that settles."""
    due(store)
    with store.claim() as claim:
        name = flights.take_off(claim, "newsletter", {KARI: record()})
        with claim.write() as conn:
            flights.land(conn, name)
    with store.claim() as claim:
        assert 0 == flights.bring_down(claim, "newsletter")
    assert not due(store).unsure


def test_a_flight_of_somebody_alive_is_left_alone(store: Store) -> None:
    """On PostgreSQL others may be sending at the same time; on SQLite there is nobody else."""
    due(store)
    with store.claim() as mine:
        flights.take_off(mine, "newsletter", {KARI: record()})
        with store.claim() as theirs:
            expected = 0 if store.dialect == "postgresql" else 1
            assert expected == flights.bring_down(theirs, "newsletter")
