"""Reading a shop's past: whole, once, whatever breaks in between and whatever comes beside it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from connector.errors import LaneDown, StoreUnavailable, TryLater
from connector.flow import books, evaluate, settling
from connector.flow import errands as flow
from connector.flow.errands import Reader
from connector.flow.rules import Holds, Target
from connector.model import (
    Claim,
    Customer,
    Evidence,
    Ignored,
    Kind,
    Order,
    Permission,
    Product,
    Purpose,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.ports import Recalled
from connector.store import errands, evidence, schema
from connector.store.changes import mark_dirty
from connector.store.connect import Store
from connector.store.errands import BACKFILL
from tests.flow.conftest import NOON, World
from tests.flow.past import PastShop, odd, recalled

TABLES = (
    schema.customers, schema.orders, schema.order_lines, schema.refunds, schema.products,
    schema.variants, schema.assortments, schema.contact_points, schema.customer_addresses,
    schema.evidence, schema.profiles, schema.profile_values, schema.memberships, schema.records,
)  # fmt: skip
CAUSES = {"delivery_id", "received_at", "since", "due_since", "revision"}

MAPPING = """
version: 1
consent:
  wordings: {box: "Yes, send me news."}
  sources:
    - {shop: wool, purpose: email, from: order.meta_data.optin, granted: ["1"], withdrawn: ["0"],
       wording: box}
    - {shop: wool, purpose: email, from: customer.meta_data.optin, granted: ["1"], withdrawn: ["0"],
       wording: box}
segments:
  first-time: {when: "number_of_orders = 1", tag: First-time buyer}
  returning: {when: "number_of_orders >= 2", tag: Returning}
  big-returning: {when: "in_segment('returning') AND amount_spent > 500", tag: Big}
destinations:
  newsletter:
    fields: {FNAME: first_name, ORDERS: number_of_orders, SPENT: amount_spent}
