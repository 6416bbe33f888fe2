"""A product in WooCommerce's words becomes a product and its variants in ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.woocommerce.shop import WooCommerceShop
from connector.model import (
    Deleted,
    Delivery,
    Fact,
    Kind,
    Product,
    Understanding,
    Understood,
    Variant,
    Wish,
)

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Fact]


def _product(read: Read, body: Any) -> Product:
    found = read("product.updated", body)
    assert isinstance(found, Product)
    return found


def test_whole_product(fact: Read, product: Build) -> None:
    """A simple product is sold as one variant with its own id; names lose their escapes."""
    found = _product(fact, product())
    variant = Variant(
        shop="wool",
        id="10",
        product_id="10",
        version=found.version,
        sku="UB-1",
        title="Ull & bomull",
        status="publish",
        currency="NOK",
        price=39900,
        regular_price=50900,
        sale_price=39900,
        sale_from=datetime(2026, 11, 20, 23, 0, tzinfo=UTC),
        sale_to=None,
        stock_status="instock",
        stock_quantity=16,
        image_url="https://wool.example/i/4.jpg",
        url="https://wool.example/p/10",
        attributes={"Farge": "Rød, Blå"},
    )
    expected = Product(
        shop="wool",
        id="10",
        version=found.version,
        title="Ull & bomull",
        status="publish",
        type="simple",
        description="<p>Soft.</p>",
        url="https://wool.example/p/10",
        image_url="https://wool.example/i/4.jpg",
        vendor="Spinneriet",
        tags=("ull",),
        categories=("Garn & tilbehør",),
        variants=(variant,),
        all_variants=True,
    )
    assert expected == found
    assert datetime(2026, 11, 22, 8, 0, tzinfo=UTC) == found.version.at


@pytest.mark.parametrize("topic", ["created", "updated", "published", "restored"])
def test_topics(fact: Read, product: Build, topic: str) -> None:
    """All four topics state the product as it is."""
    assert isinstance(fact(f"product.{topic}", product()), Product)


def test_variation(fact: Read, product: Build) -> None:
    """A variation comes as a product of its own with a parent."""
    body = product(
        id=12,
        name="Genser - M",
        type="variation",
        parent_id=11,
        attributes=[{"id": 0, "name": "Størrelse", "option": "M"}],
    )
    variant = fact("product.created", body)
    assert isinstance(variant, Variant)
    expected = ("12", "11", "Genser - M", {"Størrelse": "M"})
    assert expected == (variant.id, variant.product_id, variant.title, variant.attributes)


def test_variation_of_a_subscription(fact: Read, product: Build) -> None:
    """The subscriptions plugin has types of its own."""
    body = product(id=12, type="subscription_variation", parent_id=11)
    assert isinstance(fact("product.updated", body), Variant)


def test_variation_without_parent(reason: Callable[[str, Any], str], product: Build) -> None:
    """A variation that hangs on nothing cannot be placed."""
    assert "id" == reason("product.updated", product(type="variation", parent_id=0))


@pytest.mark.parametrize("kind", ["variable", "variable-subscription"])
def test_product_in_variations(
    understand: Callable[[str, Any], Understanding], product: Build, kind: str
) -> None:
    """The prices of variations are not in the payload: the shop is to be asked for them."""
    understanding = understand("product.updated", product(type=kind, variations=[12, 13]))
    assert isinstance(understanding, Understood)
    (found,) = understanding.facts
    assert isinstance(found, Product)
    assert () == found.variants
    assert (Wish(kind=Kind.PRODUCT, id="10"),) == understanding.wishes


def test_product_whose_variations_come_later(
    understand: Callable[[str, Any], Understanding], product: Build
) -> None:
    """A product that has no variations yet is not asked about: each will come by itself."""
    understanding = understand("product.created", product(type="variable", variations=[]))
    assert isinstance(understanding, Understood)
    assert () == understanding.wishes


def test_trash(understand: Callable[[str, Any], Understanding], product: Build) -> None:
    """A product in the trash is gone together with the variant of its id."""
    understanding = understand("product.updated", product(status="trash"))
    assert isinstance(understanding, Understood)
    gone = [(fact.kind, fact.id) for fact in understanding.facts if isinstance(fact, Deleted)]
    assert [(Kind.PRODUCT, "10"), (Kind.VARIANT, "10")] == gone
    variation = product(status="trash", type="variation", parent_id=9)
    only = understand("product.updated", variation)
    assert isinstance(only, Understood)
    assert [Kind.VARIANT] == [fact.kind for fact in only.facts if isinstance(fact, Deleted)]


def test_odd_types(fact: Read, product: Build) -> None:
    """Numbers for text and text for numbers, as some shops send them, are read as meant."""
    odd = product(
        price=13.99,
        regular_price=16,
        sku=12345,
        permalink=0,
        stock_quantity="16",
        manage_stock="parent",
        images=[{"id": 0, "src": ""}, "x"],
        categories={"0": {"name": "A"}},
        tags=None,
        attributes=[{"name": "Size"}, 3],
    )
    found = _product(fact, odd)
    (variant,) = found.variants
    assert (1399, 1600, "12345", None, 16) == (
        variant.price,
        variant.regular_price,
        variant.sku,
        variant.url,
        variant.stock_quantity,
    )
    assert (None, ("A",), ()) == (found.image_url, found.categories, found.tags)
    assert {} == variant.attributes


def test_price_as_number_is_exact(fact: Read, product: Build) -> None:
    """The digits of a number count, not the float nearest to it."""
    body = json.dumps(product(price="PRICE")).replace('"PRICE"', "1.005").encode()
    assert 101 == _product(fact, body).variants[0].price


def test_no_price(
    fact: Read, understand: Callable[[str, Any], Understanding], product: Build
) -> None:
    """Without a price there is none; an unreadable one is left out with a flag."""
    assert _product(fact, product(price="")).variants[0].price is None
    understanding = understand("product.updated", product(price="19,99"))
    assert isinstance(understanding, Understood)
    (found,) = understanding.facts
    assert isinstance(found, Product)
    assert found.variants[0].price is None
    assert ("price_not_readable",) == understanding.flags


def test_stock_not_counted(fact: Read, product: Build) -> None:
    """A shop that does not count its stock tells no quantity."""
    body = product(manage_stock=False, stock_quantity=3)
    assert _product(fact, body).variants[0].stock_quantity is None


def test_currency_not_known(deliver: Callable[[str, Any], Delivery], product: Build) -> None:
    """A price without a currency is no price."""
    shop = WooCommerceShop("wool", "https://wool.example", "ck", "cs", None)
    understanding = shop.understand(deliver("product.updated", product()))
    assert isinstance(understanding, Understood)
    (found,) = understanding.facts
    assert isinstance(found, Product)
    assert (None, None) == (found.variants[0].price, found.variants[0].currency)
