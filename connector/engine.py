"""The lanes that keep the house moving: one thread each, in one process or in many."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from functools import partial

from connector.flow import (
    clock,
    demands,
    evaluate,
    ingest,
    labels,
    newcomers,
    retention,
    shop_pins,
    taking,
    watch,
)
from connector.flow.errands import Reader
from connector.flow.reconcile import Reconciler, note
from connector.flow.rules import Target
from connector.house import House
from connector.loops import WOKEN, Loop
from connector.outgoing import Outgoing
from connector.ports import Hearing
from connector.store import inbox, lanes

_INGEST_BATCH = 200
_EVALUATE_BATCH = 1000
_ASK_BATCH = 20
_BEAT = timedelta(seconds=5)
_ACQUAINTANCE = 10.0  # seconds at most to ask the shops who they are before work begins
_LOOK = 0.1  # seconds between looks whether to stop meanwhile


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
        self._outgoing = Outgoing(house, self._watch, self._taking)
        self._last_beat: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set. Raises `StoreUnavailable` if another worker has the store."""
        house = self._house
        wakes = {name: threading.Event() for name in ("evaluate", *house.destinations)}
        away = [wakes[name] for name in house.destinations]
        work = [
            Loop("guard", self.guard, idle=1.0),
            Loop("ingest", self.ingest, [wakes["evaluate"]]),
            Loop("ask", self.ask, [wakes["evaluate"]], idle=WOKEN),
            Loop("evaluate", self.evaluate, away, idle=WOKEN),
            Loop("clock", self.tick, [wakes["evaluate"], *away], idle=1.0),
            Loop("errand", self._errand_in_turn, [wakes["evaluate"]], idle=WOKEN),
            Loop("watch", self.watch, idle=1.0),
            *(
                Loop(target.name, partial(self._outgoing.deliver_in_turn, target), idle=WOKEN)
                for target in house.rules.targets
                if house.sends
            ),
        ]
        with house.store.only_worker():
            newcomers.meet(house.store, house.rules, now=house.now())
            first_look = threading.Thread(target=self.guard, name="first look", daemon=True)
            first_look.start()
            until = time.monotonic() + _ACQUAINTANCE  # who answers later is believed as it was
            while first_look.is_alive() and time.monotonic() < until and not stop.is_set():
                first_look.join(_LOOK)
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
        return self._outgoing.deliver(target)
