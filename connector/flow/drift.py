"""Whether a destination still holds what it acknowledged: compared as it is read, and repaired.

Only what is ours is compared: fields of our mapping, tags of our segments, of people whom both
sides hold as more than left. Who left there is heard of (`flow.hearsay`), and who was archived or
deleted there by hand stays so. What differs is entered as held, and the deliverer sends the step;
after three repairs that did not last it is left, and told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from connector.flow.rules import Rules, Target
from connector.model import Json, Lane, Permission, Record
from connector.store import lanes, outbox
from connector.store.outbox import record_from, record_json
from connector.store.schema import records

MOST_REPAIRS = 3
_MARGIN = timedelta(seconds=300)  # what was sent so shortly before may not show yet
_LONGEST = 255  # bytes of a text that e-mail tools keep
_LONGEST_TAG = 100
_FEW, _SHARE = 50, 0.2
_HELD = (Permission.SEND, Permission.CONFIRM, Permission.SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How many were compared, differed, were repaired now, and were given up or held back."""

    compared: int = 0
    differed: int = 0
    repaired: int = 0
    left: int = 0

    def __add__(self, other: Compared) -> Compared:
        return Compared(
            compared=self.compared + other.compared,
            differed=self.differed + other.differed,
            repaired=self.repaired + other.repaired,
            left=self.left + other.left,
        )


def compare(
    conn: Connection,
    target: Target,
    found: Mapping[str, Record],
    rules: Rules,
    *,
    began: datetime,
    now: datetime,
) -> Compared:
    """Compare a page of what is really held with what was acknowledged, and mark what differs due.

    ``began`` is when the reading began: what was sent after it, or just before, is not judged. So
    many differences in one page that something else must be writing there are not repaired.
    """
    ours = {*target.mapping.tags(rules.mapping).values()}
    judged = list(_judged(conn, target, found, before=began - _MARGIN))
    pairs = [(held, _really(held, real, ours | {*held.tags})) for held, real in judged]
    apart = [(held, real) for held, real in pairs if held != real]
    counts: dict[str, int] = lanes.get(conn, _name(target)) or {}
    fine = {_digest(held.key) for held, _ in judged} - {_digest(held.key) for held, _ in apart}
    kept = {digest: number for digest, number in counts.items() if digest not in fine}
    flood = len(apart) > _FEW and len(apart) > _SHARE * len(judged)
    mending = [
        (held, real)
        for held, real in apart
        if not flood and kept.get(_digest(held.key), 0) < MOST_REPAIRS
    ]
    _enter(conn, target, [real for _, real in mending], now)
    kept |= {_digest(held.key): kept.get(_digest(held.key), 0) + 1 for held, _ in mending}
    if kept != counts:
        lanes.put(conn, _name(target), kept, now=now)
    return Compared(
        compared=len(judged),
        differed=len(apart),
        repaired=len(mending),
        left=len(apart) - len(mending),
    )


def note(conn: Connection, target: Target, tally: Compared, *, whole: bool, now: datetime) -> None:
    """Publish what a pass found."""
    kept = {
        "at": now.isoformat(),
        "whole": whole,
        "compared": tally.compared,
        "differed": tally.differed,
        "repaired": tally.repaired,
        "left": tally.left,
        "ratio": round(1 - tally.differed / tally.compared, 6) if tally.compared else 1.0,
    }
    lanes.put(conn, f"held:{target.name}", kept, now=now)


def told(conn: Connection, destination: str) -> dict[str, Any] | None:
    """What the last pass found, for the books."""
    found: dict[str, Any] | None = lanes.get(conn, f"held:{destination}")
    return found


def _judged(
    conn: Connection, target: Target, found: Mapping[str, Record], *, before: datetime
) -> Iterator[tuple[Record, Record]]:
    rows = conn.execute(
        select(records.c.key, records.c.acknowledged).where(
            records.c.destination == target.name,
            records.c.key.in_(list(found)),
            records.c.status == "settled",
            records.c.acknowledged.is_not(None),
            records.c.acknowledged_at < before,
            ~records.c.unsure,
        )
    )
    for key, kept in rows:
        held = record_from(key, kept)
        if held and held.permission in _HELD and found[key].permission in _HELD:
            yield held, found[key]


def _really(held: Record, real: Record, ours: set[str]) -> Record:
    """What is held of it, in our own words; what says the same is left as we wrote it."""
    there = {_tag(tag) for tag in real.tags}
    return replace(
        held,
        fields={
            name: value if _is_same(value, real.fields.get(name)) else real.fields.get(name)
            for name, value in held.fields.items()
        },
        tags=tuple(sorted(tag for tag in ours if _tag(tag) in there)),
    )


def _tag(name: str) -> str:
    """A tag as it is compared: cut where e-mail tools cut it, whatever its letter case."""
    return name.casefold()[:_LONGEST_TAG]


def _is_same(ours: Json, theirs: Json) -> bool:
    """As the other side keeps it: numbers as such, texts cut and trimmed, nothing as empty."""
    if ours in (None, "") or theirs in (None, ""):
        return ours in (None, "") and theirs in (None, "", 0)
    if _text(ours) == _text(theirs):
        return True
    if not isinstance(ours, int | float) and not isinstance(theirs, int | float):
        return False
    try:
        return float(ours) == float(theirs)
    except (TypeError, ValueError, OverflowError):
        return False


def _text(value: Json) -> str:
    return " ".join(str(value).encode()[:_LONGEST].decode("utf-8", "ignore").split())


def _enter(conn: Connection, target: Target, real: list[Record], now: datetime) -> None:
    if not real:
        return
    conn.execute(
        update(records)
        .where(records.c.destination == target.name, records.c.key == bindparam("b_key"))
        .values(acknowledged=bindparam("b_acknowledged", type_=records.c.acknowledged.type)),
        [{"b_key": each.key, "b_acknowledged": record_json(each)} for each in real],
    )
    outbox.mark_due(conn, target.name, {each.key: Lane.NORMAL for each in real}, now=now)


def _name(target: Target) -> str:
    return f"drift:{target.name}"


def _digest(key: str) -> str:
    """Stands for a person where only a number is kept about them."""
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
