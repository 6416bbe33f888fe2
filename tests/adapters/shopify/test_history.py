"""A shop's past by file: all of it, as its answers one by one tell it, whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.shopify import history
from adapters.shopify.client import Keys, ShopifyClient
from adapters.shopify.history import ByFile, ByPages, Past
from adapters.shopify.parse import Place
from adapters.shopify.sandbox import SCOPES, Sandbox
from adapters.shopify.sandbox_bulk import Course
from adapters.shopify.sandbox_market import Market
from adapters.shopify.shop import CURRENT_VERSION, ShopifyShop
from connector.errors import LaneDown, TryLater
from connector.model import (
    Claim,
    Customer,
    Delivery,
    Evidence,
    Kind,
    Order,
    Product,
    Quarantined,
    Understanding,
    Understood,
    Wish,
)
from connector.ports import Haul, Remembering
from connector.store.evidence import identify

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
KINDS = (Kind.CUSTOMER, Kind.PRODUCT, Kind.ORDER)
"""Those of which there are so many that a file is written; for promotions: test_promotions.py."""
Known = dict[str, Understanding]


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = END

    def __call__(self) -> datetime:
        return self.now

    def later(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


class House:
    """A shop with a season behind it, and what reads its past without really waiting."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.slept: list[float] = []
        self.client = ShopifyClient(
            "yarn",
            sandbox.base_url,
            Keys(access_token=sandbox.token),
            api_version=CURRENT_VERSION,
            sleep=self.slept.append,
        )
        self.place = Place(
            domain=sandbox.domain,
            api_version=CURRENT_VERSION,
            currency="NOK",
            storefront="https://yarn.example",
        )
        self.past = Past(
            shop="yarn",
            place=self.place,
            ask=self.client.ask,
            fetch_file=self.client.fetch_file,
            rest=self.slept.append,
        )
        sandbox.bulk.course = Course()

    def read(
        self, kind: Kind, *, since: datetime | None = None, cursor: str | None = None
    ) -> Iterator[Haul]:
        """A reading that begins now, with no operation of an earlier one to be taken up."""
        now = self.clock.later(seconds=1)
        return self.past.history(kind, since=since, cursor=cursor, now=now)

    def one_by_one(self, kind: Kind, ids: Any) -> Known:
        """What the shop says of each thing when it is asked for that alone."""
        adapter = ShopifyShop(
            "yarn",
            self.sandbox.domain,
            self.sandbox.base_url,
            access_token=self.sandbox.token,
            currency="NOK",
            timezone="Europe/Oslo",
            storefront=self.place.storefront,
        )
        nothing = Delivery(id=0, shop="yarn", topic="", received_at=self.clock.now, body=b"")
        told = {each: adapter.look_up(Wish(kind=kind, id=each), nothing) for each in ids}
        adapter.close()
        return told


def season(**settings: Any) -> tuple[Sandbox, Clock]:
    clock = Clock()
    shop = Sandbox(auto=False, clock=clock, keep_alive=True, **({"points": 1e9} | settings))
    Market(shop, seed=7, start=START).sell(60, (START, END))
    return shop, clock


@pytest.fixture(scope="module")
def sold() -> Iterator[tuple[Sandbox, Clock]]:
    """A season that no test changes."""
    shop, clock = season()
    with shop:
        yield shop, clock


@pytest.fixture
def house(sold: tuple[Sandbox, Clock]) -> Iterator[House]:
    """The season, read anew."""
    house = House(*sold)
    house.sandbox.bulk.files.asked.clear()
    yield house
    house.client.close()


@pytest.fixture
def open_house() -> Iterator[Callable[..., House]]:
    """A shop of the test's own, with a season of its own."""
    opened: list[House] = []

    def build(**settings: Any) -> House:
        shop, clock = season(**settings)
        opened.append(House(shop.start(), clock))
        return opened[-1]

    yield build
    for each in opened:
        each.client.close()
        each.sandbox.close()


