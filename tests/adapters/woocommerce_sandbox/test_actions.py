"""Which webhooks follow which action, and in which order: the table of a real shop, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_desk import Refusal

Told = Callable[[Callable[[], object]], list[str]]
ANNA = {"email": "anna@epost.example", "first_name": "Anna", "last_name": "Ås"}


def buyer(shop: Sandbox) -> int:
    return int(shop.customers.create(ANNA)["id"])


def counted(shop: Sandbox) -> int:
    goods = {"name": "Garn", "regular_price": "49.90", "manage_stock": True, "stock_quantity": 9}
    return int(shop.products.create(goods)["id"])


def basket(product: int) -> dict[str, Any]:
    lines = [{"product_id": product, "quantity": 2}]
    return {"line_items": lines, "billing": {"email": "gjest@epost.example"}}


def test_order_through_rest(shop: Sandbox, told: Told) -> None:
    """A REST order is told as created, then updated."""
    assert told(lambda: shop.orders.create({})) == ["order.created", "order.updated"]


def test_order_through_rest_takes_stock_and_makes_a_payer(shop: Sandbox, told: Told) -> None:
    """When stock falls and the buyer pays for the first time, both are told afterwards."""
    product, customer = counted(shop), buyer(shop)
    given = {**basket(product), "customer_id": customer, "set_paid": True}
    expected = ["order.created", "order.updated", "product.updated", "customer.updated"]
    assert expected == told(lambda: shop.orders.create(given))
    assert shop.products.get(product)["stock_quantity"] == 7
    assert expected[:3] == told(lambda: shop.orders.create(given))


def test_checkout(shop: Sandbox, told: Told) -> None:
    """The storefront tells an order as updated before it tells it as created."""
    product = counted(shop)
    expected = ["order.updated", "order.created", "product.updated"]
    assert expected == told(lambda: shop.orders.check_out(basket(product)))


def test_checkout_with_new_account(shop: Sandbox, told: Told) -> None:
    """A checkout that opens an account tells the order first, then the account, then the order."""
    account = {**ANNA, "email": "ny@epost.example"}
    expected = ["order.updated", "customer.created", "customer.updated", "order.created"]
    assert expected == told(lambda: shop.orders.check_out({}, account=account))


def test_change_of_nothing(shop: Sandbox, told: Told) -> None:
    """A change of nothing is told all the same, of orders and of customers."""
    order, customer = shop.orders.create({})["id"], buyer(shop)
    assert told(lambda: shop.orders.change(order, {})) == ["order.updated"]
    assert told(lambda: shop.customers.change(customer, {})) == ["customer.updated"]


def test_completion_fires_the_plugin_action(shop: Sandbox, told: Told, receiver: Any) -> None:
    """A webhook on a WordPress action carries only the action and the id, in PHP's JSON."""
    order = shop.orders.create({"status": "processing"})["id"]
    expected = ["order.updated", "action.woocommerce_order_status_completed"]
    assert expected == told(lambda: shop.orders.change(order, {"status": "completed"}))
    body = b'{"action":"woocommerce_order_status_completed","arg":%d}' % order
    assert body == receiver.deliveries[-1].body


def test_refund(shop: Sandbox, told: Told, receiver: Any) -> None:
    """A refund is one order.updated: the total stays, the refund stands beside it, negative."""
    product = counted(shop)
    order = shop.orders.create({**basket(product), "status": "processing"})
    assert told(lambda: shop.orders.refund(order["id"], amount="10.00")) == ["order.updated"]
    body = json.loads(receiver.deliveries[0].body)
    assert (order["total"], "processing") == (body["total"], body["status"])
    assert [e["total"] for e in body["refunds"]] == ["-10.00"]


