"""A shop's past read by another process: the same as read here, and it ends when it should."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from connector.errors import LaneDown, TryLater
from connector.flow.apart import Apart
from connector.flow.packed import pack, unpack
from connector.model import (
    Claim,
    Customer,
    Deleted,
    Evidence,
    Fact,
    Ignored,
    Kind,
    Line,
    Order,
    Product,
    Purpose,
    Quarantined,
    Refund,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.ports import Haul, Recalled
from tests.flow.conftest import NOON
from tests.flow.past import PastShop, recalled

AT = Version(NOON, 2**62)


def things(*facts: Fact) -> list[Recalled]:
    return [Recalled(id="1", understanding=Understood(facts=facts, flags=("bom",)))]


HAULS = [
    Haul(
        found=things(
            Order(
                shop="wool",
                id="9007199254740993",
                version=AT,
                number="1",
                status="completed",
                currency="NOK",
                total=-5,
                placed_at=NOON + timedelta(microseconds=1),
                countries=("NO", "SE"),
                lines=(
                    Line(
                        id="1", product_id=None, variant_id="2", sku="", name="Gærn", quantity=1,
                        total=2,
                    ),
                ),
                refunds=(Refund(id="1", amount=3, created_at=NOON),),
                meta={"a": [1, {"b": None, "c": 1.5}]},
            )
        ),
        cursor="æ",
        total=7,
    ),
    Haul(
        found=things(
            Customer(shop="wool", id="1", version=AT, tags=("a", "b"), meta={"x": "1"}),
            Product(
                shop="wool", id="1", version=AT, title="Garn", status="publish", all_variants=True,
                variants=(
                    Variant(shop="wool", id="2", product_id="1", version=AT, attributes={"a": "b"}),
                ),
            ),
            Deleted(shop="wool", kind=Kind.VARIANT, id="3", version=AT),
            Evidence(
                contact="a@example.no", purpose=Purpose.SMS, claim=Claim.PENDING, source="wool",
                received_at=NOON,
            ),
        ),
        cursor="",
    ),
    Haul(
        found=[
            Recalled(id="", understanding=Ignored(reason="draft")),
            Recalled(id="2", understanding=Quarantined(reason="odd"), body=b"\xff", topic="t"),
            Recalled(id="3", understanding=Understood(wishes=(Wish(kind=Kind.ORDER, id="1"),))),
        ],
        cursor="3",
    ),
    Haul(found=[], cursor="4"),
]  # fmt: skip


@pytest.mark.parametrize("haul", HAULS)
def test_what_is_packed_comes_out_again(haul: Haul) -> None:
    """Every kind of fact and understanding, to the last digit and with its types."""
    packed = pack(haul)
    assert haul == unpack(packed)
    assert packed.startswith(b"m")


def test_numbers_beyond_all_measure_come_through() -> None:
    """They take the slow way, since they must show as not storable instead of as nothing."""
    order = Order(
        shop="wool", id="1", version=AT, number="", status="", currency="NOK", total=2**70,
        placed_at=NOON,
    )  # fmt: skip
    haul = Haul(found=[recalled(order)], cursor="1")
    assert haul == unpack(pack(haul))


@dataclass
class Slow(PastShop):
    """Takes a while for each page, as if it were far away."""

    def history(self, kind: Kind, **more: Any) -> Iterator[Haul]:
        for haul in super().history(kind, **more):
            time.sleep(0.05)
            yield haul


TROUBLE: dict[str, Exception] = {
    "later": TryLater("busy", retry_after=7.0),
    "down": LaneDown("refused", mend="The shop's owner: a key."),
    "broken": ZeroDivisionError("kari@example.no"),
}


def make(number: int = 10, trouble: str = "", shop: type[PastShop] = PastShop) -> Any:
    """The shop, made in the other process."""
    accounts = [
        Customer(shop="wool", id=str(n), version=AT, email=f"k{n}@example.no")
        for n in range(number)
    ]
    past = shop(things={Kind.CUSTOMER: [recalled(each) for each in accounts]})
    past.trouble = {3: TROUBLE[trouble]} if trouble else {}
    return past


@pytest.fixture
def apart() -> Iterator[Any]:
    """Makes shops apart, and ends their processes."""
    made = []

    def build(*given: Any, **named: Any) -> Apart:
        made.append(Apart(make(), partial(make, *given, **named)))
        return made[-1]

    yield build
    for each in made:
        each.close()
    assert [] == [each for each in multiprocessing.active_children() if each.name == "past"]


def read(shop: Apart, cursor: str | None = None) -> list[Haul]:
    return list(shop.history(Kind.CUSTOMER, since=None, cursor=cursor, now=NOON))


def test_it_is_the_same_as_read_here(apart: Any) -> None:
    """Haul for haul, also from a cursor, and one process serves for all that is asked."""
    shop = apart()
    here = list(make().history(Kind.CUSTOMER, since=None, cursor=None, now=NOON))
    assert here == read(shop)
    [process] = [each for each in multiprocessing.active_children() if each.name == "past"]
    assert here[2:] == read(shop, "6")
    assert process.is_alive()
    assert make().kinds == shop.kinds
    assert [[str(n) for n in range(10)]] == [list(page) for page in shop.ids(Kind.CUSTOMER)]


def test_trouble_comes_through_after_what_was_read(apart: Any) -> None:
    """With the words that say when to come back or who mends it; then it can be asked again."""
    shop = apart(trouble="later")
    hauls = shop.history(Kind.CUSTOMER, since=None, cursor=None, now=NOON)
    assert 3 == len(next(hauls).found)
    with pytest.raises(TryLater, match="busy") as later:
        next(hauls)
    assert 7.0 == later.value.retry_after
    assert 4 == len(read(shop))
    down = apart(trouble="down")
    with pytest.raises(LaneDown) as refused:
        read(down)
    assert ("refused", "The shop's owner: a key.") == (refused.value.reason, refused.value.mend)
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError$"):
        read(apart(trouble="broken"))


def test_a_process_that_was_killed_is_asked_for_later(apart: Any) -> None:
    """What it gave stands; the next reading has a new process."""
    shop = apart(300, shop=Slow)
    hauls = shop.history(Kind.CUSTOMER, since=None, cursor=None, now=NOON)
    next(hauls)
    [process] = [each for each in multiprocessing.active_children() if each.name == "past"]
    os.kill(process.pid or 0, signal.SIGKILL)
    with pytest.raises(TryLater, match="has ended"):
        list(hauls)
    assert 1 == len(list(shop.history(Kind.CUSTOMER, since=None, cursor="297", now=NOON)))


def test_who_no_longer_wants_it_ends_it(apart: Any) -> None:
    """A reading that is left in the middle leaves no process that reads on."""
    shop = apart(3_000, shop=Slow)
    hauls = shop.history(Kind.CUSTOMER, since=None, cursor=None, now=NOON)
    next(hauls)
    hauls.close()
    assert [] == [each for each in multiprocessing.active_children() if each.name == "past"]
    assert 4 == len(list(apart().history(Kind.CUSTOMER, since=None, cursor=None, now=NOON)))
