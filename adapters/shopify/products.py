"""Turns a Shopify product and its variants into facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from adapters.shopify.payloads import ProductBody, VariantBody
from adapters.shopify.reading import Slip, members, need_own_id, read_metafields, read_tags
from connector.model import Kind, Product, Understanding, Understood, Variant, Version, Wish
from connector.shop_fields import (
    LONGEST_TEXT,
    need_id,
    read_id,
    read_price,
    read_text,
    read_url,
    read_version,
    read_whole,
)

IN_STOCK, SOLD_OUT, ON_BACKORDER = "instock", "outofstock", "onbackorder"

# A product that is sold in one form only has this variant, of this option.
# https://shopify.dev/docs/api/admin-graphql/2026-10/objects/Product
_ONLY_VARIANT, _ONLY_OPTION = "Default Title", "Title"
_SOLD_BEYOND_STOCK = "continue"


def understand_product(body: ProductBody, slip: Slip) -> Understanding:
    """A product with its variants as one fact.

    The wish asks for it as a whole where the body has only some of its variants, and where one is
    at zero and the body does not tell whether that is counted at all. Raises `BadFieldError`
    without an id.
    """
    product = read_product(body, slip)
    truncated = len(product.variants) < sum(1 for _ in members(body.variant_gids))
    uncertain = any(_is_uncertain(variant) for variant in body.variants)
    asked = (Wish(kind=Kind.PRODUCT, id=product.id),) if truncated or uncertain else ()
    product = replace(product, all_variants=not truncated)
    return Understood(facts=(product,), wishes=asked, flags=tuple(slip.flags))


def read_product(body: ProductBody, slip: Slip) -> Product:
    """The product a body is about; bodies from before 2021 have no status: published or not."""
    product_id = need_own_id(body.id, body.admin_graphql_api_id, "Product")
    handle = read_text(body.handle)
    shown = bool(body.published_at) and handle != ""
    product = Product(
        shop=slip.shop,
        id=product_id,
        version=read_version(body.updated_at, body.created_at, slip),
        title=read_text(body.title),
        status=read_text(body.status).lower() or ("active" if body.published_at else "draft"),
        type=read_text(body.product_type),
        description=read_text(body.body_html, LONGEST_TEXT),
        url=f"{slip.storefront}/products/{handle}" if shown else None,
        image_url=next(iter(_images(body).values()), None),
        vendor=read_text(body.vendor),
        tags=read_tags(body.tags),
        categories=_categories(body.category),
        meta=read_metafields(body.metafields),
    )
    return replace(product, variants=tuple(_variants(body, product, slip)))


def _variants(body: ProductBody, product: Product, slip: Slip) -> Iterator[Variant]:
    images = _images(body)
    options = [read_text(option.get("name")) for option in members(body.options)]
    for index, each in enumerate(body.variants):
        name = read_text(each.title)
        alone = name in {"", _ONLY_VARIANT}
        variant_id = need_id(each.id, f"variants[{index}].id")
        version = read_version(each.updated_at, None, slip)
        price, before = read_price(each.price, slip), read_price(each.compare_at_price, slip)
        reduced = price is not None and before is not None and before > price
        yield Variant(
            shop=slip.shop,
            id=variant_id,
            product_id=product.id,
            # Title, status and page are the product's: its changes are the variant's too.
            version=Version(at=max(version.at, product.version.at), tie=slip.tie),
            sku=read_text(each.sku),
            title=product.title if alone else f"{product.title} - {name}",
            status=product.status,
            currency=slip.currency,
            price=price,
            regular_price=before if reduced else price,
            sale_price=price if reduced else None,
            stock_status=_stock_status(each),
            stock_quantity=None if _is_uncounted(each) else read_whole(each.inventory_quantity),
            image_url=read_url(each.image_url)
            or images.get(read_id(each.image_id) or "")
            or product.image_url,
            url=product.url if alone or not product.url else f"{product.url}?variant={variant_id}",
            attributes=_attributes(each, options),
        )


def _is_uncounted(variant: VariantBody) -> bool:
    return variant.inventory_management is None


def _is_uncertain(variant: VariantBody) -> bool:
    """At zero, and not told whether stock is counted: it may be sold out, or never run out."""
    return variant.inventory_management is msgspec.UNSET and not (
        (read_whole(variant.inventory_quantity) or 0) > 0
    )


def _stock_status(variant: VariantBody) -> str | None:
    quantity = read_whole(variant.inventory_quantity)
    if _is_uncounted(variant):
        return IN_STOCK
    if quantity is None:
        return None
    if quantity > 0:
        return IN_STOCK
    policy = read_text(variant.inventory_policy).lower()
    return ON_BACKORDER if policy == _SOLD_BEYOND_STOCK else SOLD_OUT


def _attributes(variant: VariantBody, options: list[str]) -> dict[str, str]:
    """Size, colour and so on, by the option's name."""
    if variant.chosen is not None:
        chosen = [
            (read_text(option.get("name")), read_text(option.get("value")))
            for option in members(variant.chosen)
        ]
    else:
        values = [read_text(v) for v in (variant.option1, variant.option2, variant.option3)]
        names = [*options, *(f"option{n}" for n in range(len(options) + 1, len(values) + 1))]
        chosen = list(zip(names, values, strict=False))
    return {
        name: value
        for name, value in chosen
        if name and value and (name, value) != (_ONLY_OPTION, _ONLY_VARIANT)
    }


def _images(body: ProductBody) -> Mapping[str, str]:
    """The product's pictures by their id, the main one first."""
    found: dict[str, str] = {}
    for picture in (*members([body.image]), *members(body.images)):
        url = read_url(picture.get("src"))
        if url is not None:
            found.setdefault(read_id(picture.get("id")) or url, url)
    return found


def _categories(category: object) -> tuple[str, ...]:
    name = read_text(category.get("full_name")) if isinstance(category, dict) else ""
    return (name,) if name else ()
