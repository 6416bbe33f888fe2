"""Whether a shop shows us its discounts at all: only an app with the scope for them sees any.

https://shopify.dev/docs/api/usage/access-scopes. Until the shop has said otherwise, it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from adapters.shopify.asking import Ask
from adapters.shopify.subscriptions import DISCOUNTS_SCOPE, granted
from connector.errors import LaneDown, TryLater

T = TypeVar("T")


@dataclass(slots=True)
class DiscountsShown:
    """What one shop said of it when it was asked last."""

    ask: Ask
    are_shown: bool = True

    def learn(self) -> None:
        """Ask the shop. Never raises: where it cannot say, what was known stays."""
        try:
            told = self.ask("scopes", {}).data.get("currentAppInstallation")
        except (TryLater, LaneDown):
            return
        self.are_shown = DISCOUNTS_SCOPE in granted(told)

    def while_shown(self, found: Iterator[T]) -> Iterator[T]:
        """What is found of them: nothing (more) where the scope is lacking. Raises as ``found``."""
        try:
            yield from found
        except LaneDown:
            self.learn()
            if self.are_shown:
                raise
