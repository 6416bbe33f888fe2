"""Whether a destination still holds what it acknowledged: compared as it is read, and repaired.

Only what is ours is compared: records that were acknowledged, their fields, and tags of our
segments. What differs is entered as held, and the deliverer takes the step anew; after three
repairs that did not last it is left, and told. Where people work by hand as well, what they changed
or took away after we wrote it is theirs and stays so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connector.doubts import possible
from connector.flow.held_names import keys_of
from connector.flow.rules import Rules, Target
from connector.model import Permission, Record
from connector.ports import Held, Polled, Showing
from connector.store import seen
from connector.store.readings import Tally
from connector.store.seen import Taken

MARGIN = timedelta(seconds=300)
"""What was sent so shortly before the reading may not show yet."""
MOST_REPAIRS = 3
_LONGEST_TAG = 100
_FEW, _SHARE = 50, 0.2
_MOST_MISSING = 100_000  # of which one round tells; the next goes on
_KNOWN_BY = "id"  # the field that names an item in a catalog
_HELD = (Permission.SEND, Permission.CONFIRM, Permission.SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Apart:
    """A record that is not held as it was taken, and what is held instead (``None``: nothing)."""

    taken: Taken
    real: Record | None


@dataclass(slots=True, kw_only=True)
class Comparison:
    """One look at a destination: all of it, or what changed there since the last look.

    ``began`` is when it began: what was sent after it, or just before, is not judged. So many
    differences that something else must be writing there are not repaired, but when that is
    ``believed``. ``tally`` is what was found so far.
    """

    target: Target
    adapter: Showing
    rules: Rules
    began: datetime
    tally: Tally = field(default_factory=Tally)
    believed: bool = False

    def look(self, conn: Connection, page: Mapping[str, Held], *, now: datetime) -> int:
        """Compare a page of what is really held, and mark what differs due. Gives how many."""
        name = self.target.name
        keys = keys_of(conn, self.target, page)
        real = {key: page[shown] for shown, key in keys.items()}
        taken = list(seen.settled(conn, name, real, before=self.began - MARGIN))
        seen.saw(conn, name, real, now=now)
        judged = [each for each in taken if self._is_judged(each, real[each.key])]
        apart = [each for one in judged if (each := self._apart(one, real[one.key]))]
        edited = [each for each in apart if self._is_edited(each.taken, real[each.taken.key])]
        ours = [each for each in apart if each not in edited]
        well = {each.key for each in judged} - {each.taken.key for each in apart}
        seen.is_well(conn, name, well)
        self.tally += Tally(compared=len(judged), edited=len(edited))
        return self._repair(conn, ours, now=now)

    def end(self, conn: Connection, *, now: datetime) -> int:
        """After all was looked at: what of ours was not there. Gives how many were marked due."""
        name = self.target.name
        missing = seen.unseen(
            conn, name, since=self.began, before=self.began - MARGIN, limit=_MOST_MISSING
        )
        brings = self.target.mapping.policy != "existing_only"  # others were taken note of only
        missing = [each for each in missing if brings and self._should_be_there(each)]
        gone: set[str] = set()
        if isinstance(self.adapter, Polled):
            keys = {each.key for each in missing}
            gone = keys - seen.never_seen(conn, name, keys)
        lost = [_Apart(taken=each, real=None) for each in missing if each.key not in gone]
        self.tally += Tally(compared=len(lost), gone=len(gone))
        return self._repair(conn, lost, now=now)

    def _repair(self, conn: Connection, apart: Collection[_Apart], *, now: datetime) -> int:
        self.tally += Tally(differed=len(apart))
        mending = [
            (each.taken.key, each.real)
            for each in apart
            if self.believed or (not self.is_flood and each.taken.repairs < MOST_REPAIRS)
        ]
        seen.repair(conn, self.target.name, mending, now=now)
        self.tally += Tally(repaired=len(mending), left=len(apart) - len(mending))
        return len(mending)

    @property
    def is_flood(self) -> bool:
        """Whether so much differs that it cannot have been lost on the way."""
        differed = self.tally.differed
        return not self.believed and differed > _FEW and differed > _SHARE * self.tally.compared

    def _is_judged(self, taken: Taken, real: Held) -> bool:
        held = taken.acknowledged
        if held is None:  # what we took away and is there again: in an audience, by somebody's hand
            return not isinstance(self.adapter, Polled)
        if held.doubts or any(len(possible(value)) > 1 for value in held.fields.values()):
            return False
        return self._should_be_there(taken) and (
            not isinstance(self.adapter, Polled) or real.record.permission in _HELD
        )

    def _should_be_there(self, taken: Taken) -> bool:
        """Who left there is heard of (`flow.hearsay`), and is not looked for."""
        held = taken.acknowledged
        if held is None:
            return False
        return not isinstance(self.adapter, Polled) or held.permission in _HELD

    def _is_edited(self, taken: Taken, real: Held) -> bool:
        return real.changed_at is not None and real.changed_at > taken.at + MARGIN

    def _apart(self, taken: Taken, real: Held) -> _Apart | None:
        """What is held of it instead, in our own words; ``None`` where that says the same."""
        held = taken.acknowledged
        if held is None:
            return _Apart(taken=taken, real=replace(real.record, key=taken.key))
        shown = self.adapter.as_shown(held)
        there = real.record
        other = {
            name
            for name, value in there.fields.items()
            if name in shown.fields and shown.fields[name] != value
        }
        mapped = self.target.mapping.tags(self.rules.mapping).values()
        tags = tuple(sorted(_really(there.tags, {*mapped, *held.tags})))
        same_rows = there.tables == shown.tables
        if not other and same_rows and _forms(tags) == _forms(shown.tags):
            return None
        tables = held.tables if same_rows else {}
        kept = _without(held, other)
        return _Apart(taken=taken, real=replace(held, fields=kept, tags=tags, tables=tables))


def _really(there: Iterable[str], ours: Iterable[str]) -> Iterable[str]:
    forms = _forms(there)
    return (tag for tag in ours if _form(tag) in forms)


def _forms(tags: Iterable[str]) -> set[str]:
    return {_form(tag) for tag in tags}


def _form(tag: str) -> str:
    """A tag as it is compared: cut where e-mail tools cut it, whatever its letter case."""
    return tag.strip()[:_LONGEST_TAG].strip().casefold()


def _without(held: Record, other: Collection[str]) -> dict[str, object]:
    """The fields that are as they were sent; where one cannot be told, only what it is known by."""
    names = {name.upper(): name for name in held.fields}
    lost = {names.get(name.upper()) for name in other}
    return {
        name: value
        for name, value in held.fields.items()
        if name not in lost and (None not in lost or name == _KNOWN_BY)
    }
