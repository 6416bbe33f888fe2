"""Several workers on one PostgreSQL settle the same people at the same time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from connector.errors import StoreUnavailable
from connector.model import Customer, Order, Version
from connector.store import changes, facts, outbox
from connector.store.connect import Store
from connector.store.facts import Stated
from connector.store.schema import contact_points, customers, orders

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = (customers, orders, contact_points)


def story(chance: random.Random) -> list[Stated]:
    emails = [f"{letter}@x.example" for letter in "abcde"]
    told: list[Stated] = []
    for minute in range(120):
        version = Version(NOON + timedelta(minutes=minute))
        if chance.random() < 0.4:
            fact: Customer | Order = Customer(
                shop="wool",
                id=str(chance.randrange(4)),
                version=version,
                email=chance.choice(emails),
            )
        else:
            fact = Order(
                shop="wool",
                id=str(chance.randrange(40)),
                version=version,
                number="1",
                status="processing",
                currency="NOK",
                total=100,
                placed_at=NOON,
                customer_id=chance.choice([None, "0", "1", "2", "3"]),
                email=chance.choice(emails),
            )
        told.append(Stated(fact, minute))
    return told


def settle(store: Store, told: Sequence[Stated]) -> None:
    while True:
        try:
            with store.write() as conn:
                settled = facts.settle(conn, told)
                changes.mark_dirty(conn, settled.dirty, now=NOON)
                return
        except StoreUnavailable:  # a deadlock was broken: the deliveries would still wait
            continue


def rows(store: Store) -> list[list[tuple[str, ...]]]:
    with store.read() as conn:
        return [
            sorted(tuple(map(repr, row)) for row in conn.execute(select(table))) for table in TABLES
        ]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_workers_end_where_one_would(
    store_url: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same statements, cut up and settled at once by four, leave the rows of one alone."""
    chance = random.Random(seed)
    told = story(chance)
    alone = Store.open(f"sqlite:///{tmp_path_factory.mktemp('alone')}/c.db")
    settle(alone, told)
    expected = rows(alone)
    alone.close()
    chance.shuffle(told)
    store = Store.open(store_url)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda start: settle(store, told[start : start + 6]), range(0, 120, 6)))
    assert expected == rows(store)
    store.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_claimed_record_is_passed_over_until_its_worker_is_done(store_url: str) -> None:
    """Two workers never hold the same row; a dead one's row is free again at once."""
    from connector.model import Lane

    store = Store.open(store_url)
    with store.write() as conn:
        outbox.mark_due(conn, "m", {"a": Lane.NORMAL, "b": Lane.NORMAL}, now=NOON)
    with store.claim() as first, first.read() as conn:
        mine = outbox.claim(conn, "m", now=NOON, limit=1)
        with store.claim() as second, second.read() as other:
            theirs = outbox.claim(other, "m", now=NOON, limit=5)
        assert (1, 1) == (len(mine), len(theirs))
        assert {"a", "b"} == {mine[0].key, theirs[0].key}
    with store.claim() as third, third.read() as conn:
        assert 2 == len(outbox.claim(conn, "m", now=NOON, limit=5))
    store.close()
