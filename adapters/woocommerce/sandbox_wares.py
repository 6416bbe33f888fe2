"""Puts the town's wares on sale in the stand-in shop, simple products and products in colours."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.town.books import Books
from adapters.town.wares import (
    COUPON,
    COUPON_PERCENT,
    KINDS,
    PIECES,
    WARES,
    Offer,
    Ware,
    picture_of,
    sku_of,
)

if TYPE_CHECKING:
    from adapters.woocommerce.sandbox_shelves import Shelves


def stock(shelves: Shelves, now: datetime) -> list[Offer]:
    """Put everything on sale; gives what can be bought."""
    offers = []
    for number, ware in enumerate(WARES, 1):
        kind = {"id": KINDS.index(ware.kind) + 1, "name": ware.kind, "slug": ware.kind}
        given = {
            "name": ware.name,
            "sku": sku_of(number, ware),
            "categories": [kind],
            "images": [{"src": picture_of(number)}],
        }
        if not ware.options:
            made = shelves.create({**given, **_terms(ware)}, now=now)
            offers.append(Offer(kind=ware.kind, product=made["id"], variant=0))
            continue
        axis = {"name": ware.option, "options": ware.options}
        parent = shelves.create({**given, "type": "variable", "attributes": [axis]}, now=now)
        for place, option in enumerate(ware.options, 1):
            chosen = {"attributes": [{"name": ware.option, "option": option}]}
            terms = {**_terms(ware), **chosen, "sku": sku_of(number, ware, place)}
            made = shelves.create(terms, parent_id=parent["id"], now=now)
            offers.append(Offer(kind=ware.kind, product=parent["id"], variant=made["id"]))
    shelves.create_coupon({"code": COUPON, "amount": COUPON_PERCENT}, now=now)
    return offers


def on_sale(books: Books, shelves: Shelves) -> list[Offer]:
    """What can be bought in a shop that has goods already."""
    found = []
    for row in books.rows("products", "status = 'publish' AND type <> 'variable'"):
        body = shelves.get(row["parent_id"] or row["id"])
        kinds = [category["slug"] for category in body["categories"]]
        if body["status"] == "publish" and kinds and kinds[0] in KINDS:
            variation = row["id"] if row["parent_id"] else 0
            found.append(Offer(kind=kinds[0], product=body["id"], variant=variation))
    return found


def _terms(ware: Ware) -> dict[str, Any]:
    counted = {"manage_stock": True, "stock_quantity": PIECES} if ware.counted else {}
    return {"regular_price": ware.price, "sale_price": ware.sale, **counted}
