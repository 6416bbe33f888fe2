"""What another site delivers under a shop's name is set aside: a copy has the same webhooks.

A copy of the shop made for staging seals with the shop's own secrets, and what is bought there in
a rehearsal is no sale. Nothing of it is used, and none of it is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from connector.model import (
    DataRequest,
    Delivery,
    Quarantined,
    Redaction,
    Understanding,
    Understood,
    Wish,
)
from connector.ports import Fingerprint


class Telling(Protocol):
    """A shop that understands deliveries, and can tell those of another site."""

    def understand(self, delivery: Delivery) -> Understanding:
        """As `connector.ports.ShopAdapter`."""

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """As `connector.ports.ShopAdapter`."""

    def stray(self, delivery: Delivery, known: Fingerprint) -> Quarantined | None:
        """As `connector.ports.Situated`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discerning:
    """Listens for a shop that is known.

    ``known`` may have been accepted anew elsewhere since, so before a delivery is set aside
    ``ask_again`` says which shop is known by now. Raises `StoreUnavailable` where that does.
    """

    shop: Telling
    known: Fingerprint
    ask_again: Callable[[], Fingerprint]

    def understand(self, delivery: Delivery) -> Understanding:
        """As the shop does, but of another site's delivery nothing is believed."""
        reading = self.shop.understand(delivery)
        if not isinstance(reading, Understood) or self.shop.stray(delivery, self.known) is None:
            return reading
        why = self.shop.stray(delivery, self.ask_again())
        return reading if why is None else replace(why, alarm=_is_demand(reading))

    def look_up(self, wish: Wish, delivery: Delivery) -> Understanding:
        """As the shop does."""
        return self.shop.look_up(wish, delivery)


def _is_demand(reading: Understood) -> bool:
    """Whether a person demands something by law: its time runs, whoever passed it on."""
    return any(isinstance(fact, DataRequest | Redaction) for fact in reading.facts)
