"""A destination that joins later holds everything that was there before it, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from connector.engine import Engine
from connector.flow import newcomers
from connector.flow.rules import Holds, Target
from connector.house import House
from connector.model import Product, Variant, Version
from connector.store import lanes, schema
from tests.flow.conftest import NOON, Memory, World


@pytest.fixture
def settled(world: World) -> World:
    """Five people, one of whom said no, and three items, all known to the newsletter."""
    for number in range(5):
        email = f"k{number}@example.no"
        world.tell(world.order(number, email), world.grant(email))
    world.tell(world.withdraw("k4@example.no", minutes=60))
    for number in range(3):
        version = Version(NOON, number)
        variant = Variant(shop="wool", id=str(number), product_id=str(number), version=version)
        world.tell(
            Product(
                shop="wool", id=str(number), version=version, title="Garn", status="publish",
                variants=(variant,), all_variants=True,
            )
        )  # fmt: skip
    assert 1 == welcome(world)
    world.settle()
    return world


def join(world: World, *, holds: Holds, shops: frozenset[str] = frozenset({"wool"})) -> None:
    mapping = world.rules.targets[0].mapping
    joined = Target(name="new", mapping=mapping, shops=shops, holds=holds)
    world.rules = replace(world.rules, targets=(*world.rules.targets, joined))


def welcome(world: World) -> int:
    newcomers.meet(world.store, world.rules, now=NOON)
    return sum(iter(lambda: newcomers.drain(world.store, world.rules, now=NOON), 0))


def due(world: World, name: str = "new") -> dict[str, int]:
    with world.store.read() as conn:
        rows = conn.execute(
            select(schema.records.c.key, schema.records.c.lane).where(
                schema.records.c.destination == name, schema.records.c.status == "due"
            )
        )
        return {key: lane for key, lane in rows}  # noqa: C416 - rows are no plain tuples


def test_all_people_are_due_for_an_audience_that_is_new(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, those who withdrew first; nothing is due anywhere else, and never again."""
    monkeypatch.setattr(newcomers, "_BATCH", 2)
    join(settled, holds=Holds.PEOPLE)
    assert 3 == welcome(settled)
    assert {**{f"k{n}@example.no": 1 for n in range(4)}, "k4@example.no": 0} == due(settled)
    assert {} == due(settled, "newsletter")
    with settled.store.write() as conn:
        conn.execute(schema.records.update().values(status="settled"))
    assert 0 == welcome(settled)
    assert {} == due(settled)


def test_all_items_are_due_in_a_catalog_that_is_new(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its shops."""
    monkeypatch.setattr(newcomers, "_BATCH", 2)
    join(settled, holds=Holds.ITEMS)
    assert 2 == welcome(settled)
    assert {"wool/0", "wool/1", "wool/2"} == due(settled).keys()


@pytest.mark.parametrize("holds", [Holds.PEOPLE, Holds.ITEMS])
def test_what_is_of_other_shops_is_not(settled: World, holds: Holds) -> None:
    """A destination for another shop alone stays as empty as that shop is."""
    join(settled, holds=holds, shops=frozenset({"linen"}))
    welcome(settled)
    assert {} == due(settled)


def test_an_interrupted_welcome_goes_on(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where it was, although there are records by then."""
    monkeypatch.setattr(newcomers, "_BATCH", 2)
    join(settled, holds=Holds.PEOPLE)
    newcomers.meet(settled.store, settled.rules, now=NOON)
    assert 1 == newcomers.drain(settled.store, settled.rules, now=NOON)
    assert 2 == len(due(settled))
    assert 2 == welcome(settled)
    assert 5 == len(due(settled))


def test_who_was_here_before_anybody_noted_it_is_no_newcomer(settled: World) -> None:
    """Records without a note: an older version had them delivered already."""
    with settled.store.write() as conn:
        conn.execute(schema.cursors.delete())
    assert 0 == welcome(settled)
    assert {} == due(settled, "newsletter")
    with settled.store.read() as conn:
        assert {"after": None} == lanes.get(conn, "target:newsletter")


def test_a_worker_welcomes_when_it_starts(settled: World, make_world: Callable[..., World]) -> None:
    """The whole way: what the new destination may hold is delivered to it."""
    join(settled, holds=Holds.PEOPLE)
    joined = Memory(name="new")
    house = House(
        store=settled.store,
        shops={},
        destinations={"newsletter": settled.destination, "new": joined},
        rules=settled.rules,
        now=lambda: NOON,
    )
    Engine(house).drain()
    assert {f"k{n}@example.no" for n in range(4)} <= joined.held.keys()
    assert settled.destination.held.keys() == joined.held.keys()
