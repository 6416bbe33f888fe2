"""The lanes that keep the house moving: one thread each, in one process or in many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from connector.errors import LaneDown, StoreUnavailable, TryLater
from connector.flow import (
    accounts,
    clock,
    deliver,
    demands,
    evaluate,
    hearsay,
    ingest,
    labels,
    newcomers,
    retention,
    shop_pins,
    taking,
    watch,
)
from connector.flow.apart import Apart
from connector.flow.deliver import Drained, Wait
from connector.flow.errands import Reader
from connector.flow.hush import Hush
from connector.flow.mending import Post
from connector.flow.reconcile import Reconciler, note
from connector.flow.rules import Rules, Target
from connector.model import Lane
from connector.moments import EPOCH
from connector.policy import breaker, pacing
from connector.ports import DestinationAdapter, Hearing, Scheduled, Shape, ShopAdapter
from connector.store import inbox, lanes
from connector.store.connect import Store
from mappings.fields import attribute_type
from mappings.grammar import ItemRules

log = structlog.get_logger()

_INGEST_BATCH = 200
_EVALUATE_BATCH = 1000
_ASK_BATCH = 20
_IDLE = 0.05  # seconds between looks when nothing waits: half the promise of a second is network
_WOKEN = 0.2  # seconds, for lanes that others of the process wake when there is work
_BATCHES_A_SECOND = 5.0  # to one destination; Mailchimp minds calls at once, not their number
_BREATH = 1.0  # seconds before a platform that could not answer is asked again
_UNTIL_MENDED = 60.0  # seconds before a platform that refuses everything is asked again
_BEAT = timedelta(seconds=5)
_ACQUAINTANCE = 10.0  # seconds at most to ask the shops who they are before work begins


@dataclass(frozen=True, slots=True)
class House:
    """Everything a worker works with."""

    store: Store
    shops: Mapping[str, ShopAdapter]
    destinations: Mapping[str, DestinationAdapter]
    rules: Rules
    now: Callable[[], datetime]
    sends: bool = True
    """False in ``mode: test``: everything is computed, nothing leaves."""
    wall: Callable[[], datetime] | None = None
    """The machine's own clock, also in a rehearsal: it is compared with the destinations'."""
    answers: demands.Answers | None = None
    """Where files for people who ask what is held of them are put."""
    apart: Mapping[str, Apart] = field(default_factory=dict)
    """The shops whose past is read by processes of their own."""
    keep_bodies: timedelta = timedelta(days=30)
    """How long what was delivered is kept word for word, once it is done with."""
    reconcile: Mapping[str, timedelta] = field(default_factory=dict)
    """How often each shop is asked what changed lately; one that is missing never is."""
    posts: Sequence[Post] = ()
    """The shops and destinations whose webhooks are watched."""


@dataclass(slots=True)
class _Lane:
    """A step repeated for as long as it finds work, then after a pause."""

    name: str
    step: Callable[[], int]
    wakes: Sequence[threading.Event] = ()
    idle: float = _IDLE

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        while not stop.is_set():
            wake.clear()
            try:
                done = self.step()
            except StoreUnavailable as problem:
                log.warning("store unavailable", lane=self.name, problem=str(problem))
                stop.wait(1.0)
                continue
            except Exception:
                # A lane that dies in silence would lose events in silence.
                log.exception("lane stumbled", lane=self.name)
                stop.wait(1.0)
                continue
            if done:
                for other in self.wakes:
                    other.set()
            else:
                wake.wait(self.idle)


class Engine:
    """The lanes of one worker."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._speakers: dict[str, ingest.Speaker] = {
            **house.shops,
            **{
                name: each for name, each in house.destinations.items() if isinstance(each, Hearing)
            },
        }
        self.reader = Reader(
            house.store,
            {**house.shops, **house.apart},
            house.rules,
            time.monotonic,
            told=note,
        )
        self.reconciler = Reconciler(
            house.store, house.shops, house.rules, time.monotonic, every=house.reconcile
        )
        self._watch = shop_pins.Watch(house.store, house.shops)
        self._rounds = watch.Rounds(house.store, house.posts)
        self._taking = taking.Taking(house.store, house.rules)
        self._newcomers = True
        self._let_pass = False
        self._hush = Hush(house.store)
        self._prepared: set[str] = set()
        self._only: dict[str, Lane | None] = {}
        self._written: set[str] = set()
        self._buckets: dict[str, pacing.Bucket] = {}
        self._last_beat: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set. Raises `StoreUnavailable` if another worker has the store."""
        house = self._house
        wakes = {name: threading.Event() for name in ("evaluate", *house.destinations)}
        away = [wakes[name] for name in house.destinations]
        work = [
            _Lane("guard", self.guard, idle=1.0),
            _Lane("ingest", self.ingest, [wakes["evaluate"]]),
            _Lane("ask", self.ask, [wakes["evaluate"]], idle=_WOKEN),
            _Lane("evaluate", self.evaluate, away, idle=_WOKEN),
            _Lane("clock", self.tick, [wakes["evaluate"], *away], idle=1.0),
            _Lane("errand", self._errand_in_turn, [wakes["evaluate"]], idle=_WOKEN),
            _Lane("watch", self.watch, idle=1.0),
            *(
                _Lane(target.name, lambda target=target: self._paced(target), idle=_WOKEN)  # type: ignore[misc]
                for target in house.rules.targets
                if house.sends
            ),
        ]
        with house.store.only_worker():
            newcomers.meet(house.store, house.rules, now=house.now())
            first_look = threading.Thread(target=self.guard, name="first look", daemon=True)
            first_look.start()
            first_look.join(_ACQUAINTANCE)  # who answers later is believed until then as it was
            threads = [
                threading.Thread(
                    target=lane.run,
                    args=(stop, wakes.get(lane.name, threading.Event())),
                    name=lane.name,
                )
                for lane in work
            ]
            for thread in threads:
                thread.start()
            stop.wait()
            for wake in wakes.values():
                wake.set()
            for thread in threads:
                thread.join()
            self.reader.rest()
            self.reconciler.rest()

    def drain(self, *, rounds: int = 1_000) -> None:
        """Do, in this thread, everything that can be done now."""
        newcomers.meet(self._house.store, self._house.rules, now=self._house.now())
        self._taking.look(now=self._house.now())
        for _ in range(rounds):
            self.guard()
            done = self.ingest() + self.ask() + self.tick() + self.errand() + self.evaluate()
            if self._house.sends:
                done += sum(self.deliver(target) for target in self._house.rules.targets)
            if not done:
                return

    def guard(self) -> int:
        """See now and then whether each shop is still the one it was."""
        done = self._watch.look(now=self._house.now())
        self.reader.halted = self._watch.halted
        self.reconciler.halt(self._watch.halted)
        return done

    def watch(self) -> int:
        """Look now and then whether the webhooks are as they should be."""
        return self._rounds.walk(now=self._house.now())

    def _heard(self) -> dict[str, ingest.Speaker]:
        return {**self._speakers, **self._watch.speakers()}

    def ingest(self) -> int:
        """Understand and settle a batch of deliveries."""
        house = self._house
        return ingest.drain(
            house.store, self._heard(), house.rules, now=house.now(), limit=_INGEST_BATCH
        )

    def ask(self) -> int:
        """Ask the shops for what deliveries lack."""
        house = self._house
        return ingest.drain(
            house.store,
            self._heard(),
            house.rules,
            now=house.now(),
            limit=_ASK_BATCH,
            asking=True,
        )

    def evaluate(self) -> int:
        """Evaluate a batch of people whose facts changed."""
        house = self._house
        taken = self._taking.look(now=house.now())
        return evaluate.drain(
            house.store, house.rules, now=house.now(), limit=_EVALUATE_BATCH, moving=taken
        )

    def errand(self) -> int:
        """Read on a little in a shop's past, if that was asked for or a pass is under way."""
        now = self._house.now()
        return self.reader.step(now=now) + self.reconciler.step(now=now)

    def reconcile(self) -> int:
        """Begin to ask the shops, whose time has come, what changed lately."""
        return self.reconciler.look(now=self._house.now())

    def _errand_in_turn(self) -> int:
        """The same, but while webhooks wait only every other time: they go first."""
        with self._house.store.read() as conn:
            self._let_pass = not self._let_pass and inbox.any_waiting(conn)
        return 0 if self._let_pass else self.reconcile() + self.errand()

    def tick(self) -> int:
        """Say that the worker lives, mark what flips by itself, carry out what is demanded."""
        now = self._house.now()
        if self._last_beat is None or not timedelta(0) <= now - self._last_beat < _BEAT:
            self._last_beat = now
            with self._house.store.write() as conn:
                lanes.beat(conn, now=now)
        if self._house.store.untidy.is_set():
            self._house.store.tidy()
        if self._newcomers or self._taking.was_just_taken():
            self._newcomers = bool(newcomers.drain(self._house.store, self._house.rules, now=now))
            if self._newcomers:
                return 1
        marked = taking.mark_some(self._house.store, now=now)
        forgotten = retention.drain(self._house.store, keep=self._house.keep_bodies, now=now)
        relabelled = labels.drain(self._house.store, self._house.rules, now=now)
        flipped = clock.drain(self._house.store, now=now)
        return flipped + relabelled + self._carry_out(now) + forgotten + marked

    def _carry_out(self, now: datetime) -> int:
        answers = self._house.answers
        return 0 if answers is None else demands.drain(self._house.store, answers, now=now)

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
            self._hush.tell(target, adapter, now=house.now())
            heard = hearsay.listen(house.store, target, adapter, house.rules, now=house.now())
            halted = self._watch.stops(target.shops)
            held = self._taking.holds_back(now=house.now())
            only = Lane.WITHDRAWAL if halted or held else self._only.get(target.name)
            drained = deliver.drain(
                house.store, target, adapter, house.rules, now=house.now(), only=only
            )
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
        return drained.taken + heard

    def _say_why(self, target: Target, halted: LaneDown | None, *, held: bool) -> None:
        """Why nothing but withdrawals is sent. Raises `LaneDown`, but while that is worked out."""
        problem = halted or self._taking.problem
        if problem is not None:
            raise problem
        if not held:
            raise accounts.clock_is_wrong(target.name)

    def _paced(self, target: Target) -> int:
        """Deliver when a batch is ready, and leave the platform a moment between two of them."""
        house = self._house
        full = house.destinations[target.name].batch_size
        state = deliver.wait(house.store, target, now=house.now(), full=full)
        if state is Wait.GATHERING or (state is Wait.READY and not self._may_call(target.name)):
            return 0
        return self.deliver(target)

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


def shape_of(target: Target, rules: Rules) -> Shape:
    """What a destination will be asked to hold."""
    mapped = target.mapping
    return Shape(
        fields={name: attribute_type(attribute) for name, attribute in mapped.fields.items()},
        tags=tuple(sorted(set(mapped.tags(rules.mapping).values()))),
        purpose=mapped.purpose,
        tables=tuple(mapped.tables),
        existing_only=mapped.policy == "existing_only",
        valued=tuple(sorted(name for name, each in mapped.audiences.items() if each.valued)),
        sets={name: (each.label, each.text) for name, each in mapped.sets.items()},
        item_id=(mapped.items or ItemRules()).id,
    )
