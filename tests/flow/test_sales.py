"""Records of sales: what is due, for whom it is held, and what waits for its buyer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connector.flow import clock, deliver, sales_due, settling
from connector.flow.rules import Holds, Rules, Target
from connector.model import (
    Bearing,
    Cart,
    Customer,
    Deleted,
    Evidence,
    Kind,
    Line,
    Order,
    Parked,
    Permission,
    Product,
    Promotion,
    Purpose,
    Refund,
    Variant,
    Version,
    Worth,
)
from connector.store import outbox, schema
from connector.store.connect import Store
from connector.store.facts import Stated, Thing
from mappings.load import load_mapping
from tests.flow.conftest import NOON, Memory, World

KARI = "kari@x.example"
MAPPING = """
version: 1
destinations:
  newsletter: {contacts: {policy: POLICY}, ecommerce: true, fields: {FNAME: first_name}}
"""


@dataclass
class Town(World):
    """A shop, its newsletter, and beside that what is told of its sales."""

    sold: Memory = field(default_factory=lambda: Memory(name="newsletter/sales"))
    events: Memory = field(default_factory=lambda: Memory(name="events"))

    def tell(self, *things: Thing | Evidence) -> None:
        self.deliveries += 1
        with self.store.write() as conn:
            settling.settle(
                conn,
                settling.Told(
                    stated=[
                        Stated(fact, self.deliveries)
                        for fact in things
                        if not isinstance(fact, Evidence)
                    ],
                    said=[(item, self.deliveries) for item in things if isinstance(item, Evidence)],
                ),
                self.rules,
                now=self.now,
            )

    def bring(self, target: str) -> int:
        """Deliver all that can be delivered to one destination; gives how many changes."""
        (chosen,) = (each for each in self.rules.targets if each.name == target)
        adapter = {"newsletter": self.destination, "events": self.events}.get(target, self.sold)
        sent = 0
        while (
            drained := deliver.drain(self.store, chosen, adapter, self.rules, now=self.now)
        ).taken:
            sent += drained.sent
        return sent

    def work(self) -> None:
        """Let everybody do everything that can be done now."""
        for _ in range(3):
            self.evaluate()
            for target in self.rules.targets:
                self.bring(target.name)

    def row(self, key: str, destination: str = "newsletter/sales") -> dict[str, Any]:
        with self.store.read() as conn:
            chosen = select(schema.records).where(
                schema.records.c.destination == destination, schema.records.c.key == key
            )
            return dict(conn.execute(chosen).mappings().one())

    def bought(
        self, number: int = 1, email: str | None = KARI, minutes: int = 0, **more: Any
    ) -> Order:
        return self.order(number, email, minutes, **{"lines": (LINE,), **more})


LINE = Line(
    id="1", product_id="5", variant_id="51", sku="W-1", name="Wool", quantity=3, total=9_000,
    discount=1_000,
)  # fmt: skip


def cart(minutes: int = 0, **more: Any) -> Cart:
    at = NOON + timedelta(minutes=minutes)
    return Cart(
        **{
            "shop": "wool",
            "id": "t0ken",
            "version": Version(at),
            "currency": "NOK",
            "total": 5_000,
            "created_at": at,
            "url": "https://wool.example/back",
            "email": KARI,
            "other_name": "c4rt",
            "lines": (LINE,),
            **more,
        }
    )


def product(minutes: int = 0, **more: Any) -> Product:
    version = Version(NOON + timedelta(minutes=minutes))
    variant = Variant(
        shop="wool", id="51", product_id="5", version=version, sku="W-1", title="Wool - Red",
        currency="NOK", price=9_900, stock_quantity=4,
    )  # fmt: skip
    return Product(
        **{
            "shop": "wool",
            "id": "5",
            "version": version,
            "title": "Wool",
            "status": "publish",
            "url": "https://wool.example/p/fine-wool/",
            "variants": (variant,),
            "all_variants": True,
            **more,
        }
    )


def promotion(**more: Any) -> Promotion:
    return Promotion(
        **{
            "shop": "wool",
            "id": "9",
            "version": Version(NOON),
            "code": "SUMMER",
            "worth": Worth.PERCENTAGE,
            "amount": 1_250,
            "bearing": Bearing.TOTAL,
            **more,
        }
    )


@pytest.fixture
def make_town(store: Store) -> Callable[..., Town]:
    """Build a town whose newsletter holds people by this policy."""

    def make(policy: str = "subscribed_only") -> Town:
        from zoneinfo import ZoneInfo

        mapping = load_mapping(
            MAPPING.replace("POLICY", policy),
            shops={"wool": "woocommerce"},
            destinations={"newsletter": "mailchimp"},
        )
        mapped, shops = mapping.destinations["newsletter"], frozenset({"wool"})
        ads = load_mapping(
            "version: 1\ndestinations: {events: {consent: ads}}",
            shops={"wool": "woocommerce"},
            destinations={"events": "meta_conversions"},
        ).destinations["events"]
        rules = Rules(
            mapping=mapping,
            platforms={"wool": "woocommerce"},
            zone=ZoneInfo("Europe/Oslo"),
            currency="NOK",
            targets=(
                Target(name="newsletter", mapping=mapped, shops=shops),
                Target(
                    name="newsletter/sales",
                    mapping=mapped,
                    shops=shops,
                    holds=Holds.SALES,
                    members="newsletter",
                    homes={"wool": "https://wool.example"},
                ),
                Target(
                    name="events",
                    mapping=ads,
                    shops=shops,
                    holds=Holds.SALES,
                    sells=frozenset({Kind.ORDER}),
                ),
            ),
        )
        return Town(store, rules)

    return make


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """A town whose newsletter holds those who may be mailed."""
    return make_town()


# --- What is told ---------------------------------------------------------------------------------


def test_an_order_says_what_was_bought_by_whom(town: Town) -> None:
    """Amounts are decimal text, the buyer goes by the present address, the status is one of six."""
    refund = Refund(id="7", amount=10_000)
    town.tell(
        town.bought(refunds=(refund,), tax=2_000, fulfilled=True, phone="+4791234567"),
        town.grant(KARI),
    )
    town.work()
    record = town.sold.held["order/wool/1"]
    assert (KARI, Permission.SEND, (), {}) == (
        record.email,
        record.permission,
        record.tags,
        record.tables,
    )
    told = record.fields
    assert {
        "shop": "wool",
        "id": "1",
        "number": "1",
        "status": "partially_refunded",
        "fulfilled": True,
        "counts": True,
        "currency": "NOK",
        "total": "300.00",
        "tax": "20.00",
        "shipping": "0.00",
        "discount": "0.00",
        "refunded": "100.00",
        "placed_at": "2026-03-01T12:00:00Z",
        "updated_at": "2026-03-01T12:00:00Z",
        "cancelled_at": None,
        "landing_url": None,
    } == {name: told[name] for name in told.keys() - {"customer", "lines"}}
    assert {
        "id": None,
        "email": KARI,
        "first_name": "Kari",
        "last_name": "",
        "company": "",
        "phone": "+4791234567",
        "country": None,
    } == told["customer"]
    assert [
        {
            "id": "1",
            "product_id": "5",
            "variant_id": "51",
            "product_title": "Wool",
            "sku": "W-1",
            "quantity": 3,
            "price": "33.33",
            "discount": "10.00",
            "total": "90.00",
        }
    ] == told["lines"]


def test_a_product_goes_with_its_variants(town: Town) -> None:
    """One record a product; nobody is in it."""
    town.tell(product())
    town.work()
    record = town.sold.held["product/wool/5"]
    assert (None, None) == (record.email, record.permission)
    assert ("Wool", "fine-wool", "https://wool.example/p/fine-wool/") == tuple(
        record.fields[name] for name in ("title", "handle", "url")
    )
    assert [
        {
            "id": "51",
            "title": "Wool - Red",
            "sku": "W-1",
            "price": "99.00",
            "currency": "NOK",
            "stock": 4,
            "image_url": None,
            "url": "https://wool.example/p/fine-wool/",
            "visible": True,
        }
    ] == record.fields["variants"]


def test_a_product_that_is_not_shown_is_not_brought_and_not_taken(town: Town) -> None:
    """A draft never goes there; one that was there stays for its orders, and says it is hidden."""
    town.tell(product(status="draft"))
    town.work()
    assert {} == town.sold.held
    town.tell(product(minutes=1))
    town.work()
    town.tell(product(minutes=2, status="draft"))
    town.work()
    (variant,) = town.sold.held["product/wool/5"].fields["variants"]
    assert False is variant["visible"]


def test_a_variant_that_goes_changes_its_product(town: Town) -> None:
    """Its deletion says nothing of the product, which is due all the same."""
    town.tell(product(), replace(product().variants[0], id="52"))
    town.work()
    assert 2 == len(town.sold.held["product/wool/5"].fields["variants"])
    town.tell(Deleted(shop="wool", kind=Kind.VARIANT, id="52", version=Version(NOON, 9)))
    town.work()
    assert ["51"] == [each["id"] for each in town.sold.held["product/wool/5"].fields["variants"]]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ("percentage", "12.50", "total")),
        (
            {"worth": Worth.FIXED, "amount": 2_500, "currency": "NOK", "bearing": Bearing.PER_ITEM},
            ("fixed", "25.00", "per_item"),
        ),
        ({"amount": 10_000, "bearing": Bearing.SHIPPING}, ("percentage", "100.00", "shipping")),
    ],
)
def test_a_promotion_goes_and_goes_away(
    town: Town, told: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """A code says how much it takes off what, and goes with the shop's own."""
    town.tell(promotion(**told))
    town.work()
    fields = town.sold.held["promotion/wool/9"].fields
    assert expected == (fields["type"], fields["amount"], fields["target"])
    assert ("SUMMER", True, "https://wool.example") == (
        fields["code"],
        fields["enabled"],
        fields["url"],
    )


