"""The Meta audiences destination: an ad account's audiences, one for each mapped segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_audiences import ours
from adapters.meta_audiences.account import Account
from adapters.meta_audiences.client import MetaAudiencesClient
from adapters.meta_audiences.ours import Audience
from adapters.meta_audiences.push import MOST_ROWS, Push
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome
from connector.ports import Finding, Grade, Introduction, Shape


class MetaAudiencesDestination:
    """The audiences of one ad account.

    ``base_url`` stands in for ``https://graph.facebook.com``; ``timeout`` is in seconds for a whole
    answer. Raises `ConfigurationFault` when a setting cannot be right.
    """

    batch_size = MOST_ROWS

    def __init__(
        self,
        name: str,
        ad_account: str,
        access_token: str,
        base_url: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.name = name
        account = Account.check(name, ad_account, access_token, base_url)
        self._client = MetaAudiencesClient(account, timeout)
        self._there: dict[str, Audience] = {}
        self._valued: frozenset[str] = frozenset()

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Find our audiences, and make those that are missing. Raises `LaneDown` or `TryLater`."""
        self._there = ours.find(self._client)
        self._valued = frozenset(shape.valued)
        ours.make_missing(self._client, self._there, shape.tags, self._valued)
        return list(ours.findings(self._there, shape.tags))

    def introduce(self) -> Introduction:
        """Ask which ad account answers. Raises `TryLater` or `LaneDown`."""
        try:
            found = self._client.account().get("id")
        except (Refused, TooLarge) as refused:
            raise TryLater(f"Meta would not show the ad account ({refused})") from None
        if not isinstance(found, str):
            raise TryLater("Meta's answer has no id")
        return Introduction(account=found, at=self._client.told_at)

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was."""
        return tuple(self._examine(shape, now))

    def _examine(self, shape: Shape, now: datetime) -> Iterator[Finding]:
        try:
            introduction = self.introduce()
            yield Finding(what="Meta takes the token and shows the ad account", grade=Grade.FINE)
            yield from clocks.compare(introduction.at, now, whose="Meta's")
            yield from ours.findings(ours.find(self._client), shape.tags)
        except (TryLater, LaneDown) as problem:
            yield Finding.of("the ad account cannot be used", problem)

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Take people out of audiences and put them in; one outcome for every key.

        Raises `TryLater` or `LaneDown`.
        """
        del now  # nothing here depends on the hour
        return Push(self._client, self._there, self._valued).run(changes)

    def flush(self) -> None:
        """Nothing is held back."""
