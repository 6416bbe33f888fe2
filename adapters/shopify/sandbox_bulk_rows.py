"""Writes the answer to a bulk query as the stand-in's shop does: one line for each object.

A query is answered page by page and then taken apart; so a line has what the query would have
shown. https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from adapters.shopify.sandbox_pages import WITHOUT_END
from adapters.shopify.sandbox_words import rails_json
from adapters.town.books import Body

MOST_CONNECTIONS = 5
DEEPEST = 2
"""How often a connection may be inside another."""
_A_PAGE = 250
_AFTER = VariableNode(name=NameNode(value="after"))

Run = Callable[[str, Body], tuple[Body | None, bool]]
"""Answers a query with variables: the data, and whether something in it was denied."""


class NotForBulkError(Exception):
    """A query that is not taken in bulk."""


class DeniedInBulkError(Exception):
    """A query asks for what the app may not see."""


def check(document: DocumentNode) -> None:
    """Raises `NotForBulkError` for what Shopify refuses in bulk."""
    (operation, *others) = document.definitions
    if others or not isinstance(operation, OperationDefinitionNode):
        raise NotForBulkError("exactly one operation")
    if operation.variable_definitions or len(operation.selection_set.selections) != 1:
        raise NotForBulkError("no variables, and one field at the root")
    depths = list(_depths(operation.selection_set, 0))
    if not depths or len(depths) > MOST_CONNECTIONS or max(depths) > DEEPEST:
        raise NotForBulkError("one to five connections, at most two inside another")


def lines(query: str, run: Run, *, grouped: bool, chance: random.Random) -> list[bytes]:
    """All lines; if not ``grouped``, children stand anywhere after their parent."""
    told = [line for node in _roots(query, run) for line in _apart(node, None)]
    if not grouped:
        told = _scattered(told, chance)
    return [rails_json(each) for each in told]


def _roots(query: str, run: Run) -> Iterator[Body]:
    selected = _selected(visit(parse(query), _Paging()))
    text = f"query Bulk($after: String) {print_ast(selected)}"
    (field,) = selected.selections
    after: str | None = None
    while True:
        data, denied = run(text, {"after": after})
        if denied or data is None or not isinstance(field, FieldNode):
            raise DeniedInBulkError
        page = data[field.name.value]
        yield from (edge["node"] for edge in page["edges"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _selected(document: DocumentNode) -> SelectionSetNode:
    (operation,) = document.definitions
    if not isinstance(operation, OperationDefinitionNode):
        raise NotForBulkError("exactly one operation")
    return operation.selection_set


def _apart(node: Body, parent: str | None) -> Iterator[Body]:
    own = {key: value for key, value in node.items() if not _is_connection(value)}
    yield own if parent is None else {**own, "__parentId": parent}
    for value in node.values():
        if _is_connection(value):
            for edge in value["edges"]:
                yield from _apart(edge["node"], node["id"])


def _scattered(told: Sequence[Body], chance: random.Random) -> list[Body]:
    """Each child at a place of chance behind its parent."""
    places: dict[Any, float] = {}
    for number, each in enumerate(told):
        parent = each.get("__parentId")
        begin = places[parent] if parent else number / (4 * len(told))
        places[each["id"]] = begin + (chance.uniform(0.001, 1) if parent else 0)
    return sorted(told, key=lambda each: places[each["id"]])


def _is_connection(value: object) -> bool:
    return isinstance(value, dict) and "edges" in value


def _depths(selections: SelectionSetNode | None, depth: int) -> Iterator[int]:
    for each in selections.selections if selections else ():
        if isinstance(each, FieldNode):
            inside = _names(each)
            if inside & {"edges", "nodes"}:
                yield depth
            yield from _depths(each.selection_set, depth + ("edges" in inside or "nodes" in inside))


def _names(field: FieldNode) -> set[str]:
    selections = field.selection_set.selections if field.selection_set else ()
    return {each.name.value for each in selections if isinstance(each, FieldNode)}


class _Paging(Visitor):
    """Asks for all of every connection, and for the outermost in pages."""

    def enter_field(
        self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]
    ) -> FieldNode | None:
        if "edges" not in _names(node):
            return None
        if any(isinstance(each, FieldNode) for each in ancestors):
            return _with(node, "first", IntValueNode(value=str(WITHOUT_END)))
        more = _selected(parse("{ pageInfo { hasNextPage endCursor } }"))
        paged = _with(_with(node, "first", IntValueNode(value=str(_A_PAGE))), "after", _AFTER)
        return _rebuilt(paged, paged.arguments or (), more.selections)


def _with(node: FieldNode, name: str, value: ValueNode) -> FieldNode:
    """A copy with one argument put in; ``first`` in a bulk query is passed over."""
    kept = [each for each in node.arguments or () if each.name.value != name]
    argument = ArgumentNode(name=NameNode(value=name), value=value)
    return _rebuilt(node, [*kept, argument], ())


def _rebuilt(
    node: FieldNode, arguments: Sequence[ArgumentNode], more: Sequence[SelectionNode]
) -> FieldNode:
    inside = node.selection_set.selections if node.selection_set else ()
    return FieldNode(
        name=node.name,
        alias=node.alias,
        directives=node.directives or (),
        arguments=tuple(arguments),
        selection_set=SelectionSetNode(selections=(*inside, *more)),
    )
