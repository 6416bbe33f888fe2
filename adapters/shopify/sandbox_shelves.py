"""What lies on the stand-in shop's shelves, and what is told when it comes, changes or goes.

Shapes are those of https://shopify.dev/docs/api/webhooks/2026-10, its ``products/*`` topics:
whether stock is counted at all is told by GraphQL only, and of many variants only the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.shopify.sandbox_desk import Act, Desk, Missing
from adapters.shopify.sandbox_words import gid, local, zulu
from adapters.town.books import Body
from adapters.town.slugs import slug
from connector.money import to_major, to_minor

LOCATION = 655_441_491
ONLY = "Default Title"
_PLAIN = ("title", "vendor", "product_type")


class Shelves:
    """The products. A record has the whole payload (``rest``) and what GraphQL adds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Put something on sale.

        ``title``, ``vendor``, ``product_type``, ``body_html``, ``tags``, ``status``, ``image`` (an
        address), ``option`` (its name) and ``variants``: each ``value`` (of the option), ``price``,
        ``compare_at_price``, ``sku``, ``quantity`` (pieces; without it stock is not counted) and
        ``policy`` (``deny`` or ``continue``).
        """
        with self._desk.act(now) as act:
            number = self._desk.number("products")
            record = self._new(number, given, act.moment)
            self._keep(record, act.moment, kind=record["rest"]["product_type"])
            act.tell("products/create", self.told(record))
        return record

    def get(self, number: int) -> Body:
        """One product's record. Raises `Missing`."""
        record = self._desk.books.body("products", number)
        if record is None:
            raise Missing
        return record

    def find(self, variant: int) -> tuple[Body, Body]:
        """A variant by its number: its product's payload and its own. Raises `Missing`."""
        row = self._desk.books.row("variants", variant)
        if row is None:
            raise Missing
        rest: Body = self.get(row["product_id"])["rest"]
        return rest, next(each for each in rest["variants"] if each["id"] == variant)

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change ``title``, ``vendor``, ``product_type``, ``body_html``, ``tags`` or ``status``."""
        with self._desk.act(now) as act:
            record = self.get(number)
            rest = record["rest"]
            rest |= {k: given[k] for k in (*_PLAIN, "body_html", "status") if k in given}
            if "tags" in given:
                rest["tags"] = ", ".join(given["tags"])
            record["metafields"] = given.get("metafields", record["metafields"])
            self._change(record, act)
        return record

    def change_variant(
        self, variant: int, given: Mapping[str, Any], *, now: datetime | None = None
    ) -> Body:
        """Change a variant's ``price``, ``compare_at_price``, ``sku`` or ``quantity``."""
        with self._desk.act(now) as act:
            record = self.get(self.find(variant)[0]["id"])
            each = next(v for v in record["rest"]["variants"] if v["id"] == variant)
            each |= {k: given[k] for k in ("sku",) if k in given}
            for price in ("price", "compare_at_price"):
                if price in given:
                    each[price] = self._money(given[price])
            if "quantity" in given:
                each["old_inventory_quantity"] = each["inventory_quantity"]
                each["inventory_quantity"] = given["quantity"]
                self._tell_level(each, act)
            self._change(record, act, variant)
        return record

    def delete(self, number: int, *, now: datetime | None = None) -> None:
        """Take a product off sale for good: told by its id only."""
        with self._desk.act(now) as act:
            for variant in self.get(number)["rest"]["variants"]:
                self._desk.books.drop("variants", variant["id"])
            self._desk.books.drop("products", number)
            act.tell("products/delete", {"id": number})

    def move_stock(self, moves: Mapping[int, int], act: Act) -> None:
        """Take so many pieces of each variant (or give back, negative), where they are counted."""
        products: dict[int, list[int]] = {}
        for variant in moves:
            row = self._desk.books.row("variants", variant)
            if row is not None:
                products.setdefault(row["product_id"], []).append(variant)
        for number, variants in products.items():
            record = self.get(number)
            counted = [
                each
                for each in record["rest"]["variants"]
                if each["id"] in variants and record["tracked"][str(each["id"])]
            ]
            for each in counted:
                each["old_inventory_quantity"] = each["inventory_quantity"]
                each["inventory_quantity"] -= moves[each["id"]]
                self._tell_level(each, act)
            if counted:
                self._change(record, act, *(each["id"] for each in counted))

    def told(self, record: Body) -> Body:
        """The payload: with every variant's id, but only the first of many variants."""
        rest: Body = record["rest"]
        return rest | {
            "variants": rest["variants"][: self._desk.site.most_variants],
            "variant_gids": [
                {
                    "admin_graphql_api_id": v["admin_graphql_api_id"],
                    "updated_at": zulu(v["updated_at"]),
                }
                for v in rest["variants"]
            ],
        }

    def _change(self, record: Body, act: Act, *variants: int) -> None:
        at = local(act.moment, self._desk.site)
        record["rest"]["updated_at"] = at
        for each in record["rest"]["variants"]:
            if each["id"] in variants:
                each["updated_at"] = at
        self._keep(record, act.moment)
        act.tell("products/update", self.told(record))

    def _tell_level(self, variant: Body, act: Act) -> None:
        item = variant["inventory_item_id"]
        told = {"inventory_item_id": item, "location_id": LOCATION}
        told |= {"available": variant["inventory_quantity"]}
        name = f"{gid('InventoryLevel', LOCATION)}?inventory_item_id={item}"
        at = local(act.moment, self._desk.site)
        level = {**told, "updated_at": at, "admin_graphql_api_id": name}
        act.tell("inventory_levels/update", level)

    def _new(self, number: int, given: Mapping[str, Any], moment: datetime) -> Body:
        at, title = local(moment, self._desk.site), given["title"]
        wanted: Sequence[Mapping[str, Any]] = given.get("variants") or [given]
        variants = [self._variant(number, n, each, at) for n, each in enumerate(wanted, 1)]
        option: Body = {"id": self._desk.number("others"), "product_id": number, "position": 1}
        option |= {"name": given.get("option", "Title"), "values": [v["title"] for v in variants]}
        images = [self._image(number, given["image"], at)] if given.get("image") else []
        rest = {
            "admin_graphql_api_id": gid("Product", number),
            "body_html": given.get("body_html", ""),
            "created_at": at,
            "handle": slug(title),
            "id": number,
            "product_type": given.get("product_type", ""),
            "published_at": at,
            "template_suffix": None,
            "title": title,
            "updated_at": at,
            "vendor": given.get("vendor", self._desk.site.name),
            "status": given.get("status", "active"),
            "published_scope": "global",
            "tags": ", ".join(given.get("tags", ())),
            "variants": variants,
            "options": [option],
            "images": images,
            "image": images[0] if images else None,
            "media": [],
            "variant_gids": [],
            "has_variants_that_requires_components": False,
            "category": given.get("category"),
        }
        tracked = {
            str(variant["id"]): each.get("quantity") is not None
            for variant, each in zip(variants, wanted, strict=True)
        }
        metafields = list(given.get("metafields", ()))
        return {"id": number, "rest": rest, "tracked": tracked, "metafields": metafields}

    def _variant(
        self, product: int, position: int, given: Mapping[str, Any], at: str | None
    ) -> Body:
        number, value = self._desk.number("variants"), given.get("value", ONLY)
        return {
            "admin_graphql_api_id": gid("ProductVariant", number),
            "barcode": given.get("barcode"),
            "compare_at_price": self._money(given.get("compare_at_price")),
            "created_at": at,
            "id": number,
            "inventory_policy": given.get("policy", "deny"),
            "position": position,
            "price": self._money(given.get("price", "0")),
            "product_id": product,
            "sku": given.get("sku"),
            "taxable": True,
            "title": value,
            "updated_at": at,
            "option1": value,
            "option2": None,
            "option3": None,
            "image_id": None,
            "inventory_item_id": self._desk.number("items"),
            "inventory_quantity": given.get("quantity") or 0,
            "old_inventory_quantity": given.get("quantity") or 0,
        }

    def _image(self, product: int, address: str, at: str | None) -> Body:
        number = self._desk.number("others")
        name = gid("ProductImage", number)
        told = {"id": number, "product_id": product, "position": 1, "alt": None, "src": address}
        return {**told, "created_at": at, "updated_at": at, "admin_graphql_api_id": name}

    def _money(self, price: Any) -> str | None:
        currency = self._desk.site.currency
        minor = to_minor(price, currency)
        return None if minor is None else str(to_major(minor, currency))

    def _keep(self, record: Body, moment: datetime, **columns: Any) -> None:
        self._desk.books.keep("products", record, moment, **columns)
        for each in record["rest"]["variants"]:
            entry = {"id": each["id"]}
            numbers = {"product_id": record["id"], "item_id": each["inventory_item_id"]}
            self._desk.books.keep("variants", entry, moment, **numbers)
