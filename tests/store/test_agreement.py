"""What is known by ids, and how far it agrees with a shop, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.model import Deleted, Kind, Product, Version
from connector.store import agreement, errands, facts, holdings
from connector.store.agreement import Agreement, Compared
from connector.store.connect import Store
from connector.store.errands import BACKFILL, BELIEVED, SWEEP
from connector.store.facts import Stated

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def product(number: int, shop: str = "wool") -> Stated:
    return Stated(
        Product(shop=shop, id=str(number), version=Version(NOON), title="Garn", status="publish"),
        1,
    )


def test_ids_in_pages_without_what_is_gone(store: Store) -> None:
    """Each once, in the order of their text, of one shop; the deleted are not held."""
    gone = Deleted(
        shop="wool", kind=Kind.PRODUCT, id="3", version=Version(NOON + timedelta(hours=1))
    )
    with store.write() as conn:
        facts.settle(conn, [*(product(n) for n in range(12)), product(99, "yarn")])
        facts.settle(conn, [Stated(gone, 2)])
    found: list[str] = []
    with store.read() as conn:
        while page := holdings.page(
            conn, "wool", Kind.PRODUCT, after=found[-1] if found else "", limit=5
        ):
            assert len(page) <= 5
            found += page
        assert 11 == holdings.count(conn, "wool", Kind.PRODUCT)
        assert {"1", "11"} == holdings.among(conn, "wool", Kind.PRODUCT, ["1", "3", "11", "99"])
    assert sorted(str(n) for n in range(12) if n != 3) == found


def test_it_is_kept_whole(store: Store) -> None:
    """Written and read it is the same, also where nothing was known before."""
    known = Agreement(
        at=NOON,
        first=NOON,
        began=NOON,
        behind=7.5,
        repaired=9,
        kinds={Kind.ORDER: Compared(compared=10, changed=2, repaired=2)},
    )
    with store.write() as conn:
        assert Agreement() == agreement.read(conn, "wool", locked=True)
        agreement.write(conn, "wool", known, now=NOON)
    with store.read() as conn:
        assert known == agreement.read(conn, "wool")
        assert {"wool": known} == agreement.everything(conn)
        assert Agreement() == agreement.read(conn, "yarn")


@pytest.mark.parametrize(
    ("compared", "ratio", "differed"),
    [
        (Compared(compared=51_203, changed=3, repaired=3), 1 - 3 / 51_203, 3),
        (Compared(compared=9, missing=1, repaired=1), 0.9, 1),
        (Compared(), 1.0, 0),
        (Compared(compared=4, held_back=4), 0.0, 4),
        (Compared(compared=1, changed=5), 0.0, 5),
    ],
)
def test_it_is_a_share_of_what_there_is(compared: Compared, ratio: float, differed: int) -> None:
    """What was missing is counted with the rest, and no share is below nothing."""
    told = agreement.told(Agreement(at=NOON, kinds={Kind.ORDER: compared}))
    assert told is not None
    assert differed == told["differed"]
    assert abs(ratio - told["ratio"]) < 1e-12


def test_before_the_first_pass_there_is_none() -> None:
    """It is not shown as if all agreed."""
    assert agreement.told(Agreement(first=NOON)) is None


def test_what_was_read_whole_once(store: Store) -> None:
    """Finished, and of everything: not what was read since a moment, nor what is under way."""
    with store.write() as conn:
        errands.begin(conn, "wool", BACKFILL, [Kind.ORDER], since=None, now=NOON)
        errands.begin(conn, "yarn", BACKFILL, [Kind.ORDER], since=NOON, now=NOON)
        assert set() == errands.read_whole(conn, "wool")
        for row in errands.unfinished(conn):
            errands.advance(
                conn, row, errands.Counted(), cursor=None, total=0, now=NOON, finished=True
            )
        assert {Kind.ORDER} == errands.read_whole(conn, "wool")
        assert set() == errands.read_whole(conn, "yarn")


def test_only_a_sweep_that_is_under_way_is_believed(store: Store) -> None:
    """The next one has to be believed anew."""
    with store.write() as conn:
        errands.begin(conn, "wool", SWEEP, [Kind.ORDER], since=None, now=NOON)
        errands.begin(conn, "yarn", SWEEP, [Kind.ORDER], since=None, now=NOON)
        errands.believe(conn, "wool", SWEEP)
        told = {row.shop: row.cursor for row in errands.unfinished(conn)}
    assert {"wool": BELIEVED, "yarn": None} == told