"""


@dataclass
class Reading:
    """A world, a shop with a past, and a reader whose clock is moved by hand."""

    world: World
    shop: PastShop
    seconds: float = 0.0
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.fresh()

    def fresh(self) -> None:
        """As after a restart."""
        self.reader = Reader(
            self.world.store, {"wool": self.shop}, self.world.rules, lambda: self.seconds
        )

    def begin(self, *kinds: Kind, **more: Any) -> bool:
        told: dict[str, Any] = {"since": None, "now": self.world.now, **more}
        with self.world.store.write() as conn:
            return errands.begin(conn, "wool", BACKFILL, kinds or self.shop.kinds, **told)

    def read(self) -> int:
        """Read until nothing is left that can be read now; gives how many steps that took."""
        return sum(iter(lambda: self.reader.step(now=self.world.now), 0))

    def rows(self) -> dict[str, errands.Errand]:
        with self.world.store.read() as conn:
            return {row.kind.value: row for row in errands.of_shop(conn, "wool", BACKFILL)}

    def counts(self, kind: str = "order") -> tuple[int, ...]:
        row = self.rows()[kind]
        return row.read, row.applied, row.unchanged, row.ignored, row.quarantined


@pytest.fixture
def make(make_world: Callable[..., World]) -> Callable[..., Reading]:
    """A shop with these things in its past, and nothing read yet."""

    def build(past: dict[Kind, Sequence[Recalled]], *, page: int = 3) -> Reading:
        return Reading(make_world(MAPPING), PastShop(things=past, page=page))

    return build


def account(number: int, **more: Any) -> Customer:
    told = {"email": f"kunde{number}@example.no", "first_name": f"K{number}", **more}
    return Customer(**{"shop": "wool", "id": str(number), "version": Version(NOON, number), **told})


def order(number: int, buyer: int, **more: Any) -> Order:
    return Order(
        **{
            "shop": "wool",
            "id": str(100 + number),
            "version": Version(NOON - timedelta(days=number)),
            "number": str(100 + number),
            "status": "completed",
            "currency": "NOK",
            "total": 30_000,
            "placed_at": NOON - timedelta(days=number),
            "customer_id": str(buyer) if buyer % 2 else None,
            "email": f"kunde{buyer}@example.no",
            "meta": {"optin": "1"} if number % 3 else {},
            **more,
        }
    )


def product(number: int) -> Product:
    version = Version(NOON, number)
    return Product(
        shop="wool",
        id=str(900 + number),
        version=version,
        title="Garn",
        status="publish",
        all_variants=True,
        variants=(
            Variant(
                shop="wool", id=str(900 + number), product_id=str(900 + number), version=version
            ),
        ),
    )


def town() -> dict[Kind, Sequence[Recalled]]:
    """Five accounts, a dozen orders of six people, two products; some say yes, one says no."""
    accounts = [account(number, meta={"optin": "0" if number == 3 else "1"}) for number in range(5)]
    orders = [order(number, number % 6) for number in range(12)]
    return {
        Kind.CUSTOMER: [recalled(each) for each in accounts],
        Kind.ORDER: [recalled(each) for each in orders],
        Kind.PRODUCT: [recalled(product(number)) for number in range(2)],
    }


def content(store: Store, *, leave: set[str] = CAUSES) -> dict[str, list[tuple[Any, ...]]]:
    """Every table, without what must differ: which delivery, and when it was received."""
    with store.read() as conn:
        return {
            table.name: sorted(
                (
                    tuple(row)
                    for row in conn.execute(select(*(c for c in table.c if c.name not in leave)))
                ),
                key=repr,
            )
            for table in TABLES
        }


def by_webhook(world: World, things: Sequence[Recalled], *, now: Any = None) -> None:
    """The same facts as they settle when deliveries bring them."""
    for each in things:
        assert isinstance(each.understanding, Understood)
        world.deliveries += 1
        told = settling.Told()
        for fact in each.understanding.facts:
            assert isinstance(fact, Customer | Order | Product)
            told.state(
                fact, world.deliveries, world.rules, shop="wool", received_at=now or world.now
            )
        with world.store.write() as conn:
            settling.settle(conn, told, world.rules, now=now or world.now)


def test_all_of_it_is_read_in_the_shops_order_and_counted(make: Callable[..., Reading]) -> None:
    """Kind by kind, to the end, and every thing is in one column."""
    reading = make(town())
    assert reading.begin() is False
    reading.read()
    assert [Kind.CUSTOMER, Kind.ORDER, Kind.PRODUCT] == [kind for kind, _, _ in reading.shop.asked]
    assert (5, 5, 0, 0, 0) == reading.counts("customer")
    assert (12, 12, 0, 0, 0) == reading.counts("order")
    assert (2, 2, 0, 0, 0) == reading.counts("product")
    row = reading.rows()["order"]
    assert (12, NOON, None) == (row.total, row.finished_at, row.problem)
    assert 0 == reading.reader.step(now=NOON)


def test_it_ends_as_if_webhooks_had_brought_it(
    make: Callable[..., Reading], make_world: Callable[..., World], tmp_path: Any
) -> None:
    """Row by row in every table, but for the deliveries that there were none of."""
    past = town()
    reading = make(past)
    reading.begin()
    reading.read()
    reading.world.evaluate()
    other = Store.open(f"sqlite:///{tmp_path}/other.db")
    try:
        told = World(other, reading.world.rules)
        by_webhook(told, [each for things in past.values() for each in things])
        told.evaluate()
        assert content(other) == content(reading.world.store)
    finally:
        other.close()
    kept = content(reading.world.store)
    assert (6, 12, 6) == tuple(len(kept[name]) for name in ("profiles", "orders", "records"))
    with reading.world.store.read() as conn:
        assert set(conn.scalars(select(schema.evidence.c.received_at))) == {NOON}
        assert set(conn.scalars(select(schema.evidence.c.delivery_id))) == {None}


def test_the_second_time_changes_nothing(make: Callable[..., Reading]) -> None:
    """All is unchanged, nobody is evaluated and nothing is sent, also of what has no date."""
    reading = make(town())
    reading.begin()
    reading.read()
    assert 5 == reading.world.settle()
    before = content(reading.world.store, leave=set())
    reading.world.now = NOON + timedelta(days=1)
    assert reading.begin() is False
    reading.read()
    assert ((5, 0, 5, 0, 0), (12, 0, 12, 0, 0), (2, 0, 2, 0, 0)) == tuple(
        reading.counts(kind) for kind in ("customer", "order", "product")
    )
    assert 0 == reading.world.evaluate()
    assert 0 == reading.world.deliver()
    assert before == content(reading.world.store, leave=set())


def test_a_kill_between_any_two_statements_loses_and_doubles_nothing(
    make: Callable[..., Reading],
) -> None:
    """Whichever statement is the last, the next process goes on and ends with the same books."""
    past = {**town(), Kind.PRODUCT: [odd(1)]}
    whole = make(past)
    whole.begin()
    whole.read()
    whole.world.evaluate()
    wanted, counts = content(whole.world.store), [whole.counts(k) for k in whole.rows()]
    store = whole.world.store
    for last in itertools.count(1):
        empty(store)
        killed = Reading(World(store, whole.world.rules), PastShop(things=past))
        killed.begin()
        with dying_at(store, last) as survived:
            killed.read()
        killed.fresh()
        killed.read()
        killed.world.evaluate()
        assert counts == [killed.counts(k) for k in killed.rows()], f"killed at {last}"
        assert wanted == content(store), f"killed at {last}"
        if survived:
            break
    assert last > 50


class _KilledError(BaseException):
    """The process ends here."""


@contextmanager
def dying_at(store: Store, last: int) -> Iterator[list[bool]]:
    """End the block before the statement or commit of this number; the list is filled if not."""
    left, survived = [last], list[bool]()

    def die(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise _KilledError

    for what in ("before_cursor_execute", "commit"):
        event.listen(store.engine, what, die)
    try:
        yield survived
        survived.append(True)
    except _KilledError:
        store.engine.dispose()  # a dead process keeps no connection
    finally:
        for what in ("before_cursor_execute", "commit"):
            event.remove(store.engine, what, die)


def empty(store: Store) -> None:
    """Forget everything."""
    with store.write() as conn:
        for table in reversed(schema.metadata.sorted_tables):
            conn.execute(table.delete())


def test_beside_webhooks_in_any_order_it_comes_to_the_same(make: Callable[..., Reading]) -> None:
    """Whatever is delivered before, between or after, and whatever is read twice."""
    past = town()
    later = [
        recalled(order(2, 2, version=Version(NOON, 5), status="refunded", total=1)),
        recalled(order(5, 5, version=Version(NOON - timedelta(days=50)), total=9)),
        recalled(account(1, version=Version(NOON, 99), email="ny@example.no")),
        recalled(account(4, version=Version(NOON - timedelta(days=9)), email="gammel@example.no")),
        recalled(order(40, 3, placed_at=NOON - timedelta(hours=1))),
    ]
    ends = []
    for seed in range(4):
        chance = random.Random(seed)
        reading = make(past, page=2)
        empty(reading.world.store)
        told = [*later, *chance.choices(later, k=3)]
        chance.shuffle(told)
        reading.begin()
        for each in told:
            for _ in range(chance.randrange(4)):
                reading.reader.step(now=NOON)
            by_webhook(reading.world, [each])
            if chance.random() < 0.3:
                reading.fresh()
            if chance.random() < 0.3:
                reading.begin(restart=True)
            if chance.random() < 0.3:
                reading.world.evaluate()
        reading.read()
        reading.world.evaluate()
        reading.world.deliver()
        ends.append((content(reading.world.store, leave=CAUSES), reading.world.destination.held))
    for end, held in ends[1:]:
        assert ends[0][1] == held
        for table in ends[0][0].keys() - {"records"}:  # in between some were due for nothing
            assert ends[0][0][table] == end[table], table


def test_since_is_asked_for_and_kept(make: Callable[..., Reading], monkeypatch: Any) -> None:
    """It is handed to the shop, also by the process that goes on, and cannot change half way."""
    monkeypatch.setattr(flow, "_MOST", 1)
    reading = make(town())
    since = NOON - timedelta(days=2)
    reading.begin(Kind.ORDER, since=since)
    reading.reader.step(now=NOON)
    reading.fresh()
    assert reading.begin(Kind.ORDER) is True
    with pytest.raises(Exception, match="--restart"):
        reading.begin(Kind.ORDER, since=NOON)
    reading.read()
    assert [(Kind.ORDER, since, None), (Kind.ORDER, since, "3")] == reading.shop.asked
    assert (3, 3, 0, 0, 0) == reading.counts()
    assert since == reading.rows()["order"].since


def test_it_goes_on_from_the_cursor(make: Callable[..., Reading], monkeypatch: Any) -> None:
    """A new process asks for what comes after, and what was read is not read again."""
    monkeypatch.setattr(flow, "_MOST", 3)
    reading = make(town())
    reading.begin(Kind.ORDER)
    assert (1, 1) == tuple(reading.reader.step(now=NOON) for _ in range(2))
    assert (6, 6, 0, 0, 0) == reading.counts()
    reading.fresh()
    assert reading.begin(Kind.ORDER) is True
    reading.read()
    assert [(Kind.ORDER, None, None), (Kind.ORDER, None, "6")] == reading.shop.asked
    assert (12, 12, 0, 0, 0) == reading.counts()


def test_two_at_once_count_once(make: Callable[..., Reading], monkeypatch: Any) -> None:
    """Who finds that another went on lets go of what it read, and takes up from there."""
    monkeypatch.setattr(flow, "_MOST", 3)
    reading = make(town())
    reading.begin(Kind.ORDER)
    first = reading.reader
    first.step(now=NOON)
    if reading.world.store.dialect == "postgresql":
        reading.fresh()
        assert 0 == reading.reader.step(now=NOON)  # the first one holds it
        monkeypatch.setattr(errands, "alone", _nobody_asks)
    reading.fresh()
    second = reading.reader
    second.step(now=NOON)
    assert (6, 6, 0, 0, 0) == reading.counts()
    first.step(now=NOON)
    assert (6, 6, 0, 0, 0) == reading.counts()
    while first.step(now=NOON) + second.step(now=NOON):
        pass
    assert (12, 12, 0, 0, 0) == reading.counts()


@contextmanager
def _nobody_asks(*_: Any) -> Iterator[bool]:
    yield True


def test_what_is_not_understood_waits_in_quarantine(make: Callable[..., Reading]) -> None:
    """As a delivery of the shop's own topic, once, however often it is read; the books balance."""
    lacking = Understood(facts=(order(1, 1),), wishes=(Wish(kind=Kind.ORDER, id="1"),))
    reading = make(
        {
            Kind.ORDER: [
                odd(1),
                odd(2, topic=""),
                Recalled(id="3", understanding=Ignored(reason="draft")),
                Recalled(id="4", understanding=lacking),
                recalled(order(5, 5)),
            ]
        }
    )
    for expected in ((5, 1, 0, 1, 3), (5, 0, 1, 1, 3)):
        reading.begin(Kind.ORDER)
        reading.read()
        assert expected == reading.counts()
        with reading.world.store.read() as conn:
            rows = conn.execute(select(schema.deliveries).order_by(schema.deliveries.c.id)).all()
            told = books.draw_up(conn, shops=["wool"], destinations=[], mode="live", now=NOON)
        assert [
            ("order.updated", "odd", b'{"odd": 1}', NOON),
            ("backfill.order", "odd", b'{"odd": 1}', NOON),
            ("backfill.order", "incomplete", b"", NOON),
        ] == [(row.topic, row.reason, row.body, row.received_at) for row in rows]
        assert {"quarantined"} == {row.status for row in rows}
        assert told["balanced"] is True
        assert (3, 3) == (told["shops"]["wool"]["received"], told["shops"]["wool"]["quarantined"])
        assert expected == tuple(
            told["shops"]["wool"]["errands"]["order"][part]
            for part in ("read", "applied", "unchanged", "ignored", "quarantined")
        )


