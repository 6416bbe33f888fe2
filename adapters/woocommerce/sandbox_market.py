"""The people who buy in the stand-in shop: a plausible market, the same again for the same seed.

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
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from adapters.woocommerce.sandbox_desk import OPT_IN
from adapters.woocommerce.sandbox_people import Person, meet
from adapters.woocommerce.sandbox_wares import COUPON, KINDS, on_sale, stock

if TYPE_CHECKING:
    from adapters.woocommerce.sandbox import Sandbox

COUNTED = (
    *("orders", "refunds", "withdrawals", "opt_ins", "email_changes"),
    *("registrations", "cancelled", "failed", "trashed"),
)
"""What `Market.sell` counts; ``opt_ins`` are orders with a ticked box."""

_NEW_BUYER = 0.36
_OPENS_ACCOUNT = 0.45
_FAILS, _UNPAID, _TRANSFERS, _ON_DELIVERY = 0.03, 0.04, 0.06, 0.1
_PARTLY_BACK, _WHOLLY_BACK = 0.07, 0.03
_REGISTERS, _WITHDRAWS, _MOVES = 0.12, 0.09, 0.03


class Market:
    """The market of one shop. Puts goods on sale at ``start`` unless the shop has some already."""

    def __init__(self, shop: Sandbox, *, seed: int, start: datetime) -> None:
        self._shop = shop
        self._chance = random.Random(seed)
        self._day = timedelta(days=1)
        self._plans: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._planned = 0
        self._touched: dict[tuple[str, int], datetime] = {}
        self._keen: list[Person] = []
        self.people: list[Person] = []
        self.counts: Counter[str] = Counter()
        self._offers = on_sale(shop.books, shop.products) or stock(shop.products, start)

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
        before, clock = Counter(self.counts), self._shop.clock
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
        chance = self._chance
        ticked = chance.random() < person.ticks
        status, paid, method = self._payment()
        given: dict[str, Any] = {
            "customer_id": person.account,
            "billing": person.billing(typed=not person.account and chance.random() < 1 / 10),
            "shipping": person.billing(),
            "line_items": self._basket(person),
            "shipping_lines": [{"total": "0.00" if chance.random() < 1 / 3 else "79.00"}],
            "coupon_lines": [{"code": COUPON}] if chance.random() < 1 / 16 else [],
            "meta_data": [{"key": OPT_IN, "value": "1"}] if ticked else [],
            "customer_note": "Legg i postkassen 🧶 takk!" if chance.random() < 1 / 20 else "",
            "customer_ip_address": "192.0.2.7",
            "customer_user_agent": "Mozilla/5.0 (sandbox)",
            "status": status,
            "paid": paid,
            **method,
        }
        now = self._moment(now, account=person.account)
        opens = not person.account and chance.random() < _OPENS_ACCOUNT
        account = self._account(person) if opens else None
        order = self._shop.orders.check_out(given, now=now, account=account)
        person.account = order["customer_id"] or person.account
        self._touched |= {("order", order["id"]): now, ("account", person.account): now}
        if ticked:
            person.opted_in = True
            self.counts["opt_ins"] += 1
        self._plan_order(order["id"], status, now)
        self._plan_person(person, now)
        return int(order["id"])

    def _payment(self) -> tuple[str, bool, Mapping[str, str]]:
        cash = {"payment_method": "cod", "payment_method_title": "Betal ved levering"}
        bank = {"payment_method": "bacs", "payment_method_title": "Bankoverføring"}
        card = {"payment_method": "stripe", "payment_method_title": "Kort"}
        lot = self._chance.random()
        for share, outcome in (
            (_FAILS, ("failed", False, card)),
            (_UNPAID, ("pending", False, card)),
            (_TRANSFERS, ("on-hold", False, bank)),
            (_ON_DELIVERY, ("processing", False, cash)),
        ):
            if lot < share:
                return outcome
            lot -= share
        return "processing", True, card

    def _basket(self, person: Person) -> list[dict[str, int]]:
        chance = self._chance
        weights = [person.taste[offer.kind] + 0.02 for offer in self._offers]
        chosen = dict.fromkeys(chance.choices(self._offers, weights, k=chance.choice((1, 1, 2, 3))))
        return [
            {
                "product_id": offer.product_id,
                "variation_id": offer.variation_id,
                "quantity": chance.choice((1, 1, 1, 2, 4)),
            }
            for offer in chosen
        ]

    def _plan_order(self, order: int, status: str, now: datetime) -> None:
        chance = self._chance
        match status:
            case "failed":
                self.counts["failed"] += 1
            case "pending":
                self._plan(now, 0.05, lambda at: self._cancel(order, at))
            case _:
                arrives = chance.uniform(1, 4)
                if status == "on-hold":
                    self._plan(now, 0.8, lambda at: self._turn(order, "processing", at))
                self._plan(now, arrives, lambda at: self._turn(order, "completed", at))
                lot = chance.random()
                if lot < _PARTLY_BACK + _WHOLLY_BACK:
                    wholly, later = lot < _WHOLLY_BACK, arrives + chance.uniform(3, 20)
                    self._plan(now, later, lambda at: self._give_back(order, at, wholly=wholly))

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

    def _turn(self, order: int, status: str, at: datetime) -> None:
        account = self._shop.orders.get(order)["customer_id"]
        at = self._moment(at, order=order, account=account)
        self._shop.orders.change(order, {"status": status}, now=at)

    def _cancel(self, order: int, at: datetime) -> None:
        self._turn(order, "cancelled", at)
        self.counts["cancelled"] += 1
        if self._chance.random() < 1 / 4:
            self._plan(at, 14, lambda later: self._throw_away(order, later))

    def _throw_away(self, order: int, at: datetime) -> None:
        self._shop.orders.trash(order, now=self._moment(at, order=order))
        self.counts["trashed"] += 1

    def _give_back(self, order: int, at: datetime, *, wholly: bool) -> None:
        orders = self._shop.orders
        bought = orders.get(order)
        at = self._moment(at, order=order)
        if wholly:
            orders.refund(order, amount=bought["total"], reason="Angret kjøp", now=at)
        else:
            line = self._chance.choice(bought["line_items"])
            lines = {line["id"]: 1}
            orders.refund(order, lines=lines, reason="Feil farge", restock=True, now=at)
        self.counts["refunds"] += 1

    def _register(self, person: Person, at: datetime) -> None:
        if not person.account:
            person.account = self._shop.customers.create(self._account(person), now=at)["id"]
            self._touched["account", person.account] = at
            self.counts["registrations"] += 1

    def _withdraw(self, person: Person, at: datetime) -> None:
        if person.opted_in:
            at = self._moment(at, account=person.account)
            self._shop.customers.withdraw(person.account, now=at)
            person.opted_in, person.ticks = False, 0  # who unsubscribed ticks no box again
            self.counts["withdrawals"] += 1

    def _move(self, person: Person, at: datetime) -> None:
        person.email = person.email.replace("@", ".ny@", 1)
        changed = {"email": person.email, "billing": {"email": person.email}}
        at = self._moment(at, account=person.account)
        self._shop.customers.change(person.account, changed, now=at)
        self.counts["email_changes"] += 1

    def _account(self, person: Person) -> dict[str, Any]:
        names = {"first_name": person.first_name, "last_name": person.last_name}
        return {**names, "email": person.email, "billing": person.billing()}

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
