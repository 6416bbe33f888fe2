"""A shop's past, read from the stand-in: whole, changed since, resumed, and through trouble."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.woocommerce import lists, politeness
from adapters.woocommerce.politeness import Manners
from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_payloads import php_json
from adapters.woocommerce.shop import WooCommerceShop
from connector.errors import LaneDown, TryLater
from connector.model import (
    Customer,
    Deleted,
    Delivery,
    Fact,
    Ignored,
    Kind,
    Order,
    Product,
    Promotion,
    Quarantined,
    Understood,
    Variant,
    Version,
    Wish,
)
from connector.ports import Haul, Remembering

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KINDS = (Kind.CUSTOMER, Kind.PRODUCT, Kind.PROMOTION, Kind.ORDER)
TABLES = {Kind.PROMOTION: "coupons"}


class Clock:
    """The shop's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON - timedelta(days=10)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    """A shop that tells nothing by itself."""
    with Sandbox(auto=False, clock=clock) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of the shop's own accord stay; those between two doubts are short here."""
    monkeypatch.setattr(lists, "_PAUSE", 0.005)
    monkeypatch.setattr(politeness, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(lists, "LARGEST_PAGE", 10)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten things a page: a small shop has many pages then."""
    monkeypatch.setattr("adapters.woocommerce.history.LARGEST_PAGE", 10)
    monkeypatch.setattr("adapters.woocommerce.variations.LARGEST_PAGE", 10)


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[WooCommerceShop]:
    """The shop as the connector sees it."""
    opened = _open(sandbox)
    yield opened
    opened.close()


def _open(sandbox: Sandbox, **manners: Any) -> WooCommerceShop:
    return WooCommerceShop(
        "wool",
        sandbox.base_url,
        sandbox.read_key,
        sandbox.secret,
        "NOK",
        manners=Manners(**manners),
    )


def _fill(sandbox: Sandbox, clock: Clock, *, orders: int = 45, seed: int = 1) -> None:
    """Goods, buyers, staff, orders and refunds, some of them in the trash."""
    chance = random.Random(seed)
    wares = [
        sandbox.products.create({"name": f"Garn {n} & co", "regular_price": "49.50"})["id"]
        for n in range(12)
    ]
    whole = sandbox.products.create({"name": "Genser", "type": "variable"})["id"]
    for size in ("S", "M", "L"):
        given = {"regular_price": "899", "attributes": [{"name": "Size", "option": size}]}
        wares.append(sandbox.products.create(given, parent_id=whole)["id"])
    people = []
    for number in range(23):
        role = {7: "editor", 9: "subscriber"}.get(number, "customer")
        given = {"email": f"Kari.{number}@epost.example", "first_name": "Kari", "role": role}
        people.append(sandbox.customers.create(given)["id"])
        clock.now += timedelta(seconds=chance.choice((0, 1, 60)))
    for number in range(orders):
        given = {
            "customer_id": chance.choice((0, *people)),
            "status": chance.choice(("pending", "processing", "completed")),
            "billing": {"email": f"kari.{number}@epost.example", "country": "NO"},
            "line_items": [{"product_id": chance.choice(wares[:12]), "quantity": 2}],
            "meta_data": [{"key": "newsletter_optin", "value": "1"}],
        }
        made = sandbox.orders.create(given)
        clock.now += timedelta(seconds=chance.choice((0, 0, 1, 3600)))
        if chance.random() < 0.2:
            sandbox.orders.refund(made["id"], amount="10.00", reason="small")
        if chance.random() < 0.1:
            sandbox.orders.trash(made["id"])
    for number in range(14):
        given = {"code": f"SOMMER &amp; {number}", "amount": f"{number + 1}.50"}
        code = sandbox.products.create_coupon(given)["id"]
        clock.now += timedelta(seconds=chance.choice((0, 1)))
        if number in (3, 8):
            sandbox.products.trash_coupon(code)
        if number in (5, 6):
            sandbox.products.change_coupon(code, {"status": ("draft", "private")[number - 5]})


def _table(kind: Kind) -> str:
    return TABLES.get(kind, f"{kind}s")


def _hauls(shop: WooCommerceShop, kind: Kind, **asked: Any) -> list[Haul]:
    given = {"since": None, "cursor": None, "now": NOON} | asked
    return list(shop.history(kind, **given))


def _ids(hauls: list[Haul]) -> list[str]:
    return [each.id for haul in hauls for each in haul.found]


def _facts(hauls: list[Haul]) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for haul in hauls:
        for each in haul.found:
            if isinstance(each.understanding, Understood):
                assert () == each.understanding.wishes
                for fact in each.understanding.facts:
                    assert isinstance(fact, Order | Customer | Product | Promotion)
                    found[fact.id] = _untied(fact)
    return found


def _untied(fact: Any) -> Any:
    plain = replace(fact, version=Version(at=fact.version.at))
    if isinstance(fact, Product):
        return replace(plain, variants=tuple(sorted(map(_untied, fact.variants), key=_by_id)))
    return plain


def _by_id(variant: Variant) -> int:
    return int(variant.id)


def _told(sandbox: Sandbox, shop: WooCommerceShop, kind: Kind) -> dict[str, Fact]:
    """What webhooks tell of everything that the shop shows, and a look at what they lack."""
    table = _table(kind)
    found: dict[str, Fact] = {}
    for row in sandbox.books.rows(table):
        body = json.loads(row["body"])
        if body.get("status") in ("trash", "draft") or body.get("parent_id"):
            continue
        topic = f"{table.removesuffix('s')}.updated"
        delivery = Delivery(id=1, shop="wool", topic=topic, received_at=NOON, body=php_json(body))
        understanding = shop.understand(delivery)
        if isinstance(understanding, Understood) and understanding.wishes:
            understanding = shop.look_up(Wish(kind=kind, id=str(body["id"])), delivery)
        if isinstance(understanding, Understood):
            (fact,) = understanding.facts
            assert isinstance(fact, Order | Customer | Product | Promotion)
            found[fact.id] = _untied(fact)
    return found


def _alive(sandbox: Sandbox, kind: Kind) -> list[str]:
    where = {
        Kind.CUSTOMER: "1",
        Kind.ORDER: "status <> 'trash'",
        Kind.PROMOTION: "status NOT IN ('trash', 'draft')",
    }.get(kind, "parent_id = 0 AND status <> 'trash'")
    return [str(row["id"]) for row in sandbox.books.rows(_table(kind), where)]


# --- The whole past ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_it_as_webhooks_tell_it(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, kind: Kind
) -> None:
    """Every thing comes once, in order, and says exactly what a webhook about it says."""
    _fill(sandbox, clock)
    hauls = _hauls(shop, kind)
    assert _alive(sandbox, kind) == _ids(hauls)
    assert _told(sandbox, shop, kind) == _facts(hauls)
    assert {len(_alive(sandbox, kind))} == {haul.total for haul in hauls}
    assert len(hauls) > 1


def test_keeps_the_port(shop: WooCommerceShop) -> None:
    """The shop can be asked for its past."""
    assert isinstance(shop, Remembering)
    assert KINDS == tuple(shop.kinds)


def test_an_empty_shop(shop: WooCommerceShop) -> None:
    """Nothing there is nothing found, and no trouble."""
    for kind in KINDS:
        assert [] == _ids(_hauls(shop, kind))
        assert [] == [number for page in shop.ids(kind) for number in page]


def test_staff_are_passed_over(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """The editor is seen and not used; the subscriber, whom the default list lacks, is a buyer."""
    _fill(sandbox, clock, orders=0)
    found = [each for haul in _hauls(shop, Kind.CUSTOMER) for each in haul.found]
    passed = [each for each in found if isinstance(each.understanding, Ignored)]
    assert [("8", b"", Ignored(reason="staff account"))] == [
        (each.id, each.body, each.understanding) for each in passed
    ]
    assert "10" in _facts(_hauls(shop, Kind.CUSTOMER))


def test_refunds_and_consents_come_with_orders(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """Money given back and ticked boxes are in the facts."""
    _fill(sandbox, clock)
    orders = [fact for fact in _facts(_hauls(shop, Kind.ORDER)).values() if isinstance(fact, Order)]
    expected = sandbox.books.ask(
        "SELECT count(*) AS n FROM refunds JOIN orders ON orders.id = refunds.order_id "
        "WHERE orders.status <> 'trash'"
    )[0]["n"]
    assert expected > 3
    assert expected == sum(len(order.refunds) for order in orders)
    assert {"1"} == {order.meta["newsletter_optin"] for order in orders}


def test_many_variations(sandbox: Sandbox, shop: WooCommerceShop) -> None:
    """A product with more variations than a page holds comes with each of them."""
    whole = sandbox.products.create({"name": "Genser", "type": "variable"})["id"]
    made = [
        str(
            sandbox.products.create(
                {
                    "regular_price": "10",
                    "attributes": [{"name": "Size", "option": str(number)}],
                },
                parent_id=whole,
            )["id"]
        )
        for number in range(24)
    ]
    product = _facts(_hauls(shop, Kind.PRODUCT))[str(whole)]
    assert isinstance(product, Product)
    assert (made, True) == ([each.id for each in product.variants], product.all_variants)


def test_a_bad_record_is_one_bad_record(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """An order with a total that is none waits for a person; its neighbours are read."""
    _fill(sandbox, clock, orders=20)
    number = int(_alive(sandbox, Kind.ORDER)[5])
    body = sandbox.books.body("orders", number)
    assert body is not None
    sandbox.books.keep("orders", body | {"total": "19,99"})
    hauls = _hauls(shop, Kind.ORDER)
    (odd,) = [
        each for haul in hauls for each in haul.found if isinstance(each.understanding, Quarantined)
    ]
    assert (str(number), "19,99") == (odd.id, json.loads(odd.body)["total"])
    assert _alive(sandbox, Kind.ORDER) == _ids(hauls)


def test_ids(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """Every id that the shop shows, in pages; what is in the trash or gone is not among them."""
    _fill(sandbox, clock)
    sandbox.orders.delete(int(_alive(sandbox, Kind.ORDER)[3]))
    for kind in KINDS:
        pages = list(shop.ids(kind))
        assert _alive(sandbox, kind) == [number for page in pages for number in page]
        assert all(len(page) <= 10 for page in pages)


@pytest.mark.parametrize("kind", KINDS)
def test_resumed_after_every_cut(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, kind: Kind
) -> None:
    """Stopped after each haul in turn: the next process goes on there, nothing twice or missed."""
    _fill(sandbox, clock)
    whole = _hauls(shop, kind)
    for cut in range(len(whole)):
        reading = shop.history(kind, since=None, cursor=None, now=NOON)
        before = [next(reading) for _ in range(cut + 1)]
        reading.close()  # type: ignore[attr-defined] # it is a generator: this is the kill
        after = _hauls(_open(sandbox), kind, cursor=before[-1].cursor)
        assert _ids(whole) == _ids(before) + _ids(after)
        json.loads(before[-1].cursor)


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", '{"id":"x"}', '{"other":1}'])
def test_a_cursor_that_says_nothing(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, cursor: str
) -> None:
    """It is read from the beginning."""
    _fill(sandbox, clock, orders=15)
    assert _alive(sandbox, Kind.ORDER) == _ids(_hauls(shop, Kind.ORDER, cursor=cursor))


# --- Since ------------------------------------------------------------------------------------


def test_orders_since(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """What changed at that very second or after it, oldest first, and nothing else."""
    _fill(sandbox, clock)
    rows = sandbox.books.rows("orders", "status <> 'trash'", (), "ORDER BY modified, id")
    since = datetime.fromtimestamp(rows[len(rows) // 2]["modified"], UTC)
    expected = [str(row["id"]) for row in rows if row["modified"] >= since.timestamp()]
    hauls = _hauls(shop, Kind.ORDER, since=since)
    assert expected == _ids(hauls)
    assert 0 < len(expected) < len(rows)
    told = _told(sandbox, shop, Kind.ORDER)
    assert {number: told[number] for number in expected} == _facts(hauls)
    later = since + timedelta(microseconds=1)  # the shop knows whole seconds only
    assert expected == _ids(_hauls(shop, Kind.ORDER, since=later))


def test_many_orders_of_one_second(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """An import that gave all of them one time is read whole."""
    made = [str(sandbox.orders.create({})["id"]) for _ in range(37)]
    assert made == _ids(_hauls(shop, Kind.ORDER, since=clock.now))
    assert [] == _ids(_hauls(shop, Kind.ORDER, since=clock.now + timedelta(seconds=1)))


def test_since_resumed_after_every_cut(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """The next process may repeat the second in which it was cut, and misses nothing."""
    _fill(sandbox, clock)
    since = NOON - timedelta(days=30)
    whole = _hauls(shop, Kind.ORDER, since=since)
    assert len(whole) > 3
    for cut in range(len(whole)):
        before = whole[: cut + 1]
        after = _hauls(shop, Kind.ORDER, since=since, cursor=before[-1].cursor)
        assert set(_ids(whole)) == {*_ids(before), *_ids(after)}
        assert len(_ids(after)) < len(_ids(whole)) or cut == 0


def test_since_of_accounts_is_everything(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """Their list has no such filter."""
    _fill(sandbox, clock, orders=0)
    assert _alive(sandbox, Kind.CUSTOMER) == _ids(_hauls(shop, Kind.CUSTOMER, since=NOON))


def test_nothing_new_is_one_page_of_each_list(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """A look that finds nothing asks once for orders, coupons, products and their variations."""
    _fill(sandbox, clock)
    before = sandbox.visitors.ever
    assert [] == _ids(_hauls(shop, Kind.ORDER, since=NOON))
    assert 1 == sandbox.visitors.ever - before
    assert [] == _ids(_hauls(shop, Kind.PRODUCT, since=NOON))
    assert 3 == sandbox.visitors.ever - before
    assert [] == _ids(_hauls(shop, Kind.PROMOTION, since=NOON))
    assert 4 == sandbox.visitors.ever - before


def test_coupons_since(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """A coupon that was changed is read anew; a draft is none yet, and nothing is said of it."""
    _fill(sandbox, clock, orders=0)
    clock.now += timedelta(hours=1)
    codes = [int(number) for number in _alive(sandbox, Kind.PROMOTION)]
    sandbox.products.change_coupon(codes[2], {"email_restrictions": ["kari@epost.example"]})
    sandbox.products.change_coupon(codes[1], {"amount": "33.00"})
    sandbox.products.change_coupon(codes[0], {"status": "draft"})
    found = [
        each
        for haul in _hauls(shop, Kind.PROMOTION, since=clock.now)
        for each in haul.found
        if isinstance(each.understanding, Understood)
    ]
    facts = {each.id: each.understanding.facts[0] for each in found}  # type: ignore[union-attr]
    assert [str(codes[1]), str(codes[2])] == list(facts)
    changed, closed = facts.values()
    assert isinstance(changed, Promotion)
    assert (3_300, True) == (changed.amount, changed.enabled)
    assert isinstance(closed, Deleted)
    assert Kind.PROMOTION == closed.kind
    assert "kari" not in repr(found)


def test_a_coupon_that_is_not_understood_is_kept_as_its_webhook(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """Under the topic of coupons: it is read once more from there after an upgrade."""
    _fill(sandbox, clock, orders=0)
    number = int(_alive(sandbox, Kind.PROMOTION)[4])
    body = sandbox.books.body("coupons", number)
    assert body is not None
    sandbox.books.keep("coupons", body | {"amount": "much"})
    (odd,) = [
        each
        for haul in _hauls(shop, Kind.PROMOTION)
        for each in haul.found
        if isinstance(each.understanding, Quarantined)
    ]
    assert (str(number), "coupon.updated") == (odd.id, odd.topic)
    again = Delivery(id=1, shop="wool", topic=odd.topic, received_at=NOON, body=odd.body)
    assert odd.understanding == shop.understand(again)


def test_a_variation_that_changed_alone(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """Its product did not change by that: it is read all the same, with all its variations."""
    _fill(sandbox, clock, orders=0)
    clock.now += timedelta(hours=1)
    since = clock.now
    (small,) = sandbox.books.rows("products", "parent_id <> 0", (), "ORDER BY id LIMIT 1")
    sandbox.products.change(small["id"], {"regular_price": "799"})
    hauls = _hauls(shop, Kind.PRODUCT, since=since)
    assert [str(small["parent_id"])] == sorted(set(_ids(hauls)))
    product = _facts(hauls)[str(small["parent_id"])]
    assert isinstance(product, Product)
    prices = {each.id: each.price for each in product.variants}
    assert (3, 79900) == (len(prices), prices[str(small["id"])])
    assert product.all_variants


# --- The list moves ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CUSTOMER])
def test_the_list_shifts_under_the_reader(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, kind: Kind
) -> None:
    """Before every second page its first thing goes for good: none of those that stay is missed."""
    _fill(sandbox, clock, orders=90)
    reading = shop.history(kind, since=None, cursor=None, now=NOON)
    found = _ids([next(reading)])
    sandbox.misbehave(answers="shifting", times=4)
    found += _ids(list(reading))
    assert set(_alive(sandbox, kind)) <= set(found)
    assert sorted(set(found), key=int) == found


@pytest.mark.parametrize("seed", range(12))
def test_deletions_at_random_while_it_is_read(
    sandbox: Sandbox, clock: Clock, seed: int, shop: WooCommerceShop
) -> None:
    """Whatever is deleted, trashed, restored and sold between any two pages, what stays is read."""
    chance = random.Random(seed)
    _fill(sandbox, clock, orders=80, seed=seed)
    always = set(_alive(sandbox, Kind.ORDER))

    def upset() -> None:
        for _ in range(chance.randint(0, 3)):
            alive = _alive(sandbox, Kind.ORDER)
            number = int(chance.choice(alive[: chance.randint(1, len(alive))]))
            match chance.randrange(4):
                case 0:
                    sandbox.orders.delete(number)
                    always.discard(str(number))
                case 1:
                    sandbox.orders.trash(number)
                    always.discard(str(number))
                case 2:
                    for row in sandbox.books.rows("orders", "status = 'trash'")[:1]:
                        sandbox.orders.untrash(row["id"])
                case _:
                    sandbox.orders.create({})

    since = chance.choice((None, NOON - timedelta(days=60)))
    found: list[str] = []
    for haul in shop.history(Kind.ORDER, since=since, cursor=None, now=NOON):
        found += [each.id for each in haul.found]
        upset()
    assert always <= set(found)
    assert always <= {number for page in shop.ids(Kind.ORDER) for number in page}


def test_trashed_while_it_is_read_is_never_a_deletion(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """Reading concludes nothing from what is not there: that is for the ids to show."""
    _fill(sandbox, clock)
    found = [each for haul in _hauls(shop, Kind.ORDER) for each in haul.found]
    facts = [
        fact
        for each in found
        if isinstance(each.understanding, Understood)
        for fact in each.understanding.facts
    ]
    assert not any(isinstance(fact, Deleted) for fact in facts)


# --- The shop misbehaves ----------------------------------------------------------------------

PASSING = ("500", "html", "torn", "dropped", "stale", "halved", "reversed", "other", "slow")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trouble", PASSING)
def test_a_trouble_that_passes(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, trouble: str, kind: Kind
) -> None:
    """It is asked for again, and everything comes, exactly as without it."""
    _fill(sandbox, clock)
    expected = _facts(_hauls(shop, kind))
    seconds = 0.05 if trouble == "slow" else 86_400
    sandbox.misbehave(answers=trouble, times=2, seconds=seconds)
    hauls = _hauls(shop, kind)
    assert (_alive(sandbox, kind), expected) == (_ids(hauls), _facts(hauls))
    assert [] == sandbox.mischief.as_json()["answers"]


@pytest.mark.parametrize("trouble", ["429", "503"])
def test_a_pause_that_is_asked_for(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, trouble: str
) -> None:
    """The shop is left alone for as long as it asked, and then read on."""
    _fill(sandbox, clock, orders=15)
    waits: list[float] = []
    polite = shop._history.polite
    polite._sleep = waits.append
    sandbox.misbehave(answers=trouble, times=1, seconds=7)
    assert _alive(sandbox, Kind.ORDER) == _ids(_hauls(shop, Kind.ORDER))
    assert 6 < waits[0] <= 7


@pytest.mark.parametrize("trouble", ["429", "503"])
def test_a_long_pause_is_for_the_caller(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, trouble: str
) -> None:
    """A shop that asks for ten minutes is not waited for here."""
    _fill(sandbox, clock, orders=15)
    sandbox.misbehave(answers=trouble, times=50, seconds=600)
    with pytest.raises(TryLater) as caught:
        _hauls(shop, Kind.ORDER)
    assert 600 == caught.value.retry_after


STAYING = {
    "500": "the shop answered 500",
    "html": "a web page instead of JSON",
    "torn": "no answer",
    "dropped": "no answer",
    "stale": "a cache had it for 86400 s",
    "reversed": "out of order",
    "halved": "where the shop counts",
    "other": "no list",
}


@pytest.mark.parametrize("trouble", STAYING.items(), ids=STAYING.keys())
@pytest.mark.parametrize("since", [None, NOON - timedelta(days=60)])
def test_a_trouble_that_stays(
    sandbox: Sandbox,
    shop: WooCommerceShop,
    clock: Clock,
    trouble: tuple[str, str],
    since: datetime | None,
) -> None:
    """Nothing of it is believed; it is to be tried later, and what was wrong is said."""
    _fill(sandbox, clock)
    name, why = trouble
    reading = shop.history(Kind.ORDER, since=since, cursor=None, now=NOON)
    good = [next(reading)]
    sandbox.misbehave(answers=name, times=400, seconds=86_400)
    with pytest.raises(TryLater, match=why):
        good.extend(reading)
    sandbox.mischief._answers.clear()
    rest = _hauls(shop, Kind.ORDER, since=since, cursor=good[-1].cursor)
    assert set(_alive(sandbox, Kind.ORDER)) == {*_ids(good), *_ids(rest)}


def test_an_old_page_that_looks_new(sandbox: Sandbox, shop: WooCommerceShop, clock: Clock) -> None:
    """Yesterday's list without a sign of its age ends too early: that is seen, and read again."""
    _fill(sandbox, clock, orders=25)
    clock.now += timedelta(days=3)
    fresh = [str(sandbox.orders.create({})["id"]) for _ in range(8)]
    reading = shop.history(Kind.ORDER, since=None, cursor=None, now=NOON)
    found = _ids([next(reading)])
    sandbox.misbehave(answers="frozen", times=4, seconds=86_400)
    found += _ids(list(reading))
    assert _alive(sandbox, Kind.ORDER) == found
    assert set(fresh) <= set(found)


def test_an_old_list_of_ids_is_not_believed(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """From ids that are not there deletions are concluded: a list that ends early gives none."""
    _fill(sandbox, clock, orders=25)
    clock.now += timedelta(days=3)
    for _ in range(3):
        sandbox.orders.create({})
    pages = shop.ids(Kind.ORDER)
    next(pages)
    sandbox.misbehave(answers="frozen", times=400, seconds=86_400)
    with pytest.raises(TryLater, match="before the newest"):
        list(pages)


def test_the_newest_went_away_meanwhile(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock
) -> None:
    """What was newest when the reading began is gone at its end: nothing is waited for."""
    _fill(sandbox, clock, orders=25)
    for end in (sandbox.orders.delete, sandbox.orders.trash):
        reading = shop.history(Kind.ORDER, since=None, cursor=None, now=NOON)
        found = _ids([next(reading)])
        end(int(_alive(sandbox, Kind.ORDER)[-1]))
        found += _ids(list(reading))
        assert _alive(sandbox, Kind.ORDER) == found


def test_a_refused_key(sandbox: Sandbox) -> None:
    """A key that is not taken stops it, with who mends it."""
    shop = WooCommerceShop("wool", sandbox.base_url, "ck_other", "cs", "NOK")
    for kind in KINDS:
        with pytest.raises(LaneDown, match="owner"):
            _hauls(shop, kind)
        with pytest.raises(LaneDown, match="owner"):
            list(shop.ids(kind))


def test_what_the_shop_counts_and_never_shows(
    sandbox: Sandbox, shop: WooCommerceShop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thing that is broken in the shop is counted and missing each time: the rest is read."""
    _fill(sandbox, clock, orders=30)
    hidden = _alive(sandbox, Kind.ORDER)[12]
    whole = sandbox.books.rows

    def rows(table: str, *asked: Any, **more: Any) -> Any:
        return [row for row in whole(table, *asked, **more) if str(row["id"]) != hidden]

    monkeypatch.setattr(
        "adapters.woocommerce.sandbox_queries._rows",
        lambda books, table, ids: sorted(
            rows(table, f"id IN ({', '.join(map(str, ids))})"), key=lambda row: ids.index(row["id"])
        ),
    )
    expected = [number for number in _alive(sandbox, Kind.ORDER) if number != hidden]
    assert expected == _ids(_hauls(shop, Kind.ORDER))


# --- Manners ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 3])
def test_never_more_at_once_than_agreed(sandbox: Sandbox, clock: Clock, at_once: int) -> None:
    """Seen from the shop, several readings together make no more requests at once than that."""
    _fill(sandbox, clock, orders=60)
    shop = _open(sandbox, at_once=at_once)
    sandbox.misbehave(answers="slow", times=40, seconds=0.01)
    readings: list[Callable[[], object]] = [
        *(lambda kind=kind: _hauls(shop, kind) for kind in KINDS),  # type: ignore[misc]
        lambda: list(shop.ids(Kind.ORDER)),
    ]
    threads = [threading.Thread(target=reading) for reading in readings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == sandbox.visitors.most


def test_no_faster_than_agreed(sandbox: Sandbox, clock: Clock) -> None:
    """At most so many requests a second."""
    _fill(sandbox, clock, orders=30)
    shop = _open(sandbox, a_second=4.0)
    polite = shop._history.polite
    waits: list[float] = []
    polite._sleep = waits.append
    polite._ticks = lambda: 100.0
    before = sandbox.visitors.ever
    _hauls(shop, Kind.ORDER)
    asked = sandbox.visitors.ever - before
    assert [0.25 * number for number in range(1, asked)] == sorted(waits)
