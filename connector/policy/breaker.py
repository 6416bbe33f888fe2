"""When to stop calling a platform that is down, and when a change is too large to be meant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FAILURES_TO_OPEN = 5
PROBE_EVERY = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=4)

LARGEST_SHARE = 0.5
FEW_ENOUGH = 20
"""So many removals are never held: in a small shop half of the people may be one morning's work."""


class Phase(StrEnum):
    """What a circuit does with the next call."""

    CLOSED = "closed"  # lets everything through
    OPEN = "open"  # lets nothing through
    HALF_OPEN = "half_open"  # lets one call through, to see


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """How the last calls went. Attempts of records are not used up while it is open."""

    failures: int = 0
    next_probe_at: datetime | None = None


def phase(circuit: Circuit, now: datetime) -> Phase:
    """The circuit's phase. A clock that was set back cannot keep it open for more than 4 hours."""
    if circuit.next_probe_at is None:
        return Phase.CLOSED
    remaining = circuit.next_probe_at - now
    return Phase.OPEN if timedelta(0) < remaining <= LONGEST_PAUSE else Phase.HALF_OPEN


def ask(circuit: Circuit, now: datetime) -> tuple[Circuit, bool]:
    """Whether a call may be made now; a probe that never reports back is repeated after 5 s."""
    match phase(circuit, now):
        case Phase.CLOSED:
            return circuit, True
        case Phase.OPEN:
            return circuit, False
        case Phase.HALF_OPEN:
            return replace(circuit, next_probe_at=now + PROBE_EVERY), True


def succeeded(_circuit: Circuit) -> Circuit:
    """The circuit after an answer, good or bad, that shows the platform is there: closed."""
    return Circuit()


def failed(circuit: Circuit, now: datetime, *, retry_after: float | None = None) -> Circuit:
    """The circuit after a call that met no platform: open from the fifth in a row.

    ``retry_after`` (seconds) opens it at once for so long, at most 4 hours: it was asked for.
    """
    failures = circuit.failures + 1
    asked = retry_after if retry_after is not None and retry_after > 0 else 0.0
    if failures < FAILURES_TO_OPEN and not asked:
        return Circuit(failures=failures)
    pause = timedelta(seconds=min(asked, LONGEST_PAUSE.total_seconds()))
    return Circuit(failures=failures, next_probe_at=now + max(pause, PROBE_EVERY))


def too_many(
    removals: int, total: int, limit: float = LARGEST_SHARE, few_enough: int = FEW_ENOUGH
) -> bool:
    """Would this take away so much that a person should confirm it first.

    More than ``limit`` (a share from 0 to 1) of the ``total`` held, and more than ``few_enough``.
    """
    return removals > few_enough and removals > limit * total
