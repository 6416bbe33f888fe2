"""Labels that come and go: what sells, what is new, and what was picked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from connector.store.catalog import ForSale, Standing
from mappings.grammar import ItemRules, ItemSet
from mappings.item_facts import OVER_TIME, source_text

HAND_PICKED = "hand_picked"
"""What fills the label of a set that was picked by hand: ``hand_picked.NAME``."""


def label_text(
    source: str, item: ForSale, rules: ItemRules, sets: Mapping[str, ItemSet]
) -> str | None:
    """What a label says of an item; ``None`` where it says nothing."""
    head, _, name = source.partition(".")
    if head == HAND_PICKED:
        return name if name in sets and is_picked(item, sets[name]) else None
    if source in OVER_TIME:
        return source if source in over_time(item.standing, rules) else None
    return source_text(source, item)


def is_picked(item: ForSale, chosen: ItemSet) -> bool:
    """Whether an item is in a set by hand: by its own id or its product's, as the shop has them."""
    ids = (item.variant.id, item.variant.product_id)
    whole = {f"{item.variant.shop}_{each}" for each in ids}
    return not chosen.picked.isdisjoint({*ids, *whole})


def over_time(standing: Standing | None, rules: ItemRules) -> frozenset[str]:
    """The labels that a product has now by what was sold of it, and since when it is known."""
    if standing is None:
        return frozenset()
    found = set()
    if (
        standing.place is not None
        and (rules.top is None or standing.place <= rules.top)
        and standing.units >= rules.at_least
    ):
        found.add("bestseller")
    if standing.known_for < timedelta(days=rules.new_for_days):
        found.add("new_arrival")
    return frozenset(found)
