"""A real day in any order, twice over and piecemeal: what is known in the end is the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from benchmarks.end_state import State, differences, end_state
from tests.journeys import recorded
from tests.journeys.premises import Clock, Premises, Tenant
from tests.journeys.recorded import RecordedShop, read_deliveries

pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("pg")]  # what is dear is made once

Day = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def shop(corpus: Path) -> Iterator[RecordedShop]:
    """The shop that answers what was so at the end of its day."""
    with RecordedShop(corpus) as opened:
        yield opened


@pytest.fixture(scope="module")
def day(corpus: Path) -> Day:
    """Topic and body of every delivery of the day, in the order in which they came."""
    return [(told.topic, told.body) for told in read_deliveries(corpus) if not told.is_ping]


@pytest.fixture(scope="module")
def in_order(
    shop: RecordedShop, day: Day, tmp_path_factory: pytest.TempPathFactory
) -> tuple[State, dict[str, Any]]:
    """What is known, and what Mailchimp may mail, when everything came as it did."""
    folder = tmp_path_factory.mktemp("in-order")
    return live(folder, "sqlite:///connector.db", shop, [day], distinct=False)


def live(
    folder: Path, store_url: str, shop: RecordedShop, parts: list[Day], *, distinct: bool
) -> tuple[State, dict[str, Any]]:
    """Tell a new house the parts of a day, let it work after each, and look what it knows."""
    clock = Clock(recorded.FIRST)
    with Audience(clock=clock) as audience:
        premises = Premises(
            folder=folder,
            shops={"wool": Tenant(url=shop.base_url, settings="timezone: Europe/Oslo")},
            audience=audience,
            mapping=recorded.MAPPING,
            store_url=store_url,
            clock=clock,
        )
        try:
            for part in parts:
                premises.arrive(part, distinct=distinct)
                premises.work()
            books = premises.books()
            assert (True, 0, 0) == (
                books["balanced"],
                books["shops"]["wool"]["waiting"],
                books["destinations"]["newsletter"]["due"],
            )
            return end_state(premises.store), premises.mailable()
        finally:
            premises.close()


@pytest.mark.parametrize(
    ("seed", "distinct", "size"),
    [
        pytest.param(1, False, 1000, id="shuffled and doubled"),
        pytest.param(2, True, 1000, id="without de-duplication"),
        pytest.param(3, False, 11, id="a few at a time"),
        pytest.param(4, True, 40, id="a few at a time, without de-duplication"),
    ],
)
def test_the_order_does_not_matter(
    seed: int,
    distinct: bool,  # noqa: FBT001 - pytest hands it over by name
    size: int,
    store_url: str,
    tmp_path: Path,
    shop: RecordedShop,
    day: Day,
    in_order: tuple[State, dict[str, Any]],
) -> None:
    """On both engines, whichever delivery comes first, last, twice, or after all was sent."""
    told = random.Random(seed).sample(day * 2, k=2 * len(day))
    parts = [told[start : start + size] for start in range(0, len(told), size)]
    state, mailable = live(tmp_path, store_url, shop, parts, distinct=distinct)
    assert [] == differences(in_order[0], state)
    assert in_order[1] == mailable


def test_one_at_a_time_is_as_good_as_all_at_once(
    tmp_path: Path, shop: RecordedShop, day: Day, in_order: tuple[State, dict[str, Any]]
) -> None:
    """Every delivery brought to Mailchimp before the next one comes, as on a quiet day."""
    url = f"sqlite:///{tmp_path}/connector.db"
    state, mailable = live(tmp_path, url, shop, [[told] for told in day], distinct=False)
    assert [] == differences(in_order[0], state)
    assert in_order[1] == mailable


def test_the_comparison_sees_a_difference(
    tmp_path: Path, shop: RecordedShop, day: Day, in_order: tuple[State, dict[str, Any]]
) -> None:
    """Without the day's last delivery, a refund, states differ: the yardstick works."""
    url = f"sqlite:///{tmp_path}/connector.db"
    state, mailable = live(tmp_path, url, shop, [day[:-1]], distinct=False)
    assert {"orders", "profiles", "refunds"} == {
        line.split()[1] for line in differences(in_order[0], state)
    }
    assert in_order[1] == mailable  # she withdrew, so nothing of it goes out
