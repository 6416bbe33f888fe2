"""Runs GraphQL for the stand-in shop: checks a query, counts its points, and answers it.

A query costs 1 point for each object, 2 for a connection and then what its nodes cost, a mutation
10; Shopify's own figures differ in detail. https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_client_schema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    specified_rules,
    validate,
    value_from_ast_untyped,
)

from adapters.shopify.sandbox_doors import Bucket
from adapters.town.books import Body

MOST_FOR_ONE = 1000
"""No single query may cost more points."""
_MUTATION = 10
_CONNECTION = 2
_COMPOSITE = (GraphQLObjectType, GraphQLInterfaceType)
_LIMITS = "https://shopify.dev/api/usage/limits"


@dataclass(kw_only=True)
class Engine:
    """Answers queries. ``root`` has a function for each field of the root types.

    With ``admin``, the file of the whole Admin API's schema (its introspection), each query must
    first be valid there, and use nothing that is deprecated: stricter than the shop itself.
    """

    root: Mapping[str, Any]
    bucket: Bucket
    admin: Path | None = None
    _sound: dict[str, DocumentNode] = field(default_factory=dict)

    def run(self, query: str, variables: Mapping[str, Any], operation: str | None) -> Body:
        """The answer's body."""
        try:
            document = self._checked(query)
            chosen = _operation(document, operation)
            asked = self._count(document, chosen, variables)
        except UnsoundError as unsound:
            return {"errors": [_told(error) for error in unsound.errors]}
        except GraphQLError as error:
            return {"errors": [_told(error)]}
        if asked > MOST_FOR_ONE:
            return self._refused("MAX_COST_EXCEEDED", "Query cost is too high", asked)
        if not self.bucket.take(asked):
            return self._refused("THROTTLED", "Throttled", asked)
        result = execute_sync(
            _schema(),
            document,
            root_value=self.root,
            variable_values=dict(variables),
            operation_name=operation,
        )
        return self._answer(result, asked, self._count(document, chosen, variables, result.data))

    def run_in_bulk(self, query: str, variables: Body) -> tuple[Body | None, bool]:
        """An answer without points: its data, and whether something was denied."""
        document = parse(query)
        result = execute_sync(_schema(), document, root_value=self.root, variable_values=variables)
        return result.data, bool(result.errors)

    def checked(self, query: str) -> DocumentNode:
        """A query, if it is valid. Raises `UnsoundError`, `GraphQLError`."""
        return self._checked(query)

    def _answer(self, result: ExecutionResult, asked: int, used: int) -> Body:
        self.bucket.put_back(asked - used)
        body: Body = {"data": result.data}
        if result.errors:
            body["errors"] = [_told(error) for error in result.errors]
        return body | {"extensions": self._cost(asked, used)}

    def _checked(self, query: str) -> DocumentNode:
        known = self._sound.get(query)
        if known is not None:
            return known
        document = parse(query)
        errors: list[GraphQLError] = []
        if self.admin is not None:
            rules = (*specified_rules, NoDeprecatedCustomRule)
            errors = validate(_admin_schema(self.admin), document, rules)
        errors = errors or validate(_schema(), document)
        if errors:
            raise UnsoundError(errors)
        self._sound[query] = document
        return document

    def _refused(self, code: str, message: str, asked: int) -> Body:
        error = {"message": message, "extensions": {"code": code, "documentation": _LIMITS}}
        return {"errors": [error], "extensions": self._cost(asked, None)}

    def _cost(self, asked: int, used: int | None) -> Body:
        status = self.bucket.status()
        cost = {"requestedQueryCost": asked, "actualQueryCost": used, "throttleStatus": status}
        return {"cost": cost}

    def _count(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        data: Any = None,
    ) -> int:
        """The points of a query as asked, or with ``data`` of what was given."""
        counted = _Counting(document, _all(operation, variables), given=data is not None)
        mutates = operation.operation is OperationType.MUTATION
        parent = _schema().mutation_type if mutates else _schema().query_type
        cost = counted.of(operation.selection_set, parent, data)
        return cost + _MUTATION - 1 if mutates else cost


