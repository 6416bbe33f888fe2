"""One push to a catalog: the changes in calls that Meta takes, and a verdict for every item.

Meta works on a batch after it has taken it, and tells later which items it refused. What is not
finished within the push is kept under its handle, and asked for again when the same records are
pushed again, for up to an hour; then they are sent anew, which does no harm. Nothing newer is sent
about an item while Meta works on something older: which of the two would stay is not said. A
process that starts anew has forgotten the handles, and sends again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_catalog.client import MetaCatalogClient, Progress
from adapters.meta_catalog.parcels import Parcel, body, calls, one_each
from adapters.meta_catalog.words import Plan, judge, plan
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Record

PATIENCE = timedelta(hours=1)
"""How long a batch may take before its items are sent again."""

LOOKS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each look at a batch that was just sent."""

_LOOK_AGAIN = 30.0
_MOST_CALLS = 40  # of one push: to find one bad item among 5,000 takes 25
_TOO_LARGE = Parked(
    reason="too_large",
    mend="Meta finds this one item too large. Shorten its description in the shop.",
)
_UNFINISHED = "Meta has not finished with this item yet"


@dataclass(frozen=True, slots=True)
class _Batch:
    """What Meta is working on: since when, and what it was asked about each record."""

    sent_at: datetime
    plans: Mapping[str, Plan]


@dataclass(slots=True)
class Waiting:
    """What outlives a push: batches that Meta has not finished, verdicts that nobody fetched yet.

    ``at`` names the handle under which Meta works on a record, ``told`` what became of what it
    should have become.
    """

    batches: dict[str, _Batch] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    told: dict[str, tuple[Record | None, Outcome]] = field(default_factory=dict)

    def put(self, handle: str, batch: _Batch) -> None:
        """Keep a batch that Meta has taken."""
        self.batches[handle] = batch
        self.at.update(dict.fromkeys(batch.plans, handle))

    def take(self, handle: str) -> _Batch:
        """A batch that is over, or given up."""
        batch = self.batches.pop(handle)
        for key in batch.plans:
            self.at.pop(key, None)
        return batch


