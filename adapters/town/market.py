"""The town that buys in a stand-in shop: a plausible market, the same again for the same seed.

People differ in how often they buy (gamma) and fall silent after a purchase with a chance of their
own (beta): the model "BG/NBD" of Fader, Hardie and Lee, Marketing Science 24 (2005). They like some
kinds of goods more than others, buy as guests or with an account, register later, send goods back,
leave bills unpaid, tick the newsletter box or not, unsubscribe, and change their address.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from adapters.town.people import Person, meet
from adapters.town.till import Payment, Purchase, Till
from adapters.town.wares import KINDS, Offer

COUNTED = (
    *("orders", "refunds", "withdrawals", "opt_ins", "email_changes"),
    *("registrations", "cancelled", "failed", "trashed"),
)
"""What `Market.sell` counts; ``opt_ins`` are orders with a ticked box."""

_NEW_BUYER = 0.36
_OPENS_ACCOUNT = 0.45
_PARTLY_BACK, _WHOLLY_BACK = 0.07, 0.03
_REGISTERS, _WITHDRAWS, _MOVES = 0.12, 0.09, 0.03
_PAYMENTS = (
    (0.03, Payment.DECLINED),
    (0.04, Payment.UNPAID),
    (0.06, Payment.TRANSFER),
    (0.1, Payment.ON_DELIVERY),
)


class Market:
    """The market of one shop. Puts goods on sale at ``start`` unless the shop has some already."""

    def __init__(self, till: Till, *, seed: int, start: datetime) -> None:
        self._till = till
        self._chance = random.Random(seed)
        self._day = timedelta(days=1)
        self._plans: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._planned = 0
        self._touched: dict[tuple[str, int], datetime] = {}
        self._keen: list[Person] = []
        self.people: list[Person] = []
        self.counts: Counter[str] = Counter()
        self._offers = till.goods(start)

    @property
    def offers(self) -> Sequence[Offer]:
        """Everything that can be bought."""
        return tuple(self._offers)

    def sell(self, n_orders: int, between: tuple[datetime, datetime]) -> dict[str, int]:
        """Let exactly so many orders happen, spread over the time, and all that follows from them.

        Gives what happened in that time, see `COUNTED`. Simulated: nothing waits.
        """
        start, end = between
        before = Counter(self.counts)
        seconds = (end - start).total_seconds()
        moments = sorted(self._chance.random() * seconds for _ in range(n_orders))
        for moment in moments:
            now = start + timedelta(seconds=int(moment))
            self.step(now)
            self.buy(now)
        self.step(end)
        return {name: self.counts[name] - before[name] for name in COUNTED}

    def step(self, now: datetime) -> int:
        """Let happen what was planned until ``now``; gives how many things that were."""
        done = 0
        while self._plans and self._plans[0][0] <= now:
            due, _, happen = heapq.heappop(self._plans)
            happen(due)
            done += 1
        return done

    def run(
        self,
        rate: float,
        *,
        until: datetime | None = None,
        orders: int | None = None,
        day_seconds: float = 20,
        stop: threading.Event | None = None,
    ) -> dict[str, int]:
        """Sell live, ``rate`` orders a second by the shop's clock, until told or enough.

        What takes a day in life takes ``day_seconds``. Gives what happened, see `COUNTED`.
        """
        stopped = stop or threading.Event()
        before, clock = Counter(self.counts), self._till.clock
        self._day = timedelta(seconds=day_seconds)
        left = float("inf") if orders is None else orders
        while left and not stopped.is_set() and (until is None or clock() < until):
            now = clock()
            self.step(now)
            self.buy(now)
            left -= 1
            stopped.wait(self._chance.expovariate(rate))
        self._day = timedelta(days=1)
        return {name: self.counts[name] - before[name] for name in COUNTED}

    def buy(self, now: datetime) -> int:
        """Somebody buys something; gives the order's id."""
        person = self._buyer()
        order = self._check_out(person, now)
        self.counts["orders"] += 1
        if self._chance.random() < person.loss:
            self._keen.remove(person)
        return order

    def withdraw_somebody(self, now: datetime) -> str | None:
        """Let one account holder who opted in unsubscribe now; gives the address."""
        found = [person for person in self.people if person.account and person.opted_in]
        if not found:
            return None
        person = self._chance.choice(found)
        self._withdraw(person, now)
        return person.email

    def _buyer(self) -> Person:
        chance = self._chance
        if not self._keen or chance.random() < _NEW_BUYER:
            person = meet(chance, len(self.people) + 1, KINDS)
            self.people.append(person)
            self._keen.append(person)
            return person
        keenest = 4.0  # nearly nobody is keener; drawing again gives each their share
        while True:
            person = chance.choice(self._keen)
            if chance.random() * keenest < person.rate + 0.02:
                return person

    def _check_out(self, person: Person, now: datetime) -> int:
        purchase = self._decide(person)
        now = self._moment(now, person=person.number, account=person.account)
        purchase.opens_account = not person.account and self._chance.random() < _OPENS_ACCOUNT
        order, account = self._till.check_out(purchase, now)
        person.account = account
        self._touched |= {("order", order): now, ("account", account): now}
        if purchase.ticked:
            person.opted_in = True
            self.counts["opt_ins"] += 1
        self._plan_order(order, account, purchase, now)
        self._plan_person(person, now)
        return order

    def _decide(self, person: Person) -> Purchase:
        chance = self._chance
        ticked = chance.random() < person.ticks
        return Purchase(
            person=person,
            ticked=ticked,
            payment=self._payment(),
            typed=not person.account and chance.random() < 1 / 10,
            basket=self._basket(person),
            sent_free=chance.random() < 1 / 3,
            coupon=chance.random() < 1 / 16,
            note="Legg i postkassen 🧶 takk!" if chance.random() < 1 / 20 else "",
            ads=person.allows_ads,
        )

    def _payment(self) -> Payment:
        lot = self._chance.random()
        for share, payment in _PAYMENTS:
            if lot < share:
                return payment
            lot -= share
        return Payment.CARD

    def _basket(self, person: Person) -> tuple[tuple[Offer, int], ...]:
        chance = self._chance
        weights = [person.taste[offer.kind] + 0.02 for offer in self._offers]
        chosen = dict.fromkeys(chance.choices(self._offers, weights, k=chance.choice((1, 1, 2, 3))))
        return tuple((offer, chance.choice((1, 1, 1, 2, 4))) for offer in chosen)

    def _plan_order(self, order: int, account: int, bought: Purchase, now: datetime) -> None:
        chance = self._chance
        match bought.payment:
            case Payment.DECLINED:
                self.counts["failed"] += 1
            case Payment.UNPAID:
                self._plan(now, 0.05, lambda at: self._cancel(order, account, at))
            case _:
                arrives = chance.uniform(1, 4)
                if bought.payment is Payment.TRANSFER:
                    self._plan(now, 0.8, lambda at: self._turn(self._till.pay, order, account, at))
                self._plan(
                    now, arrives, lambda at: self._turn(self._till.complete, order, account, at)
                )
                lot = chance.random()
                if lot < _PARTLY_BACK + _WHOLLY_BACK:
                    later, lines = arrives + chance.uniform(3, 20), len(bought.basket)
                    lines = 0 if lot < _WHOLLY_BACK else lines
                    self._plan(now, later, lambda at: self._give_back(order, lines, at))

    def _plan_person(self, person: Person, now: datetime) -> None:
        chance = self._chance
        if not person.account:
            if chance.random() < _REGISTERS:
                later = chance.uniform(1, 30)
                self._plan(now, later, lambda at: self._register(person, at))
            return
        if person.opted_in and chance.random() < _WITHDRAWS:
            self._plan(now, chance.uniform(2, 60), lambda at: self._withdraw(person, at))
        if chance.random() < _MOVES:
            self._plan(now, chance.uniform(2, 90), lambda at: self._move(person, at))

    def _turn(
        self, happen: Callable[[int, datetime], None], order: int, account: int, at: datetime
    ) -> None:
        happen(order, self._moment(at, order=order, account=account))

    def _cancel(self, order: int, account: int, at: datetime) -> None:
        self._turn(self._till.cancel, order, account, at)
        self.counts["cancelled"] += 1
        if self._chance.random() < 1 / 4:
            self._plan(at, 14, lambda later: self._throw_away(order, later))

    def _throw_away(self, order: int, at: datetime) -> None:
        self._till.throw_away(order, self._moment(at, order=order))
        self.counts["trashed"] += 1

    def _give_back(self, order: int, lines: int, at: datetime) -> None:
        at = self._moment(at, order=order)
        line = self._chance.choice(range(lines)) if lines else None
        self._till.give_back(order, line, at)
        self.counts["refunds"] += 1

    def _register(self, person: Person, at: datetime) -> None:
        if not person.account:
            at = self._moment(at, person=person.number)
            person.account = self._till.register(person, at)
            self._touched["account", person.account] = at
            self.counts["registrations"] += 1

    def _withdraw(self, person: Person, at: datetime) -> None:
        if person.opted_in:
            self._till.withdraw(person.account, self._moment(at, account=person.account))
            person.opted_in, person.ticks = False, 0  # who unsubscribed ticks no box again
            self.counts["withdrawals"] += 1

    def _move(self, person: Person, at: datetime) -> None:
        person.email = person.email.replace("@", ".ny@", 1)
        self._till.move(person.account, person.email, self._moment(at, account=person.account))
        self.counts["email_changes"] += 1

    def _moment(self, at: datetime, **things: int) -> datetime:
        """The moment, or a little later, so that no two changes of a thing share a second.

        A shop's dates have whole seconds: of two states of one second none can say which is newer.
        """
        at = at.replace(microsecond=0)
        known = [(kind, number) for kind, number in things.items() if number]
        for thing in known:
            if thing in self._touched:
                at = max(at, self._touched[thing] + timedelta(seconds=1))
        self._touched |= dict.fromkeys(known, at)
        return at

    def _plan(self, now: datetime, days: float, happen: Callable[[datetime], None]) -> None:
        self._planned += 1
        due = (now + days * self._day).replace(microsecond=0)
        heapq.heappush(self._plans, (due, self._planned, happen))
