"""Brings jobs to Mailchimp: few by calls at once, many by batches that are looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from adapters.mailchimp.client import Door
from adapters.mailchimp.commerce import batches
from adapters.mailchimp.commerce.archive import Shelves
from adapters.mailchimp.commerce.desk import Desk
from adapters.mailchimp.commerce.jobs import Job
from adapters.mailchimp.commerce.operations import Operation, Reply
from adapters.mailchimp.commerce.verdicts import TOO_LARGE
from adapters.mailchimp.refusals import Refused, TooLarge
from connector.errors import TryLater
from connector.model import Postponed

MOST_BY_CALL = 10
"""Operations: up to so many go by single calls, so that one order is there at once."""

MOST_OPEN = 20
"""Batches at a time. Mailchimp takes 500; other tools of the shopkeeper need some too."""

LOOKS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each look at a batch that was just sent, in one push."""

PATIENCE = timedelta(hours=4)
"""How long a batch may take before it is stopped and its records are sent again."""

_MOST_FAILURES = 3
_NO_RESULT = Refused(504, {})
_MISSING = 404


class Sending:
    """The state of one push: the looks that are left, and the patience Mailchimp asked for.

    ``trouble`` is that patience, ``heard`` whether Mailchimp gave any answer, ``found_no_store``
    whether one of them looked as if a store were gone.
    """

    def __init__(
        self,
        door: Door,
        archives: Shelves,
        desk: Desk,
        sleep: Callable[[float], None],
        now: datetime,
    ) -> None:
        self._door = door
        self._archives = archives
        self._desk = desk
        self._sleep = sleep
        self._now = now
        self._looks = list(LOOKS)
        self.trouble: TryLater | None = None
        self.found_no_store = False
        self.heard = False

    def run(self, jobs: Iterable[Job]) -> None:
        """Bring the jobs as far as they get now; what became of each is told at the desk."""
        ready = self._sorted_out(jobs)
        while ready:
            if sum(len(each.asks) for each in ready) <= MOST_BY_CALL:
                ready = self._sorted_out(each for each in ready if not self._by_calls(each))
            else:
                ready = self._watch(self._by_batches(ready))

    def look(self, *, early: bool = False) -> list[Job]:
        """Look at the open batches whose time has come; gives the jobs that need more calls."""
        due = [
            name for name, batch in self._desk.open.items() if early or batch.look_at <= self._now
        ]
        return [each for name in due for each in self._look_at(name)]

    def _sorted_out(self, jobs: Iterable[Job]) -> list[Job]:
        """Those that still ask for something; what is done is told."""
        asking = []
        for each in jobs:
            if each.outcome is not None:
                self._desk.tell(each, each.outcome)
            else:
                asking.append(each)
        return asking

    def _leave(self, jobs: Iterable[Job], reason: str, *, sent: bool = False) -> None:
        """Give jobs up: their records come again, and begin anew."""
        wait = self.trouble.retry_after if self.trouble else None
        for each in jobs:
            outcome = Postponed(reason=reason, retry_after=wait, sent=sent or each.begun)
            self._desk.tell(each, outcome)

    # --- by single calls ----------------------------------------------------------------------

    def _by_calls(self, each: Job) -> bool:
        """Do a job to its end; ``False`` when it still asks for something, or is done."""
        while each.asks and len(each.asks) <= MOST_BY_CALL:
            if self.trouble is not None:
                self._leave([each], self.trouble.reason)
                return True
            try:
                each.hear([self._call(operation) for operation in each.asks])
            except TryLater as later:
                self.trouble = later
                each.begun = True  # or not: nobody knows
        return False

    def _call(self, operation: Operation) -> Reply:
        try:
            said = self._door.call(operation.method, operation.path, body=operation.body)
        except Refused as refused:
            self.heard = True
            self._note(operation, refused)
            return Reply(refused=refused)
        except TooLarge:
            self.heard = True
            return Reply(refused=Refused(413, {"title": TOO_LARGE.reason}))
        self.heard = True
        return Reply(said=said)

    def _note(self, operation: Operation, refused: Refused) -> None:
        self.found_no_store |= operation.method == "POST" and refused.status == _MISSING

    # --- by batches ---------------------------------------------------------------------------

    def _by_batches(self, jobs: Sequence[Job]) -> list[str]:
        sent: list[str] = []
        for some in _bundles(jobs):
            sent += self._send(some)
        return sent

    def _send(self, jobs: Sequence[Job]) -> list[str]:
        if self.trouble is not None or len(self._desk.open) >= MOST_OPEN:
            reason = self.trouble.reason if self.trouble else "many batches are open already"
            self._leave(jobs, reason)
            return []
        asked = {name: batches.pack(each) for name, each in _named(jobs)}
        try:
            batch = batches.send(self._door, asked)
        except TryLater as later:
            self.trouble = later
            self._desk.strangers = None  # it may have been taken: then it is among those
            self._leave(jobs, later.reason)
            return []
        except (TooLarge, Refused) as whole:
            return self._halves(jobs, whole)
        self.heard = True
        self._desk.put(batch, jobs, self._now)
        return [batch]

    def _halves(self, jobs: Sequence[Job], whole: TooLarge | Refused) -> list[str]:
        if len(jobs) > 1 and isinstance(whole, TooLarge):
            middle = len(jobs) // 2
            return [*self._send(jobs[:middle]), *self._send(jobs[middle:])]
        if isinstance(whole, TooLarge):
            self._desk.tell(jobs[0], TOO_LARGE)
            return []
        self._leave(jobs, f"Mailchimp refused the batch: {whole.title}")
        return []

    def _watch(self, sent: Sequence[str]) -> list[Job]:
        """Look a few times at what was just sent; gives the jobs that need more calls."""
        going = list(sent)
        more: list[Job] = []
        while going and self._looks and self.trouble is None:
            self._sleep(self._looks.pop(0))
            for batch in list(going):
                more += self._look_at(batch)
                still = self._desk.open.get(batch)
                if still is None or still.failures:  # what cannot be read now, can later
                    going.remove(batch)
        return more

    def _look_at(self, name: str) -> list[Job]:
        batch = self._desk.open[name]
        try:
            replies = self._results(name)
        except TryLater as later:
            batch.wait(self._now)
            self.trouble = self.trouble or later
            return []
        if replies is None:
            return []
        taken = self._desk.take(name)
        for at, each in enumerate(taken.jobs):
            heard = [
                replies.get(f"{at}-{place}", Reply(refused=_NO_RESULT))
                for place in range(len(each.asks))
            ]
            for operation, reply in zip(each.asks, heard, strict=True):
                if reply.refused is not None:
                    self._note(operation, reply.refused)
            each.hear(heard)
        return self._sorted_out(taken.jobs)

    def _results(self, name: str) -> Mapping[str, Reply] | None:
        """What a batch came to; ``None`` while it runs, or when it was given up."""
        batch = self._desk.open[name]
        try:
            progress = batches.look(self._door, name)
        except (Refused, TooLarge):
            self.heard = True
            self._give_up(name, "Mailchimp knows a batch no more")
            return None
        self.heard = True
        if not progress.finished:
            if not timedelta(0) <= self._now - batch.sent_at < PATIENCE:
                self._stop(name)
            else:
                batch.wait(self._now)
            return None
        try:
            return self._archives.fetch(progress.results)
        except TryLater as later:
            batch.failures += 1
            batch.wait(self._now)
            if batch.failures >= _MOST_FAILURES:
                self._give_up(name, later.reason)
            return None

    def _stop(self, name: str) -> None:
        """A batch that takes too long must not run late, over what is newer."""
        with suppress(Refused, TooLarge):  # it is over, or gone: as wanted
            batches.stop(self._door, name)
        self._give_up(name, "Mailchimp did not finish a batch")

    def _give_up(self, name: str, reason: str) -> None:
        self._leave(self._desk.take(name).jobs, reason, sent=True)


def _named(jobs: Sequence[Job]) -> Iterator[tuple[str, Operation]]:
    for at, each in enumerate(jobs):
        for place, operation in enumerate(each.asks):
            yield f"{at}-{place}", operation


def _bundles(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    """The jobs in their order, in as few batches as can be."""
    bundle: list[Job] = []
    number = size = 0
    for each in jobs:
        weight = sum(batches.size(batches.pack(operation)) for operation in each.asks)
        full = number + len(each.asks) > batches.MOST_OPERATIONS
        if bundle and (full or size + weight > batches.MOST_BYTES):
            yield bundle
            bundle, number, size = [], 0, 0
        bundle.append(each)
        number, size = number + len(each.asks), size + weight
    if bundle:
        yield bundle