class Push:
    """The changes of one push on their way; see `run`."""

    def __init__(
        self,
        client: MetaCatalogClient,
        waiting: Waiting,
        sleep: Callable[[float], None],
        now: datetime,
    ) -> None:
        self._client = client
        self._waiting = waiting
        self._sleep = sleep
        self._now = now
        self._outcomes: dict[str, Outcome] = {}
        self._trouble: TryLater | None = None
        self._calls = 0
        self._answers = 0
        self._taken = 0
        self._refusal: Refused | None = None

    def run(self, changes: Sequence[Change]) -> Mapping[str, Outcome]:
        """One outcome for every key. Raises `TryLater` when Meta heard nothing, or `LaneDown`."""
        self._ask_about(changes)
        fresh = [change for change in changes if not self._is_told(change)]
        self._look(self._send_all(fresh))
        if self._trouble is not None and not self._answers:
            raise self._trouble
        if self._refusal is not None and self._calls >= _MOST_CALLS and not self._taken:
            raise LaneDown(
                f"Meta refuses every batch: {self._refusal.words or self._refusal}",
                mend="Report it, with the version of the connector.",
            )
        for change in changes:
            if change.key not in self._outcomes and change.key in self._waiting.told:
                self._outcomes[change.key] = self._waiting.told.pop(change.key)[1]
        why, when = "not its turn yet", None
        if self._trouble is not None:
            why, when = self._trouble.reason, self._trouble.retry_after
        late = Postponed(reason=why, retry_after=when)
        return {change.key: self._outcomes.get(change.key, late) for change in changes}

    # --- what was sent before -----------------------------------------------------------------

    def _ask_about(self, changes: Iterable[Change]) -> None:
        """Ask for each batch that one of these records is in."""
        handles = (self._waiting.at.get(change.key) for change in changes)
        for handle in dict.fromkeys(each for each in handles if each is not None):
            progress = self._progress(handle)
            age = self._now - self._waiting.batches[handle].sent_at
            if not (progress.finished or progress.failed):
                if timedelta(0) <= age < PATIENCE:
                    continue
                progress = Progress(failed=True)
            self._conclude(handle, progress)

    def _is_told(self, change: Change) -> bool:
        """Whether the outcome of a change is known without sending it, or must be waited for."""
        handle = self._waiting.at.get(change.key)
        if handle is not None:
            same = self._waiting.batches[handle].plans[change.key].change.after == change.after
            self._outcomes[change.key] = _later(sent=same)
            return True
        after, outcome = self._waiting.told.pop(change.key, (None, None))
        if outcome is None or after != change.after or isinstance(outcome, Postponed):
            return False
        self._outcomes[change.key] = outcome
        return True

    # --- sending ------------------------------------------------------------------------------

    def _send_all(self, changes: Iterable[Change]) -> list[str]:
        """Send the changes; gives the handles."""
        plans: list[Plan] = []
        for change in changes:
            planned = plan(change)
            if isinstance(planned, Plan):
                plans.append(planned)
            else:
                self._outcomes[change.key] = planned
        plans, duplicates = one_each(plans)
        self._outcomes.update(duplicates)
        return [
            handle
            for call in calls(Parcel.pack(each) for each in plans)
            for handle in self._send(call)
        ]

    def _send(self, parcels: Sequence[Parcel]) -> list[str]:
        """Send one call, or halves of it as long as Meta will not have it whole."""
        if self._trouble is not None or self._calls >= _MOST_CALLS:
            return []
        self._calls += 1
        try:
            accepted = self._client.send(body(parcels))
        except TryLater as later:
            self._trouble = later
            return []
        except (Refused, TooLarge) as refused:
            self._answers += 1
            self._refusal = refused if isinstance(refused, Refused) else None
            if len(parcels) > 1:
                middle = len(parcels) // 2
                return [*self._send(parcels[:middle]), *self._send(parcels[middle:])]
            self._outcomes[parcels[0].plan.change.key] = _refused(refused)
            return []
        self._answers += 1
        rest = []
        for parcel in parcels:
            if accepted.refused.keys() & parcel.plan.requests.keys():
                self._outcomes[parcel.plan.change.key] = judge(parcel.plan, accepted.refused)
            else:
                rest.append(parcel)
        if accepted.handle is not None:
            self._taken += 1
            plans = {parcel.plan.change.key: parcel.plan for parcel in rest}
            self._waiting.put(accepted.handle, _Batch(self._now, plans))
            return [accepted.handle]
        if 0 < len(rest) < len(parcels):  # no handle: nothing was taken, the good ones neither
            return self._send(rest)
        nothing = Postponed(reason="Meta took nothing of the batch, and did not say why")
        self._outcomes.update({parcel.plan.change.key: nothing for parcel in rest})
        return []

    # --- verdicts -----------------------------------------------------------------------------

    def _look(self, handles: Sequence[str]) -> None:
        """Look a few times whether Meta is done with what was just sent."""
        open_handles = list(handles)
        try:
            for pause in LOOKS if handles else ():
                self._sleep(pause)
                for handle in list(open_handles):
                    progress = self._progress(handle)
                    if progress.finished or progress.failed:
                        self._conclude(handle, progress)
                        open_handles.remove(handle)
                if not open_handles:
                    break
        except LaneDown:
            pass  # what was sent stays sent; the next push says it again
        for handle in handles:
            batch = self._waiting.batches.get(handle)
            self._outcomes.update(dict.fromkeys(batch.plans, _later(sent=True)) if batch else {})

    def _progress(self, handle: str) -> Progress:
        try:
            progress = self._client.progress(handle)
        except TryLater as later:
            self._trouble = self._trouble or later
            return Progress()
        except (Refused, TooLarge):  # it knows no such handle
            progress = Progress(failed=True)
        self._answers += 1
        return progress

    def _conclude(self, handle: str, progress: Progress) -> None:
        """Note what became of each record of a batch, also of those not asked about now."""
        batch = self._waiting.take(handle)
        ids = {item_id for each in batch.plans.values() for item_id in each.requests}
        named = progress.invalid.keys() & ids
        unknown: Outcome | None = None
        if progress.failed:
            unknown = Postponed(reason="Meta gave the batch up", sent=True)
        elif progress.unnamed or (progress.invalid and not named):
            unknown = Postponed(reason="Meta found faults and named no item", sent=True)
        for key, each in batch.plans.items():
            outcome = unknown or judge(each, progress.invalid)
            self._waiting.told[key] = (each.change.after, outcome)


def _later(*, sent: bool) -> Postponed:
    return Postponed(reason=_UNFINISHED, retry_after=_LOOK_AGAIN, sent=sent)


def _refused(refused: Exception) -> Parked:
    if not isinstance(refused, Refused):
        return _TOO_LARGE
    return Parked(
        reason=f"refused by Meta: {refused.words or f'error {refused.code}'}",
        mend="Correct the item in the shop, then it is sent again by itself.",
    )
