"""Labels that come and go: bestsellers by what was sold, new arrivals by when they were seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from connector.flow import labels
from connector.flow.rules import Holds, Rules, Target
from connector.flow.wanted import desired
from connector.model import Deleted, Kind, Line, Order, Product, Variant, Version
from connector.store import facts
from connector.store.connect import Store
from connector.store.facts import Stated, Thing
from connector.store.schema import popularity, records
from mappings.load import load_mapping
from tests.flow.conftest import NOON

OLD = NOON - timedelta(days=400)
CATALOG = """
    labels: {custom_label_0: bestseller, custom_label_1: new_arrival}
    items: {bestsellers: {top: 2}}
"""


class Street:
    """Two shops with things for sale, and a catalog of one of them."""

    def __init__(self, store: Store, catalog: str = CATALOG) -> None:
        mapping = load_mapping(
            f"version: 1\ndestinations:\n  catalog:{catalog}",
            shops={"wool": "woocommerce", "yarn": "woocommerce"},
            destinations={"catalog": "meta_catalog"},
        )
        self.store = store
        self.now = NOON
        self.target = Target(
            name="catalog",
            mapping=mapping.destinations["catalog"],
            shops=frozenset({"wool"}),
            holds=Holds.ITEMS,
        )
        self.rules = Rules(
            mapping=mapping,
            platforms={"wool": "woocommerce", "yarn": "woocommerce"},
            zone=ZoneInfo("Europe/Oslo"),
            currency="NOK",
            targets=(self.target,),
        )

    def tell(self, *things: Thing) -> None:
        with self.store.write() as conn:
            facts.settle(conn, [Stated(fact, number) for number, fact in enumerate(things, 1)])

    def look(self, *, later: timedelta = timedelta(0)) -> int:
        self.now += later
        return labels.drain(self.store, self.rules, now=self.now)

    def due(self) -> list[str]:
        with self.store.read() as conn:
            return sorted(conn.scalars(select(records.c.key)))

    def labelled(self, *ids: str) -> dict[str, list[str]]:
        """What the labels of these items should be, in the catalog."""
        keys = [f"wool/{each}" for each in ids]
        with self.store.read() as conn:
            found = desired(conn, keys, dict.fromkeys(keys), self.target, self.rules)
        return {
            key.removeprefix("wool/"): sorted(
                text
                for name, text in (record.fields.get("mapped", {}) if record else {}).items()
                if name.startswith("custom_label")
            )
            for key, (record, _) in found.items()
        }


def thing(number: int, changed: datetime = OLD, shop: str = "wool", variants: int = 1) -> Product:
    known = {"shop": shop, "version": Version(changed), "status": "publish"}
    ids = [f"{number}"] if variants == 1 else [f"{number}{letter}" for letter in "abc"[:variants]]
    return Product(
        **known,
        id=str(number),
        title=f"Thing {number}",
        type="variable" if variants > 1 else "simple",
        variants=tuple(
            Variant(**known, id=each, product_id=str(number), currency="NOK", price=100)
            for each in ids
        ),
        all_variants=True,
    )


def sold(
    order_id: int, *units: tuple[int, int], placed_at: datetime = NOON, status: str = "completed"
) -> Order:
    """An order of so many units of these products."""
    return Order(
        shop="wool",
        id=str(order_id),
        version=Version(placed_at),
        number=str(order_id),
        status=status,
        currency="NOK",
        total=100,
        placed_at=placed_at,
        lines=tuple(
            Line(
                id=str(at), product_id=str(product), variant_id=None, sku="", name="",
                quantity=quantity, total=100,
            )
            for at, (product, quantity) in enumerate(units)
        ),
    )  # fmt: skip


@pytest.fixture
def street(store: Store) -> Street:
    """A street on the store of this test."""
    return Street(store)


def test_bestsellers_are_the_top_by_units(street: Street) -> None:
    """Units count, not orders; of two alike the lesser id is first; and their items are due."""
    street.tell(*(thing(number) for number in (1, 2, 3, 4)))
    street.tell(sold(1, (1, 1), (2, 5)), sold(2, (1, 1)), sold(3, (3, 2)))
    assert 2 == street.look()
    assert ["wool/1", "wool/2"] == street.due()
    assert {"1": ["bestseller"], "2": ["bestseller"], "3": [], "4": []} == street.labelled(*"1234")


def test_every_variant_of_a_product_has_its_label(street: Street) -> None:
    """It is the product that sells."""
    street.tell(thing(1, variants=3), sold(1, (1, 1)))
    assert 3 == street.look()
    assert {"1a": ["bestseller"], "1c": ["bestseller"]} == street.labelled("1a", "1c")


@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [
        ("completed", 29, ["bestseller"]),
        ("processing", 0, ["bestseller"]),
        ("completed", 30, []),
        ("cancelled", 1, []),
        ("refunded", 1, []),
        ("pending", 1, []),
        ("completed", -1, []),
    ],
)
def test_what_counts(street: Street, status: str, days: int, expected: list[str]) -> None:
    """Orders of 30 days that count as bought; one that is dated tomorrow does not yet."""
    placed_at = NOON - timedelta(days=days)
    street.tell(thing(1), sold(1, (1, 9), placed_at=placed_at, status=status))
    street.look()
    assert {"1": expected} == street.labelled("1")


def test_a_label_goes_as_time_passes(street: Street) -> None:
    """Nothing is told anew: after 30 days the sale is too old, and the item is due."""
    street.tell(thing(1), sold(1, (1, 1)))
    assert 1 == street.look()
    assert 0 == street.look(later=timedelta(days=29))
    assert {"1": ["bestseller"]} == street.labelled("1")
    assert 1 == street.look(later=timedelta(days=1))
    assert {"1": []} == street.labelled("1")


def test_a_better_seller_takes_the_place(street: Street) -> None:
    """Both are due: who comes and who goes; who stays is not."""
    street.tell(*(thing(number) for number in (1, 2, 3)))
    street.tell(sold(1, (1, 5), (2, 1)))
    street.look()
    street.tell(sold(2, (3, 3)))
    assert 2 == street.look(later=timedelta(hours=1))
    assert {"1": ["bestseller"], "2": [], "3": ["bestseller"]} == street.labelled(*"123")


def test_at_least_so_many_units(store: Store) -> None:
    """Then there is no top, unless it is said too."""
    street = Street(
        store,
        "\n    labels: {custom_label_0: bestseller}\n    items: {bestsellers: {at_least: 3}}\n",
    )
    street.tell(*(thing(number) for number in range(1, 41)))
    street.tell(sold(1, *((number, 3) for number in range(1, 31)), (31, 2)))
    assert 30 == street.look()
    assert {"30": ["bestseller"], "31": []} == street.labelled("30", "31")


def test_a_new_arrival_is_one_for_thirty_days(street: Street) -> None:
    """From when it was seen first, to the hour; a later change does not make it new again."""
    street.tell(thing(1, NOON))
    assert 1 == street.look()
    assert {"1": ["new_arrival"]} == street.labelled("1")
    street.tell(thing(1, NOON + timedelta(days=20)))
    assert 0 == street.look(later=timedelta(days=29, hours=23))
    assert 1 == street.look(later=timedelta(hours=1))
    assert {"1": []} == street.labelled("1")


def test_what_was_there_before_us_is_no_new_arrival(street: Street) -> None:
    """A shop that is connected today has sold for years: its things say when they changed."""
    street.tell(thing(1, OLD), thing(2, NOON - timedelta(days=10)))
    street.look()
    assert {"1": [], "2": ["new_arrival"]} == street.labelled(*"12")
    assert 1 == street.look(later=timedelta(days=20))


def test_it_is_looked_at_once_an_hour(street: Street) -> None:
    """And again at once when the clock was set back."""
    street.tell(thing(1))
    street.look()
    street.tell(sold(1, (1, 1)))
    assert 0 == street.look(later=timedelta(minutes=59))
    assert 1 == street.look(later=timedelta(minutes=1))
    street.tell(thing(2, NOON - timedelta(days=2)))
    assert 1 == street.look(later=timedelta(minutes=-2))


def test_a_second_look_writes_nothing(street: Street) -> None:
    """Nothing changed: no row is due, and none is written."""
    street.tell(thing(1), sold(1, (1, 1)))
    street.look()
    with street.store.read() as conn:
        before = conn.execute(select(popularity)).all()
    assert 0 == street.look(later=timedelta(hours=2))
    with street.store.read() as conn:
        assert before == conn.execute(select(popularity)).all()


def test_a_deleted_product_makes_room(street: Street) -> None:
    """Among the top are only things that there are."""
    street.tell(*(thing(number) for number in (1, 2, 3)))
    street.tell(sold(1, (1, 5), (2, 4), (3, 3)))
    street.look()
    street.tell(
        Deleted(shop="wool", kind=Kind.PRODUCT, id="1", version=Version(NOON + timedelta(days=1)))
    )
    assert 1 == street.look(later=timedelta(hours=1))
    assert {"3": ["bestseller"]} == street.labelled("3")


def test_a_catalog_without_such_labels_costs_nothing(store: Store) -> None:
    """No order is added up for it."""
    street = Street(store, " {labels: {custom_label_0: category}}\n")
    street.tell(thing(1), sold(1, (1, 1)))
    assert 0 == street.look()
    with store.read() as conn:
        assert [] == conn.execute(select(popularity)).all()


def test_shops_do_not_compete(street: Street) -> None:
    """Each has its own top; a catalog is due only for its own shops."""
    street.tell(thing(1), thing(2), thing(9, shop="yarn"))
    street.tell(sold(1, (1, 1), (2, 2)))
    assert 2 == street.look()
    assert ["wool/1", "wool/2"] == street.due()