def test_what_a_destination_does_not_sell_is_never_due(town: Town) -> None:
    """One that is told of orders has no row for anything else."""
    town.tell(product(), promotion(), cart(), town.bought(2, "o@x.example"))
    town.work()
    with town.store.read() as conn:
        keys = conn.scalars(
            select(schema.records.c.key).where(schema.records.c.destination == "events")
        ).all()
    assert ["order/wool/2"] == keys


# --- For whom -------------------------------------------------------------------------------------


def test_an_order_of_somebody_who_may_not_be_held_brings_nobody(town: Town) -> None:
    """Who never allowed it and is no member is not made one by buying."""
    town.tell(town.bought())
    town.work()
    assert ({}, "settled") == (town.sold.held, town.row("order/wool/1")["status"])
    town.tell(town.grant(KARI, minutes=5))
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()


def test_the_policy_of_the_members_is_that_of_their_orders(make_town: Callable[..., Town]) -> None:
    """Where everyone is held, so are their orders, without a permission to mail; carts are not."""
    town = make_town("everyone")
    town.tell(town.bought(), cart(minutes=1))
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()
    assert Permission.SILENT is town.sold.held["order/wool/1"].permission


def test_one_who_withdrew_is_not_brought_back_by_an_order(town: Town) -> None:
    """What is there stays and is kept true, for its sums; a new order does not go there."""
    town.tell(town.bought(), town.grant(KARI))
    town.work()
    town.tell(town.withdraw(KARI, minutes=5))
    town.tell(town.bought(2, minutes=6))
    town.tell(town.bought(1, version=Version(NOON + timedelta(minutes=7)), status="refunded"))
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()
    record = town.sold.held["order/wool/1"]
    assert ("refunded", Permission.WITHDRAWN) == (record.fields["status"], record.permission)
    town.tell(town.grant(KARI, minutes=20))
    town.work()
    assert {"order/wool/1", "order/wool/2"} == town.sold.held.keys()


