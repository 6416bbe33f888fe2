"""What a product says of itself and of what is sold of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.shopify.shop import ShopifyShop
from connector.model import Kind, Product, Understanding, Understood, Variant, Wish

Build = Callable[..., dict[str, Any]]
Facts = Callable[..., tuple[Any, ...]]
Read = Callable[..., Understanding]
Why = Callable[..., str]
PAGE = "https://yarn-and-more.myshopify.com/products/sokker"
ASK = Wish(kind=Kind.PRODUCT, id="788032119674292922")


def test_whole_product(understand: Read, product: Build) -> None:
    """Everything a product tells, with its variants; a lower price than before is a sale."""
    understanding = understand("products/update", product())
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Product)
    common: dict[str, Any] = {
        "shop": "yarn",
        "product_id": "788032119674292922",
        "version": fact.version,
        "status": "active",
        "currency": "NOK",
        "price": 9975,
        "stock_status": "instock",
    }
    variants = (
        Variant(
            id="642667041472713922",
            sku="SO-42",
            title="Sokker - 42",
            regular_price=12900,
            sale_price=9975,
            stock_quantity=7,
            image_url="https://cdn.example/2.jpg",
            url=f"{PAGE}?variant=642667041472713922",
            attributes={"Størrelse": "42"},
            **common,
        ),
        Variant(
            id="757650484644203962",
            sku="SO-44",
            title="Sokker - 44",
            regular_price=9975,
            sale_price=None,
            stock_quantity=3,
            image_url="https://cdn.example/1.jpg",
            url=f"{PAGE}?variant=757650484644203962",
            attributes={"Størrelse": "44"},
            **common,
        ),
    )
    assert (
        Product(
            shop="yarn",
            id="788032119674292922",
            version=fact.version,
            title="Sokker",
            status="active",
            type="Strømper",
            description="<p>Soft.</p>",
            url=PAGE,
            image_url="https://cdn.example/1.jpg",
            vendor="Spinneriet",
            tags=("ull", "vinter"),
            categories=("Apparel > Socks",),
            variants=variants,
            all_variants=True,
        )
        == fact
    )
    assert datetime(2026, 11, 22, 7, 0, tzinfo=UTC) == fact.version.at
    assert () == understanding.wishes


def test_one_form_only(facts: Facts, product: Build) -> None:
    """A product without options is sold under its own name and address."""
    (only, _) = product()["variants"]
    body = product(
        variants=[only | {"title": "Default Title", "option1": "Default Title"}],
        options=[{"name": "Title", "values": ["Default Title"]}],
        variant_gids=[{"admin_graphql_api_id": "a"}],
    )
    (fact,) = facts("products/create", body)
    (variant,) = fact.variants
    assert ("Sokker", PAGE, {}) == (variant.title, variant.url, variant.attributes)


def test_truncated_products_are_asked_for(understand: Read, product: Build) -> None:
    """A large product's webhook carries a part of its variants: the rest is not held to be gone."""
    body = product(variant_gids=[{"admin_graphql_api_id": str(n)} for n in range(3)])
    understanding = understand("products/update", body)
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Product)
    assert (2, False, (ASK,)) == (len(fact.variants), fact.all_variants, understanding.wishes)


STOCK = [
    ({"inventory_quantity": 3}, "instock", 3, False),
    ({"inventory_quantity": 0}, "outofstock", 0, True),
    ({"inventory_quantity": -2}, "outofstock", -2, True),
    ({"inventory_quantity": 0, "inventory_policy": "continue"}, "onbackorder", 0, True),
    ({"inventory_quantity": None}, None, None, True),
    ({"inventory_quantity": 0, "inventory_management": "shopify"}, "outofstock", 0, False),
    ({"inventory_quantity": 0, "inventory_management": None}, "instock", None, False),
    (
        {"inventory_quantity": 0, "inventory_management": "x", "inventory_policy": "CONTINUE"},
        "onbackorder",
        0,
        False,
    ),
]