class UnsoundError(Exception):
    """A query is not valid."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors[0].message)


class _Counting:
    """Counts the points of selections; ``given`` counts only what an answer has."""

    def __init__(
        self, document: DocumentNode, variables: Mapping[str, Any], *, given: bool
    ) -> None:
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._variables = dict(variables)
        self._given = given

    def of(self, selections: SelectionSetNode | None, parent: Any, data: Any) -> int:
        """What is selected of an object."""
        total = 0
        for each in selections.selections if selections else ():
            match each:
                case FieldNode():
                    total += self._field(each, parent, data)
                case InlineFragmentNode(type_condition=condition):
                    kind = _schema().type_map[condition.name.value] if condition else parent
                    total += self.of(each.selection_set, kind, data)
                case FragmentSpreadNode():
                    fragment = self._fragments[each.name.value]
                    kind = _schema().type_map[fragment.type_condition.name.value]
                    total += self.of(fragment.selection_set, kind, data)
        return total

    def _field(self, node: FieldNode, parent: Any, data: Any) -> int:
        kind = _below(parent, node.name.value)
        if kind is None:
            return 0
        part = (data or {}).get((node.alias or node.name).value) if self._given else None
        if kind.name.endswith("Connection"):
            return self._connection(node, kind, part, self._first(node))
        parts = part if isinstance(part, list) else [part]
        if self._given:
            parts = [each for each in parts if each is not None] or ([None] if part else [])
        return sum(1 + self.of(node.selection_set, kind, each) for each in parts)

    def _first(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                return int(value_from_ast_untyped(argument.value, self._variables) or 0)
        return 0

    def _connection(self, node: FieldNode, kind: Any, part: Any, first: int) -> int:
        total = _CONNECTION
        for each in node.selection_set.selections if node.selection_set else ():
            if not isinstance(each, FieldNode) or each.name.value not in {"edges", "nodes"}:
                continue
            held = (part or {}).get((each.alias or each.name).value) or []
            entries = held if self._given else [None] * first
            below = get_named_type(kind.fields[each.name.value].type)
            plain = each.name.value == "nodes"
            total += sum(
                self.of(each.selection_set, below, entry) + (1 if plain else 0) for entry in entries
            )
        return total


@lru_cache(maxsize=4096)
def _below(parent: Any, name: str) -> GraphQLObjectType | GraphQLInterfaceType | None:
    """What a field holds, if that is more than a plain value; asked for every field answered."""
    defined = parent.fields.get(name) if isinstance(parent, _COMPOSITE) else None
    kind = get_named_type(defined.type) if defined else None
    return kind if isinstance(kind, _COMPOSITE) else None


def part_of(admin: Path) -> list[str]:
    """What the stand-in's schema has that the whole Admin API has not, or has otherwise.

    Countries and currencies are words here and choices there.
    """
    whole, strange = _admin_schema(admin), []
    for kind in _schema().type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        theirs = whole.type_map.get(kind.name)
        known = getattr(theirs, "fields", {})
        for name, each in kind.fields.items() if not kind.name.startswith("__") else ():
            other = known.get(name)
            if other is None or str(other.type) != str(each.type) or other.deprecation_reason:
                strange.append(f"{kind.name}.{name}")
                continue
            arguments = getattr(other, "args", {})
            strange += [
                f"{kind.name}.{name}({word})"
                for word, argument in getattr(each, "args", {}).items()
                if word not in arguments or str(arguments[word].type) != str(argument.type)
            ]
    return strange


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    named = [each for each in found if name is None or (each.name and each.name.value == name)]
    if len(named) != 1:
        raise GraphQLError("An operation name is required" if named else "No operation named so")
    return named[0]


def _all(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables, those that were left out with their defaults."""
    defaults = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    return {**defaults, **variables}


def _told(error: GraphQLError) -> Body:
    return dict(error.formatted)


@lru_cache(maxsize=1)
def _schema() -> GraphQLSchema:
    text = files("adapters.shopify") / "sandbox_schema.graphql"
    return build_schema(text.read_text("utf-8"))


@lru_cache(maxsize=2)
def _admin_schema(path: Path) -> GraphQLSchema:
    """The whole Admin API. It deprecates fields that its interfaces do not: that is let pass."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        told = json.load(text)
    return build_client_schema(told.get("data") or told, assume_valid=True)
