"""The sender of the stand-in shop: what is to be delivered, again and again for four hours.

A delivery is what was true when it happened, has five seconds, and is a success with 2xx only.
Failed, it is sent eight times more within four hours; when the last of these fails too, and nothing
else was taken in the meantime, its subscription is deleted.
https://shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks,
https://shopify.dev/changelog/updates-to-webhook-retry-mechanism
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.shopify.sandbox_desk import Announcement
from adapters.shopify.sandbox_subscriptions import Subscription, Subscriptions
from adapters.shopify.sandbox_wire import Secrets, headers_for, sign, succeeded
from adapters.shopify.sandbox_words import Site, rails_json, triggered
from adapters.town.mischief import Mischief
from adapters.town.wire import Wire

RETRIES = (60, 180, 420, 900, 1800, 2700, 3600, 4740)
"""The seconds before each further try: eight of them in four hours."""
_SOON = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One delivery; ``to`` has its address as it was then.

    ``taken_before`` is how many its subscriber had taken when it first failed; ``counts`` says
    whether its fate counts for the subscription.
    """

    to: Subscription
    topic: str
    body: bytes
    id: str
    event: str
    triggered_at: str
    tries: int = 0
    taken_before: int = 0
    strayed: bool = False
    forged: bool = False
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent and how it was answered; ``status`` is ``None`` without an answer."""

    letter: Letter
    status: int | None


class Sender:
    """Queues and sends, one delivery at a time. Due moments are the shop's clock's."""

    def __init__(
        self,
        site: Site,
        subscriptions: Subscriptions,
        secrets: Secrets,
        wire: Wire,
        mischief: Mischief,
        name: Callable[[], str],
        retries: Sequence[float] = RETRIES,
    ) -> None:
        self._site = site
        self._subscriptions = subscriptions
        self._secrets = secrets
        self._wire = wire
        self._mischief = mischief
        self._name = name
        self._retries = retries
        self._queue: list[tuple[datetime, int, Letter]] = []
        self._queued = 0
        self._told = 0
        self._taken: Counter[int] = Counter()
        self._running = threading.RLock()
        self.waiting = threading.Condition()
        self.tally: Counter[str] = Counter()
        self.sent: deque[Sent] = deque(maxlen=10_000)

    def announce(self, told: Announcement) -> None:
        """Queue one delivery for each who wants to be told."""
        for subscription in self._subscriptions.to(told.topic):
            self._told += 1
            letter = Letter(
                to=subscription,
                topic=told.topic,
                body=_chosen(told, subscription.include),
                id=self._name(),
                event=told.event,
                triggered_at=triggered(told.moment, self._told),
            )
            self._put(letter, self._secrets.clock())

    def pending(self) -> int:
        """How many deliveries are still to be sent, retries included."""
        with self.waiting:
            return len(self._queue)

    def due(self) -> int:
        """How many of them may be sent now."""
        now = self._secrets.clock()
        with self.waiting:
            return sum(moment <= now for moment, _, _ in self._queue)

    def run(self, *, fast_forward: bool = False, until: float = float("inf")) -> int:
        """Send what is due, or all, as if the hours had passed; gives how many were sent.

        Stops early when ``time.monotonic()`` reaches ``until``.
        """
        done = 0
        with self._running:
            while time.monotonic() < until:
                taken = self._next(fast_forward=fast_forward)
                if taken is None:
                    break
                moment, letter = taken
                if self._befalls(letter, moment):
                    self._send(letter, moment)
                    done += 1
        return done

    def drain(self, timeout: float) -> bool:
        """Send until nothing is pending, retries included; whether that came about in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._running:
                self.run(fast_forward=True, until=end)
                if not self.pending():
                    return True
            time.sleep(_SOON)
        return not self.pending()

    def _put(self, letter: Letter, due: datetime) -> None:
        with self.waiting:
            self._queued += 1
            heapq.heappush(self._queue, (due, self._queued, letter))
            self.waiting.notify_all()

    def _next(self, *, fast_forward: bool) -> tuple[datetime, Letter] | None:
        now = self._secrets.clock()
        with self.waiting:
            if not self._queue or (self._queue[0][0] > now and not fast_forward):
                return None
            if len(self._queue) > 1 and self._mischief.befalls("shuffled"):
                self.tally["shuffled"] += 1
                ready = [n for n, (moment, _, _) in enumerate(self._queue) if moment <= now]
                moment, _, letter = self._queue.pop(self._mischief.chance.choice(ready or [0]))
                heapq.heapify(self._queue)
            else:
                moment, _, letter = heapq.heappop(self._queue)
        return max(moment, now), letter

    def _befalls(self, letter: Letter, moment: datetime) -> bool:
        """Let mischief have its way; whether the letter is sent now."""
        if not self._subscriptions.stands(letter.to.id):
            return False
        mischief = self._mischief
        if letter.tries or letter.strayed or not letter.counts:
            return True
        later = moment + timedelta(seconds=mischief.delay())
        if mischief.befalls("forged"):
            self.tally["forged"] += 1
            self._put(replace(letter, forged=True, counts=False), later)
        if mischief.befalls("duplicated"):
            self.tally["duplicated"] += 1
            self._put(replace(letter, counts=False), later)
        if mischief.befalls("dropped"):
            self.tally["dropped"] += 1
            return False
        if mischief.befalls("delayed"):
            self.tally["delayed"] += 1
            self._put(replace(letter, strayed=True), later)
            return False
        return True

    def _send(self, letter: Letter, moment: datetime) -> None:
        signature = sign(letter.body, self._secrets.signing())
        body = letter.body + b" " if letter.forged else letter.body
        headers = headers_for(
            topic=letter.topic,
            domain=self._site.domain,
            delivery=letter.id,
            event=letter.event,
            triggered_at=letter.triggered_at,
            signature=signature,
            name=letter.to.name,
        )
        status = self._wire.post(letter.to.url, headers, body)
        self.tally["posted"] += 1
        self.sent.append(Sent(letter=letter, status=status))
        if not letter.counts:
            return
        if succeeded(status):
            self.tally["accepted"] += 1
            self._taken[letter.to.id] += 1
            return
        self.tally["failed"] += 1
        before = letter.taken_before if letter.tries else self._taken[letter.to.id]
        letter = replace(letter, tries=letter.tries + 1, taken_before=before)
        if letter.tries <= len(self._retries):
            wait = timedelta(seconds=self._retries[letter.tries - 1])
            self._put(letter, moment + wait)
        else:
            self._give_up(letter)

    def _give_up(self, letter: Letter) -> None:
        self.tally["given up"] += 1
        silent = self._taken[letter.to.id] == letter.taken_before
        if silent and not letter.to.by_app:
            self._subscriptions.drop(letter.to.id)
            self.tally["deleted"] += 1


def _chosen(told: Announcement, include: Sequence[str]) -> bytes:
    """The payload, or of its fields those that were asked for."""
    payload = told.payload
    if include:
        payload = {key: payload[key] for key in include if key in payload}
    return rails_json(payload)