def test_full_refund_and_restock(shop: Sandbox, told: Told, clock: Any) -> None:
    """Giving everything back ends the order as refunded, and fills the shelf when asked."""
    product = counted(shop)
    order = shop.orders.create({**basket(product), "status": "processing"})
    line = order["line_items"][0]["id"]
    clock.pass_by(minutes=1)
    refund = lambda: shop.orders.refund(order["id"], lines={line: 2}, restock=True)  # noqa: E731 an action
    assert told(refund) == ["product.updated", "order.updated"]
    assert shop.orders.get(order["id"])["status"] == "refunded"
    assert shop.products.get(product)["stock_quantity"] == 9


def test_refund_deleted(shop: Sandbox, told: Told, clock: Any) -> None:
    """Undoing a refund tells nothing and does not move the order's time."""
    order = shop.orders.create({**basket(counted(shop)), "status": "processing"})["id"]
    refund = shop.orders.refund(order, amount="1.00")["id"]
    before = shop.orders.get(order)["date_modified_gmt"]
    clock.pass_by(hours=1)
    assert told(lambda: shop.orders.delete_refund(order, refund)) == []
    after = shop.orders.get(order)
    assert (before, []) == (after["date_modified_gmt"], after["refunds"])


def test_refund_too_large(shop: Sandbox, told: Told) -> None:
    """More than was paid is not given back, and nothing is told."""
    order = shop.orders.create({**basket(counted(shop)), "status": "processing"})["id"]

    def refund() -> None:
        with pytest.raises(Refusal, match="Invalid refund amount"):
            shop.orders.refund(order, amount="124.76")

    assert told(refund) == []
    assert shop.orders.get(order)["refunds"] == []
    assert shop.totals().refunds == 0


def test_order_trash_and_back(shop: Sandbox, told: Told, receiver: Any) -> None:
    """Trash tells the bare id, each time the same; coming back in wp-admin tells everything."""
    order = shop.orders.create({"status": "on-hold"})["id"]
    assert told(lambda: shop.orders.trash(order)) == ["order.deleted"]
    assert receiver.deliveries[0].body == b'{"id":%d}' % order
    assert told(lambda: shop.orders.untrash(order)) == ["order.restored"]
    assert json.loads(receiver.deliveries[0].body)["status"] == "on-hold"


def test_order_back_through_rest(shop: Sandbox, told: Told) -> None:
    """A status written onto a trashed order brings it back, and no webhook says so."""
    order = shop.orders.create({})["id"]
    shop.orders.trash(order)
    assert told(lambda: shop.orders.change(order, {"status": "pending"})) == []
    assert shop.orders.get(order)["status"] == "pending"


def test_force_delete_is_silent(shop: Sandbox, told: Told) -> None:
    """Orders, products and variations removed for good are gone without a word."""
    order, product = shop.orders.create({})["id"], counted(shop)
    parent = shop.products.create({"name": "Vott", "type": "variable"})["id"]
    option = {"attributes": [{"name": "Farge", "option": "Rød"}]}
    variation = shop.products.create(option, parent_id=parent)["id"]
    assert told(lambda: shop.orders.delete(order)) == []
    assert told(lambda: shop.products.delete(product)) == []
    assert told(lambda: shop.products.delete(variation)) == []
    with pytest.raises(Refusal, match="Invalid ID"):
        shop.orders.get(order)


def test_customer_life(shop: Sandbox, told: Told, receiver: Any, clock: Any) -> None:
    """A new customer is told twice with one body; a closed account by its id alone."""
    assert told(lambda: buyer(shop)) == ["customer.created", "customer.updated"]
    assert receiver.deliveries[0].body == receiver.deliveries[1].body
    number = json.loads(receiver.deliveries[0].body)["id"]
    order = shop.orders.create({"customer_id": number})
    clock.pass_by(hours=1)
    assert told(lambda: shop.customers.delete(number)) == ["customer.deleted"]
    after = shop.orders.get(order["id"])
    assert (0, order["date_modified_gmt"]) == (after["customer_id"], after["date_modified_gmt"])


