"""What stands still until a person acts is an alarm, and ends the status with 1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.flow import alarms, books
from connector.model import Kind, Lane
from connector.ports import OPERATOR, OWNER
from connector.store import errands, lanes, outbox
from connector.store.connect import Store
from connector.store.lanes import LaneState
from connector.store.schema import records

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MEND = "The shop's owner: In Ads Manager delete the whole audience."


def raised(store: Store, *destinations: str, now: datetime = NOW) -> list[alarms.Alarm]:
    with store.read() as conn:
        return alarms.raised(conn, shops=["wool"], destinations=destinations, now=now)


def stop(store: Store, name: str, **more: Any) -> None:
    told = {"failures": 1, "last_problem": "Meta has flagged it", "mend": MEND, **more}
    with store.write() as conn:
        lanes.write(conn, name, LaneState(**told), now=NOW)


def test_a_destination_that_a_person_must_mend(store: Store) -> None:
    """Said with who mends it, of those that are configured; trouble that passes is none."""
    stop(store, "looks")
    stop(store, "former")
    stop(store, "slow", mend=None)
    stop(store, "mended", failures=0)
    (alarm,) = raised(store, "looks", "slow", "mended", "never")
    assert ("destination", "destinations.looks") == (alarm.kind, alarm.where)
    assert (OWNER, "In Ads Manager delete the whole audience.") == (alarm.who, alarm.mend)
    assert "nothing is sent: Meta has flagged it" == alarm.what


def test_a_shop_that_is_not_believed_is_named_once(store: Store) -> None:
    """Its destinations stand still for the same reason."""
    why = {"reason": "another shop answers", "mend": "Whoever runs the connector: put it back."}
    with store.write() as conn:
        kept = {"identity": "x", "currency": "NOK", "url": None, "first_order": None}
        lanes.put(conn, "shop-account:wool", {**kept, "halted": why}, now=NOW)
    stop(store, "newsletter", last_problem="another shop answers", mend=why["mend"])
    (alarm,) = raised(store, "newsletter")
    assert ("shop", "shops.wool", OPERATOR, "put it back.") == (
        alarm.kind,
        alarm.where,
        alarm.who,
        alarm.mend,
    )


def test_a_reading_that_a_person_must_mend(store: Store) -> None:
    """Of several kinds with the same problem one alarm."""
    with store.write() as conn:
        errands.begin(
            conn, "wool", errands.RECONCILE, [Kind.ORDER, Kind.PRODUCT], since=None, now=NOW
        )
        for row in errands.everything(conn):
            errands.note_problem(conn, row, "the key is refused", "Make a new key.")
    (alarm,) = raised(store)
    assert ("reading", "the key is refused") == (alarm.kind, alarm.what)


@pytest.mark.parametrize(("wait", "alarming"), [(14, False), (15, True)])
def test_withdrawals_that_are_not_taken(store: Store, *, wait: int, alarming: bool) -> None:
    """Meta blocks one audience, and everything else goes through: nobody would see it."""
    with store.write() as conn:
        for key, lane in {"a": Lane.WITHDRAWAL, "b": Lane.WITHDRAWAL, "c": Lane.NORMAL}.items():
            outbox.mark_due(conn, "looks", {key: lane}, now=NOW)
        conn.execute(
            records.update().values(
                attempts=1,
                reason="Meta has flagged the audience Worth.",
                next_attempt_at=NOW + timedelta(minutes=wait),
            )
        )
    found = raised(store, "looks")
    assert alarming == bool(found)
    for alarm in found:
        assert ("withdrawal", "destinations.looks") == (alarm.kind, alarm.where)
        assert "since 2026-11-23T10:00:00Z: 2 (Meta has flagged the audience Worth)" in alarm.what
    assert [] == raised(store, "other")


@pytest.mark.parametrize(("minutes", "alarming"), [(59, False), (60, True)])
def test_withdrawals_that_nobody_brings(store: Store, *, minutes: int, alarming: bool) -> None:
    """No worker runs, or the destination is away: after an hour a person hears of it."""
    with store.write() as conn:
        outbox.mark_due(conn, "looks", {"a": Lane.WITHDRAWAL}, now=NOW)
    found = raised(store, "looks", now=NOW + timedelta(minutes=minutes))
    assert alarming == bool(found)
    assert alarming == any("1 (not brought there yet)" in alarm.what for alarm in found)


@pytest.mark.parametrize(("mode", "alarming"), [("live", 1), ("test", 0)])
def test_a_rehearsal_raises_no_alarm_of_what_is_not_to_leave(
    store: Store, mode: str, alarming: int
) -> None:
    """In mode test withdrawals are worked out, and stay due."""
    with store.write() as conn:
        outbox.mark_due(conn, "looks", {"a": Lane.WITHDRAWAL}, now=NOW)
    with store.read() as conn:
        told = books.draw_up(
            conn,
            shops=["wool"],
            destinations=["looks"],
            mode=mode,
            now=NOW + timedelta(hours=2),
        )
    assert alarming == len(told["alarms"])
