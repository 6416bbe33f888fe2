"""The questions themselves: valid on Shopify's own schema, with nothing that is on its way out."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    build_client_schema,
    parse,
    specified_rules,
    validate,
)

from adapters.shopify.bulk import query_for
from adapters.shopify.client import query_text
from adapters.shopify.shop import CURRENT_VERSION

NAMES = sorted(Path(file.name).stem for file in (files("adapters.shopify") / "queries").iterdir())


@pytest.fixture(scope="module")
def schema(corpus: Path) -> GraphQLSchema:
    """The Admin API's schema of the version we ask."""
    packed = corpus / "specs" / "shopify" / f"admin_{CURRENT_VERSION}.json.gz"
    told: Any = json.loads(gzip.decompress(packed.read_bytes()))
    # Shopify deprecates fields of interfaces that are not deprecated, which is else refused.
    return build_client_schema(told.get("data") or told, assume_valid=True)


CHANGING = [
    *("bulk_start", "take_back_email", "take_back_sms"),
    *("webhook_create", "webhook_delete", "webhook_update"),
]
ASKING = [
    *("check_up", "customer", "discount", "fingerprint", "inventory_item", "order", "permissions"),
    *("product", "scopes", "shop", "webhooks", "bulk_list", "bulk_look"),
    *("ids_discounts", "page_discounts"),
    *(
        f"{how}_{what}"
        for how in ("bulk", "ids", "page")
        for what in ("customers", "orders", "products")
    ),
]


def test_all_are_there() -> None:
    """One file for each thing that is asked for, and those that change anything."""
    assert sorted(ASKING + CHANGING) == NAMES


@pytest.mark.corpus
@pytest.mark.parametrize("name", NAMES)
def test_valid(schema: GraphQLSchema, name: str) -> None:
    """Shopify would take the question, and takes none of its words away soon."""
    document = parse(query_text(name))
    assert [] == [error.message for error in validate(schema, document)]
    assert [] == [error.message for error in validate(schema, document, [NoDeprecatedCustomRule])]


@pytest.mark.corpus
def test_the_check_can_fail(schema: GraphQLSchema) -> None:
    """A wrong field and a deprecated one are both seen."""
    wrong = parse("{ shop { timezone } }")
    assert 1 == len(validate(schema, wrong))
    old = parse('{ customer(id: "gid://shopify/Customer/1") { email } }')
    assert [] == validate(schema, old)
    assert 1 == len(validate(schema, old, [NoDeprecatedCustomRule]))


def operations(name: str) -> list[str]:
    kinds = [
        definition.to_dict().get("operation") for definition in parse(query_text(name)).definitions
    ]
    return [kind for kind in kinds if kind is not None]


@pytest.mark.parametrize("name", ASKING)
def test_changes_nothing(name: str) -> None:
    """Every question is one query: asking twice does no harm."""
    assert ["query"] == operations(name)


@pytest.mark.parametrize("name", CHANGING)
def test_changes_one_thing(name: str) -> None:
    """A webhook, a permission that is taken back, or the start of a reading: one at a time."""
    assert ["mutation"] == operations(name)
    (field,) = re.findall(r"^  (\w+)\(", query_text(name), re.MULTILINE)
    assert field in {
        *("webhookSubscriptionCreate", "webhookSubscriptionUpdate", "webhookSubscriptionDelete"),
        *("customerEmailMarketingConsentUpdate", "customerSmsMarketingConsentUpdate"),
        "bulkOperationRunQuery",
    }


@pytest.mark.parametrize("name", [each for each in CHANGING if each.startswith("take_back")])
def test_no_permission_is_ever_given(name: str) -> None:
    """Only that one was taken back is written."""
    assert "marketingState: UNSUBSCRIBED" in query_text(name)
    assert 1 == query_text(name).count("SUBSCRIBED")


# --- One thing asked for alone, in a page and in bulk ------------------------------------------

SAME = [("customer", "customers"), ("order", "orders"), ("product", "products")]
_PARTS_OF_LISTS = {"pageInfo"}


def selected(name: str) -> Any:
    """What a query shows of one thing, without how its lists are turned."""
    document = parse(query_text(name))
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }

    def of(selections: SelectionSetNode | None) -> Any:
        shown: dict[str, Any] = {}
        for each in selections.selections if selections else ():
            match each:
                case FragmentSpreadNode():
                    shown |= of(fragments[each.name.value])
                case InlineFragmentNode(type_condition=sort):
                    shown[f"... on {sort.name.value if sort else ''}"] = of(each.selection_set)
                case FieldNode() if each.name.value in {"edges", "nodes", "node"}:
                    shown |= of(each.selection_set)
                case FieldNode() if each.name.value not in _PARTS_OF_LISTS:
                    shown[each.name.value] = of(each.selection_set)
        return shown

    (operation,) = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    root = of(operation.selection_set)
    return next(value for key, value in root.items() if not key.endswith("Count"))


@pytest.mark.parametrize(("one", "many"), SAME)
@pytest.mark.parametrize("way", ["page", "bulk"])
def test_every_way_shows_the_same(one: str, many: str, way: str) -> None:
    """However a thing is read, what is asked of it is the same; in bulk, parts have names too."""
    alone, among = selected(one), selected(f"{way}_{many}")
    if way == "bulk":
        for part in (among.get("metafields"), among.get("variants", {}).get("media")):
            if part is not None:
                del part["id"]
    assert alone == among


def test_a_page_of_discounts_shows_what_one_alone_shows() -> None:
    """All sorts of discount, with the same fields; they are too few to be read in bulk."""
    alone = selected("discount")
    assert 4 == sum(name.startswith("... on") for name in alone["discount"])
    assert alone == selected("page_discounts")


@pytest.mark.parametrize("many", [many for _, many in SAME])
def test_bulk_queries_keep_the_rules(many: str) -> None:
    """One field at the root, no variables or fragments, five lists at most, two inside another.

    https://shopify.dev/docs/api/usage/bulk-operations/queries
    """
    (operation,) = parse(query_text(f"bulk_{many}")).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert not operation.variable_definitions
    assert 1 == len(operation.selection_set.selections)
    assert 1 == query_text(f"bulk_{many}").count('(query: "")')
    depths = list(_lists(operation.selection_set, 0))
    assert 1 <= len(depths) <= 5
    assert max(depths) <= 2


def _lists(selections: SelectionSetNode | None, depth: int) -> Iterator[int]:
    for each in selections.selections if selections else ():
        assert isinstance(each, FieldNode)
        inside = each.selection_set
        is_list = inside is not None and any(
            isinstance(one, FieldNode) and one.name.value == "edges" for one in inside.selections
        )
        if is_list:
            yield depth
        yield from _lists(inside, depth + is_list)


@pytest.mark.corpus
@pytest.mark.parametrize("many", [many for _, many in SAME])
@pytest.mark.parametrize("since", [None, datetime(2026, 11, 1, tzinfo=UTC)])
def test_bulk_queries_as_they_are_sent(
    schema: GraphQLSchema, many: str, since: datetime | None
) -> None:
    """With and without a moment in it, what is sent is valid."""
    text = query_for(f"bulk_{many}", since)
    assert ("updated_at:>='2026-11-01T00:00:00Z'" in text) == (since is not None)
    assert ("query:" in text) == (since is not None)
    rules = (*specified_rules, NoDeprecatedCustomRule)
    assert [] == [error.message for error in validate(schema, parse(text), rules)]
