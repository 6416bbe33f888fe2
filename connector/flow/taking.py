"""Taking a changed mapping: at the start of a worker, unless it turns a segment over.

Then it is held until a person confirms it or puts the file back: what shops tell goes on being
settled, whoever withdrew is told of, but nobody enters or leaves a segment and nothing else is
sent. Once it is taken, everybody is evaluated anew, some at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, select

from connector.errors import LaneDown
from connector.flow import newcomers, weighing
from connector.flow.rules import Rules
from connector.store import changes, lanes, segments
from connector.store.connect import Store
from connector.store.schema import profiles
from mappings.digest import digest_of

log = structlog.get_logger()

TAKEN = "mapping"
HELD = "mapping:held"
CONFIRMED = "mapping:confirmed"
_MARKING = "mapping:marking"
_AT_ONCE = 1000
MEND = (
    "See what it changes with `connector plan`. If it is meant, `connector apply --confirm`; if "
    "not, put the former mapping back and start the worker again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """What a mapping is known by: as a whole, what profiles follow from, and each destination."""

    whole: str
    profiles: str
    targets: Mapping[str, str]

    @classmethod
    def of(cls, rules: Rules) -> Digests:
        """Those of the mapping in force."""
        return cls(
            whole=digest_of(rules.mapping),
            profiles=weighing.profile_digest(rules),
            targets={target.name: digest_of(target.mapping) for target in rules.targets},
        )


class Taking:
    """What a worker knows of its mapping: whether it may be worked by."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._digests = Digests.of(rules)
        self._taken: bool | None = None
        self._too_large: list[str] | None = None
        self._fresh = False

    def was_just_taken(self) -> bool:
        """Whether it was taken since this was last asked."""
        fresh, self._fresh = self._fresh, False
        return fresh

    def look(self, *, now: datetime) -> bool:
        """Whether the mapping is taken; weighs it when it is another than the last one taken.

        Raises `StoreUnavailable`.
        """
        if not self._glance(now):
            self._decide(now)
        return bool(self._taken)

    def holds_back(self, *, now: datetime) -> bool:
        """Whether only withdrawals may be sent for now; weighs nothing.

        Raises `StoreUnavailable`.
        """
        return not self._glance(now)

    @property
    def problem(self) -> LaneDown | None:
        """Why the mapping is not taken, once that is known."""
        if self._taken or not self._too_large:
            return None
        return _problem(self._too_large)

    def _glance(self, now: datetime) -> bool:
        if self._taken is None:
            with self._store.read() as conn:
                kept = lanes.get(conn, TAKEN)
                held = lanes.get(conn, HELD)
                anybody = conn.scalar(select(profiles.c.person).limit(1)) is not None
            self._taken = kept is None or kept["whole"] == self._digests.whole
            if self._taken and (kept is None or held):
                # What was evaluated while another mapping was held moved nobody.
                self._take(now, everybody=anybody)
        return self._taken

    def _decide(self, now: datetime) -> None:
        with self._store.read() as conn:
            kept = lanes.get(conn, TAKEN) or {}
            confirmed = (lanes.get(conn, CONFIRMED) or {}).get("whole") == self._digests.whole
        if not confirmed and self._too_large is None:
            profiles_too = kept.get("profiles") != self._digests.profiles
            with weighing.as_if_taken(
                self._store, self._rules, now=now, profiles_too=profiles_too
            ) as (_, weighed):
                found = weighed.too_large
            self._too_large = found
            if found:
                log.warning("mapping held", why=found, mend=MEND)
                with self._store.write() as conn:
                    lanes.put(conn, HELD, {"why": found}, now=now)
        if confirmed or not self._too_large:
            self._take(now, everybody=True, former=kept.get("targets") or {})

    def _take(
        self, now: datetime, *, everybody: bool, former: Mapping[str, str] | None = None
    ) -> None:
        digests = self._digests
        meant = former or {}
        changed = [
            target
            for target in self._rules.targets
            if meant.get(target.name, digests.targets[target.name]) != digests.targets[target.name]
        ]
        with self._store.write() as conn:
            segments.drop_unknown(conn, list(self._rules.mapping.segments))
            newcomers.again(conn, changed, now=now)
            kept = {
                "whole": digests.whole,
                "profiles": digests.profiles,
                "targets": dict(digests.targets),
            }
            lanes.put(conn, TAKEN, kept, now=now)
            for name in (HELD, CONFIRMED):
                lanes.put(conn, name, None, now=now)
            if everybody:
                lanes.put(conn, _MARKING, {"after": ""}, now=now)
        self._taken = True
        self._fresh = True


def mark_some(store: Store, *, now: datetime) -> int:
    """Mark some of those to be evaluated anew, once nobody else waits. Gives how many.

    Raises `StoreUnavailable`.
    """
    with store.read() as conn:
        place = lanes.get(conn, _MARKING)
        if place is None or changes.any_changed(conn):
            return 0
    with store.write() as conn:
        people = conn.scalars(
            select(profiles.c.person)
            .where(profiles.c.person > place["after"])
            .order_by(profiles.c.person)
            .limit(_AT_ONCE)
        ).all()
        changes.mark_dirty(conn, dict.fromkeys(people), now=now)
        more = len(people) == _AT_ONCE
        lanes.put(conn, _MARKING, {"after": people[-1]} if more else None, now=now)
    return len(people)


def why_held(conn: Connection) -> list[str]:
    """Why the mapping that was found at a start is not taken, if one is held."""
    kept: Any = lanes.get(conn, HELD)
    return list(kept["why"]) if kept else []


def _problem(why: list[str]) -> LaneDown:
    return LaneDown(f"the changed mapping is not taken: {'; '.join(why)}", mend=MEND)
