"""What GraphQL shows of the stand-in's goods: products, their variants, and what is in stock."""

from __future__ import annotations

from typing import Any

from adapters.shopify.sandbox_desk import Desk, Missing
from adapters.shopify.sandbox_pages import connection
from adapters.shopify.sandbox_parts import metafields, named, need
from adapters.shopify.sandbox_shelves import ONLY, Shelves
from adapters.shopify.sandbox_words import gid, zulu
from adapters.town.books import Body


class GoodsViews:
    """Views of products, variants and inventory items."""

    def __init__(self, desk: Desk, shelves: Shelves, scopes: frozenset[str]) -> None:
        self._desk = desk
        self._shelves = shelves
        self._scopes = scopes

    def sold(self, kind: str, number: int | None) -> Body | None:
        """What an order's line sells: its ``product`` or ``variant``, if that is still there."""
        if number is None:
            return None
        need(self._scopes, kind, "read_products")
        try:
            if kind == "product":
                return self.product(self._shelves.get(number))
            return self.variant_numbered(number)
        except Missing:
            return None

    def product(self, record: Body) -> Body:
        """A product."""
        rest = record["rest"]
        variants = rest["variants"]
        shown = rest["status"] == "active" and rest["published_at"]
        category, media = rest["category"], self._media(rest)
        return {
            **named("Product", rest["id"]),
            "title": rest["title"],
            "handle": rest["handle"],
            "status": rest["status"].upper(),
            "vendor": rest["vendor"],
            "productType": rest["product_type"],
            "descriptionHtml": rest["body_html"],
            "tags": [tag for tag in rest["tags"].split(", ") if tag],
            "createdAt": zulu(rest["created_at"]),
            "updatedAt": zulu(rest["updated_at"]),
            "publishedAt": zulu(rest["published_at"]),
            "onlineStoreUrl": f"{self._desk.site.storefront}/products/{rest['handle']}"
            if shown
            else None,
            "category": {
                "id": category["admin_graphql_api_id"],
                "name": category["name"],
                "fullName": category["full_name"],
            }
            if category
            else None,
            "options": lambda _, first=None: [
                {
                    "id": gid("ProductOption", each["id"]),
                    "name": each["name"],
                    "position": each["position"],
                    "values": each["values"],
                }
                for each in rest["options"][:first]
            ],
            "featuredMedia": media[0] if media else None,
            "media": lambda _, **given: connection(media, given),
            **metafields(record["metafields"], rest),
            "variants": lambda _, **given: connection(
                [self.variant(record, each) for each in variants], given
            ),
            "variantsCount": {"count": len(variants), "precision": "EXACT"},
            "hasOnlyDefaultVariant": [each["title"] for each in variants] == [ONLY],
            "totalInventory": sum(each["inventory_quantity"] for each in variants),
        }

    def variant(self, record: Body, each: Body) -> Body:
        """A variant of a product."""
        rest, tracked = record["rest"], record["tracked"][str(each["id"])]
        enough = each["inventory_quantity"] > 0 or each["inventory_policy"] == "continue"
        return {
            **named("ProductVariant", each["id"]),
            "title": each["title"],
            "displayName": f"{rest['title']} - {each['title']}",
            "sku": each["sku"],
            "barcode": each["barcode"],
            "price": each["price"],
            "compareAtPrice": each["compare_at_price"],
            "position": each["position"],
            "taxable": each["taxable"],
            "inventoryPolicy": each["inventory_policy"].upper(),
            "inventoryQuantity": each["inventory_quantity"],
            "availableForSale": rest["status"] == "active" and (enough or not tracked),
            "inventoryItem": lambda _: self.item(record, each),
            "selectedOptions": [{"name": rest["options"][0]["name"], "value": each["option1"]}],
            "media": lambda _, **given: connection([], given),
            "product": lambda _: self.product(record),
            "createdAt": zulu(each["created_at"]),
            "updatedAt": zulu(each["updated_at"]),
            **metafields([], each),
        }

    def variant_numbered(self, number: int) -> Body:
        """A variant by its number. Raises `Missing`."""
        rest, each = self._shelves.find(number)
        return self.variant(self._shelves.get(rest["id"]), each)

    def item(self, record: Body, each: Body) -> Body:
        """What is in stock of a variant, if it is counted."""
        need(self._scopes, "inventoryItem", "read_inventory")
        return {
            **named("InventoryItem", each["inventory_item_id"]),
            "sku": each["sku"],
            "tracked": record["tracked"][str(each["id"])],
            "createdAt": zulu(each["created_at"]),
            "updatedAt": zulu(each["updated_at"]),
            "variants": lambda _, **given: connection([self.variant(record, each)], given),
        }

    def item_numbered(self, number: int) -> Body | None:
        """An inventory item by its number."""
        rows = self._desk.books.rows("variants", "item_id = ?", (number,))
        if not rows:
            return None
        rest, each = self._shelves.find(rows[0]["id"])
        return self.item(self._shelves.get(rest["id"]), each)

    def _media(self, rest: Body) -> list[Body]:
        return [_picture(each) for each in rest["images"]]


def _picture(told: Body) -> Body:
    image: dict[str, Any] = {"url": told["src"], "altText": told["alt"]}
    return {
        "__typename": "MediaImage",
        "id": gid("MediaImage", told["id"]),
        "alt": told["alt"],
        "status": "READY",
        "preview": {"image": image, "status": "READY"},
    }