@pytest.mark.parametrize(("parts", "status", "quantity", "uncertain"), STOCK)
def test_stock(
    understand: Read,
    product: Build,
    parts: dict[str, Any],
    status: str | None,
    quantity: int | None,
    uncertain: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """At zero a body of today does not tell whether stock is counted at all: it is asked for."""
    first, second = product()["variants"]
    understanding = understand("products/update", product(variants=[first | parts, second]))
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Product)
    variant = fact.variants[0]
    assert (status, quantity) == (variant.stock_status, variant.stock_quantity)
    assert ((ASK,) if uncertain else ()) == understanding.wishes


@pytest.mark.parametrize(
    ("parts", "status", "url"),
    [
        ({"status": "DRAFT", "published_at": None}, "draft", None),
        ({"status": "archived"}, "archived", PAGE),
        ({"status": None, "published_at": None}, "draft", None),
        ({"status": None}, "active", PAGE),
        ({"handle": ""}, "active", None),
    ],
)
def test_status_and_page(
    facts: Facts, product: Build, parts: dict[str, Any], status: str, url: str | None
) -> None:
    """A page is shown only of what is published; before 2021 that was all the status there was."""
    (fact,) = facts("products/update", product(**parts))
    assert (status, url) == (fact.status, fact.url)
    assert {status} == {variant.status for variant in fact.variants}


def test_own_storefront(deliver: Callable[..., Any], product: Build) -> None:
    """Pages are where the shop's own address is, when that is told."""
    shop = ShopifyShop(
        "yarn", "y.myshopify.com", access_token="x", storefront="https://yarn.example/"
    )
    understanding = shop.understand(deliver("products/update", product()))
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Product)
    assert "https://yarn.example/products/sokker" == fact.url
    assert {None} == {variant.price for variant in fact.variants}  # no currency, no price


def test_options_without_names(facts: Facts, product: Build) -> None:
    """The documented sample has values without their options' names."""
    (fact,) = facts("products/update", product(options=[]))
    assert [{"option1": "42"}, {"option1": "44"}] == [v.attributes for v in fact.variants]


def test_variant_changed_later(facts: Facts, product: Build) -> None:
    """A variant is as new as the newer of its own and its product's change."""
    first, second = product()["variants"]
    later = second | {"updated_at": "2026-11-22T09:00:00+01:00"}
    (fact,) = facts("products/update", product(variants=[first, later]))
    assert fact.version.at == fact.variants[0].version.at
    assert datetime(2026, 11, 22, 8, 0, tzinfo=UTC) == fact.variants[1].version.at


def test_unreadable_price(understand: Read, product: Build) -> None:
    """One bad price is one unknown price."""
    first, second = product()["variants"]
    understanding = understand(
        "products/update", product(variants=[first | {"price": "9,99"}, second])
    )
    assert isinstance(understanding, Understood)
    (fact,) = understanding.facts
    assert isinstance(fact, Product)
    assert [None, 9975] == [variant.price for variant in fact.variants]
    assert ("price_not_readable",) == understanding.flags


def test_variant_without_id(reason: Why, product: Build) -> None:
    """A variant that cannot be named spoils the body."""
    first, second = product()["variants"]
    assert "id" == reason("products/update", product(variants=[first | {"id": 1.5}, second]))


@pytest.mark.parametrize("event", ["update", "connect", "disconnect"])
def test_stock_levels_are_asked_for(understand: Read, event: str) -> None:
    """A level is the stock at one place: what can be sold in all is asked for."""
    body = {"inventory_item_id": 808950810, "location_id": 1, "available": 6}
    expected = Understood(wishes=(Wish(kind=Kind.INVENTORY_ITEM, id="808950810"),))
    assert expected == understand(f"inventory_levels/{event}", body)


@pytest.mark.parametrize("event", ["create", "update"])
def test_stock_items_are_asked_for(understand: Read, event: str) -> None:
    """Whether stock is counted changes what its variant says."""
    body = {
        "id": 808950810,
        "sku": "SO-42",
        "tracked": True,
        "admin_graphql_api_id": "gid://shopify/InventoryItem/808950810",
    }
    expected = Understood(wishes=(Wish(kind=Kind.INVENTORY_ITEM, id="808950810"),))
    assert expected == understand(f"inventory_items/{event}", body)
