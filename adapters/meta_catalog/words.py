"""From a change of ours to Meta's words, and from its words back to what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from adapters.meta_catalog import preflight
from adapters.meta_catalog.preflight import LONGEST_ID, price_text
from adapters.meta_catalog.variants import ADDITIONAL, variant_fields
from connector.doubts import possible, versions
from connector.model import Change, Json, Outcome, Parked, Record, Settled

Data: TypeAlias = dict[str, Json]

# https://developers.facebook.com/docs/commerce-platform/catalog/fields, availability
_AVAILABLE: Mapping[str | None, str] = {
    "in_stock": "in stock",
    "out_of_stock": "out of stock",
    "on_backorder": "available for order",
    None: "in stock",
}
_SALE_BEGINS = "1970-01-01T00:00:00Z"
_SALE_ENDS = "2038-01-01T00:00:00Z"
_OVER = "1970-01-01T00:00:00Z/1970-01-02T00:00:00Z"

# Of an update, Meta changes only what it names. These it forgets when they are empty; the others
# cannot be taken away, only changed.
_EMPTIED = frozenset(
    {
        *("brand", "mpn", "color", "size", "material", "pattern", ADDITIONAL, "product_type"),
        *("google_product_category", "fb_product_category", "shipping_weight", "origin_country"),
        *("commerce_tax_category", *(f"custom_label_{number}" for number in range(5))),
    }
)
_SALE = ("sale_price", "sale_price_effective_date")
_ALWAYS = frozenset({"id", "status", "group", "title", "url", "price"})
_GONE = re.compile(r"not exist|not found|no such|cannot find|couldn.t find", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send for one change: at most one request for each item's id."""

    change: Change
    requests: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    note: str = ""

    @property
    def key(self) -> str:
        """Whose record it is."""
        return self.change.key


def plan(change: Change) -> Plan | Outcome:
    """The requests for a change; or the outcome when there is nothing to send."""
    before, after = change.before, change.after
    if before == after:
        return Settled()
    old_ids = _ids(before)
    if after is None:
        if not old_ids:
            return Settled()
        return Plan(change=change, requests={each: _deletion(each) for each in old_ids})
    item_id = str(after.fields.get("id"))
    requests = {each: _deletion(each) for each in old_ids if each != item_id}
    checked = preflight.check(after.fields)
    if isinstance(checked, Parked):
        if item_id not in old_ids or after.fields.get("status") != "archived":
            return checked
        # What nobody is shown needs no more than that.
        hidden = {"id": item_id, "availability": "out of stock", "status": "archived"}
        return Plan(
            change=change, requests={**requests, item_id: {"method": "UPDATE", "data": hidden}}
        )
    clean, left_out = checked
    data = _data(clean)
    if before is not None and (item_id in old_ids or not old_ids):
        empty, kept = _taken_away(before, after, data)
        data = {**data, **empty}
        left_out = [*left_out, *kept]
    requests[item_id] = {"method": "UPDATE", "data": data}
    note = f"not set: {', '.join(sorted(left_out))}" if left_out else ""
    return Plan(change=change, requests=requests, note=note)


def body(fields: Mapping[str, Any]) -> Data | None:
    """An item as Meta would be told of it; ``None`` when it would refuse it."""
    checked = preflight.check(fields)
    return None if isinstance(checked, Parked) else _data(checked[0])


def _ids(before: Record | None) -> list[str]:
    """The ids under which it may be held: two of them when an answer was lost meanwhile."""
    told = possible(before.fields.get("id")) if before else ()
    return list(dict.fromkeys(str(each) for each in told if each))


def _deletion(item_id: str) -> Mapping[str, Json]:
    return {"method": "DELETE", "data": {"id": item_id}}


def _data(clean: Mapping[str, Any]) -> Data:
    archived = clean.get("status") == "archived"
    currency, price = clean["currency"], clean["price"]
    data: Data = {
        "id": clean["id"],
        "title": clean["title"],
        "description": clean["description"],
        "availability": "out of stock" if archived else _AVAILABLE[clean.get("stock")],
        "condition": "new",
        "price": price_text(price, currency),
        "link": clean["url"],
        "image_link": clean["image_url"],
        "item_group_id": clean["group"],
        "status": "archived" if archived else "active",
        **variant_fields(clean.get("options") or {}),
        **clean["mapped"],
    }
    if not ("brand" in data or "mpn" in data or "gtin" in data):
        data["mpn"] = (clean.get("sku") or clean["id"])[:LONGEST_ID]  # Meta wants one of three
    sale = clean.get("sale_price")
    if sale is not None and 0 < sale < price:
        data["sale_price"] = price_text(sale, currency)
        begin, end = clean.get("sale_from"), clean.get("sale_to")
        data["sale_price_effective_date"] = f"{begin or _SALE_BEGINS}/{end or _SALE_ENDS}"
    return data


def _taken_away(before: Record, after: Record, data: Data) -> tuple[Data, list[str]]:
    """What must be said so that Meta forgets what the item had; and what it cannot forget.

    A sale is over when its time is: an empty price is none. Where it was read back, and what it
    has is not what it was told, it may have anything besides: all is said then.
    """
    held: Data = {}
    for version in versions(before.fields):
        held |= body(version) or {}
    if _ALWAYS - before.fields.keys() or "mapped" in after.fields.keys() - before.fields.keys():
        held |= dict.fromkeys((*_EMPTIED, *_SALE))
    gone = held.keys() - data.keys()
    empty: Data = dict.fromkeys(sorted(gone & _EMPTIED), "")
    if "sale_price" in gone:
        empty |= {"sale_price": data["price"], "sale_price_effective_date": _OVER}
    return empty, sorted(gone - _EMPTIED - set(_SALE))


def judge(each: Plan, invalid: Mapping[str, str]) -> Outcome:
    """What became of a change, when Meta has named what is wrong with which items."""
    for item_id, request in each.requests.items():
        words = invalid.get(item_id)
        if words is None or (request["method"] == "DELETE" and _GONE.search(words)):
            continue
        return Parked(
            reason=f"refused by Meta: {words}",
            mend="Correct it in the shop, then it is sent again by itself; or look at the item in "
            "Commerce Manager.",
        )
    return Settled(note=each.note)
