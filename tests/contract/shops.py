"""What every shop promises: a guest's own test file is a few lines that subclass this.

A subclass gives one fixture, ``stage``: a `Stage`, which does things in the platform's stand-in in
the platform's own words; the contract gives it ``clock``. What the stand-in then tells by its
webhooks is what the promises are about, and where the shop must be asked, its real API is.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pytest

from connector.errors import LaneDown, TryLater
from connector.model import (
    Customer,
    Deleted,
    Delivery,
    Fact,
    Ignored,
    Kind,
    Order,
    Quarantined,
    Understood,
    Wish,
)
from connector.ports import Fingerprinted, ShopAdapter, ShopFacts

REQUIRED = (
    "accepts_an_order",
    "same_order_twice_is_one_version",
    "older_statement_has_older_version",
    "guest_order_has_no_account",
    "account_order_names_its_account",
    "refund_is_positive_money",
    "deletion_is_only_a_wish",
    "deletion_confirmed_by_the_shop",
    "deletion_denied_by_the_shop",
    "unknown_topic_is_ignored",
    "not_json_is_quarantined",
    "other_topics_body_is_quarantined",
    "staff_and_tests_are_ignored",
    "future_date_is_clamped",
    "money_is_exact",
    "never_raises",
    "shop_silent_is_try_later",
    "key_refused_is_lane_down",
    "describe_tells_zone_and_currency",
    "says_which_shop_it_is",
    "door_keeps_what_is_read",
)
"""The promises by name; `test_required` fails when one has no test."""

NOWHERE = "http://127.0.0.1:9"
WRONG_KEY = "a_key_of_another_shop_41"
BEYOND_FLOATS = "90071992547409.93"
_DATE = re.compile(rb"20\d\d-(\d\d-\d\dT)")
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 2**200, 1.5, "", " ", "\x00", "x" * 5000, "1e999", "NaN", "-0"),
    *([], {}, [[]], [None], {"id": None}, "2026-13-45T99:99:99", "0000-12-31T18:09:24-05:50"),
)


class Clock:
    """A clock that a test moves by hand; the stand-in goes by it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(frozen=True, kw_only=True)
class Sold:
    """An order as the stand-in keeps it: its id, and what was charged as it says so."""

    id: str
    total: str


class Stage(Protocol):
    """A stand-in shop and how things are done in it. Its clock is the one it was made with."""

    order_topic: str
    """The topic under which a new order comes."""
    gone_topic: str
    """The topic under which an order's deletion comes."""
    product_topic: str
    unused_topic: str
    """A topic of the platform that is not used."""
    facts: ShopFacts
    """The stand-in's time zone and currency."""

    def listen(self, url: str) -> None:
        """Let the stand-in send its webhooks to an address."""

    def deliver(self) -> object:
        """Let it send what is due."""

    def open(self, *, address: str | None = None, key: str | None = None) -> ShopAdapter:
        """The adapter; with another address, or another key, than the right one.

        It is told neither time zone nor currency of the shop, where it can ask for both.
        """

    def sell(self, price: str, *, pieces: int = 1, account: bool = False) -> Sold:
        """Somebody with kari@epost.example buys, as a guest or with an account."""

    def change(self, order: str) -> None:
        """Something about the order changes."""

    def refund(self, order: str, amount: str) -> None:
        """Money goes back."""

    def delete(self, order: str) -> None:
        """The order is removed."""

    def put_on_sale(self) -> None:
        """A product is made."""

    def no_business(self) -> None:
        """Something is told that is nobody's business: staff, or a test."""


@dataclass
class Receiver:
    """Takes what the stand-in sends, and gives it as deliveries as our own receiver would."""

    url: str
    arrivals: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def take(self, shop: ShopAdapter, at: datetime) -> list[Delivery]:
        """What arrived since it was last taken; pings, which name no topic, are none."""
        arrived, self.arrivals = self.arrivals, []
        door = shop.door
        return [
            Delivery(
                id=number,
                shop=shop.name,
                topic=headers[door.topic_header.lower()],
                received_at=at,
                body=body,
                headers={
                    name: headers[name.lower()]
                    for name in door.kept_headers
                    if name.lower() in headers
                },
            )
            for number, (headers, body) in enumerate(arrived, 1)
            if door.topic_header.lower() in headers
        ]