def test_what_cannot_be_stored_is_the_only_one_that_is_not(make: Callable[..., Reading]) -> None:
    """One thing beyond what a column takes goes to quarantine; its neighbours are kept."""
    reading = make(
        {Kind.ORDER: [recalled(order(n, n, total=2**70 if n == 2 else 5)) for n in range(4)]}
    )
    reading.begin(Kind.ORDER)
    reading.read()
    assert (4, 3, 0, 0, 1) == reading.counts()
    with reading.world.store.read() as conn:
        assert {"100", "101", "103"} == set(conn.scalars(select(schema.orders.c.order_id)))
        assert ["not_storable"] == list(conn.scalars(select(schema.deliveries.c.reason)))


def test_books_with_a_thing_too_few_do_not_balance(make: Callable[..., Reading]) -> None:
    """Read is counted apart from what became of it."""
    reading = make(town())
    reading.begin(Kind.ORDER)
    reading.read()
    with reading.world.store.write() as conn:
        conn.execute(schema.errands.update().values(applied=11))
        told = books.draw_up(conn, shops=["wool"], destinations=[], mode="live", now=NOON)
    assert told["balanced"] is False


def test_a_shop_that_cannot_answer_is_waited_for(make: Callable[..., Reading]) -> None:
    """What came before the trouble is kept, the wait is told, and then it goes on."""
    reading = make(town())
    reading.shop.trouble[6] = TryLater("the shop answered 503", retry_after=20.0)
    reading.begin(Kind.ORDER)
    assert 0 == reading.read()
    row = reading.rows()["order"]
    assert (6, "6", "the shop answered 503", None) == (row.read, row.cursor, row.problem, row.mend)
    assert 20.0 == reading.reader.wait("wool")
    asked = len(reading.shop.asked)
    assert 0 == reading.reader.step(now=NOON)
    assert asked == len(reading.shop.asked)
    reading.seconds += 20.0
    reading.read()
    assert (12, 12, 0, 0, 0) == reading.counts()
    assert None is reading.rows()["order"].problem


