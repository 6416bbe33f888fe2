"""The Meta conversions destination: one pixel that is told of purchases by the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_conversions.account import Account
from adapters.meta_conversions.client import MetaConversionsClient
from adapters.meta_conversions.push import MOST_EVENTS, Push
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome
from connector.ports import Finding, Grade, Introduction, Shape


class MetaConversionsDestination:
    """One pixel.

    ``base_url`` stands in for ``https://graph.facebook.com``; ``timeout`` is in seconds for a whole
    answer. Raises `ConfigurationFault` when a setting cannot be right.
    """

    batch_size = MOST_EVENTS

    def __init__(
        self,
        name: str,
        pixel_id: str,
        access_token: str,
        base_url: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self.name = name
        account = Account.check(name, pixel_id, access_token, base_url)
        self._client = MetaConversionsClient(account, timeout)
        self._item_id = Shape(fields={}).item_id

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Check token and pixel, and remember how items are named. Raises `LaneDown` or `TryLater`.

        Nothing is sent to try it out: Meta counts test events as well.
        """
        self._item_id = shape.item_id
        self.introduce()
        return []

    def introduce(self) -> Introduction:
        """Ask which pixel answers. Raises `TryLater` or `LaneDown`."""
        try:
            found = self._client.pixel().get("id")
        except (Refused, TooLarge) as refused:
            raise TryLater(f"Meta would not show the pixel ({refused})") from None
        if not isinstance(found, str):
            raise TryLater("Meta's answer has no id")
        return Introduction(account=found, at=self._client.told_at)

    def check_up(self, _shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was."""
        return tuple(self._examine(now))

    def _examine(self, now: datetime) -> Iterator[Finding]:
        try:
            introduction = self.introduce()
            yield Finding(what="Meta takes the token and shows the pixel", grade=Grade.FINE)
            yield from clocks.compare(introduction.at, now, whose="Meta's")
        except (TryLater, LaneDown) as problem:
            yield Finding.of("the pixel cannot be used", problem)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Tell of purchases; one outcome for every key. Raises `TryLater` or `LaneDown`."""
        return Push(self._client, item_id=self._item_id, now=now).run(changes)

    def flush(self) -> None:
        """Nothing is held back."""
