"""The Meta catalog destination: a catalog looked at, written to in batches, and read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_catalog import sets, showing
from adapters.meta_catalog.account import Account
from adapters.meta_catalog.client import MetaCatalogClient
from adapters.meta_catalog.parcels import MOST_ITEMS
from adapters.meta_catalog.push import Push, Waiting
from adapters.meta_catalog.reading import Reading
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Json, Outcome, Record
from connector.ports import OWNER, Finding, Grade, Introduction, Shape, Shown

_FOR_WARES = "commerce"


class MetaCatalogDestination:
    """One Meta catalog.

    ``base_url`` stands in for ``https://graph.facebook.com``; ``timeout`` is in seconds for a whole
    answer. ``sleep`` waits between two looks at what Meta works on. Raises `ConfigurationFault`
    when a setting cannot be right.
    """

    batch_size = MOST_ITEMS

    def __init__(
        self,
        name: str,
        catalog_id: str,
        access_token: str,
        base_url: str | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        account = Account.check(name, catalog_id, access_token, base_url)
        self._client = MetaCatalogClient(account, timeout)
        self._waiting = Waiting()
        self._reading = Reading(client=self._client)
        self._sleep = sleep

    def prepare(self, shape: Shape) -> Sequence[Finding]:
        """Check token and catalog, that nothing else writes the same items, and make our sets.

        Raises `LaneDown` or `TryLater`.
        """
        findings = list(self._look())
        if shape.sets:
            findings += sets.keep(self._client, shape.sets)
        return findings

    def _look(self) -> Iterator[Finding]:
        """What is wrong with the catalog itself."""
        catalog = self._catalog()
        vertical = str(catalog.get("vertical") or _FOR_WARES)
        if vertical != _FOR_WARES:
            raise LaneDown(
                f"this is a catalog for {vertical}, not for products",
                mend="Set the destination's catalog_id to a catalog of the type e-commerce.",
            )
        feeds = catalog.get("feed_count")
        if not isinstance(feeds, int) or feeds < 1:
            return
        yield Finding(
            what=f"{feeds} data feed(s) write into this catalog as well: a feed overwrites what is "
            "sent here, at its every run",
            mend="In Commerce Manager > Data sources remove those that bring the same items.",
            who=OWNER,
        )

    def introduce(self) -> Introduction:
        """Ask which catalog answers. Raises `TryLater` or `LaneDown`."""
        found = self._catalog().get("id")
        if not isinstance(found, str):
            raise TryLater("Meta's answer has no id")
        return Introduction(account=found, at=self._client.told_at)

    def check_up(self, _shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Try everything that work will need, change nothing, and say how it was."""
        return tuple(self._examine(now))

    def _examine(self, now: datetime) -> Iterator[Finding]:
        try:
            introduction = self.introduce()
            yield Finding(what="Meta takes the token and shows the catalog", grade=Grade.FINE)
            yield from clocks.compare(introduction.at, now, whose="Meta's")
            yield from self._look()
        except (TryLater, LaneDown) as problem:
            yield Finding.of("the catalog cannot be used", problem)

    def _catalog(self) -> Mapping[str, Json]:
        try:
            return self._client.catalog()
        except (Refused, TooLarge) as refused:
            raise TryLater(f"Meta would not show the catalog ({refused})") from None

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Write the changes; one outcome for every key. Raises `TryLater` or `LaneDown`."""
        return Push(self._client, self._waiting, self._sleep, now).run(changes)

    def flush(self) -> None:
        """Nothing is held back: what Meta has not finished is asked for at the next push."""

    def show(self, cursor: str | None, *, now: datetime) -> Shown:  # noqa: ARG002 - no times here
        """A page of the items there are, ours and others', by the id that each has there.

        Begins anew where Meta knows the cursor no more. Raises `TryLater` or `LaneDown`.
        """
        return self._reading.page(cursor)

    def as_shown(self, record: Record) -> Record:
        """What `show` gives of an item that was taken whole."""
        return showing.as_shown(record)
