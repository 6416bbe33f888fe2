"""Requests packed into calls: as few as possible, none larger than Meta takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from adapters.meta_catalog.words import Plan
from connector.model import Parked

MOST_ITEMS = 5_000
MOST_BYTES = 28_000_000
"""The most that one call takes.

https://developers.facebook.com/docs/marketing-api/reference/product-catalog/items_batch/
"""

_ITSELF_IN_A_FORM = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~ "
_FRAME = 1_000  # what stands around the requests
_DUPLICATE = Parked(
    reason="duplicate_id",
    mend="Another item of this catalog has the same id: put {shop} into the mapping's items.id.",
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A plan, its requests as JSON, and the bytes they take in a call."""

    plan: Plan
    text: str
    size: int

    @classmethod
    def pack(cls, plan: Plan) -> Parcel:
        """Write the requests of a plan."""
        raw = b",".join(msgspec.json.encode(request) for request in plan.requests.values())
        # In a form every other byte takes three.
        size = len(raw) + 2 * len(raw.translate(None, delete=_ITSELF_IN_A_FORM)) + 3
        return cls(plan, raw.decode(), size)


def calls(parcels: Iterable[Parcel]) -> Iterator[list[Parcel]]:
    """The parcels in their order, in as few calls as can be."""
    batch: list[Parcel] = []
    items, size = 0, _FRAME
    for parcel in parcels:
        more = len(parcel.plan.requests)
        if batch and (items + more > MOST_ITEMS or size + parcel.size > MOST_BYTES):
            yield batch
            batch, items, size = [], 0, _FRAME
        batch.append(parcel)
        items, size = items + more, size + parcel.size
    if batch:
        yield batch


def body(parcels: Sequence[Parcel]) -> str:
    """The requests of a call as the JSON text of a list."""
    return f"[{','.join(parcel.text for parcel in parcels)}]"


def one_each(plans: Iterable[Plan]) -> tuple[list[Plan], dict[str, Parked]]:
    """The plans with no item's id in two of them, and what is wrong with those left out.

    Which of two changes of one item would stay, Meta does not say. An id that one item leaves and
    another takes is not deleted.
    """
    kept: list[Plan] = []
    parked: dict[str, Parked] = {}
    written: set[str] = set()
    for plan in plans:
        ids = {item_id for item_id, request in plan.requests.items() if _writes(request)}
        if ids & written:
            parked[plan.change.key] = _DUPLICATE
            continue
        written |= ids
        kept.append(plan)
    return [_without_deletions(plan, written) for plan in kept], parked


def _without_deletions(plan: Plan, written: set[str]) -> Plan:
    requests = {
        item_id: request
        for item_id, request in plan.requests.items()
        if _writes(request) or item_id not in written
    }
    return plan if len(requests) == len(plan.requests) else replace(plan, requests=requests)


def _writes(request: object) -> bool:
    return isinstance(request, dict) and request["method"] != "DELETE"
