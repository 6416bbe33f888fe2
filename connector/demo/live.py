"""What happens once the connector listens: orders, webhooks that get lost, people who leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.shopify.sandbox import Sandbox as Shopify
from adapters.town.market import Market
from adapters.town.people import Person
from adapters.woocommerce.sandbox import Sandbox as WooCommerce
from connector.demo.world import World

_BLINK = 0.002
_CODE = "autumn-10"
_DAY = 20.0  # seconds that stand for a day of the town
_MOST_BETWEEN = 25  # orders, until the next one of which no webhook tells
_LONGEST_SENDING = 10.0  # seconds in which a shop should have sent what it has


@dataclass(kw_only=True)
class Life:
    """Sells in both shops, a thread for each.

    ``lost`` are the orders of which no webhook told, ``left`` who unsubscribed in Mailchimp: the
    shop and the account by the address.
    """

    world: World
    rate: float
    lost: set[tuple[str, str]] = field(default_factory=set)
    left: dict[str, tuple[str, int]] = field(default_factory=dict)
    _coming_back: str | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, orders: int | None, look: Callable[[], None], glance: float) -> None:
        """Sell so many orders, or until Ctrl-C; ``look`` is called every ``glance`` seconds."""
        less = None if orders is None else orders // 2
        more = None if orders is None or less is None else orders - less
        parts = dict(zip(self.world.markets, (more, less), strict=True))
        sellers = [
            threading.Thread(target=self._sell, args=(name, part)) for name, part in parts.items()
        ]
        self._think_of_a_code()
        for seller in sellers:
            seller.start()
        try:
            while any(seller.is_alive() for seller in sellers):
                look()
                time.sleep(glance)
        except KeyboardInterrupt:
            pass
        finally:
            self._stop.set()
            for seller in sellers:
                seller.join()

    def _think_of_a_code(self) -> None:
        shelves = self.world.places.wool.products
        shelves.create_coupon({"code": _CODE, "amount": "10.00"})

    def _sell(self, name: str, orders: int | None) -> None:
        """Sell; somewhere in the middle one order's webhooks are lost, and somebody leaves."""
        market = self.world.markets[name]
        between = _MOST_BETWEEN if orders is None else min(_MOST_BETWEEN, max(1, orders // 2))
        left = float("inf") if orders is None else orders
        while left > 0 and not self._stop.is_set():
            some = int(min(between, left))
            market.run(self.rate / 2, orders=some, day_seconds=_DAY, stop=self._stop)
            left -= some
            if left > 0 and not self._stop.is_set():
                self._lose_one(name, market)
                left -= 1
                self._leave(name, market)
                if name == "yarn":
                    self._come_back()
                    self._fill_baskets(market)
        if name == "yarn":
            self._come_back()
            self._fill_baskets(market)

    def _lose_one(self, name: str, market: Market) -> None:
        """One order, of which nothing that the shop sends arrives."""
        shop = self._shop(name)
        _wait_until_sent(shop)
        shop.misbehave(deliveries={"dropped": 1.0})
        self.lost.add((name, str(market.buy(shop.clock()))))
        _wait_until_sent(shop)
        shop.misbehave(deliveries={"dropped": 0.0})

    def _leave(self, name: str, market: Market) -> None:
        """Somebody with an account in the shop unsubscribes by the link in a mail."""
        for person in self._subscribed(market, 1):
            person.opted_in, person.ticks = False, 0.0  # and ticks no box again
            self.world.places.mailchimp.unsubscribe(person.email)
            self.left[person.email] = (name, person.account)

    def _fill_baskets(self, market: Market) -> None:
        """Two people fill a basket and go away; one of them may be back."""
        checkouts = self.world.places.yarn.checkouts
        for person in self._subscribed(market, 2):
            begun = checkouts.begin(person.account, {market.offers[0].variant: 2})
            self._coming_back = begun["token"]

    def _come_back(self) -> None:
        """Whoever is to be back buys what lies in the basket."""
        token, self._coming_back = self._coming_back, None
        if token is not None:
            self.world.places.yarn.checkouts.finish(token)

    def _subscribed(self, market: Market, most: int) -> list[Person]:
        """Some who have an account at the shop, and are subscribed in Mailchimp."""
        members = self.world.places.mailchimp.members()
        return [
            person
            for person in market.people
            if person.account and person.opted_in
            if members.get(person.email, {}).get("status") == "subscribed"
        ][:most]

    def _shop(self, name: str) -> WooCommerce | Shopify:
        return self.world.places.wool if name == "wool" else self.world.places.yarn


def _wait_until_sent(shop: WooCommerce | Shopify) -> None:
    deadline = time.monotonic() + _LONGEST_SENDING
    while shop.pending() and time.monotonic() < deadline:
        time.sleep(_BLINK)