@dataclass
class Play:
    """The stage with its listener and the adapter: what a promise is tried with."""

    stage: Stage
    clock: Clock
    receiver: Receiver
    shop: ShopAdapter

    def told(self) -> list[Delivery]:
        """What the stand-in tells of what was just done."""
        self.stage.deliver()
        return self.receiver.take(self.shop, self.clock())

    def only(self, topic: str) -> Delivery:
        """The one delivery of a topic among what is told."""
        [found] = [each for each in self.told() if each.topic == topic]
        return found

    def facts(self, deliveries: Sequence[Delivery]) -> list[Fact]:
        """All that deliveries state, and what the shop states when it is asked for the rest."""
        found: list[Fact] = []
        for delivery in deliveries:
            reading = self.shop.understand(delivery)
            assert isinstance(reading, Understood | Ignored), reading
            if not isinstance(reading, Understood):
                continue
            found += reading.facts
            for wish in reading.wishes:
                answer = self.shop.look_up(wish, delivery)
                found += answer.facts if isinstance(answer, Understood) else ()
        return found

    def order(self, deliveries: Sequence[Delivery]) -> Order:
        """The newest of all that is stated of an order."""
        orders = [fact for fact in self.facts(deliveries) if isinstance(fact, Order)]
        return max(orders, key=lambda order: order.version)

    def gone(self) -> tuple[Delivery, Sold]:
        """An order that was sold and removed, with the delivery that says so."""
        sold = self.stage.sell("10.00")
        self.told()
        self.clock.pass_by(seconds=30)
        self.stage.delete(sold.id)
        return self.only(self.stage.gone_topic), sold


def minor(amount: str) -> int:
    """A text with two decimals in minor units, without a float."""
    whole, _, cents = amount.partition(".")
    return int(whole + cents.ljust(2, "0"))


