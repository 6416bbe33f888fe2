"""What all contracts of destinations share: how a change is pushed, and what a network may do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Record, Settled
from connector.ports import DestinationAdapter, Shape

Peek: TypeAlias = Callable[[str], Mapping[str, Any] | None]
Make: TypeAlias = Callable[[], tuple[DestinationAdapter, Peek]]
Misbehave: TypeAlias = Callable[[str], None]

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Pushing:
    """Ways to speak to a destination."""

    shape = Shape(fields={})

    def ready(self, make: Make) -> tuple[DestinationAdapter, Peek]:
        """A prepared destination, in which nothing was found wrong."""
        destination, peek = make()
        assert [] == list(destination.prepare(self.shape))
        return destination, peek

    @staticmethod
    def send(
        destination: DestinationAdapter, before: Record | None, after: Record | None
    ) -> Outcome:
        """Push one change and give its outcome."""
        (key,) = {each.key for each in (before, after) if each is not None}
        outcomes = destination.push([Change(key=key, before=before, after=after)], now=NOW)
        destination.flush()
        assert [key] == list(outcomes)
        return outcomes[key]


class Remote(Pushing, ABC):
    """The promises of a destination behind a network, told by one record that it would take."""

    nothing: Mapping[str, Any] | None = None
    """What ``peek`` gives of what is not there."""

    @abstractmethod
    def sample(self) -> tuple[Record, str]:
        """A record that is taken, and the name by which ``peek`` finds it."""

    @abstractmethod
    def looks_right(self, found: Mapping[str, Any]) -> bool:
        """Whether what ``peek`` found is the sample."""

    def test_rate_limited(self, make: Make, misbehave: Misbehave) -> None:
        """A platform that is asked too often is asked again later, and nothing is lost."""
        self.later(make, misbehave, "rate_limited")

    def test_server_error(self, make: Make, misbehave: Misbehave) -> None:
        """A platform that broke down proves nothing: it is asked again."""
        self.broken(make, misbehave, "server_error")

    def test_answer_is_not_json(self, make: Make, misbehave: Misbehave) -> None:
        """A page where an answer should be proves nothing, and is asked for again."""
        self.broken(make, misbehave, "answer_is_not_json")

    def test_bad_credentials(self, make: Make, misbehave: Misbehave) -> None:
        """A refused key stops everything, and a person is told what to mend."""
        destination, peek = self.ready(make)
        record, name = self.sample()
        misbehave("bad_credentials")
        with pytest.raises(LaneDown) as caught:
            self.send(destination, None, record)
        assert caught.value.mend
        assert self.nothing == peek(name)

    # --- for the tests above ------------------------------------------------------------------

    def later(self, make: Make, misbehave: Misbehave, fault: str) -> None:
        """Nothing was taken; the same call is made again, and then it is."""
        destination, peek = self.ready(make)
        record, name = self.sample()
        misbehave(fault)
        with pytest.raises(TryLater):
            self.send(destination, None, record)
        assert self.nothing == peek(name)
        self.taken(destination, peek)

    def broken(self, make: Make, misbehave: Misbehave, fault: str) -> None:
        """What a call means that got no answer: nothing was taken."""
        self.later(make, misbehave, fault)

    def taken(self, destination: DestinationAdapter, peek: Peek) -> None:
        """Send the sample, and find it there."""
        record, name = self.sample()
        assert Settled() == self.send(destination, None, record)
        found = peek(name)
        assert found
        assert self.looks_right(found)
