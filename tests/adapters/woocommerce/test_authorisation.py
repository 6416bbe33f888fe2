"""The shop's own page for keys: where it is, and what is believed of what it posts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.woocommerce.authorisation import WooCommerceKeyPage

PAGE = WooCommerceKeyPage()
POSTED = {
    "key_id": 1,
    "user_id": "3f9a",
    "consumer_key": "ck_abc",
    "consumer_secret": "cs_def",
    "key_permissions": "read_write",
}


def test_the_pages_address_holds_all_five_parts() -> None:
    """WooCommerce refuses one without any of them, and a callback that is not https."""
    address = PAGE.address(
        "https://wool.example/shop/", callback="https://hooks.example.org/w/k", visitor="3f9a"
    )
    parts = urlsplit(address)
    assert ("wool.example", "/shop/wc-auth/v1/authorize") == (parts.netloc, parts.path)
    assert {
        "app_name": ["connector"],
        "scope": ["read_write"],
        "user_id": ["3f9a"],
        "return_url": ["https://hooks.example.org/w/k"],
        "callback_url": ["https://hooks.example.org/w/k"],
    } == parse_qs(parts.query)


def test_the_posted_key_is_read() -> None:
    """As settings by their names."""
    found = PAGE.keys_in(json.dumps(POSTED).encode(), visitor="3f9a")
    assert {"consumer_key": "ck_abc", "consumer_secret": "cs_def"} == found


@pytest.mark.parametrize(
    "changed",
    [
        {"user_id": "3f9b"},
        {"user_id": None},
        {"user_id": 7},
        {"consumer_key": "cs_abc"},
        {"consumer_secret": ""},
        {"consumer_secret": ["cs_def"]},
    ],
)
def test_a_post_of_somebody_else_is_none(changed: dict[str, Any]) -> None:
    """Another visitor's, or one whose parts are no key."""
    assert PAGE.keys_in(json.dumps(POSTED | changed).encode(), visitor="3f9a") is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"', b"{" * 2000])
def test_what_is_no_object_is_none(body: bytes) -> None:
    """And nothing is raised."""
    assert PAGE.keys_in(body, visitor="3f9a") is None
