"""What outlives a push: batches that Mailchimp works on, and verdicts that nobody fetched yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.mailchimp.commerce.jobs import Job
from connector.model import Change, Outcome, Record

FIRST_LOOK = timedelta(seconds=5)
LONGEST_LOOK = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class OpenBatch:
    """A batch at Mailchimp: its jobs, since when, when to look next, how often its results broke.

    The operations of a job are named by its place and their own: ``3-0`` is the first of the
    fourth.
    """

    jobs: Sequence[Job]
    sent_at: datetime
    look_at: datetime
    failures: int = 0

    def wait(self, now: datetime) -> None:
        """Look again after a while that grows with the batch's age."""
        age = max(now - self.sent_at, timedelta(0))
        self.look_at = now + min(max(age / 4, FIRST_LOOK), LONGEST_LOOK)


@dataclass(slots=True)
class Desk:
    """What is open, by batch; ``told`` what became of what a record should have become.

    ``strangers`` are batches that may be ours of a former life, looked at ``strangers_since``;
    ``None`` when nobody looked yet.
    """

    open: dict[str, OpenBatch] = field(default_factory=dict)
    at: dict[str, Job] = field(default_factory=dict)
    told: dict[str, tuple[Record | None, Outcome]] = field(default_factory=dict)
    strangers: set[str] | None = None
    strangers_since: datetime | None = None

    def put(self, batch: str, jobs: Sequence[Job], now: datetime) -> None:
        """Keep a batch that Mailchimp has taken."""
        for each in jobs:
            each.begun = True
        self.open[batch] = OpenBatch(jobs=jobs, sent_at=now, look_at=now)
        self.at.update({each.key: each for each in jobs})

    def take(self, batch: str) -> OpenBatch:
        """A batch that is over, or given up."""
        taken = self.open.pop(batch)
        for each in taken.jobs:
            self.at.pop(each.key, None)
        return taken

    def tell(self, job: Job, outcome: Outcome) -> None:
        """Keep what became of a job until its record is pushed again."""
        self.told[job.key] = (job.after, outcome)

    def fetch(self, change: Change) -> Outcome | None:
        """What became of just this change, if that is known; what is of an older one is dropped."""
        after, outcome = self.told.pop(change.key, (None, None))
        return outcome if after == change.after else None

    def products(self) -> Iterator[tuple[str, str]]:
        """The products, by shop and id, that are on their way to a shelf."""
        return (each.product for each in self.at.values() if each.product is not None)
