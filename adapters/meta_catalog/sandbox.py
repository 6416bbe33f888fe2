"""A stand-in for Meta's Graph API: one catalog on this machine, stricter than the real one.

``with Sandbox() as meta:`` serves at ``meta.url``; ``python -m adapters.meta_catalog.sandbox``
serves until it is stopped. A test may look at everything, and make it misbehave.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import Any

from adapters.meta_catalog.sandbox_catalog import Catalog, Lapse
from adapters.meta_catalog.sandbox_server import Server
from adapters.town import platform
from adapters.town.graph import FAULTS

CATALOG = "726635365295186"
TOKEN = "EAAstandin0123456789"  # noqa: S105 - the token of a catalog that is none


class Sandbox(platform.Platform):
    """One catalog over real HTTP on loopback."""

    def __init__(
        self, *, port: int = 0, catalog_id: str = CATALOG, access_token: str = TOKEN
    ) -> None:
        self.catalog_id = catalog_id
        self.access_token = access_token
        self.catalog = Catalog(catalog_id)
        self._server = Server(self.catalog, access_token, port)
        super().__init__(self._server, FAULTS)

    def items(self) -> dict[str, dict[str, Any]]:
        """Every item by its id, as it is held."""
        with self._lock:
            return {item_id: dict(item) for item_id, item in self.catalog.items.items()}

    def shown(self) -> dict[str, dict[str, Any]]:
        """The items that people are shown: the archived ones are not."""
        every = self.items().items()
        return {item_id: item for item_id, item in every if item.get("status") != "archived"}

    def put(self, item_id: str, **fields: Any) -> None:
        """Let an item be there that somebody else made."""
        with self._lock:
            self.catalog.hold(item_id, {"id": item_id, **fields})

    def sets(self) -> dict[str, dict[str, Any]]:
        """Every product set by its id."""
        with self._lock:
            return {set_id: dict(told) for set_id, told in self.catalog.sets.items()}

    def in_set(self, name: str) -> list[str]:
        """The ids of the items that a product set of this name shows."""
        with self._lock:
            (told,) = [each for each in self.catalog.sets.values() if each["name"] == name]
            return sorted(self.catalog.items_of(told["filter"]))

    # --- misbehaving --------------------------------------------------------------------------

    def take_time(self, looks: int) -> None:
        """Let every batch be unfinished until it was asked about so often."""
        self.catalog.looks = looks

    def finish(self) -> None:
        """Finish every batch that is not."""
        with self._lock:
            for handle, batch in self.catalog.batches.items():
                if not batch.dispatched:
                    self.catalog.work(handle)

    def refuse(self, item_id: str, words: str) -> None:
        """Refuse this item with these words from now on."""
        self.catalog.refused[item_id] = words

    def accept(self, item_id: str) -> None:
        """Refuse this item no more."""
        self.catalog.refused.pop(item_id, None)

    def lose(self, item_id: str, *, times: int = 1) -> None:
        """Take the next changes of this item, deletions too, say all is well, and do nothing."""
        self.catalog.lapses[item_id] = Lapse(times)

    def keep_old(self, item_id: str, *fields: str, times: int = 1) -> None:
        """Take the next changes of this item, and leave these fields as they were.

        The fields are named as in a change: ``price``. A deletion is not done at all.
        """
        self.catalog.lapses[item_id] = Lapse(times, frozenset(fields))

    def use_up(self, percent: int, minutes: int = 0) -> None:
        """Let the usage headers tell that so much of what is allowed is used up."""
        self._server.percent, self._server.minutes = percent, minutes

    def change_token(self, access_token: str) -> None:
        """Take another token from now on."""
        self._server.token = access_token


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the program is stopped."""
    options = argparse.ArgumentParser(description="A stand-in for a Meta catalog on this machine.")
    options.add_argument("--port", type=int, default=8902)
    chosen = options.parse_args(arguments)
    with Sandbox(port=chosen.port) as meta:
        sys.stdout.write(
            f"base_url     {meta.url}\ncatalog_id   {meta.catalog_id}\n"
            f"access_token {meta.access_token}\n"
        )
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