class ShopContract:
    """The promises of a shop."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The one clock of a test."""
        return Clock()

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        """A receiver on loopback that takes everything."""
        kept = Receiver("")

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.arrivals.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}/webhooks/here"
        yield kept
        server.shutdown()
        thread.join()
        server.server_close()

    @pytest.fixture
    def play(self, stage: Stage, clock: Clock, receiver: Receiver) -> Iterator[Play]:
        """The stage, listened to."""
        stage.listen(receiver.url)
        shop = stage.open()
        yield Play(stage, clock, receiver, shop)
        getattr(shop, "close", lambda: None)()

    def test_accepts_an_order(self, play: Play) -> None:
        """Who bought what for how much, when, and under which id."""
        sold = play.stage.sell("19.99", pieces=3)
        order = play.order(play.told())
        assert (sold.id, "here", "kari@epost.example") == (order.id, order.shop, order.email)
        assert (minor(sold.total), play.stage.facts.currency) == (order.total, order.currency)
        assert [3] == [line.quantity for line in order.lines]
        assert play.clock() == order.placed_at

    def test_same_order_twice_is_one_version(self, play: Play) -> None:
        """A delivery that comes again, and later, states the same."""
        play.stage.sell("10.00")
        once = play.only(play.stage.order_topic)
        again = replace(once, id=2, received_at=once.received_at + timedelta(hours=3))
        first, second = play.shop.understand(once), play.shop.understand(again)
        assert isinstance(first, Understood)
        assert 1 == len(first.facts)
        assert first == second

    def test_older_statement_has_older_version(self, play: Play) -> None:
        """Whichever arrives first, the newer one wins."""
        sold = play.stage.sell("10.00")
        earlier = play.told()
        play.clock.pass_by(minutes=1)
        play.stage.change(sold.id)
        later = play.told()
        older, newer = play.order(earlier), play.order(later)
        assert older.id == newer.id == sold.id
        assert older.version < newer.version
        assert newer == play.order([*later, *earlier])

    def test_guest_order_has_no_account(self, play: Play) -> None:
        """Nobody is made up for it; the address is there all the same."""
        play.stage.sell("10.00")
        facts = play.facts(play.told())
        orders = [fact for fact in facts if isinstance(fact, Order)]
        assert {(None, "kari@epost.example")} == {(each.customer_id, each.email) for each in orders}
        assert [] == [fact for fact in facts if isinstance(fact, Customer)]

    def test_account_order_names_its_account(self, play: Play) -> None:
        """And the account is told with the same id."""
        play.stage.sell("10.00", account=True)
        told = play.told()
        customers = [fact for fact in play.facts(told) if isinstance(fact, Customer)]
        assert customers
        assert {play.order(told).customer_id} == {each.id for each in customers}
        assert {"kari@epost.example"} == {each.email for each in customers}

    def test_refund_is_positive_money(self, play: Play) -> None:
        """Beside the total, not taken off it; to the minor unit."""
        sold = play.stage.sell("19.99")
        play.told()
        play.clock.pass_by(minutes=1)
        play.stage.refund(sold.id, "7.03")
        order = play.order(play.told())
        assert [703] == [refund.amount for refund in order.refunds]
        assert minor(sold.total) == order.total

    def test_deletion_is_only_a_wish(self, play: Play) -> None:
        """A delivery deletes nothing by itself: its topic is not signed everywhere."""
        delivery, sold = play.gone()
        wish = Wish(kind=Kind.ORDER, id=sold.id, expected_gone=True)
        assert Understood(wishes=(wish,)) == play.shop.understand(delivery)

    def test_deletion_confirmed_by_the_shop(self, play: Play) -> None:
        """What the shop no longer has is gone."""
        delivery, sold = play.gone()
        [gone] = play.facts([delivery])
        assert isinstance(gone, Deleted)
        assert ("here", Kind.ORDER, sold.id) == (gone.shop, gone.kind, gone.id)
        assert gone.version.at <= play.clock()

    def test_deletion_denied_by_the_shop(self, play: Play) -> None:
        """A deletion of what is there, sent by whomever, deletes nothing."""
        delivery, gone = play.gone()
        there = play.stage.sell("10.00")
        play.told()
        forged = replace(delivery, body=delivery.body.replace(gone.id.encode(), there.id.encode()))
        reading = play.shop.understand(forged)
        assert isinstance(reading, Understood)
        assert [there.id] == [wish.id for wish in reading.wishes]
        answer = play.shop.look_up(reading.wishes[0], forged)
        assert isinstance(answer, Understood)
        assert [] == [fact for fact in answer.facts if isinstance(fact, Deleted)]
        assert "deletion_not_confirmed" in answer.flags

    def test_unknown_topic_is_ignored(self, play: Play) -> None:
        """By name, whatever its body; one that is no word is not repeated."""
        play.stage.sell("10.00")
        delivery = play.only(play.stage.order_topic)
        for body in (delivery.body, b"{}", b"no json"):
            reading = play.shop.understand(
                replace(delivery, topic=play.stage.unused_topic, body=body)
            )
            assert isinstance(reading, Ignored)
            assert reading.reason
        odd = play.shop.understand(replace(delivery, topic="kari@epost.example"))
        assert isinstance(odd, Ignored)
        assert "kari" not in odd.reason

    def test_not_json_is_quarantined(self, play: Play) -> None:
        """Kept for a person, with a reason and who mends it."""
        play.stage.sell("10.00")
        delivery = play.only(play.stage.order_topic)
        for body in (b"", b"no json", b"[]", b"\xff\xfe", b"<html>", delivery.body[:-1]):
            reading = play.shop.understand(replace(delivery, body=body))
            assert isinstance(reading, Quarantined), body
            assert reading.reason
            assert reading.mend

    def test_other_topics_body_is_quarantined(self, play: Play) -> None:
        """A body sent again under another topic states and deletes nothing."""
        play.stage.sell("10.00")
        order = play.only(play.stage.order_topic)
        play.stage.put_on_sale()
        product = play.only(play.stage.product_topic)
        for body, topic in (
            (order, play.stage.product_topic),
            (order, play.stage.gone_topic),
            (product, play.stage.order_topic),
            (product, play.stage.gone_topic),
        ):
            reading = play.shop.understand(replace(body, topic=topic))
            assert isinstance(reading, Quarantined), topic
            assert "topic_mismatch" == reading.reason

    def test_staff_and_tests_are_ignored(self, play: Play) -> None:
        """What is nobody's purchase is not counted as one, and is said."""
        play.stage.no_business()
        told = play.told()
        readings = [play.shop.understand(delivery) for delivery in told]
        assert readings
        assert {Ignored} == {type(reading) for reading in readings}

    def test_future_date_is_clamped(self, play: Play) -> None:
        """A wrong year does not outrank every later truth."""
        play.stage.sell("10.00")
        delivery = play.only(play.stage.order_topic)
        far = replace(delivery, body=_DATE.sub(rb"2999-\1", delivery.body))
        assert far.body != delivery.body
        reading = play.shop.understand(far)
        assert isinstance(reading, Understood)
        [order] = reading.facts
        assert isinstance(order, Order)
        assert delivery.received_at == order.version.at
        assert order.placed_at <= delivery.received_at
        assert "date_in_future" in reading.flags

    def test_money_is_exact(self, play: Play) -> None:
        """Also where a float would have lost the last digit."""
        sold = play.stage.sell(BEYOND_FLOATS)
        order = play.order(play.told())
        assert minor(sold.total) == order.total
        assert order.total >= minor(BEYOND_FLOATS) > 2**53

    def test_never_raises(self, play: Play) -> None:
        """Cut, flipped and odd bodies are understood, ignored or kept for a person."""
        play.stage.sell("19.99", pieces=2, account=True)
        play.stage.put_on_sale()
        told = play.told()
        assert {play.stage.order_topic, play.stage.product_topic} <= {each.topic for each in told}
        chance = random.Random(7)
        kinds: set[type] = set()
        for _ in range(600):
            delivery = chance.choice(told)
            body = chance.choice((_cut, _flipped, _odd, _odd, _odd))(delivery.body, chance)
            reading = play.shop.understand(replace(delivery, body=body))
            kinds.add(type(reading))
            assert isinstance(reading, Understood | Ignored | Quarantined)
        assert {Understood, Quarantined} <= kinds

    def test_shop_silent_is_try_later(self, play: Play) -> None:
        """Nothing is lost: the work is kept."""
        delivery, sold = play.gone()
        away = play.stage.open(address=NOWHERE)
        wish = Wish(kind=Kind.ORDER, id=sold.id, expected_gone=True)
        with pytest.raises(TryLater):
            away.look_up(wish, delivery)
        getattr(away, "close", lambda: None)()

    def test_key_refused_is_lane_down(self, play: Play) -> None:
        """All stops and a person is told what to mend; the key is not shown."""
        delivery, sold = play.gone()
        locked = play.stage.open(key=WRONG_KEY)
        wish = Wish(kind=Kind.ORDER, id=sold.id, expected_gone=True)
        for ask in (lambda: locked.look_up(wish, delivery), locked.describe):
            with pytest.raises(LaneDown) as caught:
                ask()
            assert caught.value.mend
            assert WRONG_KEY not in str(caught.value)
        getattr(locked, "close", lambda: None)()

    def test_describe_tells_zone_and_currency(self, play: Play) -> None:
        """As the shop says."""
        assert play.stage.facts == play.shop.describe()

    def test_says_which_shop_it_is(self, play: Play) -> None:
        """The same each time; its first order when there is one, and no later one."""
        assert isinstance(play.shop, Fingerprinted)
        new = play.shop.fingerprint()
        assert (play.stage.facts.currency, None) == (new.currency, new.first_order)
        assert new.identity
        assert new.url
        first = play.stage.sell("10.00")
        play.clock.pass_by(days=1)
        play.stage.sell("12.00")
        told = play.shop.fingerprint()
        assert told == play.shop.fingerprint()
        assert told.first_order is not None
        assert first.id == told.first_order.id
        assert told.first_order.at is not None
        assert timedelta(0) <= play.clock() - told.first_order.at - timedelta(days=1)
        assert play.clock() - told.first_order.at <= timedelta(days=1, minutes=1)
        assert new == replace(told, first_order=None)

    def test_door_keeps_what_is_read(self, play: Play) -> None:
        """A delivery means the same with the kept headers alone, in whatever case they are."""
        play.stage.sell("10.00")
        delivery = play.only(play.stage.order_topic)
        small = {name.lower(): value for name, value in delivery.headers.items()}
        assert small
        expected = play.shop.understand(delivery)
        assert isinstance(expected, Understood)
        assert expected == play.shop.understand(replace(delivery, headers=small))


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def _flipped(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _odd(body: bytes, chance: random.Random) -> bytes:
    """The body with one value, anywhere in it, replaced or left out."""
    value = json.loads(body)
    holder: Any = value
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return body
        key = chance.choice(keys)
        if isinstance(holder[key], dict | list) and holder[key] and chance.random() < 0.7:
            holder = holder[key]
            continue
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = chance.choice(_VALUES)
        return json.dumps(value).encode()
