"""Published signatures: every one is of a platform that we hear, or named with why we do not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.shopify.shop import door_of
from adapters.woocommerce.shop import WooCommerceShop
from webhooks.signatures import verify

pytestmark = pytest.mark.corpus

HEADERS = {
    "shopify": door_of("shop.myshopify.com").signature_header,
    "woocommerce": WooCommerceShop.door.signature_header,
}
"""The header under which each shop we hear brings its signature."""

NOT_HEARD: Mapping[str, str] = {
    "X01": "the signature on a page asked for through Shopify's app proxy: it is over the query, "
    "and the connector has no pages that a storefront shows",
}
"""Signatures that no delivery carries, by id, each with why it is not read."""

Vectors = Mapping[str, list[dict[str, Any]]]


@pytest.fixture
def told(corpus: Path) -> Vectors:
    """The file as it is."""
    found: Vectors = json.loads((corpus / "fixtures" / "HMAC_VECTORS.json").read_bytes())
    return found


def body_of(corpus: Path, vector: Mapping[str, Any]) -> bytes:
    """The exact bytes that were signed."""
    if vector["body_b64"] is not None:
        return base64.b64decode(vector["body_b64"])
    body: bytes = (corpus / "fixtures" / str(vector["body_file"])).read_bytes()
    return body


def test_every_vector_is_accounted_for(told: Vectors) -> None:
    """No list and no signature of the file is left out, and none is made up."""
    assert {"vectors", "other_shopify_signatures"} == told.keys()
    assert sorted(NOT_HEARD) == sorted(each["id"] for each in told["other_shopify_signatures"])
    assert 11 == len({each["id"] for each in told["vectors"]}) == len(told["vectors"])
    assert set(HEADERS) == {each["platform"] for each in told["vectors"]}
    assert all(NOT_HEARD.values())


def test_every_vector_at_the_door_it_would_come_to(corpus: Path, told: Vectors) -> None:
    """It comes under the header that the shop's door reads, and is judged as was published."""
    for vector in told["vectors"]:
        assert HEADERS[vector["platform"]].lower() == vector["header"].lower(), vector["id"]
        body, secret = body_of(corpus, vector), vector["secret"].encode()
        judged = verify(body, vector["signature"], [secret])
        assert vector["must_accept"] is judged, vector["id"]
        right = hmac.digest(secret, body, "sha256")
        assert vector["hmac_matches"] is (
            base64.b64encode(right).decode() == vector["signature"]
        ), vector["id"]


def test_what_is_not_heard_opens_no_door(told: Vectors) -> None:
    """A signature over a query, in hexadecimal, proves nothing of a body."""
    for each in told["other_shopify_signatures"]:
        assert not verify(each["query"].encode(), each["signature"], [each["secret"].encode()])
