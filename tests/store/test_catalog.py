"""What is for sale settles to one state too: products, variants, and lists of all variants."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.model import Deleted, Kind, Product, Variant, Version
from connector.store import catalog, facts
from connector.store.connect import Store
from connector.store.facts import Stated, Thing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACES = {("wool", str(number)) for number in range(6)}


def at(minutes: int, tie: int = 0) -> Version:
    return Version(NOON + timedelta(minutes=minutes), tie)


def variant(number: int, minutes: int, product: int = 9, price: int = 100) -> Variant:
    return Variant(
        shop="wool",
        id=str(number),
        product_id=str(product),
        version=at(minutes),
        title=f"V{number}",
        price=price,
        attributes={"Size": str(number)},
    )


def product(
    minutes: int, *variants: Variant, whole: bool = True, number: int = 9, title: str = "Tee"
) -> Product:
    return Product(
        shop="wool",
        id=str(number),
        version=at(minutes),
        title=title,
        status="publish",
        tags=("new",),
        variants=variants,
        all_variants=whole,
    )


def settle(store: Store, *stated: Thing) -> facts.Settlement:
    with store.write() as conn:
        return facts.settle(conn, [Stated(fact, number) for number, fact in enumerate(stated, 1)])


def there(store: Store) -> dict[str, int | None]:
    """The price of each variant that there is."""
    with store.read() as conn:
        found = catalog.read(conn, PLACES)
    return {variant_id: item.variant.price for (_, variant_id), item in found.items()}


def test_a_variant_is_there_with_its_product(store: Store) -> None:
    """Whole as both were stated; not before its product was ever told of."""
    settle(store, variant(1, 0))
    assert {} == there(store)
    settle(store, product(1, whole=False))
    with store.read() as conn:
        item = catalog.read(conn, PLACES)["wool", "1"]
    assert product(1, whole=False) == item.product
    assert variant(1, 0) == item.variant


def test_what_a_whole_list_leaves_out_is_gone(store: Store) -> None:
    """A variant that is older than the list; a younger one stays."""
    settle(store, product(1, variant(1, 0), variant(2, 0)))
    settle(store, product(5, variant(1, 0)), variant(3, 6))
    assert {"1", "3"} == there(store).keys()


def test_a_part_of_the_list_leaves_nothing_out(store: Store) -> None:
    """Only a product that says so has no other variants."""
    settle(store, product(1, variant(1, 0), variant(2, 0)))
    settle(store, product(5, variant(1, 0), whole=False))
    assert {"1", "2"} == there(store).keys()


def test_a_variant_told_of_late_is_gone_all_the_same(store: Store) -> None:
    """The statement about it arrives after the list that leaves it out."""
    settle(store, product(5, variant(1, 0)))
    settle(store, variant(2, 4))
    assert {"1"} == there(store).keys()


def test_two_lists_of_one_moment_must_both_name_it(store: Store) -> None:
    """In whatever order they arrive."""
    for first, second in ((1, 2), (2, 1)):
        lists = {1: product(5, variant(1, 0)), 2: product(5, variant(1, 0), variant(2, 0))}
        settle(store, lists[first])
        settle(store, lists[second])
        assert {"1"} == there(store).keys()


def test_a_deleted_product_takes_its_variants_along(store: Store) -> None:
    """And brings them back when it is restored."""
    settle(store, product(1, variant(1, 0)))
    settle(store, Deleted(shop="wool", kind=Kind.PRODUCT, id="9", version=at(2)))
    assert {} == there(store)
    settle(store, product(3, variant(1, 0)))
    assert {"1"} == there(store).keys()


def test_the_items_concerned_are_told(store: Store) -> None:
    """A changed variant itself, a changed product all that it ever had, a repetition nothing."""
    first = settle(store, product(1, variant(1, 0), variant(2, 0)))
    assert {("wool", "1"), ("wool", "2")} == first.items
    again = settle(store, product(2, variant(1, 0), variant(2, 0)))
    assert (set(), set()) == (again.items, again.applied)
    dearer = settle(store, variant(2, 3, price=120))
    assert ({("wool", "2")}, {1}) == (dearer.items, dearer.applied)
    renamed = settle(store, product(4, variant(1, 0), variant(2, 3, price=120), title="Shirt"))
    assert {("wool", "1"), ("wool", "2")} == renamed.items
    fewer = settle(store, product(5, variant(1, 0), title="Shirt"))
    assert ({("wool", "1"), ("wool", "2")}, {1}) == (fewer.items, fewer.applied)


def _history(seed: int) -> list[Thing]:
    chance = random.Random(seed)
    story: list[Thing] = []
    for minute in range(30):
        match chance.randrange(4):
            case 0:
                story.append(variant(chance.randrange(6), minute, chance.choice([8, 9]), minute))
            case 1 | 2:
                number = chance.choice([8, 9])
                some = chance.sample(range(6), chance.randrange(4))
                known = [variant(each, chance.randint(0, minute), number, each) for each in some]
                whole = chance.random() < 0.7
                story.append(product(minute, *known, whole=whole, number=number))
            case _:
                kind = chance.choice([Kind.PRODUCT, Kind.VARIANT])
                number = chance.choice([8, 9]) if kind is Kind.PRODUCT else chance.randrange(6)
                story.append(Deleted(shop="wool", kind=kind, id=str(number), version=at(minute, 1)))
    return story


def _tied(story: Sequence[Thing]) -> list[Thing]:
    """Versions as adapters make them: two different statements never share one."""
    return [
        replace(
            fact,
            version=Version(fact.version.at, number),
            **(
                {
                    "variants": tuple(
                        replace(each, version=Version(each.version.at, 100 * number + at))
                        for at, each in enumerate(fact.variants)
                    )
                }
                if isinstance(fact, Product)
                else {}
            ),
        )
        for number, fact in enumerate(story)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_any_repetition_end_in_the_same_shelves(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Shuffled, doubled and cut into other batches, the same statements leave the same for sale."""
    story = _tied(_history(seed))
    ends = []
    for trial in range(4):
        store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('trial')}/c.db")
        told = list(story)
        chance = random.Random(f"{seed}-{trial}")
        if trial:
            told += chance.sample(story, 12)
            chance.shuffle(told)
        while told:
            size = chance.randint(1, 7) if trial else len(told)
            settle(store, *told[:size])
            del told[:size]
        ends.append(there(store))
        store.close()
    assert [ends[0]] * 3 == ends[1:]
