"""Orders and carts: brought, changed, taken away, forgotten, whatever is held of them already."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.commerce.sales import customer_id
from adapters.mailchimp.sandbox import Sandbox
from connector.model import Parked, Permission, Settled
from tests.adapters.mailchimp.commerce.wares import (
    KARI,
    OLA,
    cart,
    customer,
    drop_one,
    gone,
    held,
    line,
    make,
    new,
    order,
    product,
    promotion,
    push,
    push_one,
)

_ORDERS = "/ecommerce/stores/{store_id}/orders"


@pytest.fixture(autouse=True)
def _goods(mc: Sandbox, sales: MailchimpSales) -> None:
    push(sales, *(new(product(number)) for number in ("1", "2", "3")))
    mc.calls.clear()


def test_an_order_is_brought_whole(mc: Sandbox, sales: MailchimpSales) -> None:
    """In one call, to the penny, with moments that Mailchimp takes and no claim of permission."""
    assert Settled() == push_one(sales, order(fulfilled=True, discount="1.05"))
    [body] = [each for name, each in mc.sales.bodies if name == f"POST {_ORDERS}"]
    assert {
        "id": "100",
        "customer": {
            "id": customer_id("c-nord", KARI),
            "email_address": KARI,
            "opt_in_status": False,
            "first_name": "Kari",
            "last_name": "Nordmann",
        },
        "currency_code": "EUR",
        "order_total": 39.8,
        "tax_total": 7.96,
        "shipping_total": 0,
        "discount_total": 1.05,
        "financial_status": "paid",
        "fulfillment_status": "shipped",
        "processed_at_foreign": "2026-11-20T10:00:00Z",
        "updated_at_foreign": "2026-11-21T10:00:00Z",
        "landing_site": "https://nord.example/?from=mail",
        "lines": [
            {
                "id": "l1",
                "product_id": "1",
                "product_variant_id": "11",
                "quantity": 2,
                "price": 19.9,
                "discount": 0,
            }
        ],
    } == body
    assert {f"POST {_ORDERS}": 1} == mc.calls


@pytest.mark.parametrize(
    ("status", "refunded", "financial", "total", "cancelled"),
    [
        ("pending", "0", "pending", 39.8, None),
        ("paid", "0", "paid", 39.8, None),
        ("partially_refunded", "9.90", "partially_refunded", 29.9, None),
        ("refunded", "39.80", "refunded", 0, None),
        ("cancelled", "0", "cancelled", 39.8, "2026-11-21T10:00:00Z"),
        ("failed", "0", "failed", 39.8, None),
        ("unheard of", "0", None, 39.8, None),
    ],
)
def test_states(
    mc: Sandbox,
    sales: MailchimpSales,
    status: str,
    refunded: str,
    financial: str | None,
    total: float,
    cancelled: str | None,
) -> None:
    """What each state is called there, new or changed; what was given back is off the total."""
    for number, before in (("1", None), ("2", order("2", status="pending"))):
        if before is not None:
            push_one(sales, before)
        assert Settled() == push_one(sales, order(number, status=status, refunded=refunded), before)
    for number in ("1", "2"):
        found = held(mc).orders[number]
        expected = financial or (None if number == "1" else "pending")
        assert (expected, total, cancelled) == (
            found.get("financial_status"),
            found["order_total"],
            found.get("cancelled_at_foreign"),
        )


def test_the_same_again(mc: Sandbox, sales: MailchimpSales) -> None:
    """Known or not known to be there, by this process or another: once in the store."""
    push_one(sales, order())
    before = {**held(mc).orders["100"]}
    for known in (order(), None):
        for process in (sales, make(mc)):
            assert Settled() == push_one(process, order(), known)
    assert {"100": before} == held(mc).orders


def test_an_order_that_is_not_there_any_more(mc: Sandbox, sales: MailchimpSales) -> None:
    """An admin deleted it: the change brings it anew, a removal is done already."""
    push_one(sales, order())
    held(mc).orders.clear()
    assert Settled() == push_one(sales, order(status="refunded"), order())
    assert "refunded" == held(mc).orders["100"]["financial_status"]
    held(mc).orders.clear()
    assert isinstance(drop_one(sales, order()), Settled)


def test_lines_change_one_by_one(mc: Sandbox, sales: MailchimpSales) -> None:
    """More of one, one more, one less: the order is the same order, and set off one mail."""
    before = order(lines=[line("1"), line("2")])
    push_one(sales, before)
    mc.calls.clear()
    after = order(lines=[line("2", quantity=5, discount="3.10"), line("3")])
    assert Settled() == push_one(sales, after, before)
    lines = held(mc).orders["100"]["lines"]
    assert {"l2": (5, 3.1), "l3": (2, 0)} == {
        name: (each["quantity"], each["discount"]) for name, each in lines.items()
    }
    one = f"{_ORDERS}/{{order_id}}/lines/{{line_id}}"
    assert {
        f"PATCH {_ORDERS}/{{order_id}}": 1,
        f"POST {_ORDERS}/{{order_id}}/lines": 1,
        f"PATCH {one}": 1,
        f"DELETE {one}": 1,
    } == mc.calls


def test_every_line_is_replaced(mc: Sandbox, sales: MailchimpSales) -> None:
    """What comes comes before what goes: an order is never without a line."""
    push_one(sales, order(lines=[line("1")]))
    assert Settled() == push_one(sales, order(lines=[line("2")]))
    assert {"l2"} == set(held(mc).orders["100"]["lines"])


def test_an_order_without_items(mc: Sandbox, sales: MailchimpSales) -> None:
    """A fee alone is still money: it is held with one line that costs nothing."""
    bare = order(lines=[line("1", quantity=0)], total="12.00")
    assert Settled() == push_one(sales, bare)
    found = held(mc).orders["100"]
    [only] = found["lines"].values()
    assert (12, "no-items", 0) == (found["order_total"], only["product_id"], only["price"])
    assert Settled() == push_one(sales, order(), bare)
    assert {"l1"} == set(held(mc).orders["100"]["lines"])


def test_the_customer_goes_by_address(mc: Sandbox, sales: MailchimpSales) -> None:
    """A guest and an account of one address are one; the id does not tell the address."""
    push_one(sales, order("1", customer=customer(KARI.upper(), id=None)))
    push_one(sales, order("2", customer=customer(f" {KARI} ")))
    [(name, found)] = held(mc).customers.items()
    assert KARI == found["email_address"]
    assert 40 == len(name)
    assert not any(part in name for part in ("kari", "shop", "@", "77"))
    assert customer_id("c-sor", KARI) != name


def test_a_new_address(mc: Sandbox, sales: MailchimpSales) -> None:
    """Mailchimp changes no customer's address: the order is made anew for the other one."""
    push_one(sales, order())
    after = order(customer=customer(OLA))
    for before in (order(), None):
        assert Settled() == push_one(sales, after, before)
        assert customer_id("c-nord", OLA) == held(mc).orders["100"]["customer"]
    mc.calls.clear()
    assert Settled() == push_one(sales, after, after)
    assert 1 == mc.calls.total()


