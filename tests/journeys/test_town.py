"""A season in a small town, lived day by day and told in any order: one state, the shop's own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from adapters.mailchimp.sandbox import Sandbox as Audience
from adapters.woocommerce.sandbox import Sandbox as Shop
from adapters.woocommerce.sandbox_market import Market
from benchmarks.end_state import State, differences, end_state
from connector.store.schema import deliveries, profiles
from tests.journeys.conftest import MoveIn
from tests.journeys.premises import Clock, Premises, Tenant

MAPPING = """\
version: 1
orders: {counting: {woocommerce: [processing, completed, refunded]}}
consent:
  wordings: {box: "Yes, send me news and offers by e-mail. I can unsubscribe at any time."}
  sources:
    - {purpose: email, from: order.meta_data._wc_other/mycorp/newsletter-opt-in, wording: box}
    - {purpose: email, from: customer.meta_data.mailchimp_woocommerce_is_subscribed, wording: box}
segments:
  first-time: {when: "number_of_orders = 1", tag: "First-time buyer"}
  regular: {when: "number_of_orders >= 4", tag: "Regular"}
  lapsed: {when: "last_order_date < -30d", tag: "Lapsed"}
  lost-friend: {when: "in_segment('regular') AND in_segment('lapsed')", tag: "Lost friend"}
destinations:
  newsletter:
    fields: {FNAME: first_name, LNAME: last_name, ORDERS: number_of_orders, SPENT: amount_spent,
             LASTORDER: last_order_date}
"""
pytestmark = pytest.mark.xdist_group("pg")  # the season is made once

STEPS, STEP, ORDERS_A_STEP = 20, timedelta(days=5), 9


@dataclass(kw_only=True)
class Season:
    """The shop as it stands, every delivery in its order, and what came of them day by day."""

    shop: Shop
    clock: Clock
    told: list[tuple[str, bytes]]
    happened: Counter[str]
    premises: Premises
    state: State
    mailable: dict[str, Any]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    """A hundred days of buying, sending back, moving and unsubscribing, each delivered at once."""
    clock = Clock()
    with ExitStack() as open_things:
        shop = open_things.enter_context(Shop(auto=False, clock=clock, keep_alive=True))
        audience = open_things.enter_context(Audience(clock=clock))
        premises = Premises(
            folder=tmp_path_factory.mktemp("season"),
            shops={"wool": Tenant(url=shop.base_url)},
            audience=audience,
            mapping=MAPPING,
            store_url="sqlite:///connector.db",
            clock=clock,
        )
        open_things.callback(premises.close)
        market = Market(shop, seed=5, start=clock.now)
        happened: Counter[str] = Counter()
        with premises.door():
            shop.register(f"{premises.hook}/wool", Tenant.webhook_secret)
            for _ in range(STEPS):
                start = clock.now
                happened.update(market.sell(ORDERS_A_STEP, (start, start + STEP)))
                clock.now = start + STEP
                shop.deliver()
                premises.work()
            for _ in clean_up(shop):
                clock.skip(hours=1)
                shop.deliver()
                premises.work()
        with premises.store.read() as conn:
            told = conn.execute(
                select(deliveries.c.topic, deliveries.c.body).order_by(deliveries.c.id)
            )
            yield Season(
                shop=shop,
                clock=clock,
                told=[(topic, body) for topic, body in told],
                happened=happened,
                premises=premises,
                state=end_state(premises.store),
                mailable=premises.mailable(),
            )


def clean_up(shop: Shop) -> Iterator[None]:
    """What only the owner does, step by step: throw away, take back out, close accounts."""
    orders = [row["id"] for row in shop.books.rows("orders")]
    for number in orders[::7]:
        shop.orders.trash(number)
    yield
    for number in orders[::14]:
        shop.orders.untrash(number)
    yield
    # Not of those orders: closing an account changes its orders in silence, and a shop that is
    # asked about them later answers otherwise than it did at the time.
    spared = {shop.orders.get(number)["customer_id"] for number in orders[::7]}
    for row in shop.books.rows("customers", "role = 'customer'")[::5]:
        if row["id"] not in spared:
            shop.customers.delete(row["id"])
    shop.products.trash(shop.books.rows("products", "parent_id = 0")[-1]["id"])
    yield


def test_the_season_has_what_makes_it_hard(season: Season) -> None:
    """Without them, the tests below would prove little."""
    kinds = ("refunds", "withdrawals", "email_changes", "registrations", "cancelled")
    assert [] == [kind for kind in kinds if not season.happened[kind]]
    assert STEPS * ORDERS_A_STEP == season.happened["orders"]
    assert len(season.told) == season.shop.tally()["accepted"]
    deletions = Counter(topic for topic, _ in season.told if topic.endswith("deleted"))
    assert {"order.deleted", "customer.deleted", "product.deleted"} == deletions.keys()


def test_what_is_known_is_what_the_shop_believes(season: Season) -> None:
    """Number and sum of the orders of every person, to the smallest coin."""
    truth = season.shop.totals()
    with season.premises.store.read() as conn:
        known = {
            person: (number, spent)
            for person, number, spent in conn.execute(
                select(
                    profiles.c.person, profiles.c.number_of_orders, profiles.c.amount_spent
                ).where(profiles.c.email.is_not(None))
            )
        }
    assert {
        email: (truth.purchases.get(email, 0), truth.revenue.get(email, 0))
        for email in truth.people
    } == known


def test_mailchimp_may_mail_those_who_ticked_the_box_and_no_others(season: Season) -> None:
    """Who withdrew is not there; who has another address since was permitted for the old one."""
    truth = season.shop.totals()
    subscribed = season.mailable.keys()
    assert frozenset() == truth.withdrawn & subscribed
    assert subscribed <= truth.mailable
    assert len(truth.mailable - subscribed) <= season.happened["email_changes"]
    assert {email: truth.purchases.get(email, 0) for email in subscribed} == {
        email: held["fields"]["ORDERS"] for email, held in season.mailable.items()
    }


@pytest.mark.parametrize(
    ("seed", "size", "distinct"),
    [
        pytest.param(1, 10_000, False, id="all at once"),
        pytest.param(2, 150, False, id="piece by piece"),
        pytest.param(3, 400, True, id="without de-duplication"),
    ],
)
def test_in_any_order_it_ends_the_same(
    seed: int,
    size: int,
    distinct: bool,  # noqa: FBT001 - pytest hands it over by name
    store_url: str,
    season: Season,
    move_in: MoveIn,
) -> None:
    """Shuffled and doubled, on both engines: nobody is known, held or mailable who was not."""
    clock = Clock(season.clock.now)
    with Audience(clock=clock) as audience:
        shops = {"wool": Tenant(url=season.shop.base_url)}
        again = move_in(shops, MAPPING, store_url=store_url, into=audience, at=clock)
        told = random.Random(seed).sample(season.told * 2, k=2 * len(season.told))
        for start in range(0, len(told), size):
            again.arrive(told[start : start + size], distinct=distinct)
            again.work()
        assert [] == differences(season.state, end_state(again.store))
        assert season.mailable == again.mailable()
        assert (0, 0) == tuple(again.books()["destinations"]["newsletter"][x] for x in WAITING)


WAITING = ("due", "parked")