def test_a_shop_that_refuses_us_stops_it_until_a_person_acts(make: Callable[..., Reading]) -> None:
    """The row says what is wrong and who mends it; after a minute it is tried once more."""
    reading = make(town())
    reading.shop.trouble[0] = LaneDown("the key is refused", mend="The shop's owner: a new key.")
    reading.begin(Kind.CUSTOMER)
    assert 0 == reading.read()
    row = reading.rows()["customer"]
    assert ("the key is refused", "The shop's owner: a new key.") == (row.problem, row.mend)
    reading.seconds += 60.0
    reading.read()
    assert (5, 5, 0, 0, 0) == reading.counts("customer")


def test_people_are_evaluated_once_the_crowd_has_passed(
    make: Callable[..., Reading], monkeypatch: Any
) -> None:
    """Not at every page, but at once when a webhook says so, at the end, or after a minute."""
    monkeypatch.setattr(flow, "_MOST", 6)
    reading = make(town())
    reading.begin(Kind.ORDER)
    reading.reader.step(now=NOON)
    assert 0 == reading.world.evaluate()
    by_webhook(reading.world, [recalled(order(40, 2))])
    assert 1 == reading.world.evaluate()
    reading.world.now = NOON + timedelta(minutes=1)
    assert 5 == reading.world.evaluate()
    reading.world.now = NOON
    reading.read()
    assert 6 == reading.world.evaluate()