def test_a_new_name(mc: Sandbox, sales: MailchimpSales) -> None:
    """The customer is renamed with the next change of an order; an empty name empties nothing."""
    push_one(sales, order())
    for name, expected in (("Karoline", "Karoline"), ("", "Karoline")):
        assert Settled() == push_one(sales, order(customer=customer(first_name=name)), order())
        [found] = held(mc).customers.values()
        assert expected == found["first_name"]


def test_a_cancelled_order_that_revives(mc: Sandbox, sales: MailchimpSales) -> None:
    """What is cancelled there stays so: the order is made anew."""
    cancelled = order(status="cancelled", cancelled_at="2026-11-21T09:00:00+01:00")
    push_one(sales, cancelled)
    assert "2026-11-21T08:00:00Z" == held(mc).orders["100"]["cancelled_at_foreign"]
    assert Settled() == push_one(sales, order(), cancelled)
    found = held(mc).orders["100"]
    assert ("paid", None) == (found["financial_status"], found.get("cancelled_at_foreign"))


@pytest.mark.parametrize("email", [None, "", "no address"])
def test_an_order_without_an_address(mc: Sandbox, sales: MailchimpSales, email: Any) -> None:
    """It cannot be held, which is said; one that was held goes."""
    bare = order(customer=customer(email))
    outcome = push_one(sales, bare)
    assert isinstance(outcome, Settled)
    assert "e-mail address" in outcome.note
    assert 0 == mc.calls.total()
    push_one(sales, order())
    assert isinstance(push_one(sales, bare, order()), Settled)
    assert {} == held(mc).orders


def test_an_address_that_mailchimp_dislikes(mc: Sandbox, sales: MailchimpSales) -> None:
    """Parked with who mends it; the address is not in the words, and the next one is unharmed."""
    bad = order(customer=customer("kari@nowhere.invalid"))
    outcomes = push(sales, new(bad), new(order("101")))
    assert isinstance(outcomes["order/nord/100"], Parked)
    assert "invalid_address" == outcomes["order/nord/100"].reason
    assert "kari" not in repr(outcomes["order/nord/100"])
    assert Settled() == outcomes["order/nord/101"]


def test_order_zero(sales: MailchimpSales) -> None:
    """Mailchimp takes no order of that id, and says so in a schema's words."""
    outcome = push_one(sales, order("0"))
    assert isinstance(outcome, Parked)
    assert "order 0" in outcome.mend


def test_a_removal(mc: Sandbox, sales: MailchimpSales) -> None:
    """The order goes, the customer stays for the others."""
    for number in ("1", "2"):
        push_one(sales, order(number))
    assert Settled() == drop_one(sales, order("1"))
    assert ({"2"}, 1) == (set(held(mc).orders), len(held(mc).customers))
    assert Settled(note="was not there any more") == drop_one(sales, order("1"))


