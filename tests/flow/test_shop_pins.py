"""Which shop a shop is: pinned at the first meeting, and nothing of another one is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import LaneDown, TryLater
from connector.flow import shop_pins
from connector.ports import Fingerprint, FirstOrder
from connector.store.connect import Store

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
WOOL = Fingerprint(
    identity="wool.example",
    url="wool.example",
    currency="NOK",
    first_order=FirstOrder(id="28", at=datetime(2021, 5, 1, 12, tzinfo=UTC)),
)


class Shop:
    """A shop that answers as it is told to."""

    def __init__(self, told: Fingerprint | Exception = WOOL) -> None:
        self.told = told

    def fingerprint(self) -> Fingerprint:
        """The answer."""
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def first(number: str, **later: int) -> FirstOrder:
    """An order so much later than the known first one."""
    assert WOOL.first_order is not None
    assert WOOL.first_order.at is not None
    return FirstOrder(id=number, at=WOOL.first_order.at + timedelta(**later))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (WOOL, None),
        (replace(WOOL, first_order=first("31", days=2)), None),  # the oldest were cleared away
        (replace(WOOL, first_order=first("27", days=-1)), None),  # one came back from the trash
        (replace(WOOL, first_order=first("27")), None),  # the same second
        (replace(WOOL, first_order=None), None),  # all were deleted
        (replace(WOOL, first_order=first("28", days=3)), "its first order was 28"),
        (replace(WOOL, first_order=first("3", days=3)), "its first order was 28"),
        (replace(WOOL, first_order=first("300", days=-3)), "its first order was 28"),
        (replace(WOOL, currency="EUR"), "its currency was NOK and is EUR"),
        (replace(WOOL, url="staging.wool.example"), "its address was wool.example"),
        (replace(WOOL, identity="yarn.example"), "it was wool.example and is yarn.example"),
    ],
)
def test_what_makes_it_another_shop(store: Store, told: Fingerprint, expected: str | None) -> None:
    """Another identity, address, currency, or a first order of another count."""
    assert (None, True) == shop_pins.meet(store, "wool", Shop(), now=NOW)
    trouble, answered = shop_pins.meet(store, "wool", Shop(told), now=NOW)
    assert answered
    if expected is None:
        assert trouble is None
        return
    assert trouble is not None
    assert expected in trouble.reason
    assert "connector doctor --accept wool" in trouble.mend
    with store.read() as conn:
        assert WOOL == shop_pins.pinned(conn, "wool")
        assert shop_pins.halted(conn, "wool") is not None


def test_it_goes_on_when_it_is_the_known_shop_again(store: Store) -> None:
    """Or when a person accepts the new one."""
    clone = replace(WOOL, url="staging.wool.example")
    shop_pins.meet(store, "wool", Shop(), now=NOW)
    shop_pins.meet(store, "wool", Shop(clone), now=NOW)
    assert (None, True) == shop_pins.meet(store, "wool", Shop(), now=NOW)
    with store.read() as conn:
        assert shop_pins.halted(conn, "wool") is None
    shop_pins.accept(store, "wool", clone, now=NOW)
    assert (None, True) == shop_pins.meet(store, "wool", Shop(clone), now=NOW)
    trouble, _ = shop_pins.meet(store, "wool", Shop(), now=NOW)
    assert trouble is not None


@pytest.mark.parametrize("silence", [TryLater("no answer"), LaneDown("refused", mend="x")])
def test_one_that_does_not_answer_is_believed_as_it_was(store: Store, silence: Exception) -> None:
    """An outage halts nobody, and frees nobody."""
    assert (None, False) == shop_pins.meet(store, "wool", Shop(silence), now=NOW)
    shop_pins.meet(store, "wool", Shop(), now=NOW)
    assert (None, False) == shop_pins.meet(store, "wool", Shop(silence), now=NOW)
    shop_pins.meet(store, "wool", Shop(replace(WOOL, currency="EUR")), now=NOW)
    trouble, answered = shop_pins.meet(store, "wool", Shop(silence), now=NOW)
    assert trouble is not None
    assert not answered
