"""The HTTP destination: any CRM or call centre that takes signed JSON batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from adapters.http.account import Account
from adapters.http.answers import Answer, Refused, Reply, judge
from adapters.http.client import HttpClient
from adapters.http.parcels import CHANGED, MOST_RECORDS, PING, Entry, body_of, id_of
from adapters.http.push import Push
from connector import clocks
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome
from connector.ports import Finding, Grade, Introduction, Shape
from connector.strict_json import Sound, examine

_LONGEST_NAME = 100


class HttpDestination:
    """One receiver.

    ``secrets`` are ``whsec_…`` or texts of at least 24 bytes; each signs, the one in use first.
    ``timeout`` is in seconds for a whole answer, ``clock`` gives Unix seconds. Raises
    `ConfigurationFault` when a setting cannot be right.
    """

    batch_size = MOST_RECORDS

    def __init__(
        self,
        name: str,
        url: str,
        secrets: Sequence[str],
        *,
        private_network: bool = False,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._account = Account.check(name, url, secrets)
        self._client = HttpClient(
            self._account, timeout, clock=clock, private_network=private_network
        )
        self._clock = clock
        self._most = MOST_RECORDS

    def prepare(self, _shape: Shape) -> Sequence[Finding]:
        """There is nothing to be made ready: a receiver takes what it knows of a record."""
        return ()

    def introduce(self) -> Introduction:
        """Ask who answers, with a signed ping. Raises `TryLater` or `LaneDown`.

        A receiver may name itself (``{"account": "…"}``); one that does not is known by its
        address.
        """
        reply = self._ping()
        answer = judge(reply)
        said = None if isinstance(answer, Refused) else _named(reply)
        return Introduction(account=said or self._account.mark, at=self._client.told_at)

    def check_up(self, shape: Shape, *, now: datetime) -> Sequence[Finding]:
        """Post a signed ping, which changes nothing, and say how it was."""
        del shape
        return tuple(self._examine(now))

    def push(self, changes: Sequence[Change], *, now: datetime) -> Mapping[str, Outcome]:
        """Post the changes; one outcome for every key. Raises `TryLater` or `LaneDown`."""

        def post(entries: Sequence[Entry]) -> Answer:
            body = body_of(CHANGED, self.name, entries, now=now)
            return judge(self._client.post(id_of(self.name, entries), body))

        push = Push(post, self._most)
        try:
            return push.run(changes)
        finally:
            self._most = push.most

    def flush(self) -> None:
        """Nothing is held back: every push is posted when it returns."""

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _examine(self, now: datetime) -> Iterator[Finding]:
        try:
            answer = judge(self._ping())
        except (TryLater, LaneDown) as problem:
            yield Finding.of("the receiver cannot be used", problem)
            return
        if isinstance(answer, Refused):
            yield Finding(
                what=f"the receiver is there, and answers {answer.status} to a ping",
                cause="Whether it takes our signature is not seen before the first records.",
                mend="Let it answer 2xx to a body of the type ping.",
                grade=Grade.NOTE,
            )
        else:
            yield Finding(what="the receiver takes a signed ping", grade=Grade.FINE)
        yield from clocks.compare(self._client.told_at, now, whose="the receiver's")

    def _ping(self) -> Reply:
        at = datetime.fromtimestamp(self._clock(), UTC)
        # A ping is new each time: nothing must be taken for a repetition of an older one.
        return self._client.post(
            f"msg_ping_{int(at.timestamp() * 1e6)}", body_of(PING, self.name, (), now=at)
        )


def _named(reply: Reply) -> str | None:
    examined = examine(reply.body)
    said = examined.value.get("account") if isinstance(examined, Sound) else None
    return said[:_LONGEST_NAME] if isinstance(said, str) and said else None
