"""A withdrawal that was heard in Mailchimp goes back to the shop, with its own time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from tests.journeys.conftest import MoveIn
from tests.journeys.premises import Clock, Tenant
from tests.journeys.town import MAPPING, Town, opened

KARI, OLA = "kari@shop.example", "ola@shop.example"
FIELD = "mailchimp_woocommerce_is_subscribed"
PLAIN = f"{{purpose: email, from: customer.meta_data.{FIELD}, wording: box}}"
BACK = PLAIN.replace("}", ", withdrawn: [unsubscribed], write_back: true}")


@pytest.fixture(params=[True, False], ids=["mapped", "not mapped"])
def mapped(request: pytest.FixtureRequest) -> bool:
    """Whether the mapping says that withdrawals are written back."""
    return bool(request.param)


@pytest.fixture
def here(
    move_in: MoveIn,
    audience: Audience,
    clock: Clock,
    mapped: bool,  # noqa: FBT001 - a fixture's value
) -> Iterator[Town]:
    """The town, with a mapping that writes withdrawals back or does not."""
    assert PLAIN in MAPPING
    mapping = MAPPING.replace(PLAIN, BACK) if mapped else MAPPING
    with Shop(auto=False, clock=clock, keep_alive=True) as shop:
        premises = move_in({"wool": Tenant(url=shop.base_url)}, mapping)
        with opened(shop, audience, premises, clock) as town:
            yield town


def written(town: Town, account: int) -> list[str]:
    """What the account's own field says in the shop."""
    meta = town.shop.customers.get(account)["meta_data"]
    return [str(row["value"]) for row in meta if row["key"] == FIELD]


def test_who_unsubscribes_there_is_marked_in_the_shop(here: Town, *, mapped: bool) -> None:
    """Once, and the echo of it is no news; without the mapping nothing is written."""
    account = here.register(KARI)
    here.buy(KARI, ticks=True, account=account)
    here.buy(OLA, ticks=True)  # a guest: there is no account to write to
    here.pass_on()
    assert [] == written(here, account)
    here.clock.skip(minutes=10)
    for email in (KARI, OLA):
        here.audience.unsubscribe(email)
    here.pass_on()
    here.pass_on()
    assert (["unsubscribed"] if mapped else []) == written(here, account)
    assert "withdrawn" == here.explain(KARI)["consent"]["email"]["state"]
    before = here.shop.customers.get(account)
    here.premises.replay()
    here.pass_on()
    assert before == here.shop.customers.get(account)
    books = here.premises.books()
    assert books["balanced"]
    told = books["destinations"].get("wool/withdrawals")
    assert (told is not None) == mapped
    if told is not None:
        assert (0, 0) == (told["due"], told["parked"])


def test_what_the_shop_said_itself_it_is_not_told(here: Town, *, mapped: bool) -> None:
    """A withdrawal in the shop is the shop's own word; a newer yes writes nothing either."""
    del mapped
    account = here.register(KARI)
    here.buy(KARI, ticks=True, account=account)
    here.pass_on()
    here.withdraw(account)
    before = here.shop.customers.get(account)
    here.pass_on()
    here.buy(KARI, ticks=True, account=account)
    here.pass_on()
    assert before["meta_data"] == here.shop.customers.get(account)["meta_data"]
    told = here.premises.books()["destinations"].get("wool/withdrawals")
    assert told is None or 0 == told["due"]
