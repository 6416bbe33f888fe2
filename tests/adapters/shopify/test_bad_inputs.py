"""Bodies that are no JSON, or not quite: kept for a person with the reason, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.shopify.parse import TOPICS, Place, understand
from connector.model import Delivery, Ignored, Order, Quarantined, Understanding, Understood

Build = Callable[..., dict[str, Any]]
Facts = Callable[..., tuple[Any, ...]]
Read = Callable[..., Understanding]
Why = Callable[..., str]

PLACE = Place(domain="y.myshopify.com", api_version="2026-10", currency="NOK", storefront="s")

BROKEN = [
    (b"", "empty"),
    (b"  ", "empty"),
    (b"{order_id:123,status:paid}", "not_json"),
    (b'{"id":1', "not_json"),
    ('{"id":1}'.encode("utf-16"), "encoding"),
    (b'{"id":"\xff"}', "encoding"),
    (rb'{"id":"\ud800"}', "lone_surrogate"),
    (b"[" * 65 + b"]" * 65, "depth"),
    (b'{"id":NaN}', "number"),
    (b'{"id":1e999}', "number"),
    (b'{"id":' + b"9" * 5000 + b"}", "number"),
    (b'{"id":1,"id":2}', "duplicate_key"),
    (b"[]", "shape"),
    (b'"text"', "shape"),
    (b"null", "shape"),
]


@pytest.mark.parametrize(("body", "expected"), BROKEN)
def test_rows_20_to_32(reason: Why, body: bytes, expected: str) -> None:
    """Rows 20 to 32: what is not sound JSON is quarantined under every topic, by one code."""
    for topic in sorted(TOPICS):
        assert expected == reason(topic, body)


def test_row_21_and_25_forgiven(understand: Read, order: Build) -> None:
    """Rows 21 and 25: a byte order mark and a NUL are taken out, and flagged."""
    body = b"\xef\xbb\xbf" + json.dumps(order(name="#10\x0001")).encode()
    understanding = understand("orders/create", body)
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Order)
    assert "#1001" == fact.number
    assert ("bom", "nul_removed") == understanding.flags


def test_row_37_unknown_fields(facts: Facts, order: Build) -> None:
    """Row 37: fields of tomorrow change nothing."""
    (before,) = facts("orders/create", order())
    (after,) = facts("orders/create", order(something_new={"a": [1]}))
    assert before.lines == after.lines
    assert before.total == after.total


@pytest.mark.parametrize("value", [[], {}, 1, "x", True, None, 1.5, [None], [[1]], {"a": 1}])
def test_any_field_may_be_odd(
    understand: Read, order: Build, customer: Build, product: Build, value: Any
) -> None:
    """Any field of any other type: a fact without it or a reason, never an exception."""
    outcomes = 0
    for topic, body in (
        ("orders/create", order()),
        ("customers/update", customer(tags="", email_marketing_consent={})),
        ("products/update", product()),
    ):
        for key in body:
            outcome = understand(topic, body | {key: value})
            assert isinstance(outcome, Understood | Ignored | Quarantined)
            outcomes += 1
    assert 50 < outcomes


@pytest.mark.parametrize("name", ["<script>", "=1+1", "{{7*7}}", "'; DROP TABLE", "x" * 10**6])
def test_rows_66_and_67_names(facts: Facts, order: Build, name: str) -> None:
    """Rows 66 and 67: a name is literal text, cut where it is absurd."""
    (fact,) = facts("orders/create", order(billing_address={"first_name": name}))
    assert name[:1000] == fact.first_name


def test_no_personal_words_in_reasons(understand: Read, order: Build) -> None:
    """Details say where, never what: they are logged."""
    for parts in ({"id": "eva@example.org"}, {"line_items": "eva@example.org"}):
        outcome = understand("orders/create", order(**parts))
        assert isinstance(outcome, Quarantined)
        assert "eva" not in outcome.detail + outcome.mend


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topic=st.sampled_from(sorted(TOPICS)), body=st.binary(max_size=200) | _JSON.map(json.dumps))
def test_never_raises(topic: str, body: bytes | str) -> None:
    """Whatever arrives has an outcome."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    delivery = Delivery(
        id=1, shop="yarn", topic=topic, received_at=datetime(2026, 11, 23, tzinfo=UTC), body=raw
    )
    assert isinstance(understand(delivery, PLACE), Understood | Ignored | Quarantined)