def gathered(hauls: Iterator[Haul]) -> Known:
    """All that was found, the last of each."""
    return {each.id: each.understanding for haul in hauls for each in haul.found}


def dated_alike(known: Known) -> dict[str, Any]:
    """Without the time of receipt, which two readings differ in."""
    return {key: repr(value).replace(_received(value), "") for key, value in known.items()}


def _received(value: Understanding) -> str:
    facts = value.facts if isinstance(value, Understood) else ()
    moments = [repr(fact.received_at) for fact in facts if isinstance(fact, Evidence)]
    return moments[0] if moments else "nothing"


def operations(house: House) -> int:
    return len(house.sandbox.bulk.begun)


# --- All of it ------------------------------------------------------------------------------


def test_it_is_a_shop_with_a_past(house: House) -> None:
    """The shop offers accounts, products, promotions and orders, and says so by its shape."""
    shop = ShopifyShop("yarn", house.sandbox.domain, access_token="x", currency="NOK")
    assert isinstance(shop, Remembering)
    assert (Kind.CUSTOMER, Kind.PRODUCT, Kind.PROMOTION, Kind.ORDER) == tuple(shop.kinds)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["grouped", "joined on disk", "page by page"])
def test_whole_past(house: House, kind: Kind, way: str) -> None:
    """Each way tells of every thing exactly what the shop, asked for it alone, tells."""
    cursor = None
    if way == "joined on disk":
        house.sandbox.bulk.course = Course(ends="FAILED", code="TIMEOUT", times=1)
    if way == "page by page":
        cursor = '{"type":"pages"}'
    known = gathered(house.read(kind, cursor=cursor))
    ids = [each for page in ShopPages(house).ids(kind) for each in page]
    assert sorted(ids) == sorted(known)
    assert len(ids) > 10
    assert dated_alike(house.one_by_one(kind, ids)) == dated_alike(known)
    assert all(isinstance(each, Understood) and not each.wishes for each in known.values())


class ShopPages:
    """The ids as the adapter gives them."""

    def __init__(self, house: House) -> None:
        self._shop = ShopifyShop(
            "yarn", house.sandbox.domain, house.sandbox.base_url, access_token=house.sandbox.token
        )

    def ids(self, kind: Kind) -> Iterator[Any]:
        yield from self._shop.ids(kind)
        self._shop.close()


def test_kinds_are_told_apart(house: House) -> None:
    """Accounts come with what they permit, orders with lines and refunds, products with stock."""
    said = [u for u in gathered(house.read(Kind.CUSTOMER)).values() if isinstance(u, Understood)]
    facts = [fact for each in said for fact in each.facts]
    assert {Customer, Evidence} == {type(fact) for fact in facts}
    claims = {fact.claim for fact in facts if isinstance(fact, Evidence)}
    assert {Claim.GRANT_STATE, Claim.WITHDRAW} == claims
    bought = gathered(house.read(Kind.ORDER)).values()
    orders = [f for u in bought if isinstance(u, Understood) for f in u.facts]
    assert all(fact.lines for fact in orders if isinstance(fact, Order))
    assert any(fact.refunds for fact in orders if isinstance(fact, Order))
    goods = gathered(house.read(Kind.PRODUCT)).values()
    products = [f for u in goods if isinstance(u, Understood) for f in u.facts]
    assert all(isinstance(f, Product) and f.all_variants and f.variants for f in products)
    counted = [v for f in products if isinstance(f, Product) for v in f.variants]
    assert any(variant.stock_quantity is not None for variant in counted)


