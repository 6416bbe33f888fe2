"""Calls for single contacts, side by side, until Mailchimp asks for patience."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.mailchimp.planning import Plan
from adapters.mailchimp.wire import CONNECTIONS
from connector.errors import TryLater
from connector.model import Outcome, Postponed


class Patience:
    """Remembers that Mailchimp asked for patience; then no further call is begun."""

    def __init__(self) -> None:
        self.asked: TryLater | None = None

    @property
    def late(self) -> Postponed:
        """What becomes of a contact that is not done."""
        if self.asked is None:
            return Postponed(reason="Mailchimp's answer did not mention this contact")
        return Postponed(reason=self.asked.reason, retry_after=self.asked.retry_after)

    def each(
        self, act: Callable[[Plan], Outcome | None], plans: Sequence[Plan]
    ) -> dict[str, Outcome]:
        """Act on each plan; the outcomes by key. ``None`` is an outcome that is found elsewhere."""

        def once(each: Plan) -> Outcome | None:
            if self.asked is None:
                try:
                    return act(each)
                except TryLater as later:
                    self.asked = later
            return self.late

        if len(plans) == 1:
            results = [once(plans[0])]
        else:
            with ThreadPoolExecutor(CONNECTIONS) as threads:
                results = list(threads.map(once, plans))
        return {
            each.change.key: outcome
            for each, outcome in zip(plans, results, strict=True)
            if outcome is not None
        }
