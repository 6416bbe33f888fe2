"""Nothing goes to another account than the first, and nobody is added by a wrong clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.errors import LaneDown, TryLater
from connector.flow import accounts
from connector.model import Lane
from connector.ports import Introduction
from connector.store.connect import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Platform:
    """A destination that introduces itself."""

    account: str = "first"
    at: datetime | None = NOW
    name: str = "newsletter"
    batch_size: int = 2
    trouble: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def introduce(self) -> Introduction:
        self.asked.append(self.account)
        if self.trouble:
            raise self.trouble
        return Introduction(account=self.account, at=self.at)

    def prepare(self, shape: Any) -> Sequence[Any]:
        return ()

    def push(self, changes: Any, *, now: datetime) -> Mapping[str, Any]:
        raise AssertionError("nothing is to be sent")

    def flush(self) -> None:
        raise AssertionError("nothing is to be written")


class Silent(Platform):
    """A destination that has no account."""

    introduce = None  # type: ignore[assignment]


def meet(store: Store, platform: Platform, *, wall: datetime | None = NOW) -> Lane | None:
    return accounts.meet(store, "newsletter", platform, now=NOW, wall=wall)


def test_o5_the_first_account_is_kept(store: Store) -> None:
    """It is pinned at the first meeting and recognised at the next."""
    assert accounts.pinned(store, "newsletter") is None
    assert meet(store, Platform()) is None
    assert "first" == accounts.pinned(store, "newsletter")
    assert meet(store, Platform()) is None


def test_o5_another_account_stops_the_lane(store: Store) -> None:
    """Swapped keys are refused until a person confirms; the pin stays as it was."""
    meet(store, Platform())
    with pytest.raises(LaneDown, match="another account") as told:
        meet(store, Platform("second"))
    assert "connector doctor --accept newsletter" in told.value.mend
    assert "second" not in f"{told.value}"
    assert "first" == accounts.pinned(store, "newsletter")
    accounts.pin(store, "newsletter", "second", now=NOW)
    assert meet(store, Platform("second")) is None


def test_who_does_not_answer_is_asked_again(store: Store) -> None:
    """Nothing is pinned by silence."""
    with pytest.raises(TryLater):
        meet(store, Platform(trouble=TryLater("no answer")))
    assert accounts.pinned(store, "newsletter") is None


@pytest.mark.parametrize(
    ("off", "lane"),
    [
        (timedelta(hours=23), None),
        (timedelta(days=1, minutes=1), Lane.WITHDRAWAL),
        (timedelta(days=-1, minutes=-1), Lane.WITHDRAWAL),
    ],
)
def test_row_100_a_clock_a_day_off_lets_only_withdrawals_go(
    store: Store, off: timedelta, lane: Lane | None
) -> None:
    """Either way; without a clock of its own to compare, all may go."""
    assert lane == meet(store, Platform(), wall=NOW + off)
    assert meet(store, Platform(at=None), wall=NOW + off) is None
    assert meet(store, Platform(), wall=None) is None


def test_a_destination_without_account_is_let_pass(store: Store) -> None:
    """A folder is nobody's account."""
    assert meet(store, Silent()) is None
    assert accounts.pinned(store, "newsletter") is None
