"""How gently a shop is read: so many requests at once, so many a second, fewer when it groans."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.line import HiccupError
from adapters.woocommerce.client import WooCommerceClient
from adapters.woocommerce.resources import TRASH
from adapters.woocommerce.stretches import Listed, TooMuchError
from adapters.woocommerce.verdicts import Found
from connector.errors import TryLater
from connector.model import Kind
from connector.strict_json import Sound, examine

_ATTEMPTS = 5
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 20.0
_SLOW = 8.0  # a shop that needs so many seconds for a page has other things to do
_CALM = 20  # good answers in a row after which one more request is let through at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """At most so many requests at once, and so many a second (``None``: as fast as it answers)."""

    at_once: int = 4
    a_second: float | None = None

    def __post_init__(self) -> None:
        if self.at_once < 1 or (self.a_second is not None and self.a_second <= 0):
            raise ValueError("a shop is asked at least once at a time, and more than never")


class PoliteReader:
    """Asks for stretches of lists, for all readings of one shop together. Safe between threads."""

    def __init__(
        self,
        client: WooCommerceClient,
        manners: Manners,
        *,
        sleep: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manners = manners
        self._client = client
        self._sleep = sleep
        self._ticks = ticks
        self._free = threading.Condition()
        self._busy = 0
        self._calm = 0
        self._allowed = manners.at_once
        self._gap = 1 / manners.a_second if manners.a_second else 0.0
        self._next = 0.0
        self._quiet_until = 0.0

    def listed(self, things: str, query: Mapping[str, str | int]) -> Listed | None:
        """One stretch of a list, asked for again while the shop cannot answer.

        Raises `TryLater` when it stays so or asks for a long pause, `LaneDown` when it refuses us,
        and `TooMuchError` at once.
        """
        problem = TryLater(f"GET {things}: never asked")
        for attempt in range(_ATTEMPTS):
            with self._turn():
                try:
                    found = self._client.listed(things, query)
                except TooMuchError:
                    self.hold(_FIRST_WAIT)
                    raise
                except HiccupError as hiccup:
                    problem = TryLater(f"GET {things}: {hiccup}")
                except TryLater as refused:
                    problem = refused
                    if (refused.retry_after or 0) > _LONGEST_WAIT:
                        raise
                else:
                    self._went_well(found.took if found else 0.0)
                    return found
            self.hold(problem.retry_after or _FIRST_WAIT * 2.0**attempt)
        raise problem

    def has(self, kind: Kind, number: int) -> bool:
        """Whether the shop, asked for one thing by itself, has it, and not in the trash.

        Raises as `listed`.
        """
        with self._turn():
            answer = self._client.thing(kind, str(number))
        if not isinstance(answer, Found):
            return False
        examined = examine(answer.body)
        if not isinstance(examined, Sound):
            raise TryLater(f"GET {kind} {number}: the answer is no JSON object")
        return examined.value.get("status") != TRASH

    def hold(self, seconds: float) -> None:
        """Leave the shop alone for a while, and ask it half as much at once from then on."""
        with self._free:
            self._quiet_until = max(self._quiet_until, self._ticks() + seconds)
            self._allowed = max(1, self._allowed // 2)
            self._calm = 0

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._free:
            self._free.wait_for(lambda: self._busy < self._allowed)
            self._busy += 1
            now = self._ticks()
            at = max(self._next, self._quiet_until, now)
            self._next = at + self._gap
        try:
            if at > now:
                self._sleep(at - now)
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify_all()

    def _went_well(self, took: float) -> None:
        with self._free:
            if took > _SLOW:
                self._allowed, self._calm = max(1, self._allowed - 1), 0
                return
            self._calm += 1
            if self._calm >= _CALM and self._allowed < self.manners.at_once:
                self._allowed, self._calm = self._allowed + 1, 0
                self._free.notify_all()
