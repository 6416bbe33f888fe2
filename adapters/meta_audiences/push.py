"""One push to the audiences: removals before all else, then additions, in as few calls as can be.

What was sent and not answered may have been taken. So whoever was on such a call counts as perhaps
in the audience, and is taken out again if that is asked for. Removals have no such doubt: until
Meta has answered, they are due.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeAlias

from adapters.graph_refusals import Busy, Missing, Refused, TooLarge
from adapters.meta_audiences.client import MetaAudiencesClient, Session, Taken
from adapters.meta_audiences.ours import DELETE_IT, Audience, mark_of
from adapters.meta_audiences.words import OWN, Plan, Row, cells, plan, schema_of
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Settled

MOST_ROWS = 10_000
"""https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users/"""

_BLOCKED = (100, 1713230)
_LOOK_AGAIN = 3600.0
_MOST_CALLS = 200  # of one push: to find one bad row among 10,000 takes 28
_LARGEST_SESSION = 2**53 - 1

_Send: TypeAlias = Callable[[Sequence[str], Sequence[Sequence[Any]], Session | None], Taken]


class _Verb(Enum):
    """What a call does with people."""

    FORGET = "forget"
    REMOVE = "remove"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class _List:
    """People on one way: what is done with them, where, and how that is sent."""

    verb: _Verb
    name: str
    schema: Sequence[str]
    send: _Send


class Push:
    """The changes of one push on their way; see `run`."""

    def __init__(
        self, client: MetaAudiencesClient, there: Mapping[str, Audience], valued: Collection[str]
    ) -> None:
        self._client = client
        self._there = there
        self._valued = valued
        self._outcomes: dict[str, Outcome] = {}
        self._notes: dict[str, str] = {}
        self._open: Counter[str] = Counter()  # rows of each record that Meta has not taken yet
        self._perhaps: set[str] = set()  # whose addition was sent: taken, or nobody knows
        self._trouble: TryLater | LaneDown | None = None
        self._blocked: set[str] = set()
        self._calls = 0
        self._answers = 0

    def run(self, changes: Sequence[Change]) -> Mapping[str, Outcome]:
        """One outcome for every key. Raises `TryLater` when Meta took nothing, or `LaneDown`."""
        plans = self._plans(changes)
        self._forget([row for each in plans for row in each.forgets])
        self._each(plans, lambda each: each.leaves, self._remove)
        # Who could not be taken out of one audience is put into no other: one state at a time.
        self._each(plans, lambda each: each.joins, self._add)
        if self._trouble is not None and not self._answers and not self._perhaps:
            raise self._trouble
        outcomes = {each.key: self._outcome(each.key) for each in plans} | self._outcomes
        if self._blocked and all(isinstance(outcomes[each.key], Postponed) for each in plans):
            raise LaneDown(_flagged(sorted(self._blocked)), mend=f"The shop's owner: {DELETE_IT}")
        return {change.key: outcomes[change.key] for change in changes}

    def _plans(self, changes: Iterable[Change]) -> list[Plan]:
        plans = []
        for change in changes:
            planned = plan(change, self._valued)
            if isinstance(planned, Plan):
                plans.append(planned)
                rows = len(planned.forgets) + len(planned.leaves) + len(planned.joins)
                self._open[planned.key] = rows
            else:
                self._outcomes[change.key] = planned
        return plans

    def _outcome(self, key: str) -> Outcome:
        """Of whom nothing is known to be wrong: all taken, or not all because of a trouble."""
        if not self._open[key]:
            return Settled(note=self._notes.get(key, ""))
        why = self._trouble.reason if self._trouble else "not its turn yet"
        wait = self._trouble.retry_after if isinstance(self._trouble, TryLater) else None
        return Postponed(reason=why, retry_after=wait, sent=key in self._perhaps)

    def _each(
        self,
        plans: Sequence[Plan],
        steps: Callable[[Plan], Sequence[tuple[str, Row]]],
        act: Callable[[str, list[Row]], None],
    ) -> None:
        by_audience: dict[str, list[Row]] = {}
        for each in plans:
            if each.key not in self._outcomes:
                for name, row in steps(each):
                    by_audience.setdefault(name, []).append(row)
        for name in sorted(by_audience):
            act(name, by_audience[name])

    # --- what is asked of Meta ------------------------------------------------------------------

    def _forget(self, rows: list[Row]) -> None:
        if rows:
            self._in_calls(
                rows,
                _List(
                    _Verb.FORGET,
                    "the ad account",
                    schema_of(rows),
                    lambda schema, cut, _: self._client.forget(schema, cut),
                ),
            )

    def _remove(self, name: str, rows: list[Row]) -> None:
        audience = self._there.get(mark_of(name))
        if audience is None:  # a person deleted it, and everybody with it
            self._done(rows)
            return
        send = partial(self._client.remove, audience.id)
        self._in_calls(rows, _List(_Verb.REMOVE, name, schema_of(rows), send))

    def _add(self, name: str, rows: list[Row]) -> None:
        audience = self._there.get(mark_of(name))
        if audience is None:
            self._trouble = self._trouble or TryLater(f"the audience {name} is not made yet")
            return
        schema = schema_of(rows, valued=name in self._valued)
        send = partial(self._client.add, audience.id)
        self._in_calls(rows, _List(_Verb.ADD, name, schema, send))

    def _in_calls(self, rows: Sequence[Row], to: _List) -> None:
        """Send rows in calls of 10,000; more than one call are a session, with one schema."""
        if to.verb is _Verb.ADD:
            # Who is refused in one audience is not put into the next: nobody is half told of.
            rows = [row for row in rows if row.key not in self._outcomes]
        parts = [rows[at : at + MOST_ROWS] for at in range(0, len(rows), MOST_ROWS)]
        number = secrets.randbelow(_LARGEST_SESSION) + 1
        for at, part in enumerate(parts, start=1):
            session = None
            if len(parts) > 1:
                session = Session(id=number, batch=at, last=at == len(parts), total=len(rows))
            self._call(part, to, session)

    def _call(self, rows: Sequence[Row], to: _List, session: Session | None) -> None:
        """Send one call, and note what came of it."""
        if self._trouble is None and self._calls >= _MOST_CALLS:
            self._trouble = TryLater("Meta refuses too many calls of this batch")
        if self._trouble is not None:
            return
        self._calls += 1
        try:
            taken = to.send(to.schema, [cells(row, to.schema) for row in rows], session)
        except (TryLater, LaneDown) as trouble:
            self._fail(rows, to, trouble)
            return
        except (Refused, TooLarge) as refused:
            self._answers += 1
            self._refuse(rows, to, refused)
            return
        self._answers += 1
        self._done(rows)
        self._flag(rows, to, taken, elsewhere=frozenset(self._perhaps))
        if to.verb is _Verb.ADD:
            self._perhaps |= {row.key for row in rows}

    def _fail(self, rows: Sequence[Row], to: _List, trouble: TryLater | LaneDown) -> None:
        """Nothing else is sent; but an audience that is gone holds nobody any more."""
        if isinstance(trouble, Missing) and to.verb is _Verb.REMOVE:
            self._done(rows)
            return
        self._trouble = trouble
        if to.verb is _Verb.ADD and not isinstance(trouble, Busy | LaneDown):
            self._perhaps |= {row.key for row in rows}

    def _refuse(self, rows: Sequence[Row], to: _List, refused: Refused | TooLarge) -> None:
        """A call that Meta will not have is sent in halves, so that one row is one row."""
        if isinstance(refused, Refused) and (refused.code, refused.subcode) == _BLOCKED:
            self._block(rows, to)
        elif len(rows) > 1:
            middle = len(rows) // 2
            self._call(rows[:middle], to, None)
            self._call(rows[middle:], to, None)
        else:
            key = rows[0].key
            refusal = _refused(refused)
            if key in self._perhaps:  # it is in another: to park it would be to forget that
                self._notes[key] = refusal.reason
                self._done(rows)
            else:
                self._outcomes[key] = refusal

    def _done(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._open[row.key] -= 1

    def _block(self, rows: Sequence[Row], to: _List) -> None:
        """The audience takes no change: its rows stay due, and a person is told."""
        self._blocked.add(to.name)
        for row in rows:
            self._outcomes[row.key] = Postponed(
                reason=f"{_flagged([to.name])}. {DELETE_IT}",
                retry_after=_LOOK_AGAIN,
                sent=row.key in self._perhaps,
            )

    def _flag(
        self, rows: Sequence[Row], to: _List, taken: Taken, *, elsewhere: Collection[str]
    ) -> None:
        """Invalid rows are told of, and not sent again as they are: they would be invalid again.

        Meta shows samples of them; only who is among those is known to be wrong. Who is in another
        audience is not parked for it: that would be to forget that they are there.
        """
        short = len(rows) - taken.received
        if not taken.invalid and short <= 0:
            return
        shown = set(_texts(taken.samples))
        wrong = {row.key for row in rows if shown & {row.ids.get(each) for each in OWN}}
        if taken.invalid == len(rows):
            wrong = {row.key for row in rows}
        for row in rows:
            if row.key in wrong and row.key not in elsewhere:
                self._outcomes[row.key] = _INVALID
            else:
                self._notes[row.key] = (
                    f"of {len(rows)} rows sent with it to {to.name}, Meta found {taken.invalid} "
                    f"invalid and has {taken.received}"
                )


_INVALID = Parked(
    reason="refused by Meta: an invalid entry",
    mend="Look at the customer's address and phone number in the shop: Meta can use neither.",
)


def _refused(refused: Exception) -> Parked:
    told = "too large"
    if isinstance(refused, Refused):
        told = refused.words or f"error {refused.code}"
    return Parked(
        reason=f"refused by Meta: {told}",
        mend="Report it, with the version of the connector.",
    )


def _flagged(names: Sequence[str]) -> str:
    return f"Meta has flagged the audience {', '.join(names)}, and takes nobody in or out"


def _texts(value: Any) -> Iterable[str]:
    """Every text in Meta's samples, whatever their form."""
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield str(name)
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            return
