"""A stand-in receiver on this machine: it checks every signature itself, and misbehaves on request.

``with Sandbox() as crm:`` serves at ``crm.url``; ``python -m adapters.http.sandbox`` serves until
it is stopped. A test may look at everything.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from adapters.http.sandbox_faults import FAULTS
from adapters.http.sandbox_server import Server
from adapters.town import platform

SECRET = "whsec_c3RhbmQtaW4tcmVjZWl2ZXItc2VjcmV0LTAwMQ=="  # noqa: S105 - of a receiver that is none


class Sandbox(platform.Platform):
    """One receiver over real HTTP on loopback. ``secret`` is what it checks signatures with."""

    def __init__(self, *, port: int = 0, secret: str = SECRET) -> None:
        self.secret = secret
        self._server = Server(secret, port)
        super().__init__(self._server, FAULTS)

    @property
    def address(self) -> str:
        """Where to post: the ``url`` of a destination."""
        return f"{self.url}/hooks"

    @property
    def batches(self) -> list[dict[str, Any]]:
        """Every body that was taken, repetitions left out."""
        return self._server.batches

    @property
    def ids(self) -> list[str]:
        """The ``webhook-id`` of every signed post, repetitions too."""
        return self._server.ids

    def records(self) -> dict[str, dict[str, Any]]:
        """What it holds, by key."""
        with self._lock:
            return {key: dict(record) for key, record in self._server.records.items()}

    def erased(self) -> set[str]:
        """Whose erasure it was told."""
        with self._lock:
            return set(self._server.erased)

    # --- misbehaving --------------------------------------------------------------------------

    def refuse(self, key: str, reason: str = "not wanted") -> None:
        """Refuse this record from now on, by name."""
        self._server.refused[key] = ("refused", reason)

    def put_off(self, key: str, reason: str = "busy") -> None:
        """Take this record later, not now."""
        self._server.refused[key] = ("later", reason)

    def accept(self, key: str) -> None:
        """Take this record after all."""
        self._server.refused.pop(key, None)

    def choke_on(self, key: str) -> None:
        """Answer 422 to every body in which this record is, without saying which it is."""
        self._server.choked.add(key)

    def take_at_most(self, records: int | None) -> None:
        """Answer 413 to a body with more records."""
        self._server.most = records

    def call_itself(self, account: str | None) -> None:
        """Name this account in the answer to a ping."""
        self._server.account = account

    def change_secret(self, secret: str) -> None:
        """Check signatures with another secret from now on."""
        self._server.secret = secret

    def set_clock(self, clock: Callable[[], float]) -> None:
        """Believe this clock (Unix seconds) when a signature's age is looked at."""
        self._server.clock = clock


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the program is stopped."""
    options = argparse.ArgumentParser(description="A stand-in receiver on this machine.")
    options.add_argument("--port", type=int, default=8903)
    chosen = options.parse_args(arguments)
    with Sandbox(port=chosen.port) as crm:
        sys.stdout.write(f"url            {crm.address}\nsigning_secret {crm.secret}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
