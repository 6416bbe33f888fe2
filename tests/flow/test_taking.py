"""A changed mapping: taken at the next start, or held when it would turn a segment over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.engine import Engine
from connector.flow import alarms, plan, taking, weighing
from connector.flow.rules import Rules
from connector.house import House
from connector.model import Claim, Lane
from connector.store import changes, lanes
from connector.store.connect import Store
from connector.store.schema import dirty, memberships, moves, profiles
from mappings.digest import digest_of
from mappings.load import load_mapping
from tests.erasure.place import Place, order, said
from tests.one_destination import rules_of

MAPPING = """
version: 1
orders: {counting: {woocommerce: [processing, completed]}}
segments:
  regulars: {when: "number_of_orders >= 1", tag: Regular}
  many: {when: "number_of_orders >= 2", tag: Many}
  both: {when: "in_segment('many') AND amount_spent > 100", tag: Both}
destinations:
  newsletter:
    fields: {ORDERS: number_of_orders}
"""
TENTH = MAPPING.replace(
    'many: {when: "number_of_orders >= 2"', 'many: {when: "number_of_orders >= 9"'
)


@dataclass
class World(Place):
    """A house whose worker begins with whatever the mapping is then."""

    mapping: str = MAPPING
    running: Engine | None = field(default=None, repr=False)

    def rules(self) -> Rules:
        """What the mapping says now."""
        return rules_of(self.mapping, self.shops)

    def start(self, mapping: str | None = None) -> None:
        """Another worker begins."""
        self.mapping = mapping or self.mapping
        self.running = Engine(
            House(
                store=self.store,
                shops=self.shops,
                destinations={"newsletter": self.newsletter},
                rules=self.rules(),
                now=lambda: self.now,
            )
        )

    @property
    def engine(self) -> Engine:
        if self.running is None:
            self.start()
        assert self.running is not None
        return self.running

    def members(self, segment: str) -> set[str]:
        with self.store.read() as conn:
            return set(
                conn.scalars(select(memberships.c.person).where(memberships.c.segment == segment))
            )

    def tags(self, number: int) -> tuple[str, ...]:
        return self.newsletter.held[person(number)].tags

    def alarms(self) -> list[str]:
        with self.store.read() as conn:
            return [alarm.what for alarm in alarms.raised(conn)]

    def problem(self) -> str | None:
        with self.store.read() as conn:
            return lanes.read(conn, "newsletter").last_problem

    def later(self) -> None:
        """Time passes in which a paused lane comes back."""
        self.now += timedelta(minutes=10)
        self.work()


def person(number: int) -> str:
    return f"p{number:03d}@x.example"


@pytest.fixture
def open_world(store: Store, tmp_path: Path) -> Callable[..., World]:
    """A house in which so many people have ordered, each of them once or twice."""

    def open_with(people: int, twice: int) -> World:
        world = World(store, tmp_path)
        for number in range(people):
            world.deliver(order(number + 1, person(number)))
            world.deliver(said(Claim.GRANT, person(number)))
            if number < twice:
                world.deliver(order(1000 + number, person(number)))
        world.work()
        assert people == len(world.newsletter.held)
        assert twice == len(world.members("many"))
        return world

    return open_with


def test_row_86_a_segment_that_would_hold_everybody(open_world: Callable[..., World]) -> None:
    """Row 86: it is held: nobody is moved, only withdrawals are sent, and status tells of it."""
    world = open_world(60, 20)
    pushed = len(world.newsletter.pushed)
    world.start(MAPPING.replace("number_of_orders >= 2", "number_of_orders >= 0"))
    world.work()
    (what,) = world.alarms()
    assert "segment many would hold everybody (60)" in what
    assert "by more than half: of 20" not in what  # below 50 members that alone holds nothing
    assert {person(number) for number in range(20)} == world.members("many")
    assert pushed == len(world.newsletter.pushed)

    world.tell(order(2000, person(40)), minutes=1)  # facts go on being settled
    with world.store.read() as conn:
        assert 2 == conn.scalar(
            select(profiles.c.number_of_orders).where(profiles.c.person == person(40))
        )
    assert person(40) not in world.members("many")
    assert pushed == len(world.newsletter.pushed)
    assert "the changed mapping is not taken" in (world.problem() or "")

    world.now += timedelta(minutes=10)
    world.tell(said(Claim.WITHDRAW, person(41), minutes=11), minutes=0)
    assert [person(41)] == [change.key for change in world.newsletter.pushed[pushed:]]


def test_row_86_more_than_half_of_a_segment(open_world: Callable[..., World]) -> None:
    """Row 86: of fifty members or more, half may leave and not one more."""
    world = open_world(70, 60)
    for number in range(30):
        world.deliver(order(3000 + number, person(number)))
    world.work()
    world.start(MAPPING.replace("number_of_orders >= 2", "number_of_orders >= 3"))
    world.later()
    assert [] == world.alarms()
    assert 30 == len(world.members("many"))  # just half of the 60 left
    world.start(MAPPING)
    world.later()
    assert 60 == len(world.members("many"))
    world.tell(order(4000, person(69)))
    world.start(MAPPING.replace("number_of_orders >= 2", "number_of_orders >= 3"))
    world.later()
    (what,) = world.alarms()
    assert "segment many would change by more than half: of 61 members 31 leave and 0 come" in what
    assert 61 == len(world.members("many"))


def test_it_is_taken_once_confirmed(open_world: Callable[..., World]) -> None:
    """While the worker runs: everybody is evaluated anew, what waited is sent, the alarm is off."""
    world = open_world(60, 60)
    world.start(TENTH)
    world.work()
    assert 2 == len(world.alarms()[0].split("; segment"))  # many, and with it both
    told = plan.draw_up(world.store, world.rules(), now=world.now)
    assert 2 == len(told["confirm"])
    plan.confirm(world.store, told, now=world.now)
    world.later()
    assert [] == world.alarms()
    assert set() == world.members("many") == world.members("both")
    assert {("Regular",)} == {world.tags(number) for number in range(60)}
    assert world.problem() is None
    with world.store.read() as conn:
        left = conn.scalars(select(moves.c.person).where(~moves.c.entered)).all()
        assert 120 == len(left)
        assert not changes.any_changed(conn)


def test_the_former_file_put_back(open_world: Callable[..., World]) -> None:
    """What came meanwhile is made up for, and nothing of the held mapping was ever done."""
    world = open_world(60, 60)
    world.start(TENTH)
    world.work()
    world.tell(order(2000, "new@x.example"), order(2001, "new@x.example"))
    assert "new@x.example" not in world.members("many")
    world.start(MAPPING)
    world.later()
    assert [] == world.alarms()
    assert "new@x.example" in world.members("many")
    assert 61 == len(world.members("many"))


def test_a_small_change_is_taken_at_the_next_start(open_world: Callable[..., World]) -> None:
    """Everybody gets the new tag, also those about whom nothing came since."""
    world = open_world(60, 20)
    world.start(MAPPING.replace("tag: Many", "tag: Plenty").replace("ORDERS:", "BOUGHT:"))
    world.work()
    assert [] == world.alarms()
    assert ("Both", "Plenty", "Regular") == tuple(sorted(world.tags(0)))
    assert {"BOUGHT"} == {name for held in world.newsletter.held.values() for name in held.fields}


def test_a_segment_that_is_gone(open_world: Callable[..., World]) -> None:
    """Nobody is in it any more and its tag is taken off; of fifty members a person confirms it."""
    world = open_world(60, 20)
    without = MAPPING.replace(
        "  both: {when: \"in_segment('many') AND amount_spent > 100\", tag: Both}\n", ""
    )
    world.start(without)
    world.work()
    assert set() == world.members("both")
    assert ("Many", "Regular") == tuple(sorted(world.tags(0)))


def test_what_counts_as_bought_is_weighed_too(open_world: Callable[..., World]) -> None:
    """Profiles that would change are worked out anew before the segments are."""
    world = open_world(60, 20)
    world.start(MAPPING.replace("[processing, completed]", "[completed]"))
    world.work()
    (what,) = world.alarms()
    assert "segment regulars would change by more than half: of 60 members 60 leave" in what
    assert 60 == len(world.members("regulars"))
    with world.store.read() as conn:  # nothing of it is kept
        assert {1, 2} == set(conn.scalars(select(profiles.c.number_of_orders)))


def test_fewer_than_fifty_people_hold_nothing(open_world: Callable[..., World]) -> None:
    """In a small shop each order is a large change."""
    world = open_world(49, 20)
    world.start(MAPPING.replace("number_of_orders >= 2", "number_of_orders >= 0"))
    world.work()
    assert [] == world.alarms()
    assert 49 == len(world.members("many"))


def test_a_first_start_holds_nothing(open_world: Callable[..., World]) -> None:
    """A store of before mappings were noted takes its mapping, and evaluates everybody once."""
    world = open_world(60, 20)
    with world.store.write() as conn:
        lanes.put(conn, taking.TAKEN, None, now=world.now)
    world.start(TENTH)
    world.later()
    assert [] == world.alarms()
    assert set() == world.members("many")


def test_everybody_is_marked_some_at_a_time(
    open_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that whoever orders now never waits behind all the others."""
    world = open_world(7, 0)
    monkeypatch.setattr(taking, "_AT_ONCE", 3)
    with world.store.write() as conn:
        lanes.put(conn, "mapping:marking", {"after": ""}, now=world.now)
    seen = []
    for _ in range(5):
        number = taking.mark_some(world.store, now=world.now)
        with world.store.read() as conn:
            seen.append((number, len(conn.execute(select(dirty.c.person)).all())))
        assert 0 == taking.mark_some(world.store, now=world.now) or not number
        world.engine.evaluate()
    assert [(3, 3), (3, 3), (1, 1), (0, 0), (0, 0)] == seen


