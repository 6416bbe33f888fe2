"""One push of purchases: in calls of 1,000, and never one bad event among good ones.

Each event is checked before by Meta's own rules. When it refuses a call all the same, it took
nothing of it: the call is halved until the bad event is alone. An event that is told twice, because
an answer was lost, is one to Meta, which knows it by its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_conversions.client import MetaConversionsClient
from adapters.meta_conversions.words import Purchase, plan
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Settled

MOST_EVENTS = 1_000
"""https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api"""

_MOST_CALLS = 60  # of one push: to find one bad event among 1,000 takes 21


class Push:
    """The changes of one push on their way; see `run`."""

    def __init__(self, client: MetaConversionsClient, *, item_id: str, now: datetime) -> None:
        self._client = client
        self._item_id = item_id
        self._now = now
        self._outcomes: dict[str, Outcome] = {}
        self._trouble: TryLater | LaneDown | None = None
        self._calls = 0
        self._answers = 0

    def run(self, changes: Sequence[Change]) -> Mapping[str, Outcome]:
        """One outcome for every key. Raises `TryLater` when Meta took nothing, or `LaneDown`."""
        purchases = []
        for change in changes:
            planned = plan(change, item_id=self._item_id, now=self._now)
            if isinstance(planned, Purchase):
                purchases.append(planned)
            else:
                self._outcomes[change.key] = planned
        for at in range(0, len(purchases), MOST_EVENTS):
            self._send(purchases[at : at + MOST_EVENTS])
        if self._trouble is not None and not self._answers:
            raise self._trouble
        late = Postponed(reason="not its turn yet")
        if self._trouble is not None:
            wait = self._trouble.retry_after if isinstance(self._trouble, TryLater) else None
            late = Postponed(reason=self._trouble.reason, retry_after=wait)
        return {change.key: self._outcomes.get(change.key, late) for change in changes}

    def _send(self, purchases: Sequence[Purchase]) -> None:
        if self._trouble is not None or self._calls >= _MOST_CALLS:
            return
        self._calls += 1
        try:
            received = self._client.send([each.body for each in purchases])
        except (TryLater, LaneDown) as trouble:
            self._trouble = trouble
            return
        except (Refused, TooLarge) as refused:
            self._answers += 1
            if len(purchases) > 1:
                middle = len(purchases) // 2
                self._send(purchases[:middle])
                self._send(purchases[middle:])
            else:
                self._outcomes[purchases[0].key] = _refused(refused)
            return
        self._answers += 1
        outcome: Outcome = Settled()
        if received != len(purchases):
            outcome = Postponed(reason=f"Meta received {received} of {len(purchases)} events")
        self._outcomes.update(dict.fromkeys((each.key for each in purchases), outcome))


def _refused(refused: Exception) -> Parked:
    told = "too large"
    if isinstance(refused, Refused):
        told = refused.words or f"error {refused.code}"
    return Parked(
        reason=f"refused by Meta: {told}",
        mend="Look at the order in the shop, and at Events Manager > Diagnostics.",
    )