def test_one_whom_the_destination_refuses_is_not_brought_by_an_order(town: Town) -> None:
    """A member that is parked is none: the order is not held, and comes when the member does."""
    town.destination.answers[KARI] = Parked(reason="fake address", mend="Look.")
    town.tell(town.bought(), town.grant(KARI))
    town.work()
    assert ({}, {}) == (town.destination.held, town.sold.held)
    assert "settled" == town.row("order/wool/1")["status"]
    town.destination.answers.clear()
    with town.store.write() as conn:
        outbox.release(conn, "newsletter", KARI, now=town.now)
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()


def test_orders_for_advertising_need_its_own_permission(town: Town) -> None:
    """Where no list of people is kept, only they can allow it; and mail is something else."""
    ads = replace(town.grant(KARI), purpose=Purpose.ADS)
    town.tell(town.bought(), town.grant(KARI))
    town.work()
    assert ({"order/wool/1"}, {}) == (town.sold.held.keys(), town.events.held)
    town.tell(ads)
    town.work()
    assert {"order/wool/1"} == town.events.held.keys()


def test_an_address_that_changes_changes_the_orders(town: Town) -> None:
    """The account moves: its order follows to the new address, by which the buyer is known now."""
    account = Customer(shop="wool", id="7", version=Version(NOON), email=KARI)
    town.tell(account, town.bought(customer_id="7"), town.grant(KARI))
    town.work()
    town.tell(
        replace(account, version=Version(NOON + timedelta(minutes=5)), email="new@x.example"),
        town.grant("new@x.example", minutes=6),
    )
    town.work()
    record = town.sold.held["order/wool/1"]
    assert ("new@x.example", "new@x.example") == (record.email, record.fields["customer"]["email"])