def test_a_clock_set_back_keeps_nobody_waiting(make: Callable[..., Reading]) -> None:
    """Who was marked by a clock that was far ahead is evaluated at once."""
    reading = make(town())
    with reading.world.store.write() as conn:
        mark_dirty(conn, {"a@example.no": None}, now=NOON + timedelta(days=1))
    assert 1 == evaluate.drain(reading.world.store, reading.world.rules, now=NOON, limit=5)


def test_a_withdrawal_is_not_undone_by_an_older_yes(make: Callable[..., Reading]) -> None:
    """The order of years ago says yes; the no of yesterday stands, and nobody may be written to."""
    reading = make({Kind.ORDER: [recalled(order(400, 2))]})
    no = Evidence(
        contact="kunde2@example.no",
        purpose=Purpose.EMAIL,
        claim=Claim.WITHDRAW,
        source="wool",
        at=NOON - timedelta(days=1),
        received_at=NOON - timedelta(days=1),
    )
    with reading.world.store.write() as conn:
        evidence.append(conn, [(no, None)])
    reading.begin(Kind.ORDER)
    reading.read()
    reading.world.settle()
    with reading.world.store.read() as conn:
        assert ["UNSUBSCRIBED"] == list(
            conn.scalars(select(schema.profiles.c.email_subscription_status))
        )
    assert {Permission.WITHDRAWN} == {
        record.permission for record in reading.world.destination.held.values()
    }


