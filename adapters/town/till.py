"""What a market asks of a shop: that somebody can buy, pay, send back, register and unsubscribe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from adapters.town.people import Person
from adapters.town.wares import Offer


class Payment(Enum):
    """How somebody pays, or does not."""

    CARD = "card"
    """At once."""
    DECLINED = "declined"
    """The card was refused, and nothing more comes of it."""
    UNPAID = "unpaid"
    """They never come back from the payment page."""
    TRANSFER = "transfer"
    """By bank, a day later."""
    ON_DELIVERY = "on delivery"
    """At the door: when the order is complete."""


@dataclass(slots=True, kw_only=True)
class Purchase:
    """What somebody wants to buy, and how; ``basket`` has what and how many pieces.

    ``ticked`` is the newsletter box, ``ads`` the one for advertisements, which not every shop has;
    ``typed`` an address in capitals as a phone writes it.
    """

    person: Person
    ticked: bool
    payment: Payment
    typed: bool
    basket: tuple[tuple[Offer, int], ...]
    sent_free: bool
    coupon: bool
    note: str
    ads: bool = False
    opens_account: bool = False


class Till(Protocol):
    """A shop as the market sees it. Orders and accounts are known by the shop's own numbers."""

    clock: Callable[[], datetime]

    def goods(self, now: datetime) -> Sequence[Offer]:
        """What can be bought; puts the town's wares on sale unless there are some already."""

    def check_out(self, purchase: Purchase, now: datetime) -> tuple[int, int]:
        """Somebody buys: the order's number and their account's, 0 for a guest."""

    def pay(self, order: int, now: datetime) -> None:
        """The money of a transfer has come."""

    def complete(self, order: int, now: datetime) -> None:
        """The goods have arrived, and are paid for."""

    def cancel(self, order: int, now: datetime) -> None:
        """Nobody paid."""

    def throw_away(self, order: int, now: datetime) -> None:
        """A cancelled order is removed."""

    def give_back(self, order: int, line: int | None, now: datetime) -> None:
        """Money goes back: for one piece of the basket's ``line``-th ware, or for all of it."""

    def register(self, person: Person, now: datetime) -> int:
        """A guest opens an account; gives its number."""

    def withdraw(self, account: int, now: datetime) -> None:
        """An account holder unsubscribes."""

    def move(self, account: int, email: str, now: datetime) -> None:
        """An account holder has another address."""
