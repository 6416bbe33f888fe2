"""The goods of the stand-in shop: put on sale, changed, thrown away, and what is told of it.

The webhooks that follow each action, and their order, are those of a real WooCommerce 11.0 shop,
its false ones included: posts share their ids, and a trashed product is announced as a deleted
coupon too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.town.books import opened
from adapters.woocommerce import sandbox_products as bodies
from adapters.woocommerce.sandbox_desk import Desk, Refusal, merge_meta
from adapters.woocommerce.sandbox_payloads import Body, touch


class Shelves:
    """Products, variations, coupons and (because they share ids with them) pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self, given: Mapping[str, Any], *, parent_id: int = 0, now: datetime | None = None
    ) -> Body:
        """Put a product on sale, or with ``parent_id`` a variation of one."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            parent = self.get(parent_id) if parent_id else None
            number = desk.books.number("posts")
            meta_data = merge_meta([], given.get("meta_data", ()), desk.books)
            body = bodies.product(
                desk.site, number, moment, given, parent=parent, meta_data=meta_data
            )
            self._keep(body, moment)
            if parent:
                self._gather(parent_id)
            if body["status"] == "publish":
                desk.announce("product.published", number)
            desk.announce("product.created", number)
        return body

    def get(self, number: int) -> Body:
        """One product or variation; refuses with 404."""
        body = self._desk.books.body("products", number)
        if body is None:
            raise Refusal("woocommerce_rest_product_invalid_id", "Invalid ID.", 404)
        return body

    def change(self, number: int, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Change a product or variation; even a change of nothing is told."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            body = self.get(number)
            was_public = body["status"] == "publish"
            bodies.write(body, given, desk.site)
            body["meta_data"] = merge_meta(
                body["meta_data"], given.get("meta_data", ()), desk.books
            )
            touch(body, moment, desk.site)
            self._keep(body, moment)
            if body["parent_id"]:
                self._gather(body["parent_id"])
            if body["status"] == "publish" and not was_public:
                desk.announce("product.published", number)
            desk.announce("product.updated", number)
        return body

    def trash(self, number: int, *, now: datetime | None = None, in_admin: bool = False) -> Body:
        """Throw a product away, its variations first.

        Through REST each is announced as a deleted coupon and a deleted product; ``in_admin`` only
        as what it is.
        """
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            body = self.get(number)
            for row in self.variation_rows(number):
                self.trash(row["id"], now=moment, in_admin=in_admin)
            was, body["status"] = body["status"], "trash"
            touch(body, moment, desk.site)
            self._keep(body, moment, was=was)
            if not in_admin:
                desk.announce("coupon.deleted", number)
            desk.announce("product.deleted", number)
        return body

    def untrash(self, number: int, *, now: datetime | None = None) -> Body:
        """Take a product out of the trash; its variations stay there."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            row = desk.books.row("products", number) or {}
            body = self.get(number)
            body["status"] = row["was"]
            touch(body, moment, desk.site)
            self._keep(body, moment)
            if body["status"] == "publish":
                desk.announce("product.published", number)
            for topic in ("product.updated", "coupon.restored", "product.restored"):
                desk.announce(topic, number)
        return body

    def delete(self, number: int) -> Body:
        """Remove a product or variation for good: nothing is told of it."""
        desk = self._desk
        with desk.books.turn():
            body = self.get(number)
            for row in self.variation_rows(number):
                desk.books.drop("products", row["id"])
            desk.books.drop("products", number)
            if body["parent_id"]:
                self._gather(body["parent_id"])
        return body

    def variation_rows(self, number: int) -> list[dict[str, Any]]:
        """The rows of a product's variations."""
        return self._desk.books.rows("products", "parent_id = ?", (number,))

    def move_stock(self, number: int, quantity: int, *, now: datetime) -> bool:
        """Take so many pieces (or give back, negative); whether the shop counts them at all."""
        desk = self._desk
        body = desk.books.body("products", number)
        if body is None or not body["manage_stock"]:
            return False
        bodies.write(body, {"stock_quantity": body["stock_quantity"] - quantity}, desk.site)
        if body["type"] != "variation":
            body["total_sales"] += max(quantity, 0)
        touch(body, now, desk.site)
        self._keep(body, now)
        return True

    def create_coupon(self, given: Mapping[str, Any], *, now: datetime | None = None) -> Body:
        """Make a coupon: ``code``, ``amount`` in percent."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            body = bodies.coupon(desk.site, desk.books.number("posts"), moment, given)
            self._keep_coupon(body, moment)
            desk.announce("coupon.created", body["id"])
        return body

    def get_coupon(self, number: int) -> Body:
        """One coupon, in the trash or not; refuses with 404."""
        body = self._desk.books.body("coupons", number)
        if body is None:
            raise Refusal("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.", 404)
        return body

    def change_coupon(
        self, number: int, given: Mapping[str, Any], *, now: datetime | None = None
    ) -> Body:
        """Write some of a coupon's fields."""
        desk, moment = self._desk, self._desk.at(now)
        with desk.books.turn():
            known = self.get_coupon(number)
            body = known | {name: given[name] for name in given if name in known}
            touch(body, moment, desk.site)
            self._keep_coupon(body, moment)
            desk.announce("coupon.updated", number)
        return body

    def coupon(self, code: str) -> Body:
        """A coupon by its code; refuses as the shop does."""
        found = self._desk.books.rows("coupons", "code = ? AND status = 'publish'", (code.lower(),))
        if not found:
            told = f'Coupon "{code}" cannot be applied because it does not exist.'
            raise Refusal("woocommerce_rest_invalid_coupon", told, 400)
        return opened(found[0])

    def trash_coupon(self, number: int) -> Body:
        """Throw a coupon away: announced as a deleted product too, which it never was."""
        desk, moment = self._desk, self._desk.at(None)
        with desk.books.turn():
            body = self.get_coupon(number)
            was, body["status"] = body["status"], "trash"
            touch(body, moment, desk.site)
            self._keep_coupon(body, moment, was=was)
            desk.announce("coupon.deleted", number)
            desk.announce("product.deleted", number)
        return body

    def delete_coupon(self, number: int) -> Body:
        """Remove a coupon for good: nothing is told of it."""
        with self._desk.books.turn():
            body = self.get_coupon(number)
            self._desk.books.drop("coupons", number)
        return body

    def trash_page(self) -> int:
        """Throw away a page of the blog: announced as a product and a coupon; gives its id."""
        with self._desk.books.turn():
            number = self._desk.books.number("posts")
            self._desk.announce("product.deleted", number)
            self._desk.announce("coupon.deleted", number)
        return number

    def _gather(self, number: int) -> None:
        parent = self.get(number)
        rows = self._desk.books.rows("products", "parent_id = ? AND status = 'publish'", (number,))
        bodies.gather(parent, [opened(row) for row in rows], self._desk.site)
        self._keep(parent, None)

    def _keep_coupon(self, body: Body, moment: datetime, was: str | None = None) -> None:
        self._desk.books.keep(
            "coupons", body, moment, status=body["status"], code=body["code"], was=was
        )

    def _keep(self, body: Body, moment: datetime | None, was: str | None = None) -> None:
        self._desk.books.keep(
            "products",
            body,
            moment,
            parent_id=body["parent_id"],
            type=body["type"],
            status=body["status"],
            sku=body["sku"],
            was=was,
        )
