"""The questions themselves: valid on Shopify's own schema, with nothing that is on its way out."""

from __future__ import annotations

import gzip
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    NoDeprecatedCustomRule,
    build_client_schema,
    parse,
    validate,
)

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
    *("product", "shop", "webhooks", "bulk_list", "bulk_look"),
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
