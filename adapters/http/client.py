"""The only door to a receiver: one signed post, asked once, with an answer that has bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import httpx

from adapters import line
from adapters.http.account import Account
from adapters.http.answers import Reply
from adapters.http.signing import sign
from adapters.line import HiccupError
from connector.errors import TryLater

LARGEST_ANSWER = 256 * 1024


class HttpClient:
    """Posts to one receiver. ``told_at`` is the time by its clock when it last answered.

    ``timeout`` is in seconds for a whole answer; ``clock`` gives Unix seconds, for the signature:
    it says when the attempt was made.
    """

    def __init__(
        self,
        account: Account,
        timeout: float,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        private_network: bool = False,
    ) -> None:
        self._account = account
        self._timeout = timeout
        self._clock = clock
        self._ticks = ticks
        self._http = line.open_line(
            account.url,
            seconds=timeout,
            transport=None,
            private_network=private_network,
        )
        self.told_at: datetime | None = None

    def post(self, message_id: str, body: bytes) -> Reply:
        """Post a body under its id. Raises `TryLater` when no whole answer came."""
        at = int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(self._account.keys, message_id, at, body),
        }
        since = self._ticks()
        try:
            with (
                line.within(self._timeout),
                self._http.stream(
                    "POST", self._account.url, content=body, headers=headers
                ) as response,
            ):
                answer = line.read_body(
                    response,
                    largest=LARGEST_ANSWER,
                    seconds=self._timeout,
                    since=since,
                    ticks=self._ticks,
                )
        except HiccupError as problem:
            raise TryLater(f"the receiver: {problem}") from None
        except httpx.HTTPError as error:
            raise TryLater(f"no answer from the receiver ({type(error).__name__})") from None
        if self._ticks() > since + self._timeout:  # an answer without a body was not looked at
            raise TryLater(f"the answer took longer than {self._timeout:.0f} s")
        self.told_at = line.date_in(response.headers)
        return Reply(response, answer)

    def close(self) -> None:
        """Hang up."""
        self._http.close()
