"""A shop's past sets off no mail: the destination is told before it comes, and when it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from connector.errors import TryLater
from connector.flow.hush import Hush
from connector.flow.rules import Holds, Target
from connector.model import Change, Kind, Lane, Outcome
from connector.ports import DestinationAdapter, Finding, Shape
from connector.store import errands, outbox
from connector.store.connect import Store
from connector.store.schema import errands as errands_table
from connector.store.schema import records
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
        raise NotImplementedError

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


def tell(hush: Hush, stores: DestinationAdapter) -> None:
    hush.tell(SALES, stores, now=NOW)


def mark(store: Store) -> None:
    with store.write() as conn:
        outbox.mark_due(conn, SALES.name, {"order/wool/1": Lane.NORMAL}, now=NOW)


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
    mark(store)  # an order of today
    tell(hush, stores)
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
