"""Turns the pages of a list, whole things or their ids, while the shop goes on changing it.

A page is asked for by the last thing of the one before, never by a number, so that what comes or
goes in between shifts nothing. Read by id, a thing never moves. Read by the time of its last
change, it can only move on to a page that is still to come, and many of one moment are told apart
by their id. https://shopify.dev/docs/api/usage/pagination-graphql
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.shopify import translate
from adapters.shopify.asking import Ask, Whole, fetch
from adapters.shopify.kinds import SHELVES, Shelf
from adapters.shopify.reading import read_gid
from connector.errors import TryLater
from connector.model import Kind, Wish
from connector.moments import to_text
from connector.shop_fields import read_whole

OVERLAP = timedelta(minutes=5)
"""How much earlier than asked: clocks differ, and Shopify's search is a little behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Things with all their parts, and where the next page begins; ``None`` after the last."""

    things: Sequence[Whole]
    after: str | None
    total: int | None


def whole(ask: Ask, kind: Kind, *, since: datetime | None, after: str | None) -> Iterator[Page]:
    """Everything, by id, or what was changed at ``since`` or later, by the time of the change."""
    shelf = SHELVES[kind]
    changed = f"updated_at:>='{to_text(since - OVERLAP)}'" if since else None
    search = " AND ".join(term for term in (shelf.only, changed) if term)
    more = {"changed": search or None, "sort": "UPDATED_AT" if since else "ID"}
    for answer, nodes, cursor in _turn(ask, shelf.page, shelf, after, more):
        total = answer.data.get("total")
        yield Page(
            things=[each for node in nodes if (each := _all_of(ask, kind, node, answer.denied))],
            after=cursor,
            total=read_whole(total.get("count")) if isinstance(total, dict) else None,
        )


def ids(ask: Ask, kind: Kind) -> Iterator[list[str]]:
    """Every id of a kind."""
    shelf = SHELVES[kind]
    for _, nodes, _ in _turn(ask, shelf.ids, shelf, None, {}):
        yield [found for node in nodes if (found := read_gid(node.get("id"), *shelf.one))]


def _turn(
    ask: Ask, query: str, shelf: Shelf, after: str | None, more: Mapping[str, Any]
) -> Iterator[tuple[Any, list[Mapping[str, Any]], str | None]]:
    while True:
        answer = ask(query, {"after": after, **more})
        connection = answer.data.get(shelf.many)
        match connection.get("pageInfo") if isinstance(connection, dict) else None:
            case {"hasNextPage": False}:
                follows = None
            case {"hasNextPage": True, "endCursor": str(cursor)} if cursor != after:
                follows = cursor
            case _:
                raise TryLater(f"the list of {shelf.many} does not say where it goes on")
        yield answer, translate.nodes_in(connection), follows
        if follows is None:
            return
        after = follows


def _all_of(ask: Ask, kind: Kind, node: Mapping[str, Any], denied: tuple[str, ...]) -> Whole | None:
    """A thing of a page; one whose parts do not fit in there is asked for as a whole."""
    shelf = SHELVES[kind]
    parts = node.get(shelf.parts) if shelf.parts else None
    info = parts.get("pageInfo") if isinstance(parts, dict) else None
    if isinstance(info, dict) and info.get("hasNextPage") is not False:
        found = read_gid(node.get("id"), *shelf.one)
        return fetch(ask, Wish(kind=kind, id=found)) if found else None
    return Whole(node=node, parts=translate.nodes_in(parts), denied=denied)
