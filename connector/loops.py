"""One step done again and again in a thread of its own, never ended by what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from connector.errors import StoreUnavailable

log = structlog.get_logger()

_IDLE = 0.05  # seconds between looks when nothing waits: half the promise of a second is network
WOKEN = 0.2
"""Seconds between looks, for lanes that others of the process wake when there is work."""


@dataclass(slots=True)
class Loop:
    """A step repeated for as long as it finds work, then after a pause."""

    name: str
    step: Callable[[], int]
    wakes: Sequence[threading.Event] = ()
    idle: float = _IDLE

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        """Work until ``stop`` is set; ``wake`` ends a pause."""
        while not stop.is_set():
            wake.clear()
            try:
                done = self.step()
            except StoreUnavailable as problem:
                log.warning("store unavailable", lane=self.name, problem=str(problem))
                stop.wait(1.0)
                continue
            except Exception:
                # A lane that dies in silence would lose events in silence.
                log.exception("lane stumbled", lane=self.name)
                stop.wait(1.0)
                continue
            if done:
                for other in self.wakes:
                    other.set()
            else:
                wake.wait(self.idle)
