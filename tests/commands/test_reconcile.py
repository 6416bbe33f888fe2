"""``connector reconcile``: what an admin types and sees, and what status shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from connector import wiring
from connector.commands import who_works
from connector.errors import LaneDown
from connector.model import Customer, Delivery, Kind, Order, Understanding, Version, Wish
from tests.commands.conftest import Home
from tests.flow.past import PastShop, recalled

THEN = wiring.wall_clock()


def account(number: int) -> Customer:
    return Customer(
        shop="wool", id=str(number), version=Version(THEN), email=f"k{number}@example.no"
    )


def order(number: int, *, minutes_ago: int = 60) -> Order:
    return Order(
        shop="wool",
        id=str(number),
        version=Version(THEN - timedelta(minutes=minutes_ago)),
        number=str(number),
        status="completed",
        currency="NOK",
        total=100,
        placed_at=THEN,
        email=f"k{number % 4}@example.no",
    )


class AskedShop(PastShop):
    """One that also answers when it is asked for a single order."""

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        del delivery
        found = (each for each in self.things.get(wish.kind, ()) if each.id == wish.id)
        return next(found).understanding


@pytest.fixture(autouse=True)
def past(monkeypatch: pytest.MonkeyPatch) -> Iterator[PastShop]:
    """The shop: three accounts, eight orders."""
    shop = AskedShop(
        things={
            Kind.CUSTOMER: [recalled(account(number)) for number in range(3)],
            Kind.ORDER: [recalled(order(number)) for number in range(100, 108)],
        }
    )
    monkeypatch.setattr(wiring, "SHOPS", {"woocommerce": lambda *_: shop})
    monkeypatch.setattr(wiring, "_CORES", 1)  # in this process, where the shop is
    monkeypatch.setattr(who_works, "LOOK", 0.02)
    with capture_logs():  # which would go to standard output here
        yield shop


def test_what_was_lost_is_mended_and_told(home: Home, past: PastShop) -> None:
    """An order that nobody delivered is found, and the agreement says so, here and in status."""
    assert 0 == home.run("backfill", "wool").exit_code
    assert "agree" not in home.run("status").text
    ran = home.run("reconcile")
    assert (0, "wool: 100 % of 11 agree\n") == (ran.exit_code, ran.text)
    past.things = {**past.things, Kind.ORDER: [*past.things[Kind.ORDER], recalled(order(200))]}
    ran = home.run("reconcile", "wool", "--whole")
    assert (0, ["wool: 91.66 % of 11 agree, 1 differed, repaired", "  order: 1 were missing"]) == (
        ran.exit_code,
        ran.text.splitlines(),
    )
    told = home.run("status", "--json").told
    assert told["balanced"] is True
    agreement = told["shops"]["wool"]["agreement"]
    assert (11, 1, 1, 1) == tuple(
        agreement[name] for name in ("compared", "differed", "repaired", "repaired_by_reconcile")
    )
    assert "wool: 91.66 % of 11 agree, 1 differed, repaired" in home.run("status").text
    assert "sweep" not in home.run("status").text
    ran = home.run("reconcile", "wool", "--whole", "--json")
    assert 0 == ran.exit_code
    told = ran.told["shops"]["wool"]
    assert (12, 0, False) == (
        told["agreement"]["compared"],
        told["agreement"]["differed"],
        told["needs_a_person"],
    )


def test_everything_gone_needs_a_person(home: Home, past: PastShop) -> None:
    """The command fails, status has the alarm and what to type, and nothing was deleted."""
    home.run("backfill", "wool")
    past.things = {}
    ran = home.run("reconcile", "wool", "--whole")
    assert 1 == ran.exit_code
    assert "8 not shown any more, which is not believed" in ran.text
    status = home.run("status")
    assert 1 == status.exit_code
    assert "the shop no longer shows 8 of 8 orders" in status.text
    assert "connector reconcile wool --whole --believe" in status.text
    figures = wiring.draw_up_books(wiring.configure(home.config), home.store())
    assert 8 == figures["shops"]["wool"]["agreement"]["kinds"]["order"]["compared"]


def test_a_shop_that_refuses_us(home: Home, past: PastShop) -> None:
    """What is in the way is said with who mends it; afterwards it goes on."""
    past.trouble = {0: LaneDown("the key is refused", mend="The shop's owner: make a new key.")}
    ran = home.run("reconcile", "wool")
    assert 1 == ran.exit_code
    assert "shop wool: the key is refused. The shop's owner: make a new key." in ran.error
    assert 0 == home.run("reconcile", "wool").exit_code


def test_what_cannot_be_meant(home: Home) -> None:
    """A shop that there is not, and to believe everything of everybody."""
    ran = home.run("reconcile", "silk")
    assert 2 == ran.exit_code
    assert "no shop and no destination silk. There are: wool, newsletter, crm." in ran.error
    assert 2 == home.run("reconcile", "--whole", "--believe").exit_code
    assert 2 == home.run("reconcile", "wool", "--believe").exit_code


def test_a_destination_is_read_back(home: Home, past: PastShop) -> None:
    """All that it holds is compared, what was lost is sent, and both say how far they agree."""
    del past
    assert 0 == home.run("backfill", "wool").exit_code
    ran = home.run("reconcile", "newsletter")
    assert 0 == ran.exit_code
    assert "newsletter: nothing to compare; what was sent in the last five minutes" in ran.text
    told = home.run("reconcile", "newsletter", "--json").told["destinations"]["newsletter"]
    assert (False, 0) == (told["needs_a_person"], told["agreement"]["differed"])
    assert told["agreement"]["whole_pass_at"] is not None


def test_a_destination_that_refuses_us(home: Home) -> None:
    """What is in the way is said with who mends it, and the command fails."""
    home.audience.misbehave("401", times=9)
    ran = home.run("reconcile", "newsletter")
    assert 1 == ran.exit_code
    assert "newsletter cannot be read back: " in ran.error
    assert "key" in ran.error