def test_a_buyer_of_many_orders_makes_no_others_due(town: Town) -> None:
    """Each further order sends itself, and none of those before it."""
    town.tell(town.grant(KARI), *(town.bought(number, minutes=number) for number in range(1, 6)))
    town.work()
    before = len(town.sold.pushed)
    revisions = [town.row(f"order/wool/{number}")["revision"] for number in range(1, 6)]
    town.tell(town.bought(6, minutes=6))
    town.work()
    assert [["order/wool/6"]] == [
        [change.key for change in batch] for batch in town.sold.pushed[before:]
    ]
    assert revisions == [town.row(f"order/wool/{n}")["revision"] for n in range(1, 6)]


# --- The order of things -------------------------------------------------------------------------


def test_an_order_waits_until_its_buyer_is_there(town: Town) -> None:
    """It stays due with a reason, is not handed over, and uses up none of its attempts."""
    town.tell(town.bought(), town.grant(KARI), product())
    for _ in range(3):
        town.bring("newsletter/sales")  # nobody was evaluated yet
        town.now += 2 * sales_due.LOOK_AGAIN
    assert {"product/wool/5"} == town.sold.held.keys()
    row = town.row("order/wool/1")
    assert ("due", sales_due.WAITS, 0) == (row["status"], row["reason"], row["attempts"])
    town.evaluate()
    town.bring("newsletter/sales")  # the member is due, and not there yet
    assert "order/wool/1" not in town.sold.held
    town.now += timedelta(seconds=1)
    town.bring("newsletter")
    town.bring("newsletter/sales")  # told at once, long before it would be looked at again
    assert {"product/wool/5", "order/wool/1"} == town.sold.held.keys()
    assert ("settled", None) == tuple(town.row("order/wool/1")[n] for n in ("status", "reason"))


def test_an_order_that_is_due_does_not_wait_for_a_buyer_who_came_just_then(town: Town) -> None:
    """Its lane may be finding it waiting while the buyer settles: so it counts as changed since."""
    town.tell(town.bought(1), town.bought(2), town.grant(KARI))
    town.work()
    town.tell(town.bought(2, minutes=5, status="completed"))
    before = {key: town.row(key)["revision"] for key in ("order/wool/1", "order/wool/2")}
    assert ("due", None) == tuple(town.row("order/wool/2")[n] for n in ("status", "reason"))
    with town.store.write() as conn:
        told = sales_due.followers(town.rules, "newsletter")
        sales_due.mark_of_people(conn, told, town.rules, {KARI}, now=town.now)
    after = {key: town.row(key)["revision"] for key in before}
    assert {**before, "order/wool/2": before["order/wool/2"] + 1} == after


