"""Fetches what a product sold in variations is sold as, for several products at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeAlias

from adapters.woocommerce.lists import LARGEST_PAGE, GoneError, ListReader
from adapters.woocommerce.paging import AtOnce, Window, walk
from adapters.woocommerce.parse import understand_variation
from adapters.woocommerce.records import Record
from connector.model import Fact, Product, Understanding, Understood
from connector.ports import Recalled
from connector.shop_fields import Slip
from connector.strict_json import Sound, examine

Variation: TypeAlias = Mapping[str, Any] | None
"""A variation as the shop lists it; ``None`` for one that cannot be read."""


def with_variations(
    read: Understood, variations_of: Callable[[str], Iterable[Variation]], slip: Slip
) -> Understood:
    """What was read, with the variations it wishes for fetched as well.

    ``variations_of`` gives those of a product by its id; what it raises goes through.
    """
    facts: list[Fact] = []
    flags = list(read.flags)
    for fact in read.facts:
        if not isinstance(fact, Product) or not read.wishes:
            facts.append(fact)
            continue
        found = [
            None if value is None else understand_variation(value, fact, slip)
            for value in variations_of(fact.id)
        ]
        variants = tuple(variant for variant in found if variant is not None)
        facts.append(replace(fact, variants=variants, all_variants=len(variants) == len(found)))
        if len(variants) < len(found) and "variation_not_readable" not in flags:
            flags.append("variation_not_readable")
    return Understood(facts=tuple(facts), flags=tuple(flags))


def complete(
    found: Sequence[Recalled], lists: ListReader, pool: Executor, slip: Slip
) -> list[Recalled]:
    """The same things, and those that wished for variations with them.

    Raises `TryLater` or `LaneDown`.
    """
    asked = {
        at: pool.submit(_completed, each.understanding, lists, slip)
        for at, each in enumerate(found)
        if isinstance(each.understanding, Understood) and each.understanding.wishes
    }
    return [
        replace(each, understanding=asked[at].result()) if at in asked else each
        for at, each in enumerate(found)
    ]


def _completed(read: Understood, lists: ListReader, slip: Slip) -> Understanding:
    try:
        return with_variations(read, lambda product: _listed(lists, product), slip)
    except GoneError:
        return Understood(flags=("gone_when_asked",))


def _listed(lists: ListReader, product: str) -> Iterator[Variation]:
    def fetch(offset: int) -> Window[Record]:
        page = lists.by_id(f"products/{product}/variations", {}, offset)
        return Window(
            offset=offset,
            ids=[record.id for record in page.records],
            things=page.records,
            total=page.total,
            is_last=page.is_last,
        )

    for stretch in walk(fetch, AtOnce(), size=LARGEST_PAGE, ahead=1):
        for record in stretch.things:
            examined = examine(record.body)
            yield examined.value if isinstance(examined, Sound) else None
