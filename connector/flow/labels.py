"""Labels that change as time passes: what sells well in its shop, and what is new there."""

from __future__ import annotations

from datetime import datetime, timedelta

from connector.flow.rules import Holds, Rules, Target
from connector.model import Lane
from connector.sales_keys import Place
from connector.store import catalog, outbox, popularity
from connector.store.connect import Store
from connector.store.popularity import Look
from connector.store.sql import chunks
from mappings.grammar import ItemRules
from mappings.item_facts import OVER_TIME
from mappings.item_labels import over_time

EVERY = timedelta(hours=1)
"""How often the products are looked at."""


def drain(store: Store, rules: Rules, *, now: datetime) -> int:
    """Look at the products once an hour, and mark the items due whose labels changed.

    Gives how many. Nothing is looked at where no catalog has such a label. Raises
    `StoreUnavailable`.
    """
    targets = [target for target in rules.holding(Holds.ITEMS) if _labels(target)]
    if not targets:
        return 0
    with store.read() as conn:
        at = popularity.looked_at(conn)
        if at is not None and timedelta(0) <= now - at < EVERY:
            return 0
        old = popularity.last_look(conn)
        new = popularity.look(conn, rules.counting, now=now)
        due = {target.name: _changed(target, old, new) for target in targets}
        variants = {
            target: {place for some in chunks(changed) for place in catalog.variants_of(conn, some)}
            for target, changed in due.items()
        }
    with store.write() as conn:
        popularity.keep(conn, old, new, now=now)
        for target, places in variants.items():
            keys = dict.fromkeys((catalog.key_of(place) for place in places), Lane.NORMAL)
            outbox.mark_due(conn, target, keys, now=now)
    return sum(map(len, variants.values()))


def _labels(target: Target) -> set[str]:
    """Those of the labels that change by themselves."""
    return {*OVER_TIME} & set(target.mapping.labels.values())


def _changed(target: Target, old: Look, new: Look) -> list[Place]:
    """The products whose labels at this catalog are others now."""
    rules, used = target.mapping.items or ItemRules(), _labels(target)
    return [
        place
        for place, standing in new.standings.items()
        if place[0] in target.shops
        and over_time(standing, rules) & used != over_time(old.standings.get(place), rules) & used
    ]