def test_products_go_before_orders(town: Town) -> None:
    """Of one batch's worth the products are claimed first, whatever became due first."""
    town.tell(town.bought(), town.grant(KARI))
    town.evaluate()
    town.bring("newsletter")
    town.now += timedelta(minutes=1)
    town.tell(product())
    town.sold.batch_size = 1
    town.bring("newsletter/sales")
    assert [["product/wool/5"], ["order/wool/1"]] == [
        [change.key for change in batch] for batch in town.sold.pushed
    ]


# --- Carts ---------------------------------------------------------------------------------------


def test_a_cart_goes_to_whom_may_be_reminded(town: Town) -> None:
    """With the way back to it, for a member who may be mailed; away once that is taken back."""
    town.tell(town.bought(minutes=-60), town.grant(KARI), cart())
    town.work()
    record = town.sold.held["cart/wool/t0ken"]
    assert ("https://wool.example/back", "50.00", KARI) == (
        record.fields["url"],
        record.fields["total"],
        record.email,
    )
    town.tell(town.withdraw(KARI, minutes=5))
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()


@pytest.mark.parametrize("order_first", [True, False])
@pytest.mark.parametrize("how", ["token", "name", "buyer"])
def test_a_cart_goes_when_the_order_comes(town: Town, how: str, *, order_first: bool) -> None:
    """By its token, by another name of it, or by the buyer; in either order of arrival."""
    town.tell(town.bought(9, minutes=-60), town.grant(KARI))
    town.work()
    carts = {"token": ("t0ken",), "name": ("c4rt",)}.get(how, ())
    email = KARI if how == "buyer" else "wife@x.example"
    done = town.bought(2, email, minutes=5, carts=carts)
    town.tell(*([done] if order_first else [cart()]))
    town.work()
    assert order_first == ("cart/wool/t0ken" not in town.sold.held)
    town.tell(*([cart()] if order_first else [done]))
    town.work()
    assert "cart/wool/t0ken" not in town.sold.held


def test_an_order_before_the_cart_leaves_it(town: Town) -> None:
    """Who ordered and then began anew is reminded of what is new."""
    town.tell(town.bought(minutes=-1), town.grant(KARI), cart())
    town.work()
    assert "cart/wool/t0ken" in town.sold.held


def test_a_cart_nobody_touches_is_forgotten(town: Town) -> None:
    """After thirty days it is gone from the store and from the destination, and stays away."""
    town.tell(town.bought(minutes=-60), town.grant(KARI), cart())
    town.work()
    town.now = NOON + clock.CARTS_KEPT - timedelta(seconds=1)
    assert 0 == clock.drain(town.store, now=town.now)
    town.now += timedelta(seconds=1)
    assert 1 == clock.drain(town.store, now=town.now)
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()
    with town.store.read() as conn:
        assert [] == conn.execute(select(schema.carts)).all()
    town.tell(cart())  # delivered once more
    assert 1 == clock.drain(town.store, now=town.now)
    town.work()
    assert {"order/wool/1"} == town.sold.held.keys()


def test_a_cart_of_nobody_known_goes_nowhere(town: Town) -> None:
    """Whom the destination does not have is not made a contact by looking at things."""
    town.tell(cart(), town.grant("other@x.example"))
    town.work()
    assert {} == town.sold.held


