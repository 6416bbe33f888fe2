"""A stand-in for Meta's audiences: one ad account on this machine, stricter than the real one.

``with Sandbox() as meta:`` serves at ``meta.url``; ``python -m adapters.meta_audiences.sandbox``
serves until it is stopped. A test may look at everything, and make it misbehave.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.meta_audiences.sandbox_audiences import AdAccount, Audience
from adapters.meta_audiences.sandbox_server import Server
from adapters.town import platform
from adapters.town.graph import FAULTS, graph_error

AD_ACCOUNT = "act_42"
TOKEN = "EAAstandin0123456789"  # noqa: S105 - the token of an ad account that is none


class Sandbox(platform.Platform):
    """One ad account over real HTTP on loopback."""

    def __init__(
        self, *, port: int = 0, ad_account: str = AD_ACCOUNT, access_token: str = TOKEN
    ) -> None:
        self.ad_account = ad_account
        self.access_token = access_token
        self.account = AdAccount(ad_account)
        self._server = Server(self.account, access_token, port)
        super().__init__(
            self._server,
            {
                **FAULTS,
                "no permission": graph_error(200, "No permission", error_subcode=1870050),
            },
        )

    def audience(self, name: str) -> Audience:
        """The audience of this name, of which there must be one."""
        with self._lock:
            (found,) = [each for each in self.account.audiences.values() if each.name == name]
            return found

    def names(self) -> list[str]:
        """The names of all audiences."""
        with self._lock:
            return sorted(each.name for each in self.account.audiences.values())

    def inside(self, digest: str) -> dict[str, Mapping[str, Any]]:
        """The rows of whoever is known by this digest, by the audience's name."""
        with self._lock:
            return {
                each.name: dict(row)
                for each in self.account.audiences.values()
                for row in each.people.values()
                if digest in row.values()
            }

    def put(self, name: str, **told: Any) -> Audience:
        """Let an audience be there that somebody else made."""
        audience = Audience(name=name, **told)
        with self._lock:
            self.account.make(audience)
        return audience

    # --- misbehaving --------------------------------------------------------------------------

    def flag(self, name: str) -> None:
        """Let Meta flag an audience: it takes no change any more."""
        self.audience(name).flagged = True

    def delete(self, name: str) -> None:
        """Let a person delete an audience."""
        with self._lock:
            for audience_id, each in list(self.account.audiences.items()):
                if each.name == name:
                    del self.account.audiences[audience_id]

    def find_invalid(self, digest: str) -> None:
        """Count rows with this digest as invalid from now on."""
        self.account.invalid.add(digest)

    def ask_for_terms(self) -> None:
        """Take no people until the terms are accepted."""
        self.account.accepted_terms = False

    def use_up(self, percent: int, minutes: int = 0) -> None:
        """Let the usage headers tell that so much of what is allowed is used up."""
        self._server.percent, self._server.minutes = percent, minutes


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the program is stopped."""
    options = argparse.ArgumentParser(description="A stand-in for a Meta ad account.")
    options.add_argument("--port", type=int, default=8903)
    chosen = options.parse_args(arguments)
    with Sandbox(port=chosen.port) as meta:
        sys.stdout.write(
            f"base_url     {meta.url}\nad_account   {meta.ad_account}\n"
            f"access_token {meta.access_token}\n"
        )
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
