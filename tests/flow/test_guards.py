"""Many at once who lose their tags, or may be mailed all of a sudden, wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.flow import guards
from connector.flow.rules import Holds, Target
from connector.model import Change, Lane, Parked, Permission, Record, Settled
from connector.store import outbox
from connector.store.connect import Store
from connector.store.outbox import Verdict
from mappings.grammar import DestinationMapping

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TARGET = Target(name="newsletter", mapping=DestinationMapping(), shops=frozenset({"wool"}))
SEND, SILENT, GONE = Permission.SEND, Permission.SILENT, Permission.WITHDRAWN


def record(key: str, permission: Permission = SEND, *tags: str) -> Record:
    """What is held about somebody."""
    return Record(key=key, email=key, permission=permission, tags=tags)


def held(store: Store, number: int) -> list[str]:
    """So many people that the destination acknowledged."""
    keys = [f"k{at:04}@x.example" for at in range(number)]
    with store.write() as conn:
        outbox.mark_due(conn, TARGET.name, dict.fromkeys(keys, Lane.NORMAL), now=NOW)
        claimed = outbox.claim(conn, TARGET.name, now=NOW, limit=number)
        verdicts = [
            Verdict(due=due, status="settled", acknowledged=record(due.key, SEND, "A"), taken=True)
            for due in claimed
        ]
        outbox.settle(conn, TARGET.name, verdicts, now=NOW)
    return keys


def losing(key: str) -> Change:
    return Change(key=key, before=record(key, SEND, "A"), after=record(key, SEND))


def raised(key: str) -> Change:
    return Change(key=key, before=record(key, SILENT), after=record(key, SEND))


@pytest.mark.parametrize(
    ("change", "number", "expected"),
    [
        (losing, 150, 0),  # half of 300, and no more
        (losing, 151, 151),
        (raised, 50, 0),
        (raised, 51, 51),
    ],
)
def test_at_below_and_above_the_bound(
    store: Store, change: object, number: int, expected: int
) -> None:
    """More than the share and more than a few: all of the batch wait, each with what to do."""
    keys = held(store, 300)[:number]
    with store.read() as conn:
        asked = [(change(key), False) for key in keys]  # type: ignore[operator]
        found = guards.held_back(conn, TARGET, asked, now=NOW)
    assert expected == len(found)
    assert all("connector parked --release newsletter" in each.mend for each in found.values())
    assert all(isinstance(each, Parked) for each in found.values())


def test_a_day_is_counted_together(store: Store) -> None:
    """What was taken in small batches counts, and a day later it begins anew."""
    keys = held(store, 300)
    first = [(losing(key), False) for key in keys[:100]]
    with store.write() as conn:
        assert {} == guards.held_back(conn, TARGET, first, now=NOW)
        guards.note(conn, TARGET, first, dict.fromkeys(keys[:100], Settled()), now=NOW)
    rest = [(losing(key), False) for key in keys[100:160]]
    with store.read() as conn:
        later = NOW + timedelta(hours=23)
        assert 60 == len(guards.held_back(conn, TARGET, rest, now=later))
        tomorrow = NOW + timedelta(hours=24)
        assert {} == guards.held_back(conn, TARGET, rest, now=tomorrow)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: Change(key=key, before=record(key, SEND, "A"), after=record(key, GONE)),
        lambda key: Change(key=key, before=record(key, SEND, "A"), after=None),
        lambda key: Change(key=key, before=record(key, SEND, "A"), after=None, erased=True),
        lambda key: Change(key=key, before=None, after=record(key, SEND, "A")),
        lambda key: Change(key=key, before=record(key, SEND, "A"), after=record(key, SEND, "B")),
        lambda key: Change(key=key, before=record(key, SEND), after=record(key, SEND, "A")),
    ],
    ids=["withdrawn", "no longer held", "erased", "new", "moved on", "tagged"],
)
def test_what_is_never_held_back(store: Store, change: object) -> None:
    """Withdrawals, erasures, first fills, and moves from one segment to the next."""
    keys = held(store, 300)
    with store.read() as conn:
        asked = [(change(key), False) for key in keys]  # type: ignore[operator]
        assert {} == guards.held_back(conn, TARGET, asked, now=NOW)


def test_what_a_person_confirmed_goes(store: Store) -> None:
    """And counts for nothing; a catalog has a guard of its own."""
    keys = held(store, 300)
    asked = [(losing(key), True) for key in keys]
    items = Target(
        name="catalog", mapping=DestinationMapping(), shops=frozenset(), holds=Holds.ITEMS
    )
    with store.write() as conn:
        assert {} == guards.held_back(conn, TARGET, asked, now=NOW)
        guards.note(conn, TARGET, asked, dict.fromkeys(keys, Settled()), now=NOW)
        few = [(losing(key), False) for key in keys[:150]]
        assert {} == guards.held_back(conn, TARGET, few, now=NOW)
        doubtful = [(losing(key), False) for key in keys]
        assert {} == guards.held_back(conn, items, doubtful, now=NOW)