def test_a_cart_that_nobody_is_told_of_is_not_kept(town: Town) -> None:
    """With no destination of carts, or one of another shop only, there is no use for it."""
    told = settling.Told()
    orders_only = replace(town.rules, targets=(town.rules.targets[0], town.rules.targets[2]))
    told.state(cart(), 1, orders_only, shop="wool", received_at=NOON)
    told.state(cart(shop="yarn"), 2, town.rules, shop="yarn", received_at=NOON)
    told.state(cart(), 3, town.rules, shop="wool", received_at=NOON)
    assert [
        Stated(Deleted(shop="wool", kind=Kind.CART, id="t0ken", version=Version(NOON)), 1,
               frozenset({KARI})),
        Stated(Deleted(shop="yarn", kind=Kind.CART, id="t0ken", version=Version(NOON)), 2,
               frozenset({KARI})),
        Stated(cart(), 3),
    ] == told.stated  # fmt: skip


# --- Removals -----------------------------------------------------------------------------------


def test_many_orders_that_go_at_once_wait_for_a_person(town: Town) -> None:
    """More than half of them in a day is held by the breaker; carts are not counted."""
    town.tell(town.grant(KARI), *(town.bought(number, minutes=number) for number in range(40)))
    town.work()
    gone = [
        Deleted(shop="wool", kind=Kind.ORDER, id=str(n), version=Version(NOON + timedelta(days=1)))
        for n in range(30)
    ]
    town.tell(*gone)
    town.work()
    assert 40 == len(town.sold.held)
    row = town.row("order/wool/3")
    assert ("parked", "held_by_breaker") == (row["status"], row["reason"])
    assert row["mend"].endswith("connector parked --release newsletter/sales")
    with town.store.write() as conn:
        assert 30 == outbox.release(conn, "newsletter/sales", None, now=town.now)
    town.work()
    assert 10 == len(town.sold.held)


def test_one_order_that_goes_is_removed(town: Town) -> None:
    """In the trash of the shop is gone from the destination."""
    town.tell(town.grant(KARI), town.bought(), town.bought(2, minutes=1), product())
    town.work()
    town.tell(Deleted(shop="wool", kind=Kind.ORDER, id="1", version=Version(NOON, 9)))
    town.work()
    assert {"order/wool/2", "product/wool/5"} == town.sold.held.keys()


# --- Any order ------------------------------------------------------------------------------------


def test_any_order_of_arrival_ends_in_the_same_content(make_town: Callable[..., Town]) -> None:
    """Facts in another order, and twice: the destination holds the same."""
    town = make_town()
    told: list[Thing | Evidence] = [
        product(),
        promotion(),
        cart(),
        replace(cart(minutes=3), created_at=NOON, total=7_000),
        town.bought(),
        town.bought(1, minutes=0, version=Version(NOON, 5), status="completed"),
        town.grant(KARI),
        Customer(shop="wool", id="7", version=Version(NOON), email=KARI),
    ]
    for thing in told:
        town.tell(thing)
        town.work()
    expected = dict(town.sold.held)
    assert 3 == len(expected)  # the order was placed as the cart was begun
    with town.store.write() as conn:
        for table in reversed(schema.metadata.sorted_tables):
            conn.execute(table.delete())
    again = make_town()
    for thing in [*reversed(told), *told]:
        again.tell(thing)
        again.work()
    assert expected == again.sold.held


def test_a_destination_that_knows_nothing_is_due_everything(town: Town) -> None:
    """Whoever switches sales on has all that there is there, and that only once."""
    town.tell(product(), promotion(), town.bought(), town.grant(KARI))
    town.work()
    expected = dict(town.sold.held)
    with town.store.write() as conn:
        conn.execute(
            schema.records.delete().where(schema.records.c.destination == "newsletter/sales")
        )
        for target in town.rules.holding(Holds.SALES):
            sales_due.mark_everything(conn, target, now=town.now)
    town.sold.held.clear()
    town.work()
    assert expected == town.sold.held
    assert 3 == len(expected)
    revision = town.row("order/wool/1")["revision"]
    with town.store.write() as conn:
        for target in town.rules.holding(Holds.SALES):
            sales_due.mark_everything(conn, target, now=town.now)
    assert (revision, "settled") == tuple(
        town.row("order/wool/1")[name] for name in ("revision", "status")
    )