def test_staff_account(shop: Sandbox, told: Told, receiver: Any) -> None:
    """An editor's account is told as a customer created, with its role; its end is not told."""
    editor = {"email": "ed@wool.example", "role": "editor"}
    assert told(lambda: shop.customers.create(editor)) == ["customer.created"]
    body = json.loads(receiver.deliveries[0].body)
    assert ("editor", None) == (body["role"], body["date_modified_gmt"])
    assert told(lambda: shop.customers.delete(body["id"])) == []
    assert shop.totals().people == frozenset()


def test_product_and_variation(shop: Sandbox, told: Told, receiver: Any) -> None:
    """New goods are published, then created; a variation arrives as a product of that type."""
    made = ["product.published", "product.created"]
    parent = {"name": "Vott", "type": "variable"}
    assert made == told(lambda: shop.products.create(parent))
    number = json.loads(receiver.deliveries[0].body)["id"]
    option = {"attributes": [{"name": "Farge", "option": "Rød"}], "regular_price": "99"}
    assert made == told(lambda: shop.products.create(option, parent_id=number))
    body = json.loads(receiver.deliveries[0].body)
    expected = ("variation", number, "Vott - Rød", "99")
    assert expected == (body["type"], body["parent_id"], body["name"], body["price"])


def test_draft_and_publication(shop: Sandbox, told: Told) -> None:
    """A draft is only created; being published is told beside the update."""
    assert told(lambda: shop.products.create({"name": "x", "status": "draft"})) == [
        "product.created"
    ]
    draft = shop.books.rows("products")[-1]["id"]
    expected = ["product.published", "product.updated"]
    assert expected == told(lambda: shop.products.change(draft, {"status": "publish"}))


def test_product_trash(shop: Sandbox, told: Told, receiver: Any) -> None:
    """A trashed product is told as a deleted coupon too; a variable one once for each variation."""
    parent = shop.products.create({"name": "Vott", "type": "variable"})["id"]
    option = {"attributes": [{"name": "Farge", "option": "Rød"}]}
    variation = shop.products.create(option, parent_id=parent)["id"]
    expected = ["coupon.deleted", "product.deleted"]
    assert expected * 2 == told(lambda: shop.products.trash(parent))
    told_of = [json.loads(a.body)["id"] for a in receiver.deliveries]
    assert [variation, variation, parent, parent] == told_of
    restored = ["product.published", "product.updated", "coupon.restored", "product.restored"]
    assert restored == told(lambda: shop.products.untrash(parent))


def test_product_trash_in_admin(shop: Sandbox, told: Told) -> None:
    """In wp-admin a trashed product is told as what it is."""
    product = counted(shop)
    assert told(lambda: shop.products.trash(product, in_admin=True)) == ["product.deleted"]


def test_false_deletions(shop: Sandbox, told: Told, receiver: Any) -> None:
    """A trashed coupon or page is told as a deleted product that never was."""
    coupon = shop.products.create_coupon({"code": "X", "amount": "10"})["id"]
    assert told(lambda: shop.products.trash_coupon(coupon)) == ["coupon.deleted", "product.deleted"]
    assert told(shop.products.trash_page) == ["product.deleted", "coupon.deleted"]
    number = json.loads(receiver.deliveries[0].body)["id"]
    with pytest.raises(Refusal, match="Invalid ID"):
        shop.products.get(number)


def test_withdrawal(shop: Sandbox, told: Told, receiver: Any) -> None:
    """Somebody who unsubscribes is told as a changed customer with the plugin's field."""
    number = buyer(shop)
    assert told(lambda: shop.customers.withdraw(number)) == ["customer.updated"]
    fields = json.loads(receiver.deliveries[0].body)["meta_data"]
    noted = [(f["key"], f["value"]) for f in fields]
    assert noted == [("mailchimp_woocommerce_is_subscribed", "unsubscribed")]
    assert shop.totals().withdrawn == frozenset({"anna@epost.example"})
