"""The rules of the house as one value: the mapping, the shops' zone and what counts as bought."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from enum import Enum
from zoneinfo import ZoneInfo

from connector.consent import ConsentPolicy
from connector.model import Kind
from connector.sales_keys import SOLD
from connector.store.profiles import Counting
from mappings.grammar import DestinationMapping, Mapping


class Holds(Enum):
    """What the records of a destination are about."""

    PEOPLE = "people"
    ITEMS = "items"
    SALES = "sales"
    """What was sold, to whom: orders with their customers, products, carts, promotions."""
    WITHDRAWALS = "withdrawals"
    """Who withdrew elsewhere, of those who have an account in the one shop that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A destination as the flow sees it: its mapping, and the shops whose people it may hold.

    A catalog holds items instead: what those shops have for sale. One of sales holds the kinds that
    it ``sells``. ``members`` names the destination that must have a buyer first, where there is
    one, and ``homes`` each shop's first page. ``mark`` is the field and the word by which a shop
    that is told of withdrawals keeps them, where its platform keeps none.
    """

    name: str
    mapping: DestinationMapping
    shops: frozenset[str]
    holds: Holds = Holds.PEOPLE
    members: str | None = None
    sells: frozenset[Kind] = frozenset(SOLD)
    mark: Dictionary[str, str] = field(default_factory=dict)
    homes: Dictionary[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that decides what follows from facts. ``platforms`` names each shop's platform."""

    mapping: Mapping
    platforms: Dictionary[str, str]
    zone: ZoneInfo
    currency: str
    targets: tuple[Target, ...]

    def holding(self, what: Holds) -> tuple[Target, ...]:
        """The destinations whose records are about people, about items, or about sales."""
        return tuple(target for target in self.targets if target.holds is what)

    @property
    def counting(self) -> Counting:
        """The order statuses that count as bought, by shop."""
        return Counting(
            statuses={
                shop: self.mapping.counting.get(platform, frozenset())
                for shop, platform in self.platforms.items()
            },
            currency=self.currency,
        )

    @property
    def consent_policy(self) -> ConsentPolicy:
        """How the evidence is weighed."""
        return ConsentPolicy(
            soft=bool(self.mapping.consent.soft_opt_in),
            double_opt_in=self.mapping.consent.double_opt_in,
            accept_undated=self.mapping.consent.accept_undated,
        )
