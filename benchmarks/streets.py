"""A stand-in shop of either platform with a past, and the town that goes on buying there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.shopify.sandbox import Sandbox as ShopifySandbox
from adapters.shopify.sandbox_market import Market as ShopifyMarket
from adapters.town.market import Market
from adapters.woocommerce.sandbox import Sandbox as WooCommerceSandbox
from adapters.woocommerce.sandbox_market import Market as WooCommerceMarket
from benchmarks.household import SEALED_WITH, Clock, StandIn

POINTS = 1_000_000
"""Of Shopify's bucket: it fills by the shop's clock, which stands still while it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A shop and who buys there. ``name`` is what the configuration calls the shop."""

    name: str
    shop: StandIn
    market: Market

    @property
    def platform(self) -> str:
        """The platform's own name, for people."""
        return "WooCommerce" if isinstance(self.shop, WooCommerceSandbox) else "Shopify"

    def register(self, address: str) -> None:
        """Have the shop tell this address of everything."""
        if isinstance(self.shop, WooCommerceSandbox):
            self.shop.register(address, SEALED_WITH)
        else:
            self.shop.register(address)

    def throw_away(self, order: int, now: datetime) -> None:
        """An order goes as orders do there: into the trash, or for good; it is told by its id."""
        if isinstance(self.shop, WooCommerceSandbox):
            self.shop.orders.trash(order, now=now)
        else:
            self.shop.orders.delete(order, now=now)


@contextmanager
def opened(name: str, clock: Clock, *, orders: int, days: int, seed: int = 1) -> Iterator[Street]:
    """The shop called ``wool`` (WooCommerce) or ``pins`` (Shopify), ``orders`` sold until now."""
    begun = clock.now - timedelta(days=days)
    market: Market
    if name == "wool":
        with WooCommerceSandbox(auto=False, keep_alive=True, clock=clock, seed=seed) as wool:
            market = WooCommerceMarket(wool, seed=seed, start=begun)
            market.sell(orders, (begun, clock.now))
            yield Street(name=name, shop=wool, market=market)
    else:
        with ShopifySandbox(
            auto=False, keep_alive=True, clock=clock, seed=seed, points=POINTS
        ) as pins:
            market = ShopifyMarket(pins, seed=seed, start=begun)
            market.sell(orders, (begun, clock.now))
            yield Street(name=name, shop=pins, market=market)
