"""What can go wrong between a shop and us, on request: answers that fail, deliveries that stray."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FATES = ("duplicated", "shuffled", "delayed", "dropped", "forged")
"""What can befall a delivery: sent twice (the copy later), sent before its turn, sent late with
what was true earlier, lost, or accompanied by a forgery with a wrong signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One failing answer: which kind, and the seconds it names or takes."""

    kind: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class Mischief:
    """What shall go wrong. ``rates`` are probabilities for each delivery.

    ``answers`` are the ways in which this stand-in's answers can fail.
    """

    chance: random.Random
    answers: tuple[str, ...]
    rates: dict[str, float] = field(default_factory=dict)
    longest_delay: float = 0.5
    _answers: deque[Answer] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(
        self,
        *,
        answers: str | None = None,
        times: int = 1,
        seconds: float = 1,
        deliveries: Mapping[str, float] | None = None,
        longest_delay: float | None = None,
    ) -> None:
        """Let the next ``times`` answers fail, or deliveries stray at these rates (0 ends it).

        ``seconds`` is what a refusal asks to wait or a slow answer takes; ``longest_delay`` how
        late a delayed or duplicated delivery may come. Raises `ValueError` for a word it does not
        know.
        """
        unknown = [] if answers is None or answers in self.answers else [answers]
        unknown += [name for name in deliveries or {} if name not in FATES]
        if unknown:
            known = ", ".join((*self.answers, *FATES))
            raise ValueError(f"the sandbox knows no {', '.join(unknown)}; it knows {known}")
        with self._lock:
            if answers is not None:
                self._answers.extend([Answer(kind=answers, seconds=seconds)] * times)
            if deliveries is not None:
                self.rates.update(deliveries)
            if longest_delay is not None:
                self.longest_delay = longest_delay

    def next_answer(self) -> Answer | None:
        """The failure planned for this answer, if any."""
        with self._lock:
            return self._answers.popleft() if self._answers else None

    def befalls(self, fate: str) -> bool:
        """Whether this befalls the delivery at hand."""
        rate = self.rates.get(fate, 0)
        return rate > 0 and self.chance.random() < rate

    def delay(self) -> float:
        """For how many seconds a delivery strays."""
        return self.chance.uniform(0, self.longest_delay)

    def as_json(self) -> Mapping[str, Any]:
        """What is planned, for the control page."""
        with self._lock:
            waiting = [answer.kind for answer in self._answers]
        return {"answers": waiting, "deliveries": dict(self.rates)}