def test_total_and_progress(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each haul says of how many things in all it is a part."""
    monkeypatch.setattr(history, "IN_A_HAUL", 7)
    hauls = [haul for haul in house.read(Kind.ORDER) if haul.found]
    things = sum(len(haul.found) for haul in hauls)
    assert {things} == {haul.total for haul in hauls}
    assert [7] * (len(hauls) - 1) == [len(haul.found) for haul in hauls[:-1]]


def test_a_shop_without_anything(open_house: Callable[..., House]) -> None:
    """An operation without a file: nothing is found, and that is the end."""
    clock = Clock()
    with Sandbox(auto=False, clock=clock) as empty:
        house = House(empty, clock)
        hauls = list(house.read(Kind.ORDER))
        assert [[], []] == [list(haul.found) for haul in hauls]
        assert [] == list(house.read(Kind.ORDER, cursor=hauls[-1].cursor))
        house.client.close()


def test_our_token_stays_with_the_shop(house: House) -> None:
    """Whoever keeps the file is told nothing of us."""
    gathered(house.read(Kind.ORDER))
    (headers,) = house.sandbox.bulk.files.asked
    assert "X-Shopify-Access-Token" not in headers
    assert house.sandbox.token not in json.dumps(dict(headers))


# --- Again after a break ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["grouped", "joined on disk", "page by page"])
def test_goes_on_after_every_haul(
    house: House, kind: Kind, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is broken off, what follows is exactly the rest, and no operation begins anew."""
    monkeypatch.setattr(history, "IN_A_HAUL", 5)
    if way == "joined on disk":
        house.sandbox.bulk.course = Course(ends="FAILED", code="TIMEOUT", times=1)
    hauls = list(house.read(kind, cursor='{"type":"pages"}' if way == "page by page" else None))
    if way == "joined on disk":
        hauls = [haul for haul in hauls if '"grouped":false' in haul.cursor]
    begun = operations(house)
    found = [[each.id for each in haul.found] for haul in hauls]
    for place, haul in enumerate(hauls):
        rest = [
            each.id
            for more in house.past.history(
                kind, since=None, cursor=haul.cursor, now=house.clock.now
            )
            for each in more.found
        ]
        assert [each for ids in found[place + 1 :] for each in ids] == rest
        assert len(haul.cursor) < 300
    assert begun == operations(house)


def test_killed_while_the_shop_writes(house: House) -> None:
    """An operation that goes on without us is taken up again, by its id."""
    house.sandbox.bulk.course = Course(looks=3)
    begun = operations(house)
    reading = house.read(Kind.ORDER)
    first, waiting = next(reading), next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert ([], []) == (list(first.found), list(waiting.found))
    known = gathered(house.read(Kind.ORDER, cursor=waiting.cursor))
    assert len(known) > 10
    assert begun + 1 == operations(house)


def test_killed_before_its_id_was_kept(house: House) -> None:
    """An operation whose id was lost is found by its query, and none is begun beside it."""
    house.sandbox.bulk.course = Course(looks=1)
    begun = operations(house)
    now = house.clock.later(seconds=1)
    again = {"since": None, "cursor": None, "now": now}
    next(house.past.history(Kind.ORDER, **again))
    known = gathered(house.past.history(Kind.ORDER, **again))
    assert len(known) > 10
    assert begun + 1 == operations(house)


def test_a_former_reading_is_not_taken_up(house: House) -> None:
    """A file of before this reading began lacks what happened since: there is a new one."""
    begun = operations(house)
    gathered(house.read(Kind.PRODUCT))
    gathered(house.read(Kind.PRODUCT))
    assert begun + 2 == operations(house)


def test_waits_longer_and_longer(house: House) -> None:
    """The shop is asked ever less often how far it is."""
    house.sandbox.bulk.course = Course(looks=6)
    gathered(house.read(Kind.ORDER))
    assert [1.0, 2.0, 4.0, 8.0, 8.0, 8.0] == house.slept


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("way", ["grouped", "joined on disk"])
def test_torn_download(house: House, ranges: bool, way: str) -> None:  # noqa: FBT001 - a parameter
    """Three breaks, inside lines: read on from there, nothing twice, nothing lost."""
    files = house.sandbox.bulk.files
    whole = gathered(house.read(Kind.ORDER))
    if way == "joined on disk":
        house.sandbox.bulk.course = Course(ends="FAILED", code="TIMEOUT", times=1)
    files.ranges = ranges
    files.asked.clear()
    files.torn.extend([1000, 40_001, 70_003] if not ranges else [1000, 3001, 9])
    found = [each.id for haul in house.read(Kind.ORDER) for each in haul.found]
    files.ranges = True
    assert sorted(whole) == sorted(found)
    assert 4 == len(files.asked)
    assert [1.0, 1.0, 1.0] == [each for each in house.slept if each == 1.0]


def test_always_torn(house: House) -> None:
    """A file that never comes is tried four times, then the work is put off."""
    files = house.sandbox.bulk.files
    files.torn.extend([0] * 4)
    with pytest.raises(TryLater, match="bulk operation's file"):
        gathered(house.read(Kind.ORDER))
    assert 0 == len(files.torn)
    assert [1.0, 2.0, 3.0] == house.slept


# --- What Shopify may make of it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (Course(ends="FAILED", code="TIMEOUT", times=1), [True, False]),
        (Course(ends="FAILED", code="INTERNAL_SERVER_ERROR", times=1), [True, False]),
        (Course(ends="FAILED", code="TIMEOUT"), [True, False]),
        (Course(ends="FAILED", code="ACCESS_DENIED"), [True]),
        (Course(ends="CANCELED", times=1), [True, True]),
        (Course(ends="EXPIRED", times=1), [True, True]),
        (Course(ends="CANCELED"), [True, True, True]),
        (Course(busy=2), [True]),
        (Course(busy=2, busy_code="LIMIT_REACHED"), [True]),
        (Course(busy=10**6), []),
        (Course(busy=1, busy_code="INVALID"), []),
        (Course(looks=10**6), [True]),
    ],
    ids=[
        *("timeout", "server error", "timeout always", "denied", "cancelled", "expired"),
        *("cancelled always", "busy a while", "limit a while", "busy for ever", "refused"),
        *("never done",),
    ],
)
def test_every_course(house: House, course: Course, expected: list[bool]) -> None:
    """However operations end, in the end all is read; ungrouped or in pages where need be."""
    whole = gathered(house.read(Kind.ORDER))
    before = operations(house)
    house.sandbox.bulk.course = course
    hauls = list(house.read(Kind.ORDER))
    assert dated_alike(whole) == dated_alike(gathered(iter(hauls)))
    assert expected == [grouped for _, grouped in house.sandbox.bulk.begun[before:]]
    assert json.loads(hauls[-1].cursor)["ended"]
    house.sandbox.bulk.cancel_all()


