"""The addresses under /wp-json/wc/v3 of the stand-in, and what is done for each.

https://woocommerce.github.io/woocommerce-rest-api-docs/.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Flask, Response, request

from adapters.woocommerce import sandbox_queries as lists
from adapters.woocommerce.sandbox_answers import (
    Office,
    answer,
    archived,
    created,
    delete_or_trash,
    given_body,
    is_forced,
    listed,
)
from adapters.woocommerce.sandbox_desk import Refusal
from adapters.woocommerce.sandbox_products import as_variation


def _route_orders(app: Flask, office: Office) -> None:
    orders, desk = office.orders, office.desk

    @app.get("/wp-json/wc/v3/orders")
    def list_orders() -> Response:
        if office.archive is not None:
            return archived(office, office.archive)
        return listed(office, lists.ORDERS, "orders")

    @app.post("/wp-json/wc/v3/orders")
    def create_order() -> Response:
        given = given_body()
        lists.check_status(given.get("status"))
        return created(office, "orders", orders.create(given))

    @app.get("/wp-json/wc/v3/orders/<int:number>")
    def get_order(number: int) -> Response:
        if office.archive is not None and number <= office.archive.orders:
            return answer(office, json.loads(office.archive.body(number)))
        return answer(office, orders.get(number))

    @app.route("/wp-json/wc/v3/orders/<int:number>", methods=["PUT", "PATCH", "POST"])
    def change_order(number: int) -> Response:
        given = given_body()
        lists.check_status(given.get("status"))
        return answer(office, orders.change(number, given))

    @app.delete("/wp-json/wc/v3/orders/<int:number>")
    def delete_order(number: int) -> Response:
        trashed = orders.get(number)["status"] == "trash"
        return delete_or_trash(
            office, number, "Order", orders.delete, orders.trash, trashed=trashed
        )

    @app.get("/wp-json/wc/v3/orders/<int:number>/refunds")
    def list_refunds(number: int) -> Response:
        orders.get(number)
        return listed(office, lists.REFUNDS, f"orders/{number}/refunds", f"order_id = {number}")

    @app.post("/wp-json/wc/v3/orders/<int:number>/refunds")
    def create_refund(number: int) -> Response:
        given = given_body()
        lines = {int(i["id"]): int(i.get("quantity", 0)) for i in given.get("line_items") or ()}
        made = orders.refund(
            number,
            amount=given.get("amount"),
            reason=given.get("reason", ""),
            lines=lines,
            restock=bool(given.get("api_restock", True)) and bool(lines),
            now=desk.clock(),
        )
        return created(office, f"orders/{number}/refunds", made)


def _route_customers(app: Flask, office: Office) -> None:
    customers = office.customers

    @app.get("/wp-json/wc/v3/customers")
    def list_customers() -> Response:
        role = request.args.get("role", "customer")
        within = "1" if role == "all" else f"role = '{''.join(filter(str.isalnum, role))}'"
        return listed(office, lists.CUSTOMERS, "customers", within)

    @app.post("/wp-json/wc/v3/customers")
    def create_customer() -> Response:
        given = {k: v for k, v in given_body().items() if k != "role"}
        return created(office, "customers", customers.create(given))

    @app.get("/wp-json/wc/v3/customers/<int:number>")
    def get_customer(number: int) -> Response:
        return answer(office, customers.get(number))

    @app.route("/wp-json/wc/v3/customers/<int:number>", methods=["PUT", "PATCH", "POST"])
    def change_customer(number: int) -> Response:
        return answer(office, customers.change(number, given_body()))

    @app.delete("/wp-json/wc/v3/customers/<int:number>")
    def delete_customer(number: int) -> Response:
        return answer(office, customers.delete(number, force=is_forced()))


def _route_products(app: Flask, office: Office) -> None:
    products = office.products

    @app.get("/wp-json/wc/v3/products")
    def list_products() -> Response:
        return listed(office, lists.PRODUCTS, "products", "parent_id = 0")

    @app.post("/wp-json/wc/v3/products")
    def create_product() -> Response:
        return created(office, "products", products.create(given_body()))

    @app.get("/wp-json/wc/v3/products/<int:number>")
    def get_product(number: int) -> Response:
        return answer(office, products.get(number))

    @app.route("/wp-json/wc/v3/products/<int:number>", methods=["PUT", "PATCH", "POST"])
    def change_product(number: int) -> Response:
        return answer(office, products.change(number, given_body()))

    @app.delete("/wp-json/wc/v3/products/<int:number>")
    def delete_product(number: int) -> Response:
        trashed = products.get(number)["status"] == "trash"
        return delete_or_trash(
            office, number, "Product", products.delete, products.trash, trashed=trashed
        )


def _route_variations(app: Flask, office: Office) -> None:
    products, site = office.products, office.desk.site

    @app.get("/wp-json/wc/v3/products/<int:parent>/variations")
    def list_variations(parent: int) -> Response:
        products.get(parent)
        path, within = f"products/{parent}/variations", f"parent_id = {parent}"
        return listed(
            office, lists.PRODUCTS, path, within, shown=lambda body: as_variation(body, site)
        )

    @app.get("/wp-json/wc/v3/variations")
    def list_all_variations() -> Response:
        return listed(
            office,
            lists.PRODUCTS,
            "variations",
            "parent_id <> 0",
            shown=lambda body: as_variation(body, site),
        )

    @app.post("/wp-json/wc/v3/products/<int:parent>/variations")
    def create_variation(parent: int) -> Response:
        made = products.create(given_body(), parent_id=parent)
        return created(office, f"products/{parent}/variations", as_variation(made, site))

    @app.get("/wp-json/wc/v3/products/<int:parent>/variations/<int:number>")
    def get_variation(parent: int, number: int) -> Response:
        body = products.get(number)
        if body["parent_id"] != parent:
            raise Refusal("woocommerce_rest_product_variation_invalid_id", "Invalid ID.", 404)
        return answer(office, as_variation(body, site))


def _route_coupons(app: Flask, office: Office) -> None:
    products = office.products

    @app.get("/wp-json/wc/v3/coupons")
    def list_coupons() -> Response:
        return listed(office, lists.COUPONS, "coupons")

    @app.post("/wp-json/wc/v3/coupons")
    def create_coupon() -> Response:
        return created(office, "coupons", products.create_coupon(given_body()))

    @app.get("/wp-json/wc/v3/coupons/<int:number>")
    def get_coupon(number: int) -> Response:
        return answer(office, products.get_coupon(number))

    @app.route("/wp-json/wc/v3/coupons/<int:number>", methods=["PUT", "PATCH", "POST"])
    def change_coupon(number: int) -> Response:
        return answer(office, products.change_coupon(number, given_body()))

    @app.delete("/wp-json/wc/v3/coupons/<int:number>")
    def delete_coupon(number: int) -> Response:
        trashed = products.get_coupon(number)["status"] == "trash"
        return delete_or_trash(
            office,
            number,
            "Shop_coupon",
            products.delete_coupon,
            products.trash_coupon,
            trashed=trashed,
        )


def _route_webhooks(app: Flask, office: Office) -> None:
    sender, desk = office.sender, office.desk

    @app.get("/wp-json/wc/v3/webhooks")
    def list_webhooks() -> Response:
        return listed(office, lists.WEBHOOKS, "webhooks")

    @app.post("/wp-json/wc/v3/webhooks")
    def create_webhook() -> Response:
        return created(office, "webhooks", sender.register(given_body(), desk.clock()))

    @app.get("/wp-json/wc/v3/webhooks/<int:number>")
    def get_webhook(number: int) -> Response:
        return answer(office, sender.get(number))

    @app.route("/wp-json/wc/v3/webhooks/<int:number>", methods=["PUT", "PATCH", "POST"])
    def change_webhook(number: int) -> Response:
        return answer(office, sender.change(number, given_body(), desk.clock()))

    @app.delete("/wp-json/wc/v3/webhooks/<int:number>")
    def delete_webhook(number: int) -> Response:
        if not is_forced():
            told = "Webhooks do not support trashing."
            raise Refusal("woocommerce_rest_trash_not_supported", told, 501)
        return answer(office, sender.delete(number))


ROUTES: tuple[Callable[[Flask, Office], None], ...] = (
    _route_orders,
    _route_customers,
    _route_products,
    _route_variations,
    _route_coupons,
    _route_webhooks,
)
"""What brings each kind of address into an application."""
