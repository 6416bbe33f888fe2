"""A stand-in for Meta's Conversions API: one pixel on this machine, as strict as the real one.

``with Sandbox() as meta:`` serves at ``meta.url``; ``python -m adapters.meta_conversions.sandbox``
serves until it is stopped. A test may look at everything, and make it misbehave.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.meta_conversions.sandbox_server import Pixel, Server
from adapters.town import platform
from adapters.town.graph import FAULTS

PIXEL = "1234567890123456"
TOKEN = "EAAstandin0123456789"  # noqa: S105 - the token of a pixel that is none


class Sandbox(platform.Platform):
    """One pixel over real HTTP on loopback. By ``clock`` it tells how old events are."""

    def __init__(
        self,
        *,
        port: int = 0,
        pixel_id: str = PIXEL,
        access_token: str = TOKEN,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.pixel_id = pixel_id
        self.access_token = access_token
        self.pixel = Pixel(pixel_id, clock)
        super().__init__(Server(self.pixel, access_token, port), FAULTS)

    def purchases(self) -> dict[str, dict[str, Any]]:
        """The purchases that were told, each once, by the event's id."""
        with self._lock:
            return {
                event_id: dict(event)
                for (name, event_id), event in self.pixel.events.items()
                if name == "Purchase"
            }

    # --- misbehaving --------------------------------------------------------------------------

    def dislike(self, event_id: str) -> None:
        """Refuse every call with this event in it, without saying which it was."""
        self.pixel.disliked.add(event_id)

    def receive(self, number: int | None) -> None:
        """Answer that so many events were received, whatever came."""
        self.pixel.received = number


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the program is stopped."""
    options = argparse.ArgumentParser(description="A stand-in for a Meta pixel on this machine.")
    options.add_argument("--port", type=int, default=8904)
    chosen = options.parse_args(arguments)
    with Sandbox(port=chosen.port) as meta:
        sys.stdout.write(
            f"base_url     {meta.url}\npixel_id     {meta.pixel_id}\n"
            f"access_token {meta.access_token}\n"
        )
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