def test_an_erasure(mc: Sandbox, sales: MailchimpSales) -> None:
    """Order and customer go for good, also of who was never acknowledged, as often as asked."""
    push_one(sales, order())
    push_one(sales, order("2", customer=customer(OLA)))
    unknown = gone(order("2"), erased=True)
    for _ in range(2):
        outcomes = push(sales, gone(order(), erased=True), replace(unknown, before=None)).values()
        assert {Settled} == {type(each) for each in outcomes}
        assert ({}, {}) == (held(mc).orders, held(mc).customers)


def test_a_cart_is_brought_changed_and_removed(mc: Sandbox, sales: MailchimpSales) -> None:
    """With the link back to it; it goes when the order comes."""
    assert Settled() == push_one(sales, cart())
    found = held(mc).carts["c1"]
    assert ("https://nord.example/cart?c1", 39.8) == (found["checkout_url"], found["order_total"])
    after = cart(lines=[line("2"), line("3")], total="79.60", url=None)
    assert Settled() == push_one(sales, after, cart())
    found = held(mc).carts["c1"]
    assert (79.6, {"l2", "l3"}) == (found["order_total"], set(found["lines"]))
    assert {Settled()} == set(push(sales, new(order()), gone(after)).values())
    assert ({}, {"100"}) == (held(mc).carts, set(held(mc).orders))


@pytest.mark.parametrize("permission", [*Permission, None])
def test_whose_cart_is_held(
    mc: Sandbox, sales: MailchimpSales, permission: Permission | None
) -> None:
    """A cart is there to remind of it: only of who may be mailed; a withdrawal takes it away."""
    outcome = push_one(sales, cart(permission=permission))
    assert isinstance(outcome, Settled)
    expected = {"c1"} if permission is Permission.SEND else set()
    assert expected == set(held(mc).carts)
    push_one(sales, cart())
    assert isinstance(push_one(sales, cart(permission=permission), cart()), Settled)
    assert expected == set(held(mc).carts)


def test_an_empty_cart(mc: Sandbox, sales: MailchimpSales) -> None:
    """There is nothing to remind of."""
    push_one(sales, cart())
    assert isinstance(push_one(sales, cart(lines=[]), cart()), Settled)
    assert {} == held(mc).carts


def test_a_promotion(mc: Sandbox, sales: MailchimpSales) -> None:
    """A rule and its code: brought, changed, repeated, taken away."""
    fixed = promotion(type="fixed", amount="5.50", target="shipping", enabled=False, url=None)
    for after, before in pairwise([promotion(), None, promotion(), promotion(), fixed, None]):
        if after is not None:
            assert Settled() == push_one(sales, after, before)
    rule = held(mc).rules["p1"]
    assert ("fixed", 5.5, "shipping", False) == tuple(
        rule[name] for name in ("type", "amount", "target", "enabled")
    )
    assert ("WINTER", "https://nord.example/") == tuple(
        rule["codes"]["p1"][name] for name in ("code", "redemption_url")
    )
    for _ in range(2):
        assert isinstance(drop_one(sales, fixed), Settled)
    assert {} == held(mc).rules


@pytest.mark.parametrize(("amount", "share"), [("10", 0.1), ("12.5", 0.125), ("-15.0", 0.15)])
def test_percentages(mc: Sandbox, sales: MailchimpSales, amount: str, share: float) -> None:
    """Per cent are a share of one there."""
    assert Settled() == push_one(sales, promotion(amount=amount))
    assert share == held(mc).rules["p1"]["amount"]


def test_a_state_is_said_once(mc: Sandbox, sales: MailchimpSales) -> None:
    """Whatever changes of an order, its buyer gets one mail for each state, not one a change."""
    first = order(fulfilled=True)
    named = order(fulfilled=True, customer=customer(first_name="Karoline"))
    dearer = order(fulfilled=True, shipping="4.00", lines=[line(quantity=3)])
    partly = order(fulfilled=True, status="partially_refunded", refunded="5.00")
    steps = [None, first, named, dearer, partly, partly]
    for before, after in pairwise(steps):
        assert Settled() == push_one(sales, after, before)
    assert [("c-nord", "100", "paid"), ("c-nord", "100", "shipped")] == mc.sales.fired
    sales_held = held(mc).orders["100"]
    assert ("partially_refunded", 34.8) == (
        sales_held["financial_status"],
        float(sales_held["order_total"]),
    )


def test_a_state_whose_answer_was_lost_is_said_once(mc: Sandbox, sales: MailchimpSales) -> None:
    """It was made, and nobody heard: made again it is only changed, and sets off nothing."""
    for _ in range(3):
        assert Settled() == push_one(sales, order())
    assert [("c-nord", "100", "paid")] == mc.sales.fired


def test_a_state_in_doubt_is_said(mc: Sandbox, sales: MailchimpSales) -> None:
    """Whether it was taken is not known: rather twice than never."""
    push_one(sales, order(status="pending"))
    doubtful = order(status={"either": ["pending", "paid"]})
    assert Settled() == push_one(sales, order(), doubtful)
    assert "paid" == held(mc).orders["100"]["financial_status"]