def test_a_file_of_last_week(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven days on its link leads nowhere: a new operation, and all of it once more."""
    monkeypatch.setattr(history, "IN_A_HAUL", 9)
    whole = gathered(house.read(Kind.ORDER))
    reading = house.read(Kind.ORDER)
    next(reading)
    part = next(reading)
    begun = operations(house)
    house.clock.later(days=8)
    assert sorted(whole) == sorted(gathered(house.read(Kind.ORDER, cursor=part.cursor)))
    assert begun + 1 == operations(house)


def test_an_unknown_operation(house: House) -> None:
    """An operation that the shop does not know any more is begun anew."""
    lost = '{"type":"file","operation":"gid://shopify/BulkOperation/999","starts":1,"byte":7}'
    begun = operations(house)
    assert len(gathered(house.read(Kind.ORDER, cursor=lost))) > 10
    assert begun + 1 == operations(house)


@pytest.mark.parametrize("cursor", ["", "{", '{"type":"file","byte":"x"}', '{"type":"else"}', "7"])
def test_a_cursor_of_no_use(house: House, cursor: str) -> None:
    """What cannot be read is no place: all is read."""
    assert len(gathered(house.read(Kind.PRODUCT, cursor=cursor))) > 10


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        (Kind.ORDER, "read_orders"),
        (Kind.CUSTOMER, "read_customers"),
        (Kind.PRODUCT, "read_products"),
    ],
)
def test_a_lacking_scope_is_named(open_house: Callable[..., House], kind: Kind, scope: str) -> None:
    """In bulk Shopify says only that something was denied; the pages say which scope it is."""
    house = open_house(scopes=SCOPES - {scope})
    with pytest.raises(LaneDown, match=scope) as refused:
        gathered(house.read(kind))
    assert scope in refused.value.mend


# --- What may be in the file --------------------------------------------------------------------


GARBAGE = b"<html>\xff</html>"


@pytest.mark.parametrize("way", ["grouped", "joined on disk"])
@pytest.mark.parametrize("place", [0, 1, 5, 20])
def test_a_line_of_no_use(house: House, way: str, place: int) -> None:
    """A line that names nothing is one bad record; what it may have been a part of is asked for."""
    whole = gathered(house.read(Kind.ORDER))
    failed = {"ends": "FAILED", "code": "TIMEOUT", "times": 1} if way != "grouped" else {}
    house.sandbox.bulk.course = Course(bad={place: GARBAGE}, **failed)
    found = [each for haul in house.read(Kind.ORDER) for each in haul.found]
    bad = [each for each in found if isinstance(each.understanding, Quarantined)]
    assert [(GARBAGE, "not_json")] == [(b.body, b.understanding.reason) for b in bad]  # type: ignore[union-attr]
    assert "GARBAGE" not in repr(bad)
    good = {each.id: each.understanding for each in found if each not in bad}
    assert dated_alike(whole) == dated_alike(good)


@pytest.mark.parametrize("way", ["grouped", "joined on disk"])
@pytest.mark.parametrize("cut", ["parent", "child"])
def test_half_a_line(house: House, way: str, cut: str) -> None:
    """Half an order, half a line: the record is bad, and the order whole all the same."""
    order = next(iter(gathered(house.read(Kind.ORDER))))
    line = b'{"id":"gid://shopify/Order/%s","name":"#10' % order.encode()
    if cut == "child":
        line = (
            b'{"id":"gid://shopify/LineItem/1","__parentId":"gid://shopify/Order/%s","qu'
            % order.encode()
        )
    failed = {"ends": "FAILED", "code": "TIMEOUT", "times": 1} if way != "grouped" else {}
    place = 0 if cut == "parent" else 1
    house.sandbox.bulk.course = Course(bad={place: line}, **failed)
    found = [each for haul in house.read(Kind.ORDER) for each in haul.found]
    bad = [each.body for each in found if isinstance(each.understanding, Quarantined)]
    assert [line] == bad
    good = {e.id: e.understanding for e in found if not isinstance(e.understanding, Quarantined)}
    assert dated_alike(house.one_by_one(Kind.ORDER, good)) == dated_alike(good)
    assert order in good


def test_a_child_that_is_elsewhere(house: House) -> None:
    """A file not grouped as promised is joined on the disk, and counts over what was read."""
    whole = gathered(house.read(Kind.ORDER))
    house.sandbox.bulk.course = Course(scattered=True)
    again = gathered(house.read(Kind.ORDER))
    assert sorted(whole) == sorted(again)
    for number, told in whole.items():
        now = again[number]
        assert isinstance(told, Understood)
        assert isinstance(now, Understood)
        before, after = told.facts[0], now.facts[0]
        assert isinstance(before, Order)
        assert isinstance(after, Order)
        assert timedelta(microseconds=1) == after.version.at - before.version.at
        assert {line.id: line for line in before.lines} == {line.id: line for line in after.lines}


def test_a_record_of_no_use(house: House) -> None:
    """An order without readable amounts is kept as it came; all others count."""
    bad = (
        b'{"id":"gid://shopify/Order/17","createdAt":"2026-11-01T00:00:00Z","currencyCode":"NOK",'
        b'"totalPriceSet":{"shopMoney":{"amount":"much","currencyCode":"NOK"}},"email":"a@b.example"}'
    )
    whole = gathered(house.read(Kind.ORDER))
    house.sandbox.bulk.course = Course(bad={0: bad})
    found = [each for haul in house.read(Kind.ORDER) for each in haul.found]
    (first,) = [each for each in found if isinstance(each.understanding, Quarantined)]
    assert ("17", "money") == (first.id, first.understanding.reason)  # type: ignore[union-attr]
    assert b"a@b.example" in first.body
    assert "a@b.example" not in repr(first)
    assert len(whole) + 1 == len(found)


def test_nul_in_text(house: House) -> None:
    """NUL characters, which no database takes, are taken out."""
    line = (
        b'{"id":"gid://shopify/Product/17","title":"Ga\\u0000rn","handle":"garn","status":"ACTIVE",'
        b'"createdAt":"2026-11-01T00:00:00Z","updatedAt":"2026-11-01T00:00:00Z"}'
    )
    house.sandbox.bulk.course = Course(bad={0: line})
    told = gathered(house.read(Kind.PRODUCT))["17"]
    assert isinstance(told, Understood)
    assert "Garn" == told.facts[0].title  # type: ignore[union-attr]


# --- Permissions without a date ---------------------------------------------------------------


def test_an_undated_permission_is_one_statement(open_house: Callable[..., House]) -> None:
    """However often it is read, it was received when its account was last changed."""
    house = open_house()
    given = {"email": "ida@epost.example"}
    made = house.sandbox.customers.create(given, now=START)
    house.sandbox.customers.consent(made["id"], "subscribed", now=START, dated=False)
    said = [
        fact
        for _ in range(2)
        for fact in gathered(house.read(Kind.CUSTOMER))[str(made["id"])].facts  # type: ignore[union-attr]
        if isinstance(fact, Evidence)
    ]
    assert [(Claim.GRANT_UNDATED, None, START)] * 2 == [
        (each.claim, each.at, each.received_at) for each in said
    ]
    assert {f"customer:{made['id']}"} == {each.reference for each in said}


# --- What changed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "way"), [(1, ByPages), (30, ByFile)], ids=["recent: pages", "long ago: a file"]
)
def test_changed_since(open_house: Callable[..., House], days: int, way: type) -> None:
    """Only what was changed since, and a little before: clocks differ. Recent changes in pages."""
    house = open_house()
    since = house.clock.now - timedelta(days=days)
    rows = house.sandbox.books.rows("orders")
    border = int((since - timedelta(minutes=5)).timestamp())
    changed = {str(row["id"]) for row in rows if row["modified"] >= border}
    hauls = list(house.read(Kind.ORDER, since=since))
    assert changed == {each.id for haul in hauls for each in haul.found}
    assert len(changed) < len(rows)
    assert (way is ByPages) == all('"type":"pages"' in haul.cursor for haul in hauls)
    assert (way is ByFile) == bool(house.sandbox.bulk.begun)


def test_one_entry_in_the_ledger(
    open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a webhook told of a permission and what is read of it later are one statement."""
    house = open_house()
    told: list[Any] = []
    monkeypatch.setattr(house.sandbox.sender, "announce", told.append)
    people = [int(row["id"]) for row in house.sandbox.books.rows("customers")][:10]
    for place, number in enumerate(people):
        house.clock.later(seconds=1)
        house.sandbox.customers.change(number, {"phone": f"+47220000{place:02}"})
        house.sandbox.customers.consent(
            number, ("subscribed", "unsubscribed", "pending")[place % 3]
        )
        house.sandbox.customers.sms_consent(number, ("unsubscribed", "subscribed")[place % 2])
    shop = ShopifyShop("yarn", house.sandbox.domain, access_token="x", currency="NOK")
    heard = {}
    for each in told:
        delivery = Delivery(
            id=1,
            shop="yarn",
            topic=each.topic,
            received_at=house.clock.now,
            body=json.dumps(each.payload).encode(),
        )
        if "consent" in each.topic:
            heard |= {identify(e): e for e in _said(shop.understand(delivery))}
    known = gathered(house.read(Kind.CUSTOMER))
    read = {identify(e) for number in people for e in _said(known[str(number)])}
    assert 2 * len(people) == len(heard)
    assert set(heard) == read


def _said(understanding: Understanding) -> list[Evidence]:
    facts = understanding.facts if isinstance(understanding, Understood) else ()
    return [fact for fact in facts if isinstance(fact, Evidence)]
