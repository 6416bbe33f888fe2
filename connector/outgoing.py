"""What goes out: a destination is made ready, told what is due, left alone while unwell."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import structlog

from connector.errors import LaneDown, TryLater
from connector.flow import accounts, deliver, hearsay, rounds, shop_pins, taking
from connector.flow.deliver import Drained, Wait
from connector.flow.hush import Hush
from connector.flow.rules import Target
from connector.flow.targets import shape_of
from connector.house import House
from connector.model import Lane
from connector.moments import EPOCH
from connector.policy import breaker, pacing
from connector.ports import DestinationAdapter, Scheduled
from connector.store import lanes

log = structlog.get_logger()

_BATCHES_A_SECOND = 5.0  # to one destination; Mailchimp minds calls at once, not their number
_BREATH = 1.0  # seconds before a platform that could not answer is asked again
_UNTIL_MENDED = 60.0  # seconds before a platform that refuses everything is asked again


class Outgoing:
    """The lanes to the destinations, one call a turn.

    ``watch`` says which shops are halted, ``taking`` whether another mapping is being worked out:
    then nothing but withdrawals is sent.
    """

    def __init__(self, house: House, watch: shop_pins.Watch, taking: taking.Taking) -> None:
        self._house = house
        self._watch = watch
        self._taking = taking
        self._hush = Hush(house.store)
        self._prepared: set[str] = set()
        self._only: dict[str, Lane | None] = {}
        self._written: set[str] = set()
        self._buckets: dict[str, pacing.Bucket] = {}

    def deliver(self, target: Target) -> int:
        """Bring a batch of due records to a destination, unless it is being left alone."""
        house = self._house
        adapter = house.destinations[target.name]
        with house.store.read() as conn:
            state = lanes.read(conn, target.name)
        if breaker.phase(_circuit(state), house.now()) is breaker.Phase.OPEN:
            return 0
        try:
            if target.name not in self._prepared:
                self._only[target.name] = accounts.meet(
                    house.store,
                    target.name,
                    adapter,
                    now=house.now(),
                    wall=house.wall() if house.wall else None,
                )
                for finding in adapter.prepare(shape_of(target, house.rules)):
                    log.warning("finding", lane=target.name, what=finding.what, mend=finding.mend)
                self._prepared.add(target.name)
                self._written.add(target.name)  # what an earlier process left to be finished
            heard = hearsay.listen(house.store, target, adapter, house.rules, now=house.now())
            halted = self._watch.stops(target.shops)
            held = self._taking.holds_back(now=house.now())
            only = Lane.WITHDRAWAL if halted or held else self._only.get(target.name)
            self._hush.tell(target, adapter, now=house.now())
            drained = deliver.drain(
                house.store, target, adapter, house.rules, now=house.now(), only=only
            )
            heard += rounds.walk(house.store, target, adapter, house.rules, now=house.now())
            if only is not None and not drained.taken:
                self._say_why(target, halted, held=held)
                return heard
            self._flush(target.name, adapter, drained)
        except (TryLater, LaneDown) as problem:
            self._pause(target.name, state, problem)
            return 0
        if drained.sent:
            with house.store.write() as conn:
                lanes.succeeded(conn, target.name, now=house.now())
        elif state.mend and only is None:  # it was mended, and nothing is left to be sent
            self._forget_trouble(target.name, state)
        return drained.taken + heard

    def deliver_in_turn(self, target: Target) -> int:
        """Deliver when a batch is ready, and leave the platform a moment between two of them."""
        house = self._house
        full = house.destinations[target.name].batch_size
        state = deliver.wait(house.store, target, now=house.now(), full=full)
        if state is Wait.GATHERING or (state is Wait.READY and not self._may_call(target.name)):
            return 0
        return self.deliver(target)

    def _say_why(self, target: Target, halted: LaneDown | None, *, held: bool) -> None:
        """Why nothing but withdrawals is sent. Raises `LaneDown`, but while that is worked out."""
        problem = halted or self._taking.problem
        if problem is not None:
            raise problem
        if not held:
            raise accounts.clock_is_wrong(target.name)

    def _may_call(self, name: str) -> bool:
        # By the machine's clock: it is the platform that is spared, also in a rehearsal.
        now = EPOCH + timedelta(seconds=time.monotonic())
        bucket = self._buckets.get(name) or pacing.full(
            rate=_BATCHES_A_SECOND, burst=_BATCHES_A_SECOND, now=now
        )
        self._buckets[name], wait = pacing.take(bucket, now)
        return not wait

    def _flush(self, name: str, adapter: DestinationAdapter, drained: Drained) -> None:
        if drained.sent:
            self._written.add(name)
        elif not drained.taken and name in self._written:
            adapter.flush()
            if not (isinstance(adapter, Scheduled) and adapter.is_waiting()):
                self._written.discard(name)

    def _forget_trouble(self, name: str, state: lanes.LaneState) -> None:
        """It was made ready again, so what a person had to mend is mended."""
        with self._house.store.write() as conn:
            lanes.write(
                conn,
                name,
                lanes.LaneState(last_success_at=state.last_success_at),
                now=self._house.now(),
            )

    def _pause(self, name: str, state: lanes.LaneState, problem: TryLater | LaneDown) -> None:
        now = self._house.now()
        if isinstance(problem, LaneDown):
            self._prepared.discard(name)
            wait, mend = _UNTIL_MENDED, problem.mend
        else:
            wait, mend = max(problem.retry_after or 0.0, _BREATH), None
        circuit = breaker.failed(_circuit(state), now, retry_after=wait)
        log.warning("lane paused", lane=name, reason=problem.reason, failures=circuit.failures)
        with self._house.store.write() as conn:
            lanes.write(
                conn,
                name,
                replace(
                    state,
                    failures=circuit.failures,
                    paused_until=circuit.next_probe_at,
                    last_problem=problem.reason,
                    mend=mend,
                ),
                now=now,
            )


def _circuit(state: lanes.LaneState) -> breaker.Circuit:
    return breaker.Circuit(failures=state.failures, next_probe_at=state.paused_until)