def test_a_new_source_of_consent_is_heard_of_things_that_are_known(
    make: Callable[..., Reading], make_world: Callable[..., World]
) -> None:
    """What has no date is entered when nobody entered it before, though its fact is not newer."""
    reading = make({Kind.CUSTOMER: [recalled(account(1, meta={"optin": "1"}))]})
    reading.world.rules = replace(make_world().rules)
    reading.fresh()
    reading.begin(Kind.CUSTOMER)
    reading.read()
    reading.world.rules = make_world(MAPPING).rules
    reading.fresh()
    reading.begin(Kind.CUSTOMER)
    reading.read()
    assert (1, 1, 0, 0, 0) == reading.counts("customer")
    with reading.world.store.read() as conn:
        assert [Claim.GRANT_UNDATED] == list(conn.scalars(select(schema.evidence.c.claim)))


def test_items_are_due_in_catalogs_and_once(make: Callable[..., Reading]) -> None:
    """What a product brings is marked where it may be held; the second time nothing is."""
    reading = make(town())
    catalog = Target(
        name="shelf",
        mapping=reading.world.rules.targets[0].mapping,
        shops=frozenset({"wool"}),
        holds=Holds.ITEMS,
    )
    reading.world.rules = replace(
        reading.world.rules, targets=(*reading.world.rules.targets, catalog)
    )
    reading.fresh()
    due = select(schema.records.c.key, schema.records.c.revision).where(
        schema.records.c.destination == "shelf"
    )
    for _ in range(2):
        reading.begin(Kind.PRODUCT)
        reading.read()
        with reading.world.store.read() as conn:
            assert {("wool/900", 1), ("wool/901", 1)} == {tuple(row) for row in conn.execute(due)}


def test_a_store_that_fails_lets_go_of_what_was_read(
    make: Callable[..., Reading], monkeypatch: Any
) -> None:
    """It is read once more from the cursor when the store is back."""
    reading = make(town())
    reading.begin(Kind.ORDER)
    with monkeypatch.context() as patch:
        patch.setattr("connector.flow.recalling.settle", _no_store)
        with pytest.raises(StoreUnavailable):
            reading.reader.step(now=NOON)
    reading.read()
    assert [None, None] == [cursor for _, _, cursor in reading.shop.asked]
    assert (12, 12, 0, 0, 0) == reading.counts()


def _no_store(*_: Any, **__: Any) -> settling.Settled:
    raise StoreUnavailable("gone")
