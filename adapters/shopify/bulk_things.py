"""Puts a thing of a bulk operation's file together as a query for it alone would have shown it."""

from __future__ import annotations

from typing import Any

from adapters.shopify.asking import Whole
from adapters.shopify.bulk_lines import Node, Thing, gid_mark
from adapters.shopify.kinds import SHELVES
from connector.model import Kind

_MOST_METAFIELDS = 25
"""As many as a query for one thing shows: the file has them all."""
_METAFIELD = "Metafield"
_METAFIELD_WORDS = ("namespace", "key", "value")


def joined(kind: Kind, thing: Thing) -> Whole | None:
    """The thing with its parts and their pictures; ``None`` if it has no line of its own."""
    if thing.root is None:
        return None
    shelf, root = SHELVES[kind], thing.root
    if kind is not Kind.ORDER:
        root["metafields"] = {"nodes": _metafields(thing)}
    parts = _of_kind(thing.children, shelf.part) if shelf.part else []
    if kind is Kind.PRODUCT:
        _hang_pictures(thing.children, parts)
    return Whole(node=root, parts=parts, denied=())


def _metafields(thing: Thing) -> list[dict[str, Any]]:
    own = _of_kind(thing.children, _METAFIELD)
    first = sorted(own, key=lambda each: (len(each["id"]), each["id"]))[:_MOST_METAFIELDS]
    return [{word: each.get(word) for word in _METAFIELD_WORDS} for each in first]


def _of_kind(children: list[Node], kind: str) -> list[Node]:
    mark = gid_mark(kind)
    return [each for each in children if str(each.get("id")).startswith(mark)]


def _hang_pictures(children: list[Node], variants: list[Node]) -> None:
    """A variant's first picture: its other children are none of this product's own."""
    by_parent: dict[object, Node] = {}
    for child in children:
        by_parent.setdefault(child.get("__parentId"), child)
    for variant in variants:
        picture = by_parent.get(variant.get("id"))
        variant["media"] = {"nodes": [picture] if picture else []}
