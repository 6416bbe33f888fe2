"""What the shops have for sale: products with their variants, and which of those are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, tuple_

from connector.model import Product, Variant, Version
from connector.sales_keys import Place
from connector.store.schema import assortments, products, variants
from connector.store.sql import insert_into


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a product stands in its shop, as it was last looked at.

    ``units`` of it were sold in 30 days, by which it has its ``place`` (1 is sold most; ``None``
    when nothing was); ``known_for`` is how long ago it was seen first.
    """

    units: int
    place: int | None
    known_for: timedelta


@dataclass(frozen=True, slots=True)
class ForSale:
    """A variant and the product it belongs to, neither of them deleted."""

    product: Product
    variant: Variant
    standing: Standing | None = None


def key_of(place: Place) -> str:
    """The key of the record of a variant."""
    return "/".join(place)


def place_of(key: str) -> Place:
    """The shop and id of the variant whose record has this key. No shop's name has a slash."""
    shop, _, variant_id = key.partition("/")
    return shop, variant_id


def settle_assortments(conn: Connection, stated: Iterable[Product]) -> set[Place]:
    """Keep the newest whole list of each product's variants; gives the products it changed for.

    Of two lists of one version, a variant must be in both: what one leaves out was deleted, and
    what one has too many is newer than the version that they share.
    """
    told: dict[Place, tuple[Version, frozenset[str]]] = {}
    for product in stated:
        place = (product.shop, product.id)
        fresh = (product.version, frozenset(variant.id for variant in product.variants))
        told[place] = _newer(told[place], fresh) if place in told else fresh
    if not told:
        return set()
    known = {
        (row.shop, row.product_id): (
            Version(row.version_at, row.version_tie),
            frozenset(row.variant_ids),
        )
        for row in conn.execute(
            select(assortments)
            .where(tuple_(assortments.c.shop, assortments.c.product_id).in_(sorted(told)))
            .with_for_update()
        )
    }
    kept = {
        place: _newer(known[place], fresh) if place in known else fresh
        for place, fresh in told.items()
    }
    _write(conn, {place: now for place, now in kept.items() if now != known.get(place)})
    return {
        place
        for place, (_, listed) in kept.items()
        if place not in known or listed != known[place][1]
    }


def _newer(
    one: tuple[Version, frozenset[str]], other: tuple[Version, frozenset[str]]
) -> tuple[Version, frozenset[str]]:
    if one[0] == other[0]:
        return one[0], one[1] & other[1]
    return max(one, other, key=lambda each: each[0])


def _write(conn: Connection, lists: dict[Place, tuple[Version, frozenset[str]]]) -> None:
    if not lists:
        return
    statement = insert_into(conn, assortments)
    fresh = statement.excluded
    written = ("version_at", "version_tie", "variant_ids")
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["shop", "product_id"],
            set_={name: fresh[name] for name in written},
            where=tuple_(fresh.version_at, fresh.version_tie)
            >= tuple_(assortments.c.version_at, assortments.c.version_tie),
        ),
        [
            {
                "shop": shop,
                "product_id": product_id,
                "version_at": version.at,
                "version_tie": version.tie,
                "variant_ids": sorted(listed),
            }
            for (shop, product_id), (version, listed) in sorted(lists.items())
        ],
    )


def variants_of(conn: Connection, of: Collection[Place]) -> set[Place]:
    """Every variant ever known of these products."""
    if not of:
        return set()
    rows = conn.execute(
        select(variants.c.shop, variants.c.variant_id).where(
            tuple_(variants.c.shop, variants.c.product_id).in_(sorted(of))
        )
    )
    return {(row.shop, row.variant_id) for row in rows}


def read(conn: Connection, places: Collection[Place]) -> dict[Place, ForSale]:
    """Those of these variants that there are: not deleted, nor their product, nor left out of it.

    A variant whose product was never told of is not there yet.
    """
    rows = conn.execute(
        select(
            *(column.label(f"v_{column.name}") for column in variants.c),
            *(column.label(f"p_{column.name}") for column in products.c),
            assortments.c.version_at.label("a_version_at"),
            assortments.c.variant_ids.label("a_variant_ids"),
        )
        .select_from(variants)
        .join(
            products,
            and_(
                products.c.shop == variants.c.shop, products.c.product_id == variants.c.product_id
            ),
        )
        .outerjoin(
            assortments,
            and_(
                assortments.c.shop == variants.c.shop,
                assortments.c.product_id == variants.c.product_id,
            ),
        )
        .where(
            tuple_(variants.c.shop, variants.c.variant_id).in_(sorted(places)),
            ~variants.c.deleted,
            ~products.c.deleted,
        )
    ).mappings()
    return {
        (row["v_shop"], row["v_variant_id"]): ForSale(_product(row), _variant(row))
        for row in rows
        if not _is_left_out(row)
    }


def _is_left_out(row: Any) -> bool:
    """Whether the product's newest whole list is younger than the variant and does not name it."""
    if row["a_version_at"] is None or row["v_variant_id"] in row["a_variant_ids"]:
        return False
    return bool(row["v_version_at"] < row["a_version_at"])


def _product(row: Any) -> Product:
    return Product(
        shop=row["p_shop"],
        id=row["p_product_id"],
        version=Version(row["p_version_at"], row["p_version_tie"]),
        tags=tuple(row["p_tags"] or ()),
        categories=tuple(row["p_categories"] or ()),
        meta=row["p_meta"] or {},
        **{name: row[f"p_{name}"] for name in _OF_PRODUCT},
    )


def _variant(row: Any) -> Variant:
    return Variant(
        shop=row["v_shop"],
        id=row["v_variant_id"],
        version=Version(row["v_version_at"], row["v_version_tie"]),
        attributes=row["v_attributes"] or {},
        meta=row["v_meta"] or {},
        **{name: row[f"v_{name}"] for name in _OF_VARIANT},
    )


_OF_PRODUCT = ("title", "status", "type", "description", "url", "image_url", "vendor")
_OF_VARIANT = (
    "product_id", "sku", "title", "status", "currency", "price", "regular_price", "sale_price",
    "sale_from", "sale_to", "stock_status", "stock_quantity", "image_url", "url",
)  # fmt: skip
