"""When a batch is delivered: at once, or a moment later with those who are still evaluated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.flow import deliver, evaluate
from connector.flow.deliver import Wait
from connector.model import Permission
from connector.store import changes
from connector.store.connect import Store

SOON = timedelta(milliseconds=200)
MUCH_LATER = timedelta(seconds=1)


def buys(world: Any, name: str, number: int) -> None:
    email = f"{name}@x.example"
    world.tell(world.order(number, email), world.grant(email))


def wait(world: Any, *, after: timedelta = SOON, full: int = 500) -> Wait:
    return deliver.wait(world.store, world.rules.targets[0], now=world.now + after, full=full)


def test_nothing_is_due(world: Any) -> None:
    """Somebody who is not evaluated yet has nothing due."""
    buys(world, "kari", 1)
    assert Wait.NOTHING_DUE is wait(world)


def test_a_lone_change_goes_at_once(world: Any) -> None:
    """Nobody else is on the way: there is nothing to wait for."""
    buys(world, "kari", 1)
    world.evaluate()
    assert Wait.READY is wait(world, after=timedelta(0))


def test_a_change_waits_for_those_on_the_way(world: Any) -> None:
    """While others are evaluated it waits, and goes as soon as they are."""
    buys(world, "kari", 1)
    world.evaluate()
    buys(world, "ola", 2)
    assert Wait.GATHERING is wait(world)
    world.evaluate()
    assert Wait.READY is wait(world)


def test_nobody_waits_for_long(world: Any) -> None:
    """After a second it goes, whoever else comes; and when the clock was set back as well."""
    buys(world, "kari", 1)
    world.evaluate()
    buys(world, "ola", 2)
    assert Wait.READY is wait(world, after=MUCH_LATER)
    assert Wait.READY is wait(world, after=-SOON)


def test_a_full_batch_goes(world: Any) -> None:
    """What fills a call has nothing to gain by waiting."""
    buys(world, "kari", 1)
    buys(world, "ola", 2)
    world.evaluate()
    buys(world, "siv", 3)
    assert Wait.GATHERING is wait(world, full=3)
    assert Wait.READY is wait(world, full=2)


def test_a_withdrawal_waits_for_nobody(world: Any) -> None:
    """One withdrawal makes the whole batch go now."""
    buys(world, "kari", 1)
    buys(world, "ola", 2)
    world.settle()
    world.tell(world.withdraw("kari@x.example", minutes=5))
    world.evaluate()
    buys(world, "siv", 3)
    assert Wait.READY is wait(world, after=timedelta(0))


def test_who_changes_while_being_evaluated_is_evaluated_again(
    make_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite is not locked while people are worked out: a newer change keeps its mark."""
    world = make_world()
    world.store = Store.open(f"sqlite:///{tmp_path}/open.db")
    buys(world, "kari", 1)
    work_out = evaluate._work_out

    def interrupted(*args: Any) -> Any:
        found = work_out(*args)
        world.tell(world.withdraw("kari@x.example", minutes=5))
        return found

    monkeypatch.setattr(evaluate, "_work_out", interrupted)
    assert 1 == evaluate.drain(world.store, world.rules, now=world.now, limit=50)
    monkeypatch.undo()
    with world.store.read() as conn:
        assert changes.any_changed(conn)
    assert 1 == world.evaluate()
    assert 1 == world.deliver()
    ((told,),) = world.destination.pushed
    assert Permission.WITHDRAWN is told.after.permission
    world.store.close()
