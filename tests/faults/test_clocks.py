"""A clock that jumps or stands still: no storm of calls, no lane stuck, no permission changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connector.engine import Engine
from connector.model import Change, Outcome, Permission, Postponed
from connector.store import inbox
from connector.store.connect import Store
from tests.faults.house import NOON, Audience, Premises, contact

_DAY = timedelta(days=1)


@pytest.fixture
def quiet(tmp_path: Path) -> Store:
    """A second, empty store to compare with."""
    return Store.open(f"sqlite:///{tmp_path}/quiet.db")


def _live(premises: Premises, jump: timedelta) -> None:
    """Two hours of a shop's life by its own clock; ours jumps in the middle."""
    for minute in range(0, 120, 10):
        shops_clock = NOON + timedelta(minutes=minute)
        premises.now = shops_clock + (jump if minute >= 60 else timedelta(0))
        for person in range(10):
            premises.arrive(person, order=minute, says=None, at=shops_clock)
        if minute == 0:
            for person in range(10):
                premises.arrive(person, says="grant", at=NOON - 3 * _DAY)
        if minute == 50:
            premises.arrive(1, says="withdraw", at=shops_clock)
        if minute == 70:
            premises.arrive(2, says="withdraw", at=shops_clock)
            premises.arrive(1, says="grant", at=NOON + timedelta(minutes=20))  # older: stays out
        if minute == 80:
            premises.arrive(1, says="grant", at=shops_clock)
        premises.engine.drain()
    for _ in range(20):
        premises.now += timedelta(seconds=1)
        premises.engine.drain()


def test_a_clock_ahead_changes_nothing(store: Store, quiet: Store) -> None:
    """A day ahead: what is held in the end and the number of calls are as without a jump."""
    straight, jumped = Premises(quiet), Premises(store)
    _live(straight, timedelta(0))
    _live(jumped, _DAY)
    quiet.close()
    assert straight.audience.holds == jumped.audience.holds
    assert Permission.WITHDRAWN is jumped.audience.holds[contact(2)].permission
    assert Permission.SEND is jumped.audience.holds[contact(1)].permission
    assert jumped.audience.calls <= 2 * straight.audience.calls
    assert straight.counts() == jumped.counts()


@pytest.mark.parametrize("jump", [-_DAY, -timedelta(hours=1)], ids=["a day", "an hour"])
def test_a_clock_set_back_only_ever_works_against_sending(
    store: Store, quiet: Store, jump: timedelta
) -> None:
    """No storm, and who withdrew stays out; a fresh yes, dated in its future, is not believed."""
    straight, jumped = Premises(quiet), Premises(store)
    _live(straight, timedelta(0))
    _live(jumped, jump)
    quiet.close()
    differs = {
        key
        for key, held in straight.audience.holds.items()
        if held != jumped.audience.holds.get(key)
    }
    assert {contact(1)} == differs
    assert Permission.SEND is straight.audience.holds[contact(1)].permission
    assert Permission.WITHDRAWN is jumped.audience.holds[contact(1)].permission
    assert Permission.WITHDRAWN is jumped.audience.holds[contact(2)].permission
    assert jumped.audience.calls <= 2 * straight.audience.calls
    assert straight.counts().keys() == jumped.counts().keys()


@pytest.mark.parametrize("jump", [-_DAY, -400 * _DAY], ids=["a day", "a year"])
def test_a_paused_lane_is_not_stuck_when_the_clock_is_set_back(
    store: Store, jump: timedelta
) -> None:
    """Paused for five seconds by a clock that was ahead: it goes on by the right one at once."""
    premises = Premises(store, Audience(down=True))
    premises.arrive(1, order=1, says="grant", at=NOON + jump)
    premises.engine.drain()
    assert 1 == premises.lane().failures
    premises.audience.down = False
    premises.now += jump
    premises.engine.drain()
    assert {contact(1)} == premises.audience.holds.keys()


class Hesitant(Audience):
    """A destination that wants to be asked again about everybody, once."""

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        if not self.calls:
            self.calls += 1
            return {change.key: Postponed(reason="busy", sent=False) for change in changes}
        return super().push(changes, now=now)


def test_a_postponed_record_is_not_stuck_when_the_clock_is_set_back(store: Store) -> None:
    """To be tried again in five seconds by a clock that was ahead: tried by the right one."""
    premises = Premises(store, Hesitant())
    premises.arrive(1, order=1, says="grant", at=NOON - _DAY)
    premises.engine.drain()
    premises.engine.drain()
    assert (1, {}) == (premises.audience.calls, premises.audience.holds)
    premises.now -= _DAY
    premises.engine.drain()
    assert (2, {contact(1)}) == (premises.audience.calls, set(premises.audience.holds))


def test_a_delivery_put_back_is_not_stuck_when_the_clock_is_set_back(store: Store) -> None:
    """The shop is asked at its time, not before, and at once if that lies beyond every wait."""
    premises = Premises(store)
    premises.arrive(1, order=1)
    again = NOON + timedelta(minutes=5)
    with store.write() as conn:
        [delivery] = inbox.claim(conn, now=NOON, limit=1)
        verdict = inbox.Verdict(id=delivery.id, status="waiting", next_attempt_at=again)
        inbox.finish(conn, [verdict], now=NOON)
    with store.read() as conn:
        asked = [
            len(inbox.claim(conn, now=now, limit=1, asking=True))
            for now in (NOON, again, NOON - timedelta(hours=3), NOON - _DAY)
        ]
    assert [0, 1, 0, 1] == asked


def test_a_clock_that_stands_still_holds_nothing_up(store: Store) -> None:
    """The lanes run on a frozen clock: a delivery arrives, a change after it too."""
    premises = Premises(store)
    stop = threading.Event()
    runner = threading.Thread(target=Engine(premises.house).run, args=(stop,))
    runner.start()
    for order in (1, 2):
        premises.arrive(1, order=order, says="grant")
        deadline = time.monotonic() + 20
        while _orders(premises.audience) != order and time.monotonic() < deadline:
            time.sleep(0.02)
    stop.set()
    runner.join(20)
    assert (2, 2) == (_orders(premises.audience), premises.audience.calls)


def _orders(audience: Audience) -> object:
    held = audience.holds.get(contact(1))
    return held.fields["ORDERS"] if held else None
