"""A worker that dies at any of the places where it matters: the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from connector.model import Permission
from connector.store import changes, facts, inbox, lanes, outbox
from connector.store.connect import Store
from connector.store.schema import deliveries, orders
from tests.faults.house import Audience, Premises, contact

_PEOPLE = 6


class Killed(BaseException):
    """No part of the program catches it: as good as SIGKILL."""


def _dies_before(real: Callable[..., Any]) -> Callable[..., Any]:
    def stand_in(*_given: Any, **_named: Any) -> Any:
        raise Killed(real.__name__)

    return stand_in


def _dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def stand_in(*given: Any, **named: Any) -> Any:
        real(*given, **named)
        raise Killed(real.__name__)

    return stand_in


PLACES = {
    "before deliveries are claimed": (inbox, "claim", _dies_before),
    "after they are claimed": (inbox, "claim", _dies_after),
    "before their facts are written": (facts, "settle", _dies_before),
    "between facts and verdicts": (inbox, "finish", _dies_before),
    "before the commit of both": (inbox, "finish", _dies_after),
    "before people are evaluated": (changes, "claim_changed", _dies_before),
    "before the commit of their evaluation": (changes, "clear_changed", _dies_after),
    "before records are claimed": (outbox, "claim", _dies_before),
    "after they are claimed, before the call": (outbox, "claim", _dies_after),
    "at the call, before it left": (Audience, "push", _dies_before),
    "after the call, before its answer": (Audience, "push", _dies_after),
    "before the answer is settled": (outbox, "settle", _dies_before),
    "before the commit of the answer": (outbox, "settle", _dies_after),
    "after the answer was settled": (lanes, "succeeded", _dies_before),
}
_PUSHED_TWICE = {
    "after the call, before its answer",
    "before the answer is settled",
    "before the commit of the answer",
}


def _happen(premises: Premises) -> None:
    for person in range(_PEOPLE):
        premises.arrive(person, order=1, says="grant")
    for person in range(3):
        premises.arrive(person, order=2)
    premises.arrive(5, says="withdraw")


@pytest.mark.parametrize("place", PLACES)
def test_work_resumes_where_the_worker_died(
    store: Store, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Nothing is lost; what the destination holds is what it would hold without the death."""
    where, name, death = PLACES[place]
    premises = Premises(store, Audience(batch_size=4))
    _happen(premises)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, death(getattr(where, name)))
        with pytest.raises(Killed):
            premises.engine.drain()
    _done_means_written(premises)
    premises.restart()
    premises.engine.drain()
    assert _PEOPLE + 4 == sum(premises.counts().values())
    assert premises.counts().keys() <= {"applied", "unchanged"}
    held = {key: each.fields.get("ORDERS") for key, each in premises.audience.holds.items()}
    orders_of = {contact(person): 2 if person < 3 else 1 for person in range(5)}
    assert {**orders_of, contact(5): None} == held
    assert Permission.WITHDRAWN is premises.audience.holds[contact(5)].permission
    calls = [change.key for change in premises.audience.diary]
    again = 4 if place in _PUSHED_TWICE else 0
    assert (_PEOPLE + again, set(held)) == (len(calls), set(calls))
    premises.restart()
    premises.engine.drain()
    assert _PEOPLE + again == len(premises.audience.diary)
    _done_means_written(premises)


def _done_means_written(premises: Premises) -> None:
    """A delivery that is done, and what follows from it, are there both or neither."""
    with premises.store.read() as conn:
        done = conn.scalar(select(func.count()).where(deliveries.c.status != "waiting"))
        known = conn.scalar(select(func.count()).select_from(orders))
    withdrawals = 1 if done else 0
    assert done == (known or 0) + withdrawals
