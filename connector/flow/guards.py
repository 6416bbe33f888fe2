"""Changes to people that look like a mistake, by their number, wait until a person confirms them.

A mapping gone wrong, a clone of a shop or a lost table shows as many at once: contacts that lose
our tags and get none instead, or contacts who may be mailed from now on and might not before. What
a day brings of each is counted together. Who withdraws, or is erased, is never held back, nor is
anybody whom the destination did not hold: a first fill is no mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from connector import moments
from connector.flow.rules import Holds, Target
from connector.model import Change, Outcome, Parked, Permission, Settled
from connector.policy import breaker
from connector.store import lanes
from connector.store.schema import records

_WINDOW = timedelta(days=1)
_MAILABLE = (Permission.SEND, Permission.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One kind of change that is counted: more than ``share`` of all held, and than ``few``."""

    name: str
    reason: str
    is_one: Callable[[Change], bool]
    share: float
    few: int
    words: str


def _loses_tags(change: Change) -> bool:
    """Tags of ours go and none comes; a move from one segment to the next is none of these."""
    before, after = change.before, change.after
    if before is None or after is None or after.permission is Permission.WITHDRAWN:
        return False
    return bool(set(before.tags) - {*after.tags}) and not set(after.tags) - {*before.tags}


def _is_raised(change: Change) -> bool:
    """Held without permission to mail, and to be mailed from now on."""
    before, after = change.before, change.after
    return (
        before is not None
        and after is not None
        and after.permission in _MAILABLE
        and before.permission not in _MAILABLE
    )


GUARDS = (
    Guard(
        name="tags",
        reason="held_many_lose_tags",
        is_one=_loses_tags,
        share=0.5,
        few=100,
        words="More than half of those held would lose tags within a day and get none instead.",
    ),
    Guard(
        name="raised",
        reason="held_many_raised",
        is_one=_is_raised,
        share=0.1,
        few=50,
        words="More than a tenth of those held, who might not be mailed before, would be within a "
        "day.",
    ),
)


def held_back(
    conn: Connection, target: Target, changes: Iterable[tuple[Change, bool]], *, now: datetime
) -> dict[str, Parked]:
    """Those among the changes that must not go through now, with what to do about them.

    Each change comes with whether a person confirmed it.
    """
    if target.holds is not Holds.PEOPLE:
        return {}
    open_to_doubt = [change for change, confirmed in changes if not confirmed]
    held: dict[str, Parked] = {}
    for guard in GUARDS:
        going = [change.key for change in open_to_doubt if guard.is_one(change)]
        if going and _too_many(conn, target, guard, len(going), now):
            mend = (
                f"{guard.words} If that is meant: connector parked --release {target.name}. If "
                "not: put the mapping or the shop right; what is right again goes on by itself."
            )
            held |= dict.fromkeys(going, Parked(reason=guard.reason, mend=mend))
    return held


def note(
    conn: Connection,
    target: Target,
    changes: Iterable[tuple[Change, bool]],
    outcomes: Mapping[str, Outcome],
    *,
    now: datetime,
) -> None:
    """Count what was taken without anybody's word."""
    if target.holds is not Holds.PEOPLE:
        return
    taken = [
        change
        for change, confirmed in changes
        if not confirmed and isinstance(outcomes.get(change.key), Settled)
    ]
    for guard in GUARDS:
        if number := sum(map(guard.is_one, taken)):
            since, before = _counted(conn, target, guard, now)
            kept = {"since": since.isoformat(), "taken": before + number}
            lanes.put(conn, _name(target, guard), kept, now=now)


def _too_many(conn: Connection, target: Target, guard: Guard, going: int, now: datetime) -> bool:
    taken = _counted(conn, target, guard, now)[1]
    here = records.c.destination == target.name
    waiting = conn.scalar(
        select(func.count()).where(
            here, records.c.status == "parked", records.c.reason == guard.reason
        )
    )
    number = going + taken + (waiting or 0)
    if number <= guard.few:
        return False
    whole = conn.scalar(select(func.count(records.c.acknowledged)).where(here)) or 0
    return breaker.too_many(number, whole, limit=guard.share, few_enough=guard.few)


def _counted(conn: Connection, target: Target, guard: Guard, now: datetime) -> tuple[datetime, int]:
    """Since when is counted, and how many so far; a day later it begins anew."""
    kept = lanes.get(conn, _name(target, guard)) or {}
    since = moments.parse_utc(kept.get("since"))
    if since is None or not timedelta(0) <= now - since < _WINDOW:
        return now, 0
    return since, int(kept["taken"])


def _name(target: Target, guard: Guard) -> str:
    return f"guard:{target.name}:{guard.name}"
