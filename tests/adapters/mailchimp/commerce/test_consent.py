"""What a person bought says nothing of what they may be sent, and the past sets off no mail."""

from __future__ import annotations

import random

import pytest

from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from connector.model import Permission
from tests.adapters.mailchimp.commerce.wares import (
    SHAPE,
    cart,
    customer,
    gone,
    held,
    line,
    make,
    new,
    order,
    push,
)

_STATES = ("pending", "paid", "partially_refunded", "refunded", "cancelled", "failed")
_PEOPLE = [f"p{number}@shop.example" for number in range(6)]


@pytest.mark.parametrize("seed", range(12))
def test_no_status_moves_and_nothing_fires(mc: Sandbox, sales: MailchimpSales, seed: int) -> None:
    """Any orders and carts of any people in any state, while a shop's past is brought over."""
    chance = random.Random(seed)
    for email in _PEOPLE[:4]:
        mc.sign_up(email)
    mc.unsubscribe(_PEOPLE[0])
    mc.clean(_PEOPLE[1])
    mc.archive(_PEOPLE[2])
    before = {email: found["status"] for email, found in mc.members().items()}
    sales.begin_sync()
    for step in range(8):
        changes = {}
        for _ in range(chance.choice((3, 25))):
            number = str(chance.randrange(1, 30))
            who = customer(chance.choice(_PEOPLE))
            record = chance.choice((order, cart))(
                number,
                permission=chance.choice([*Permission, None]),
                customer=who,
                lines=[line(str(chance.randrange(1, 9)))],
                **({"status": chance.choice(_STATES)} if step % 2 else {}),
            )
            change = chance.choice((new(record), new(record, record), gone(record)))
            changes[change.key] = change
        push(sales, *changes.values())
        if chance.random() < 0.2:
            sales = make(mc)
            sales.begin_sync()
            sales.prepare(SHAPE)
    assert [] == mc.sales.fired
    assert len(held(mc).orders) > 1
    after = {email: found["status"] for email, found in mc.members().items()}
    assert before == {email: after[email] for email in before}
    assert {"transactional"} >= {after[email] for email in after.keys() - before.keys()}


def test_the_stand_in_would_have_noticed(mc: Sandbox, sales: MailchimpSales) -> None:
    """Awake, the same orders and carts do set off mails; and a claimed permission is seen."""
    push(sales, new(order()), new(cart()))
    assert [("c-nord", "100", "paid"), ("c-nord", "c1", "cart")] == sorted(mc.sales.fired)
    [(_, body)] = [each for each in mc.sales.bodies if each[0].endswith("/orders")]
    assert False is body["customer"]["opt_in_status"]
