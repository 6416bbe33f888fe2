"""What each destination holds, and where that is not what it should."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from connector.model import Lane, Permission, Record
from connector.store import outbox
from connector.store.connect import Store
from connector.store.outbox import Due, Verdict
from connector.store.schema import records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mark(store: Store, minute: int = 0, **lanes: Lane) -> None:
    with store.write() as conn:
        outbox.mark_due(conn, "newsletter", lanes, now=NOON + timedelta(minutes=minute))


def claim(store: Store, minute: int = 60) -> list[Due]:
    with store.write() as conn:
        return outbox.claim(conn, "newsletter", now=NOON + timedelta(minutes=minute), limit=10)


def settle(store: Store, *verdicts: Verdict) -> None:
    with store.write() as conn:
        outbox.settle(conn, "newsletter", verdicts, now=NOON)


def states(store: Store) -> dict[str, str]:
    with store.read() as conn:
        return {row.key: row.status for row in conn.execute(select(records))}


HELD = Record(
    key="a",
    email="a@x.example",
    permission=Permission.SEND,
    fields={"FNAME": "Åse", "SPENT": 12.5},
    tags=("VIP",),
    tables={"orders": ({"number": "1"},)},
)


def test_withdrawals_go_first_then_those_that_waited_longest(store: Store) -> None:
    """The lane decides, then the time since when a row is due."""
    mark(store, 1, late=Lane.NORMAL)
    mark(store, 0, early=Lane.NORMAL)
    mark(store, 2, gone=Lane.WITHDRAWAL)
    assert [due.key for due in claim(store)] == ["gone", "early", "late"]


def test_marking_again_keeps_the_place_in_the_queue(store: Store) -> None:
    """Ten changes are one row, as old as the first and as urgent as the most urgent."""
    mark(store, 0, a=Lane.WITHDRAWAL)
    mark(store, 5, a=Lane.NORMAL)
    (due,) = claim(store)
    assert (due.due_since, due.lane, due.revision) == (NOON, Lane.WITHDRAWAL, 2)


def test_a_settled_row_is_due_no_more_and_remembers_what_was_taken(store: Store) -> None:
    """What the destination acknowledged comes back as it was."""
    mark(store, a=Lane.NORMAL)
    (due,) = claim(store)
    settle(store, Verdict(due=due, status="settled", acknowledged=HELD, taken=True))
    assert claim(store) == []
    mark(store, a=Lane.NORMAL)
    (again,) = claim(store)
    assert again.acknowledged == HELD


def test_a_person_that_changed_meanwhile_stays_due(store: Store) -> None:
    """A late settle writes what was taken, and leaves the row due for what came since."""
    mark(store, a=Lane.NORMAL)
    (due,) = claim(store)
    mark(store, a=Lane.NORMAL)
    settle(store, Verdict(due=due, status="settled", acknowledged=HELD, taken=True))
    (again,) = claim(store)
    assert (HELD, due.revision + 1) == (again.acknowledged, again.revision)


def test_a_postponed_row_waits_for_its_moment(store: Store) -> None:
    """It is not claimed before, and its attempts are counted."""
    mark(store, a=Lane.NORMAL)
    (due,) = claim(store)
    later = NOON + timedelta(minutes=90)
    settle(store, Verdict(due=due, status="due", acknowledged=None, next_attempt_at=later))
    assert claim(store, 60) == []
    (again,) = claim(store, 91)
    assert (again.attempts, again.due_since) == (1, NOON)


def test_a_parked_row_needs_a_person_until_released_or_changed(store: Store) -> None:
    """It is listed with its reason; a release makes it due, and so does a change of the person."""
    mark(store, a=Lane.NORMAL, b=Lane.NORMAL)
    for due in claim(store):
        settle(
            store,
            Verdict(due=due, status="parked", acknowledged=None, reason="no", mend="Ask Kari"),
        )
    assert states(store) == {"a": "parked", "b": "parked"}
    with store.write() as conn:
        listed = outbox.parked(conn, limit=9)
        assert outbox.release(conn, "newsletter", "a", now=NOON) == 1
        assert outbox.release(conn, "newsletter", "nobody", now=NOON) == 0
    assert [(row["key"], row["reason"], row["mend"]) for row in listed] == [
        ("a", "no", "Ask Kari"),
        ("b", "no", "Ask Kari"),
    ]
    mark(store, b=Lane.NORMAL)
    assert states(store) == {"a": "due", "b": "due"}


def test_only_those_held_are_marked_when_asked_so(store: Store) -> None:
    """A person who leaves a destination's shops matters there only if it holds them."""
    mark(store, a=Lane.NORMAL)
    with store.write() as conn:
        outbox.mark_held_due(conn, "newsletter", ["a", "b"], now=NOON)
    assert states(store) == {"a": "due"}
