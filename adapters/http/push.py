"""One push: changes posted in parcels, halved where a receiver does not take them whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from adapters.http.answers import Answer, Refused, Taken, TooLarge
from adapters.http.parcels import Entry, entry_of, pack
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Settled

_MOST_REFUSED_ALONE = 8  # with none taken: then it is not the records
_LOG = "Look it up in the receiver's own log; mend the record there or the mapping here."


class Push:
    """The state of one push; ``run`` gives an outcome for every change.

    ``post`` sends a parcel. ``most`` is how many records a parcel may hold; after a refusal for
    size it is what was taken instead, for the next push to begin with.
    """

    def __init__(self, post: Callable[[Sequence[Entry]], Answer], most: int) -> None:
        self._post = post
        self.most = most
        self._outcomes: dict[str, Outcome] = {}
        self._taken = 0
        self._refused_alone = 0

    def run(self, changes: Iterable[Change]) -> dict[str, Outcome]:
        """Post them. Raises `LaneDown`, or `TryLater` when nothing at all was taken."""
        latest = {change.key: change for change in changes}
        entries = []
        for change in latest.values():
            match entry_of(change):
                case Entry() as entry:
                    entries.append(entry)
                case Parked() as unfit:
                    self._outcomes[change.key] = unfit
        waiting = deque(pack(entries, self.most))
        while waiting:
            parcel = waiting.popleft()
            try:
                halves = self._settle(parcel, self._post(parcel))
            except (TryLater, LaneDown) as problem:
                if not self._taken:
                    raise
                late = Postponed(
                    reason=problem.reason, retry_after=getattr(problem, "retry_after", None)
                )
                rest = [entry.key for each in (parcel, *waiting) for entry in each]
                self._outcomes |= dict.fromkeys(rest, late)
                break
            waiting.extendleft(reversed(halves))
        return self._outcomes

    def _settle(self, parcel: list[Entry], answer: Answer) -> list[list[Entry]]:
        """Note what became of a parcel; gives what is to be posted in its place."""
        match answer:
            case Taken(each=None):
                self._taken += len(parcel)
                self._outcomes |= dict.fromkeys((entry.key for entry in parcel), Settled())
            case Taken(each=each):
                missing = Postponed(reason="the receiver's results do not name this record")
                outcomes = {entry.key: (each or {}).get(entry.key, missing) for entry in parcel}
                self._taken += len(parcel)
                self._outcomes |= outcomes
            case TooLarge() if len(parcel) > 1:
                self.most = (len(parcel) + 1) // 2
                return _halves(parcel)
            case TooLarge():
                self._alone(parcel[0], "is too large for the receiver")
            case Refused() if len(parcel) > 1:
                return _halves(parcel)
            case Refused(status=status):
                self._alone(parcel[0], f"the receiver answers {status} to this record alone")
            case _:
                assert_never(answer)
        return []

    def _alone(self, entry: Entry, reason: str) -> None:
        self._refused_alone += 1
        if self._refused_alone > _MOST_REFUSED_ALONE and not self._taken:
            raise LaneDown(
                f"the receiver refuses every record: {reason}",
                mend="Whoever runs the receiver: see in its log what it expects instead "
                "(docs/http.md says what is sent).",
            )
        self._outcomes[entry.key] = Parked(reason=reason, mend=_LOG)


def _halves(parcel: list[Entry]) -> list[list[Entry]]:
    middle = (len(parcel) + 1) // 2
    return [parcel[:middle], parcel[middle:]]
