"""A destination that is down for a day, in simulated time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connector.keys import Keyring
from connector.model import Permission
from connector.store import erasure
from connector.store.connect import Store
from connector.store.schema import records
from connector.store.subjects import Named
from tests.faults.house import Audience, Premises, contact, takes_away

_PEOPLE, _NEWCOMERS, _WITHDRAW, _ERASED = 3_000, 300, 300, 30
_CHANGES = 4_500  # orders during the outage


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    """A house that may erase people, on SQLite."""
    keys = Keyring.of(["a-secret-key-for-tests-of-some-length"])
    store = Store.open(f"sqlite:///{tmp_path}/connector.db", keys)
    yield Premises(store)
    store.close()


def test_a_day_of_503_loses_nothing_and_catches_up_withdrawals_first(premises: Premises) -> None:
    """Each contact once, with its latest state; who left goes before anybody is added."""
    chance = random.Random(20261125)
    orders = Counter(dict.fromkeys(range(_PEOPLE), 1))
    for person in range(_PEOPLE):
        premises.arrive(person, order=1, says="grant")
    premises.engine.drain()
    assert _PEOPLE == len(premises.audience.holds)
    audience = premises.audience
    audience.down, audience.calls = True, 0
    audience.diary.clear()
    began = premises.now

    leaving = chance.sample(range(_PEOPLE), _WITHDRAW + _ERASED)
    withdrawn, erased = leaving[:_WITHDRAW], leaving[_WITHDRAW:]
    staying = [person for person in range(_PEOPLE) if person not in set(erased)]
    for hour in range(24):
        for _ in range(_CHANGES // 24):
            person = chance.choice(staying)
            orders[person] += 1
            premises.arrive(person, order=orders[person])
        for person in withdrawn[hour::24]:
            premises.arrive(person, says="withdraw")
        for person in range(_PEOPLE + hour, _PEOPLE + _NEWCOMERS, 24):
            orders[person] = 1
            premises.arrive(person, order=1, says="grant")
        for person in erased[hour::24]:
            _erase(premises, person)
        _an_hour(premises, closely=hour == 12)

    elapsed = (premises.now - began).total_seconds()
    assert timedelta(days=1) == premises.now - began
    assert 1 + 24 * 6 <= audience.calls <= elapsed / 5 + 1
    assert [] == audience.diary
    assert (0, 0) == _attempts_and_parked(premises)

    audience.down, audience.calls = False, 0
    premises.now += timedelta(seconds=5)
    premises.engine.drain()

    sent = Counter(change.key for change in audience.diary)
    assert {1} == set(sent.values())
    concerned = {contact(each) for each in (*withdrawn, *range(_PEOPLE, _PEOPLE + _NEWCOMERS))}
    concerned |= {contact(person) for person in orders if orders[person] > 1}
    assert concerned <= sent.keys()
    assert len(concerned) + _ERASED == len(sent)
    kinds = [takes_away(change) for change in audience.diary]
    assert sorted(kinds, reverse=True) == kinds
    assert _WITHDRAW + _ERASED == sum(kinds)
    assert _expected(orders, withdrawn, erased) == _held(audience)
    assert -(-len(sent) // audience.batch_size) >= audience.calls
    assert ({"applied": premises.arrived}, 0) == (premises.counts(), premises.lane().failures)


def _erase(premises: Premises, person: int) -> None:
    named = Named(emails=frozenset({contact(person)}))
    now = premises.now
    erasure.carry_out(premises.store, named, at=now, reason=erasure.OPERATOR, now=now)


def _an_hour(premises: Premises, *, closely: bool) -> None:
    """The lanes look every ten minutes, or in one of the hours every second for a while."""
    end = premises.now + timedelta(hours=1)
    if closely:
        before = premises.audience.calls
        for _ in range(300):
            premises.now += timedelta(seconds=1)
            premises.engine.drain()
        assert 300 / 5 == premises.audience.calls - before
    while premises.now < end:
        premises.now = min(end, premises.now + timedelta(minutes=10))
        premises.engine.drain()


def _attempts_and_parked(premises: Premises) -> tuple[int, int]:
    with premises.store.read() as conn:
        attempts = conn.scalar(select(func.max(records.c.attempts)))
        parked = select(func.count()).where(records.c.status == "parked")
        return attempts or 0, conn.scalar(parked) or 0


def _expected(
    orders: Counter[int], withdrawn: list[int], erased: list[int]
) -> dict[str, tuple[bool, int]]:
    left, gone = set(withdrawn), set(erased)
    return {
        contact(person): (False, 0) if person in left else (True, number)
        for person, number in orders.items()
        if person not in gone
    }


def _held(audience: Audience) -> dict[str, tuple[bool, int]]:
    return {
        key: (record.permission is Permission.SEND, int(str(record.fields.get("ORDERS", 0))))
        for key, record in audience.holds.items()
    }
