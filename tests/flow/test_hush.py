"""A shop's past sets off no mail: the destination is told before it comes, and when it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.errors import TryLater
from connector.flow.hush import Hush, left_silent
from connector.flow.rules import Holds, Target
from connector.flow.sales_due import WAITS
from connector.model import Change, Kind, Lane, Outcome
from connector.ports import DestinationAdapter, Finding, Shape
from connector.store import errands, outbox
from connector.store.connect import Store
from connector.store.schema import errands as errands_table
from connector.store.schema import orders, records
from mappings.grammar import DestinationMapping

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SALES = Target(
    name="newsletter/sales",
    mapping=DestinationMapping(),
    shops=frozenset({"wool"}),
    holds=Holds.SALES,
)


class Stores:
    """A destination that writes down what it was told."""

    name = "newsletter/sales"
    batch_size = 10

    def __init__(self) -> None:
        self.told: list[str] = []
        self.busy = False

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Nothing to do."""
        del shape
        return ()

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Never asked here."""
        raise AssertionError("nothing is sent in these tests")

    def flush(self) -> None:
        """Nothing to do."""

    def begin_sync(self) -> None:
        """Be silent."""
        self.told.append("begin")

    def end_sync(self) -> None:
        """Be loud, unless something is still under way."""
        if self.busy:
            raise TryLater("batches are open")
        self.told.append("end")


def tell(hush: Hush, stores: DestinationAdapter, at: datetime = NOW) -> None:
    hush.tell(SALES, stores, now=at)


def mark(store: Store, at: datetime = NOW) -> None:
    with store.write() as conn:
        outbox.mark_due(conn, SALES.name, {"order/wool/1": Lane.NORMAL}, now=at)


def place(store: Store, at: datetime, *, number: str = "9", **more: Any) -> None:
    """An order that is due there, and was placed at that moment."""
    key = f"order/wool/{number}"
    with store.write() as conn:
        conn.execute(
            orders.insert().values(
                shop="wool",
                order_id=number,
                version_at=at,
                version_tie=0,
                deleted=False,
                person="kari@x.example",
                placed_at=at,
            )
        )
        outbox.mark_due(conn, SALES.name, {key: Lane.NORMAL}, now=NOW)
        if more:
            conn.execute(records.update().where(records.c.key == key).values(**more))


def settle(store: Store) -> None:
    with store.write() as conn:
        conn.execute(records.update().values(status="settled"))


def test_the_first_fill_is_silent(store: Store) -> None:
    """What is sent first, ever, is the past; once it is there, orders are loud."""
    hush, stores = Hush(store), Stores()
    mark(store)
    tell(hush, stores)
    tell(hush, stores)
    assert ["begin"] == stores.told
    settle(store)
    tell(hush, stores)
    assert ["begin", "end"] == stores.told
    later = NOW + timedelta(minutes=1)
    mark(store, later)  # an order of today
    tell(hush, stores, later)
    assert ["begin", "end"] == stores.told


def test_a_backfill_is_silent(store: Store) -> None:
    """From its begin to the last record, also in a process that starts in the middle of it."""
    hush, stores = Hush(store), Stores()
    tell(hush, stores)
    assert [] == stores.told
    with store.write() as conn:
        errands.begin(conn, "wool", errands.BACKFILL, [Kind.ORDER], since=None, now=NOW)
    mark(store)
    tell(hush, stores)
    assert ["begin"] == stores.told
    hush, stores = Hush(store), Stores()
    tell(hush, stores)
    assert ["begin"] == stores.told
    with store.write() as conn:
        conn.execute(errands_table.update().values(finished_at=NOW))
    tell(hush, stores)
    assert ["begin"] == stores.told  # the last records are still on their way
    settle(store)
    tell(hush, stores)
    assert ["begin", "end"] == stores.told


def test_it_is_over_only_when_it_is_over(store: Store) -> None:
    """A destination that is not done yet is asked again, also by the next process."""
    hush, stores = Hush(store), Stores()
    mark(store)
    tell(hush, stores)
    settle(store)
    stores.busy = True
    for _ in range(2):
        try:
            tell(hush, stores)
        except TryLater:
            continue
        raise AssertionError("it was believed to be over")
    hush, stores = Hush(store), Stores()
    tell(hush, stores)
    assert ["end"] == stores.told


def test_a_shop_that_is_never_without_an_order_wakes(store: Store) -> None:
    """What comes in while the past is sent is no part of it: it keeps nobody silent."""
    hush, stores = Hush(store), Stores()
    mark(store)
    tell(hush, stores)
    settle(store)
    later = NOW + timedelta(minutes=1)
    with store.write() as conn:
        outbox.mark_due(conn, SALES.name, {"order/wool/2": Lane.NORMAL}, now=later)
    tell(hush, stores, later)
    assert ["begin", "end"] == stores.told


def test_a_past_read_without_a_worker_is_silent(store: Store) -> None:
    """A destination that is loud for long, and a past that was read whole before it was told."""
    hush, stores = Hush(store), Stores()
    tell(hush, stores)
    assert [] == stores.told
    later = NOW + timedelta(days=7)
    with store.write() as conn:
        errands.begin(conn, "wool", errands.BACKFILL, [Kind.ORDER], since=None, now=later)
        outbox.mark_due(conn, SALES.name, {"order/wool/2": Lane.NORMAL}, now=later)
        conn.execute(errands_table.update().values(finished_at=later + timedelta(minutes=1)))
    hush, stores = Hush(store), Stores()
    tell(hush, stores, later + timedelta(minutes=2))
    assert ["begin"] == stores.told
    settle(store)
    tell(hush, stores, later + timedelta(minutes=3))
    assert ["begin", "end"] == stores.told


def test_one_order_that_is_not_taken_keeps_nobody_silent_for_days(store: Store) -> None:
    """Between two attempts automations fire, and they are silent again while it is tried."""
    hush, stores = Hush(store), Stores()
    mark(store)
    tell(hush, stores)
    with store.write() as conn:
        conn.execute(records.update().values(next_attempt_at=NOW + timedelta(hours=4)))
    tell(hush, stores, NOW + timedelta(hours=1))
    assert ["begin", "end"] == stores.told
    tell(hush, stores, NOW + timedelta(hours=4))
    assert ["begin", "end", "begin"] == stores.told


def test_an_order_that_waits_for_its_buyer_does_so_for_a_day(store: Store) -> None:
    """It is looked at every minute, perhaps for a week."""
    hush, stores = Hush(store), Stores()
    mark(store)
    with store.write() as conn:
        conn.execute(records.update().values(reason=WAITS))
    tell(hush, stores)
    tell(hush, stores, NOW + timedelta(hours=23))
    assert ["begin"] == stores.told
    tell(hush, stores, NOW + timedelta(hours=25))
    assert ["begin", "end"] == stores.told


def test_an_old_order_that_comes_late_is_silent(store: Store) -> None:
    """Its buyer allowed it only now: nobody is thanked for an order of four days ago."""
    hush, stores = Hush(store), Stores()
    tell(hush, stores, NOW - timedelta(days=30))
    place(store, NOW - timedelta(days=2))
    tell(hush, stores)
    assert [] == stores.told
    place(store, NOW - timedelta(days=4), number="10")
    tell(hush, stores)
    assert ["begin"] == stores.told
    settle(store)
    tell(hush, stores)
    assert ["begin", "end"] == stores.told


def test_what_changed_of_an_old_order_that_is_there_is_loud(store: Store) -> None:
    """Money given back is news; only if nobody knows whether the order is there is it the past."""
    hush, stores = Hush(store), Stores()
    tell(hush, stores, NOW - timedelta(days=30))
    there = {"email": "k@x.example", "permission": "send", "fields": {}, "tags": [], "tables": {}}
    place(store, NOW - timedelta(days=4), acknowledged=there)
    tell(hush, stores)
    assert [] == stores.told
    place(store, NOW - timedelta(days=4), number="10", acknowledged=there, unsure=True)
    tell(hush, stores)
    assert ["begin"] == stores.told


def test_who_was_left_silent_is_known(store: Store) -> None:
    """One taken out of the mapping meanwhile has its automations off, and nobody looks."""
    hush, stores = Hush(store), Stores()
    mark(store)
    tell(hush, stores)
    with store.read() as conn:
        assert ["newsletter/sales"] == left_silent(conn, {"newsletter"})
        assert [] == left_silent(conn, {"newsletter", "newsletter/sales"})
    settle(store)
    tell(hush, stores)
    with store.read() as conn:
        assert [] == left_silent(conn, ())
