"""The stand-in's catalog: what it holds, and the batches it works on one after another."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.meta_catalog.sandbox_rules import item_faults, missing


@dataclass(slots=True)
class Batch:
    """What was asked in one call, how often it must be asked about, and what came of it."""

    requests: Sequence[Mapping[str, Any]]
    allow_upsert: bool
    looks: int
    status: str = "started"
    errors: list[dict[str, Any]] = field(default_factory=list)
    dispatched: bool = False


@dataclass(slots=True)
class Lapse:
    """How Meta is to take changes of an item, and not keep them.

    Of the next ``times`` changes it keeps all but ``fields``; nothing where none is named.
    """

    times: int
    fields: frozenset[str] = frozenset()


@dataclass(slots=True)
class Catalog:
    """One catalog. Its callers hold a lock.

    ``looks`` is how often a batch must be asked about until it is finished; ``refused`` gives words
    for items that Meta would not like; ``lapses`` are by item; ``only_warns`` lists faults as
    warnings, as Meta has done.
    """

    id: str
    name: str = "Wares"
    vertical: str = "commerce"
    feed_count: int = 0
    looks: int = 0
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lapses: dict[str, Lapse] = field(default_factory=dict)
    only_warns: bool = False
    gives_up: bool = False
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def take(self, requests: Sequence[Mapping[str, Any]], *, allow_upsert: bool) -> str:
        """Take a batch; gives its handle."""
        handle = f"AcxStandIn{next(self._numbers):08d}"
        self.batches[handle] = Batch(requests, allow_upsert, self.looks)
        if not self.looks:
            self.work(handle)
        return handle

    def look(self, handle: str) -> Batch | None:
        """A batch as it is when somebody asks; it may be finished by that."""
        batch = self.batches.get(handle)
        if batch is not None and not batch.dispatched:
            batch.looks -= 1
            if batch.looks <= 0:
                self.work(handle)
        return batch

    def work(self, handle: str) -> None:
        """Do what a batch asks."""
        batch = self.batches[handle]
        batch.dispatched = True
        if self.gives_up:
            batch.status = "error"
            return
        seen: set[str] = set()
        for line, request in enumerate(batch.requests):
            item_id = request["data"]["id"]
            fault = "Two requests for one item" if item_id in seen else self._do(request, batch)
            seen.add(item_id)
            if fault is not None:
                batch.errors.append({"line": line, "id": item_id, "message": fault})
        batch.status = "finished"

    def _do(self, request: Mapping[str, Any], batch: Batch) -> str | None:
        method, data = request["method"], request["data"]
        item_id = data["id"]
        if method == "DELETE":
            if self._lapse(item_id) is not None:
                return None
            self.nodes.pop(item_id, None)
            return None if self.items.pop(item_id, None) else "The product does not exist"
        if item_id in self.refused:
            return self.refused[item_id]
        faults = list(item_faults(method, data))
        held = self.items.get(item_id)
        if held is None and method == "UPDATE":
            lacking = missing(data) if batch.allow_upsert else iter(["The product does not exist"])
            faults += lacking
        if faults:
            return faults[0]
        lapse = self._lapse(item_id)
        if lapse is not None:
            if not lapse.fields:
                return None
            data = {name: value for name, value in data.items() if name not in lapse.fields}
        self.hold(item_id, {**(held or {}), **data})
        return None

    def _lapse(self, item_id: str) -> Lapse | None:
        """How a change of this item lapses, if it does; that is used up."""
        lapse = self.lapses.get(item_id)
        if lapse is None or not lapse.times:
            return None
        lapse.times -= 1
        return lapse

    def hold(self, item_id: str, item: Mapping[str, Any]) -> None:
        """Hold an item so; what is empty is not there. A new one gets a node of its own."""
        self.items[item_id] = {name: value for name, value in item.items() if value != ""}
        self.nodes.setdefault(item_id, f"{900_000_000 + next(self._numbers)}")

    def put_set(self, told: Mapping[str, Any]) -> str:
        """Make a product set; gives its id."""
        set_id = f"{700_000_000 + next(self._numbers)}"
        self.sets[set_id] = dict(told)
        return set_id

    def items_of(self, filter_text: str) -> list[str]:
        """The ids of the items that a filter lets through: one field that equals a text.

        https://developers.facebook.com/docs/marketing-api/reference/product-set/
        """
        ((name, test),) = json.loads(filter_text).items()
        return [
            item_id
            for item_id, item in self.items.items()
            if str(item.get(name, "")).casefold() == str(test.get("eq")).casefold()
        ]


def same_filter(one: str, other: str) -> bool:
    """Whether two filters say the same, spaces apart."""
    return bool(json.loads(one) == json.loads(other))
