"""What a stand-in shop itself believes at the end, to hold our own figures against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One order as the shop shows it. Amounts are in minor units.

    ``email`` is what was typed, in normal form; ``person`` whose it is by now, an address too.
    ``counts`` says whether money changed hands, ``opted_in`` and ``ads`` which boxes were ticked.
    """

    person: str | None
    email: str | None
    total: int
    refunded: int
    counts: bool
    opted_in: bool
    ads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The shop's truth. Addresses are in normal form, amounts in minor units of its currency.

    ``orders`` counts them by status; ``revenue`` and ``purchases`` count those in which money
    changed hands; from the amounts, refunds are taken off. ``opted_in`` ticked the box at least
    once, whatever came after; ``withdrawn`` unsubscribed. ``people`` is everybody with an address:
    buyers and account holders.
    """

    customers: int
    orders: Mapping[str, int]
    orders_without_address: int
    refunds: int
    refunded: int
    revenue: Mapping[str, int]
    purchases: Mapping[str, int]
    people: frozenset[str]
    opted_in: frozenset[str]
    withdrawn: frozenset[str]

    @property
    def mailable(self) -> frozenset[str]:
        """Those who opted in and did not withdraw."""
        return self.opted_in - self.withdrawn
