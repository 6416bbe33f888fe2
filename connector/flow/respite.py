"""A shop that could not answer is left alone for a while, longer each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never
from zlib import crc32

from connector.errors import LaneDown, TryLater
from connector.policy import retry

_UNTIL_MENDED = 60.0  # seconds before a shop that refuses everything is asked again


@dataclass(slots=True)
class _Patience:
    """How often in a row a shop could not answer, and until when it is left alone."""

    attempts: int = 0
    until: float = 0.0


class Respite:
    """Which shops are left alone. ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._patience: dict[str, _Patience] = {}

    def left(self, shop: str) -> float:
        """For how many seconds yet the shop is left alone."""
        patience = self._patience.get(shop)
        return max(0.0, patience.until - self._clock()) if patience else 0.0

    def give(self, shop: str, trouble: TryLater | LaneDown) -> str | None:
        """Leave it alone because of this; gives what a person has to mend, if so."""
        patience = self._patience.setdefault(shop, _Patience())
        patience.attempts += 1
        fraction = crc32(f"{shop}/{patience.attempts}".encode()) / 0xFFFFFFFF
        mend: str | None = None
        match trouble:
            case TryLater(retry_after=retry_after):
                seconds = retry.wait(patience.attempts, retry_after, fraction)
            case LaneDown():
                seconds, mend = _UNTIL_MENDED, trouble.mend
            case _:
                assert_never(trouble)
        patience.until = self._clock() + seconds
        return mend

    def over(self, shop: str) -> None:
        """It answered."""
        self._patience.pop(shop, None)
