"""Whether a shop shows its coupons: a key may be allowed all but those, and need not have them.

https://woocommerce.github.io/woocommerce-rest-api-docs/#coupons. What a key may do is what its user
may do in WordPress; a role without ``read_private_shop_coupons`` is answered 403.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from adapters.woocommerce.client import WooCommerceClient
from connector.errors import LaneDown

T = TypeVar("T")


@dataclass(slots=True)
class CouponsShown:
    """What one shop answered when it was asked last; until then, it shows them."""

    client: WooCommerceClient
    are_shown: bool = True

    def learn(self) -> None:
        """Try again the next time: the owner may have allowed it."""
        self.are_shown = True

    def while_shown(self, found: Iterator[T]) -> Iterator[T]:
        """What is found of them: nothing (more) where they alone are refused.

        Raises as ``found``; also `TryLater`, while it cannot be told what is refused.
        """
        try:
            yield from found
        except LaneDown:
            if not self._takes_the_key():
                raise
            self.are_shown = False

    def _takes_the_key(self) -> bool:
        try:
            return self.client.may_read("products")
        except LaneDown:
            return False
