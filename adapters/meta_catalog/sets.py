"""Product sets: filters on labels that we set, made and kept true; nobody else's is touched.

https://developers.facebook.com/docs/marketing-api/reference/product-catalog/product_sets/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from adapters.graph_refusals import Refused, TooLarge
from adapters.meta_catalog.client import MetaCatalogClient
from connector.errors import TryLater
from connector.model import Json
from connector.ports import OWNER, Finding, Grade

MARK = "shop-connector/"
"""What the id begins with that we give to our sets; people name theirs by other ids, or by none."""

_SAME_FILTER = 10803


def keep(client: MetaCatalogClient, wanted: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Make and mend our sets. ``wanted`` gives the label and its text by the set's name.

    One that is wanted no more stays: advertisements may use it. Raises `TryLater` or `LaneDown`.
    """
    try:
        there = list(client.product_sets())
    except (Refused, TooLarge) as refused:
        raise TryLater(f"Meta would not show the product sets ({refused})") from None
    ours = {
        str(row["retailer_id"]).removeprefix(MARK): row
        for row in there
        if str(row.get("retailer_id") or "").startswith(MARK)
    }
    for name, (label, text) in wanted.items():
        rule = filter_of(label, text)
        if name not in ours:
            yield from _make(client, name, rule, there)
        elif not _same(ours[name].get("filter"), rule):
            yield from _change(client, name, ours[name], rule)
    for name in sorted(ours.keys() - wanted.keys()):
        yield Finding(
            what=f"the product set {name} is not in the mapping any more, and stays as it is: "
            "advertisements may use it",
            mend="Delete it in Commerce Manager > Sets, if nothing uses it.",
            who=OWNER,
            grade=Grade.NOTE,
        )


def filter_of(label: str, text: str) -> str:
    """The items whose label says this. Never empty: an empty filter is the whole catalog."""
    return msgspec.json.encode({label: {"eq": text}}).decode()


def _make(
    client: MetaCatalogClient, name: str, rule: str, there: list[Mapping[str, Any]]
) -> Iterator[Finding]:
    try:
        client.make_set({"name": name, "filter": rule, "retailer_id": MARK + name})
    except (Refused, TooLarge) as refused:
        if not (isinstance(refused, Refused) and refused.code == _SAME_FILTER):
            yield _refused(name, refused)
            return
        twin = next((row for row in there if _same(row.get("filter"), rule)), None)
        called = f" ({twin['name']})" if twin and isinstance(twin.get("name"), str) else ""
        yield Finding(
            what=f"the product set {name} is there already under another name{called}: that one is "
            "used, and left as it is",
            grade=Grade.NOTE,
        )


def _change(
    client: MetaCatalogClient, name: str, row: Mapping[str, Any], rule: str
) -> Iterator[Finding]:
    try:
        client.change_set(str(row["id"]), {"filter": rule})
    except (Refused, TooLarge) as refused:
        yield _refused(name, refused)


def _refused(name: str, refused: Exception) -> Finding:
    words = refused.words if isinstance(refused, Refused) else ""
    return Finding(
        what=f"Meta refuses the product set {name}",
        cause=words or str(refused) or "too large",
        mend="Look at the set in Commerce Manager > Sets, and at sets in the mapping.",
        who=OWNER,
    )


def _same(told: Json, rule: str) -> bool:
    """Whether a filter as Meta shows it says the same as ours."""
    if isinstance(told, str):
        try:
            told = msgspec.json.decode(told)
        except msgspec.DecodeError:
            return False
    return bool(told == msgspec.json.decode(rule))
