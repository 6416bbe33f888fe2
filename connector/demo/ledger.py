"""What the shops themselves wrote down, person by person and order by order.

The verdict holds everything against this, and never against what the connector believes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from adapters.shopify import sandbox_totals as shopify
from adapters.town.totals import Sale, Totals
from adapters.woocommerce import sandbox_totals as woocommerce
from connector.demo.papers import Places
from connector.identity import normal_email

Sold: TypeAlias = Mapping[tuple[str, str], Sale]
"""Orders by their shop and their number there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Both shops together; their amounts are of one currency.

    ``accounts`` are the addresses of those who have one. ``kept`` are those whose permission a
    shop keeps itself, at their present address. ``codes`` give a discount in the WooCommerce shop.
    """

    totals: Totals
    sold: Sold
    accounts: frozenset[str]
    kept: frozenset[str]
    codes: frozenset[str]

    @property
    def shown(self) -> frozenset[str]:
        """Everybody of whom the shops have something to show: an order, or an account."""
        return self.accounts | {sale.person for sale in self.sold.values() if sale.person}

    @property
    def ticked(self) -> frozenset[str]:
        """The addresses at which somebody ticked the box for the newsletter."""
        return frozenset(sale.email for sale in self.sold.values() if sale.opted_in and sale.email)

    @property
    def permitted(self) -> frozenset[str]:
        """The addresses that were allowed to be written to, whatever came after."""
        return self.ticked | self.kept

    @property
    def allowed_ads(self) -> frozenset[str]:
        """The addresses at which somebody ticked the box for advertisements."""
        return frozenset(sale.email for sale in self.sold.values() if sale.ads and sale.email)


def read(places: Places) -> Ledger:
    """The books of both shops as they stand."""
    wool, yarn = places.wool.totals(), places.yarn.totals()
    return Ledger(
        totals=Totals(
            customers=wool.customers + yarn.customers,
            orders=Counter(wool.orders) + Counter(yarn.orders),
            orders_without_address=wool.orders_without_address + yarn.orders_without_address,
            refunds=wool.refunds + yarn.refunds,
            refunded=wool.refunded + yarn.refunded,
            revenue=_added(wool.revenue, yarn.revenue),
            purchases=_added(wool.purchases, yarn.purchases),
            people=wool.people | yarn.people,
            opted_in=wool.opted_in | yarn.opted_in,
            withdrawn=wool.withdrawn | yarn.withdrawn,
        ),
        sold=sold(places),
        accounts=frozenset(_accounts(places)),
        kept=yarn.opted_in,
        codes=frozenset(
            row["code"] for row in places.wool.books.rows("coupons", "status = 'publish'")
        ),
    )


def sold(places: Places) -> Sold:
    """Every order that the shops show."""
    return {
        **{("wool", number): sale for number, sale in woocommerce.sales(places.wool.books).items()},
        **{("yarn", number): sale for number, sale in shopify.sales(places.yarn.books).items()},
    }


def numbers(places: Places) -> set[tuple[str, str]]:
    """The shop and number of each of them, and nothing more."""
    wool = places.wool.books.ask("SELECT id FROM orders WHERE status <> 'trash'")
    yarn = places.yarn.books.ask("SELECT id FROM orders WHERE test = 0")
    return {
        *(("wool", str(row["id"])) for row in wool),
        *(("yarn", str(row["id"])) for row in yarn),
    }


def _accounts(places: Places) -> Iterator[str]:
    found = [
        *places.wool.books.ask("SELECT email FROM customers WHERE role = 'customer'"),
        *places.yarn.books.ask("SELECT email FROM customers"),
    ]
    for row in found:
        email = normal_email(row["email"])
        if email is not None:
            yield email


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}
