"""People to evaluate, none forgotten between two workers."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.store import changes
from connector.store.changes import Changed
from connector.store.connect import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_change_during_the_evaluation_is_not_swept_away(store: Store) -> None:
    """Clearing forgets only the mark that was seen."""
    with store.write() as conn:
        changes.mark_dirty(conn, {"a": 1, "b": 2}, now=NOON)
        seen = changes.claim_changed(conn, now=NOON, limit=9)
    with store.write() as conn:
        changes.mark_dirty(conn, {"a": 3}, now=NOON)
        changes.clear_changed(conn, seen)
        left = changes.claim_changed(conn, now=NOON, limit=9)
    assert {Changed("a", 1, 1), Changed("b", 1, 2)} == set(seen)
    assert [Changed("a", 2, 3)] == left
