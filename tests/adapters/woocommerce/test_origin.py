"""From which site a delivery comes: the known shop's in any spelling, or a copy's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.woocommerce.origin import stray
from adapters.woocommerce.shop import WooCommerceShop
from connector.model import Delivery
from connector.ports import Fingerprint, Situated

PIN = Fingerprint(identity="wool.example", url="wool.example", currency="NOK")
DELIVERY = Delivery(
    id=7,
    shop="wool",
    topic="order.updated",
    received_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    body=b"{}",
)


def delivered(source: str, name: str = "X-WC-Webhook-Source") -> Delivery:
    """A delivery that says where it comes from."""
    return replace(DELIVERY, headers={name: source})


def as_received(source: str) -> str:
    """Text beyond ASCII as it comes out of a header."""
    return source.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("home", "source"),
    [
        ("wool.example", "https://wool.example/"),
        ("wool.example", "http://wool.example"),
        ("wool.example", "https://www.Wool.Example/"),
        ("wool.example", "https://wool.example.:443/"),
        ("wool.example:443", "https://wool.example/"),
        ("wool.example", "http://wool.example:80/"),
        ("wool.example", "wool.example"),
        ("wool.example", "https://wool.example/?lang=en"),
        ("wool.example", "https://wool.example/en/"),
        ("wool.example/nb", "https://wool.example/nb/"),
        ("wool.example/nb", "https://wool.example/pt-br/"),
        ("wool.example:8443", "https://wool.example:8443/"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("wool.example/butikk", "https://wool.example/butikk/"),
        ("ull-og-møbler.example", "https://xn--ull-og-mbler-2jb.example/"),
        ("xn--ull-og-mbler-2jb.example", as_received("https://Ull-og-Møbler.example/")),
        ("straße.example", "https://xn--strae-oqa.example/"),
        ("wool.example/møbler", as_received("https://wool.example/møbler/")),
    ],
)
def test_one_site_in_two_spellings(home: str, source: str) -> None:
    """A scheme, ``www.``, a slash, a web port, capitals, Punycode, a language: the same site."""
    known = replace(PIN, identity=home, url=home)
    assert stray(delivered(source), known) is None


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://staging.wool.example/", "staging.wool.example"),
        ("https://wool.example/staging/", "wool.example/staging"),
        ("https://wool.example:8443/", "wool.example:8443"),
        ("https://wool.example.staging.host/", "wool.example.staging.host"),
        ("https://wool.example@clone.example/", "clone.example"),
        ("https://xn--clne-wqa.example/", "clône.example"),
        (as_received("https://clône.example/"), "clône.example"),
        ("https://wool.example/wp1/", "wool.example/wp1"),
        ("https://clone.example/<kari@epost.example>", "a site whose address cannot be shown"),
    ],
)
def test_another_site_is_named_and_who_mends_it(source: str, shown: str) -> None:
    """A host, a port or a folder of its own makes another site; nothing odd is repeated."""
    found = stray(delivered(source), PIN)
    assert found is not None
    assert ("another_site", f"it came from {shown}, and shop wool is wool.example", False) == (
        found.reason,
        found.detail,
        found.alarm,
    )
    assert f"Whoever runs {shown}: if it is a copy" in found.mend
    assert "`connector doctor --accept wool`" in found.mend
    assert "`connector parked --release 7`" in found.mend


def test_the_folder_of_wordpress_is_the_shop_too() -> None:
    """WordPress may live in a folder below the address that it shows."""
    known = replace(PIN, url="wool.example/wordpress")
    assert stray(delivered("https://wool.example/wordpress/"), known) is None
    assert stray(delivered("https://wool.example/"), known) is None
    assert stray(delivered("https://wool.example/other/"), known) is not None


@pytest.mark.parametrize("source", ["", "/", "https://", "https://[half/", "http://wool:port/"])
def test_what_names_no_site_is_believed(source: str) -> None:
    """As is a delivery without the header: proxies take it away."""
    assert stray(delivered(source), PIN) is None
    assert stray(DELIVERY, PIN) is None


def test_small_letters_in_the_name_of_the_header(shop: WooCommerceShop) -> None:
    """HTTP/2 writes them so."""
    assert isinstance(shop, Situated)
    assert shop.stray(delivered("https://wool.example/", "x-wc-webhook-source"), PIN) is None
    assert shop.stray(delivered("https://copy.example/", "x-wc-webhook-source"), PIN) is not None


@pytest.mark.corpus
def test_recorded_deliveries_are_their_own_shops(corpus: Path) -> None:
    """All that a real shop sent in a day, against the site that its own index names."""
    observed = corpus / "fixtures/woocommerce-observed"
    index = json.loads((observed / "rest/wp_json_root.body").read_bytes())
    host = index["url"].removeprefix("https://")
    recorded = [
        replace(DELIVERY, headers=dict(told["headers"]))
        for path in sorted((observed / "deliveries").glob("*_*.json"))
        for told in [json.loads(path.read_bytes())]
    ]
    known = replace(PIN, identity=host, url=host)
    assert [None] * 100 == [stray(each, known) for each in recorded]
    assert 83 == sum(stray(each, PIN) is not None for each in recorded)  # the others are pings
