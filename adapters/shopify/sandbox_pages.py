"""Lists in pages, as GraphQL turns them: connections with cursors, searches, and orders.

https://shopify.dev/docs/api/usage/pagination-graphql, https://shopify.dev/docs/api/usage/search-syntax.
A search that the stand-in does not know is refused; the shop itself would ignore that part.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from adapters.town.books import Body, Books, opened

LARGEST_PAGE = 250
WITHOUT_END = 2**31 - 1
"""A page of everything: only a bulk query is answered so, any other would cost too much."""
Given: TypeAlias = Mapping[str, Any]
"""The arguments of a connection."""
_SORTS = {"ID": "id", "UPDATED_AT": "modified", "CREATED_AT": "created", "PROCESSED_AT": "created"}
_DATES = {"updated_at": "modified", "created_at": "created"}
_EVERYTHING = {("status", "any"), ("method", "code")}  # there are no other discounts here
_TERM = re.compile(r"(?P<name>[a-z_]+):(?P<how>>=|<=|>|<|)(?:'(?P<quoted>[^']*)'|(?P<plain>\S+))")


class BadArgumentError(Exception):
    """A list cannot be given so."""


def connection(nodes: Sequence[Body], given: Given) -> Body:
    """A page of things at hand."""
    first, start = _first(given), 0
    ordered = list(reversed(nodes)) if given.get("reverse") else list(nodes)
    if given.get("after"):
        start = int(_opened(given["after"])["at"]) + 1
    page = ordered[start : start + first]
    cursors = [_cursor(at=start + place) for place in range(len(page))]
    return _page(page, cursors, more=len(ordered) > start + first, turned=start > 0)


def shelf(
    books: Books,
    table: str,
    given: Given,
    view: Callable[[Body], Body],
    *,
    within: str = "1",
    values: tuple[Any, ...] = (),
) -> Body:
    """A page of one table. ``within`` is our own SQL that narrows the list."""
    first, word = _first(given), given.get("sortKey") or "ID"
    if word not in _SORTS:
        raise BadArgumentError(f"the stand-in does not sort by {word}")
    key, back = _SORTS[word], bool(given.get("reverse"))
    clauses, more = _search(given.get("query"))
    clauses, values = [within, *clauses], (*values, *more)
    if given.get("after"):
        sign, after = "<" if back else ">", _opened(given["after"])
        clauses.append(f"({key} {sign} ? OR ({key} = ? AND id {sign} ?))")
        values = (*values, after["key"], after["key"], after["id"])
    turn = "DESC" if back else "ASC"
    where = " AND ".join(f"({clause})" for clause in clauses)
    rows = books.rows(table, where, values, f"ORDER BY {key} {turn}, id {turn} LIMIT {first + 1}")
    page = rows[:first]
    cursors = [_cursor(key=row[key], id=row["id"]) for row in page]
    nodes = [view(opened(row)) for row in page]
    return _page(nodes, cursors, more=len(rows) > first, turned=bool(given.get("after")))


def counted(books: Books, table: str, given: Given) -> Body:
    """How many of a table a search finds."""
    clauses, values = _search(given.get("query"))
    where = " AND ".join(f"({clause})" for clause in clauses) or "1"
    return {"count": books.count(table, where, values), "precision": "EXACT"}


def _first(given: Given) -> int:
    first = given.get("first")
    if first is None:
        raise BadArgumentError("you must provide one of first or last")
    if not 0 < first <= LARGEST_PAGE and first != WITHOUT_END:
        raise BadArgumentError(f"first must be between 1 and {LARGEST_PAGE}")
    return int(first)


def _page(nodes: Sequence[Body], cursors: Sequence[str], *, more: bool, turned: bool) -> Body:
    pairs = zip(nodes, cursors, strict=True)
    return {
        "nodes": list(nodes),
        "edges": [{"node": node, "cursor": cursor} for node, cursor in pairs],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": turned,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _search(query: str | None) -> tuple[list[str], tuple[Any, ...]]:
    clauses: list[str] = []
    values: list[Any] = []
    rest = query or ""
    for term in _TERM.finditer(rest):
        name, how = term["name"], term["how"] or "="
        text = term["plain"] if term["quoted"] is None else term["quoted"]
        if name in _DATES:
            clauses.append(f"{_DATES[name]} {how} ?")
            values.append(int(datetime.fromisoformat(text).timestamp()))
        elif name == "id":
            clauses.append(f"id {how} ?")
            values.append(int(text))
        elif name == "email":
            clauses.append("email = ?")
            values.append(text.lower())
        elif (name, text) not in _EVERYTHING:
            raise BadArgumentError(f"the stand-in does not search by {name}")
    if _TERM.sub("", rest).replace("AND", "").strip():
        raise BadArgumentError("the stand-in does not understand that search")
    return clauses, tuple(values)


def _cursor(**place: Any) -> str:
    return base64.b64encode(json.dumps(place).encode()).decode()


def _opened(cursor: str) -> Body:
    try:
        place: Body = json.loads(base64.b64decode(cursor, validate=True))
    except ValueError:
        raise BadArgumentError("Invalid cursor for current pagination sort.") from None
    return place