def test_weighing_leaves_no_trace(open_world: Callable[..., World]) -> None:
    """The tables that stood in are gone, and no row has changed."""
    world = open_world(10, 5)
    before = world.rows()
    world.mapping = MAPPING.replace("[processing, completed]", "[completed]")
    for profiles_too in (True, False):
        with weighing.as_if_taken(
            world.store, world.rules(), now=world.now, profiles_too=profiles_too
        ) as (conn, weighed):
            assert 10 == weighed.people
            inside = len(conn.execute(select(memberships.c.person)).all())
            assert (0 if profiles_too else 20) == inside
    assert before == world.rows()
    world.work()
    assert before == world.rows()


def test_a_withdrawal_is_the_only_lane(open_world: Callable[..., World]) -> None:
    """While a mapping is weighed nothing is paused, but nothing else is sent either."""
    world = open_world(60, 60)
    world.deliver(order(5000, person(3)))
    world.work()
    world.start(TENTH)
    world.deliver(order(5001, person(3)))
    engine, (target,) = world.engine, world.rules().targets
    pushed = len(world.newsletter.pushed)
    assert 0 == engine.deliver(target)
    assert world.problem() is None
    assert pushed == len(world.newsletter.pushed)
    assert Lane.WITHDRAWAL < Lane.NORMAL


def test_the_digest_is_of_the_meaning() -> None:
    """Comments and order of tables change nothing; one letter of a query does."""

    def digest(text: str) -> str:
        return digest_of(
            load_mapping(
                text, shops={"wool": "woocommerce"}, destinations={"newsletter": "mailchimp"}
            )
        )

    first = digest(MAPPING)
    assert first == digest(MAPPING.replace("[processing, completed]", "[completed, processing]"))
    assert first == digest("# a word\n" + MAPPING)
    for old, new in (
        ("number_of_orders >= 2", "number_of_orders > 2"),
        ("tag: Many", "tag: Much"),
        ("ORDERS:", "ORDER:"),
        ("[processing, completed]", "[processing]"),
        ("AND amount", "OR amount"),
    ):
        assert first != digest(MAPPING.replace(old, new)), new
