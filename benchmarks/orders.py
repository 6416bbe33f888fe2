"""A shop's busy days, made beforehand: signed webhooks of orders as WooCommerce would send them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.town.people import Person, meet
from adapters.woocommerce import sandbox_orders as bodies
from adapters.woocommerce.sandbox_desk import OPT_IN
from adapters.woocommerce.sandbox_orders import Goods
from adapters.woocommerce.sandbox_payloads import Body, Site, touch
from adapters.woocommerce.sandbox_samples import ATTRIBUTION, YARNS
from benchmarks.load import request
from connector.identity import normal_email

SECRET = b"a-benchmarks-own-secret-of-some-length"
_SITE = Site(url="http://127.0.0.1:9")
_RETURNING = 0.45  # orders by somebody who bought before
_TICKED = 0.6  # orders with the newsletter's box ticked
_SECOND = 0.2  # deliveries that tell of an order once more
_APART = 400  # deliveries between the first word of an order and the second, about
_DAYS = 500  # over which the orders were placed: time decides about some segments
_KINDS = ("yarn", "needles")


@dataclass(slots=True)
class Season:
    """Requests, whole and signed, and what must have come of them in the end."""

    wares: list[bytes] = field(default_factory=list)
    orders: Counter[str] = field(default_factory=Counter)
    """Orders by buyer's address."""
    ticked: set[str] = field(default_factory=set)
    """Who may be written to."""

    @property
    def size(self) -> float:
        """The size of a body and its head, in KB, on the average."""
        return sum(map(len, self.wares)) / max(1, len(self.wares)) / 1000


class Town:
    """The people and the orders they place; the same again for the same seed."""

    def __init__(self, seed: int, *, now: datetime | None = None) -> None:
        self._chance = random.Random(seed)
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)
        self._people: list[Person] = []
        self._number = 1000
        self._delivered = 0

    def season(self, deliveries: int) -> Season:
        """So many deliveries, a fifth of them a second word about an order."""
        season = Season()
        placed = deliveries - round(deliveries * _SECOND)
        slots: list[tuple[float, str, Body]] = []
        for slot in range(placed):
            order, person, ticked = self._order()
            email = normal_email(person.email) or ""
            season.orders[email] += 1
            if ticked:
                season.ticked.add(email)
            slots.append((float(slot), "order.created", order))
        for at, _, order in self._chance.sample(slots, deliveries - placed):
            later = at + self._chance.expovariate(1 / _APART) + 0.5
            slots.append((later, "order.updated", self._completed(order)))
        slots.sort(key=lambda slot: slot[0])
        season.wares = list(self._requests(slots))
        return season

    def newcomer(self) -> tuple[str, bytes]:
        """One order of somebody new who ticks the box: the address, and the request."""
        person = self._meet()
        order = self._body(person, self._now - timedelta(minutes=5), ticked=True)
        [ware] = self._requests([(0.0, "order.created", order)])
        return normal_email(person.email) or "", ware

    def again(self, season: Season) -> Season:
        """Everybody who may be written to buys once more."""
        more = Season()
        slots: list[tuple[float, str, Body]] = []
        for person in self._people:
            email = normal_email(person.email) or ""
            if email in season.ticked and season.orders[email]:
                more.orders[email] += 1
                order = self._body(person, self._now - timedelta(minutes=1), ticked=False)
                slots.append((len(slots), "order.created", order))
        more.wares = list(self._requests(slots))
        return more

    def newcomers(self, count: int) -> Season:
        """So many new people, each with one order and the box ticked."""
        season = Season()
        for _ in range(count):
            email, ware = self.newcomer()
            season.wares.append(ware)
            season.orders[email] += 1
            season.ticked.add(email)
        return season

    def _order(self) -> tuple[Body, Person, bool]:
        chance = self._chance
        returns = self._people and chance.random() < _RETURNING
        person = chance.choice(self._people) if returns else self._meet()
        ticked = chance.random() < _TICKED
        placed = self._now - timedelta(minutes=chance.randint(60, _DAYS * 24 * 60))
        return self._body(person, placed, ticked=ticked), person, ticked

    def _meet(self) -> Person:
        person = meet(self._chance, len(self._people) + 1, _KINDS)
        if self._chance.random() < 0.5:
            person.account = len(self._people) + 1
        self._people.append(person)
        return person

    def _body(self, person: Person, placed: datetime, *, ticked: bool) -> Body:
        chance = self._chance
        self._number += 1
        meta = [
            {"id": self._number * 20 + at, "key": f"_wc_order_attribution_{name}", "value": value}
            for at, (name, value) in enumerate(ATTRIBUTION.items())
        ]
        if ticked:
            meta.append({"id": self._number * 20 + 19, "key": OPT_IN, "value": "1"})
        given = {
            "customer_id": person.account,
            "billing": person.billing(),
            "shipping": person.billing(),
            "payment_method": "stripe",
            "payment_method_title": "Kort",
            "customer_ip_address": "192.0.2.7",
            "customer_user_agent": ATTRIBUTION["user_agent"],
        }
        order = bodies.new_order(
            _SITE,
            self._number,
            placed,
            given,
            key=f"wc_order_{chance.getrandbits(48):012x}1",
            created_via="store-api",
            meta_data=meta,
        )
        order["line_items"] = [self._line(at) for at in range(chance.choice((4, 5, 6, 6, 7)))]
        order["shipping_lines"] = [bodies.shipping_line(_SITE, self._number * 20 + 10, 7900)]
        bodies.total_up(order, _SITE, self._number * 20 + 11)
        bodies.turn(order, "processing", placed, _SITE, paid=True)
        return order

    def _line(self, at: int) -> Body:
        chance = self._chance
        price, quantity = chance.choice((4900, 8900, 12900, 19900)), chance.choice((1, 1, 2, 4))
        product = chance.randint(1, 400)
        name = chance.choice(YARNS)
        return bodies.line(
            _SITE,
            self._number * 20 + at,
            Goods(
                name=f"{name} - farge {product % 40}",
                product_id=product,
                variation_id=product + 1000,
                sku=f"GARN-{product:04}",
                parent_name=name,
                options=({"slug": "pa_farge", "name": "Farge", "option": "mose"},),
            ),
            quantity=quantity,
            subtotal=price * quantity,
            total=price * quantity,
        )

    def _completed(self, order: Body) -> Body:
        later = dict(order)
        sent = self._now - timedelta(seconds=self._chance.randint(60, 3000))
        touch(later, sent, _SITE)
        bodies.turn(later, "completed", sent, _SITE)
        return later

    def _requests(self, slots: list[tuple[float, str, Body]]) -> Iterator[bytes]:
        for _, topic, order in slots:
            self._delivered += 1
            yield request(bodies.order_body(order), self._delivered, secret=SECRET, topic=topic)
