"""Batches: few calls for much, a verdict for each, and nothing lost however it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from adapters.mailchimp.commerce import sending
from adapters.mailchimp.commerce.destination import MailchimpSales
from adapters.mailchimp.sandbox import Sandbox
from adapters.town.faults import Fault, torn_at
from connector.errors import LaneDown, TryLater
from connector.model import Change, Outcome, Parked, Postponed, Settled
from tests.adapters.mailchimp.commerce.wares import (
    NOW,
    SHAPE,
    customer,
    gone,
    held,
    line,
    make,
    new,
    order,
    product,
    promotion,
    push,
)

_LOOK = "GET /batches/{batch_id}"


def later(**parts: float) -> datetime:
    """A moment after now."""
    return NOW + timedelta(**parts)


def orders(*numbers: int) -> list[Change]:
    """New orders of one product."""
    return [new(order(str(number))) for number in numbers]


def on_their_way(outcomes: Mapping[str, Outcome]) -> bool:
    """Was everything sent and is nothing known yet."""
    return {(Postponed, True)} == {
        (type(each), getattr(each, "sent", None)) for each in outcomes.values()
    }


def finish(mc: Sandbox) -> None:
    """Let every batch be finished when it is looked at next."""
    for batch in mc.sales.batches.values():
        batch.polls = 0


@pytest.fixture
def shop(mc: Sandbox, sales: MailchimpSales) -> MailchimpSales:
    """A destination whose store has one product; batches take long."""
    push(sales, new(product()))
    mc.sales.polls = 100
    mc.calls.clear()
    return sales


def test_few_calls_for_much(mc: Sandbox, sales: MailchimpSales) -> None:
    """10,000 orders of 500 products: a batch for every 1,000 operations, and two looks at each."""
    goods = [new(product(str(number))) for number in range(500)]
    sold = [
        new(
            order(
                str(number),
                customer=customer(f"c{number % 3_000}@shop.example"),
                lines=[line(str((3 * number + at) % 500)) for at in range(3)],
            )
        )
        for number in range(1, 10_001)
    ]
    todo = goods + sold
    while todo:
        now = push(sales, *todo[: sales.batch_size])
        assert {Settled()} == set(now.values())
        todo = todo[sales.batch_size :]
    assert (500, 10_000, 3_000) == (
        len(held(mc).products),
        len(held(mc).orders),
        len(held(mc).customers),
    )
    assert 30_000 == sum(len(each["lines"]) for each in held(mc).orders.values())
    assert {
        "POST /batches": 12,
        _LOOK: 24,
        "GET /archives": 12,
        "GET /batches": 1,
        "GET /ecommerce/stores/{store_id}/products": 1,
    } == mc.calls


@pytest.mark.usefixtures("by_batch")
@pytest.mark.parametrize("kind", ["product", "order", "promotion"])
def test_every_pattern_of_six(mc: Sandbox, sales: MailchimpSales, kind: str) -> None:
    """Whichever are refused: those are parked by name, the others are taken."""
    push(sales, new(product()))
    makes = {"product": product, "order": order, "promotion": promotion}
    for pattern in range(64):
        names = [f"{pattern}-{at}" for at in range(6)]
        bad = {name for at, name in enumerate(names) if pattern >> at & 1}
        mc.sales.refused.update(dict.fromkeys(bad, (400, "Please do not")))
        mc.calls.clear()
        outcomes = push(sales, *(new(makes[kind](name)) for name in names))
        for name in names:
            outcome = outcomes[f"{kind}/nord/{name}"]
            if name in bad:
                assert isinstance(outcome, Parked)
                assert f"{kind} {name}" in outcome.mend
            else:
                assert Settled() == outcome
        store = held(mc)
        there = {"product": store.products, "order": store.orders, "promotion": store.rules}[kind]
        assert set(names) - bad == set(names) & set(there)
        again = kind == "promotion" and len(bad) < 6
        assert 1 + again == mc.calls["POST /batches"]


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 503])
def test_refusals_that_pass(
    mc: Sandbox,
    sales: MailchimpSales,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    *,
    batched: bool,
) -> None:
    """A number that says nothing of the one thing postpones it, alone when it is in a batch."""
    monkeypatch.setattr(sending, "MOST_BY_CALL", 0 if batched else 10)
    mc.sales.refused["2"] = (status, "no")
    changes = [new(product(number)) for number in ("1", "2")]
    if batched or status == 404:
        outcomes = push(sales, *changes)
        assert Settled() == outcomes["product/nord/1"]
        assert isinstance(outcomes["product/nord/2"], Postponed)
    elif status in (401, 403):
        with pytest.raises(LaneDown):
            push(sales, *changes)
    else:
        outcomes = push(sales, *changes)
        assert isinstance(outcomes["product/nord/2"], Postponed)
    mc.sales.refused.clear()
    assert {Settled()} == set(push(sales, *changes).values())


def test_a_batch_that_takes_long(mc: Sandbox, shop: MailchimpSales) -> None:
    """What was sent is said so and not sent again; the verdicts come when it is finished."""
    sold = orders(*range(1, 21))
    assert on_their_way(push(shop, *sold))
    assert on_their_way(push(shop, *sold, now=later(seconds=20)))
    assert 1 == mc.calls["POST /batches"]
    finish(mc)
    some = push(shop, *sold[:5], now=later(seconds=60))
    assert {Settled()} == set(some.values())
    rest = push(shop, *sold[5:], now=later(seconds=61))
    assert {Settled()} == set(rest.values())
    assert (20, 1, 1) == (
        len(held(mc).orders),
        mc.calls["POST /batches"],
        mc.calls["GET /archives"],
    )


def test_looks_are_few(mc: Sandbox, shop: MailchimpSales) -> None:
    """A batch of an hour is looked at once a minute, however often records are pushed."""
    sold = orders(*range(1, 21))
    push(shop, *sold)
    mc.calls.clear()
    for second in range(1, 3_600, 5):
        push(shop, *sold, now=later(seconds=second))
    assert 60 <= mc.calls[_LOOK] <= 80


def test_a_record_that_changed_meanwhile(mc: Sandbox, shop: MailchimpSales) -> None:
    """Nothing newer is sent while the older is on its way; then it is."""
    sold = orders(*range(1, 21))
    push(shop, *sold)
    newer = new(order("1", status="refunded"), order("1"))
    [outcome] = push(shop, newer, now=later(seconds=30)).values()
    assert isinstance(outcome, Postponed)
    assert not outcome.sent
    finish(mc)
    assert Settled() == push(shop, newer, now=later(seconds=90))["order/nord/1"]
    assert "refunded" == held(mc).orders["1"]["financial_status"]


def test_sales_wait_for_goods_on_their_way(mc: Sandbox, sales: MailchimpSales) -> None:
    """An order is sent only when its product was taken; one of another product goes at once."""
    push(sales, new(product("x")))
    mc.sales.polls = 100
    goods = [new(product(str(number))) for number in range(1, 21)]
    free = new(order("7", lines=[line("x")]))
    bound = new(order("8", lines=[line("3")]))
    outcomes = push(sales, *goods, free, bound)
    assert Settled() == outcomes["order/nord/7"]
    waits = outcomes["order/nord/8"]
    assert isinstance(waits, Postponed)
    assert (False, {"7"}) == (waits.sent, set(held(mc).orders))
    finish(mc)
    assert Settled() == push(sales, bound, now=later(seconds=30))["order/nord/8"]
    assert "Clothes" == held(mc).products["3"]["type"]


def test_stand_ins_by_batch(mc: Sandbox, sales: MailchimpSales) -> None:
    """Many products that are gone: their stand-ins go first, then the orders."""
    mc.sales.polls = 100
    sold = [new(order(str(at), lines=[line(f"x{at}")])) for at in range(1, 31)]
    first = push(sales, *sold)
    assert {(Postponed, False)} == {
        (type(each), getattr(each, "sent", None)) for each in first.values()
    }
    finish(mc)
    mc.sales.polls = 1
    assert {Settled()} == set(push(sales, *sold, now=later(seconds=30)).values())
    assert (30, 30) == (len(held(mc).products), len(held(mc).orders))


def test_many_changes_go_round_by_round(mc: Sandbox, shop: MailchimpSales) -> None:
    """Made, found there, changed, their lines mended: each round is a batch."""
    mc.sales.polls = 1
    sold = [new(order(str(at), lines=[line("1"), line("9")])) for at in range(1, 31)]
    assert {Settled()} == set(push(shop, *sold).values())
    mc.calls.clear()
    again = [new(order(str(at), lines=[line("9", quantity=7)])) for at in range(1, 31)]
    assert {Postponed} == {type(each) for each in push(shop, *again).values()}
    assert {Settled()} == set(push(shop, *again, now=later(seconds=30)).values())
    # made? looked at what is there, changed, a line changed, a line gone
    assert 5 == mc.calls["POST /batches"]
    lines = [each["lines"] for each in held(mc).orders.values()]
    assert [{"l9": 7}] * 30 == [
        {name: each["quantity"] for name, each in some.items()} for some in lines
    ]


def test_a_new_process_sends_again(mc: Sandbox, shop: MailchimpSales) -> None:
    """It has forgotten the batch: what is new is sent again, and is there once."""
    sold = orders(*range(1, 21))
    push(shop, *sold)
    second = make(mc)
    assert on_their_way(push(second, *sold))
    finish(mc)
    mc.sales.polls = 1
    for minute in (1, 2):
        outcomes = push(second, *sold, now=later(minutes=minute))
    assert {Settled()} == set(outcomes.values())
    assert 20 == len(held(mc).orders)


def test_an_old_batch_run_late_undoes_nothing(mc: Sandbox, shop: MailchimpSales) -> None:
    """A batch of a former life would write the old state over the new: updates wait for it."""
    mc.sales.polls = 1
    sold = orders(*range(1, 21))
    push(shop, *sold)
    mc.sales.polls = 1_000
    paid = [order(str(number), total="10.00") for number in range(1, 21)]
    push(shop, *(new(each, order(each.fields["id"])) for each in paid))
    second = make(mc)
    refund = new(order("1", status="refunded"), paid[0])
    away, forget = gone(order("2")), gone(order("3"), erased=True)
    for change in (refund, away, forget):
        outcome = push(second, change)[change.key]
        assert isinstance(outcome, Postponed)
        assert "older batches" in outcome.reason
    assert 39.8 == held(mc).orders["1"]["order_total"]
    finish(mc)
    assert {Settled} == {type(each) for each in push(second, refund, away, forget).values()}
    assert "refunded" == held(mc).orders["1"]["financial_status"]
    assert {str(number) for number in range(1, 21)} - {"2", "3"} == set(held(mc).orders)


def test_anothers_batch_holds_us_an_hour_at_most(mc: Sandbox, shop: MailchimpSales) -> None:
    """Batches have no names: one that never ends is not waited for any longer."""
    mc.sales.polls = 1_000_000
    push(shop, *orders(*range(1, 21)))
    second = make(mc)
    change = new(order("99"), order("99", total="1"))
    assert isinstance(push(second, change)[change.key], Postponed)
    assert isinstance(push(second, change, now=later(minutes=59))[change.key], Postponed)
    assert Settled() == push(second, change, now=later(minutes=61))[change.key]


def test_a_batch_that_never_ends_is_stopped(mc: Sandbox, shop: MailchimpSales) -> None:
    """After four hours it is taken back, so that it cannot run late, and all is sent again."""
    mc.sales.polls = 1_000_000
    sold = orders(*range(1, 21))
    push(shop, *sold)
    mc.sales.polls = 1
    assert on_their_way(push(shop, *sold, now=later(hours=3, minutes=59)))
    assert {Settled()} == set(push(shop, *sold, now=later(hours=4, minutes=1)).values())
    assert 1 == mc.calls["DELETE /batches/{batch_id}"]
    assert 1 == len(mc.sales.batches)


def test_a_batch_that_mailchimp_forgot(mc: Sandbox, shop: MailchimpSales) -> None:
    """It is sent again."""
    sold = orders(*range(1, 21))
    push(shop, *sold)
    mc.sales.batches.clear()
    mc.sales.polls = 1
    assert {Settled()} == set(push(shop, *sold, now=later(minutes=1)).values())


@pytest.mark.parametrize(
    "fault",
    [
        "403 bare",
        "500",
        "HTML",
        "bomb",
        "endless",
        "torn before",
        Fault(status=200, body=b""),
        Fault(status=200, body=b"\x1f\x8b\x08\x00garbage", kind="application/x-gzip"),
    ],
)
def test_results_that_cannot_be_read(mc: Sandbox, shop: MailchimpSales, fault: str | Fault) -> None:
    """They are asked for again, under a new address; after three times all is sent again."""
    mc.sales.polls = 1
    sold = orders(*range(1, 21))
    for times in (1, 3):
        mc.misbehave(fault, times=times, endpoint="GET /archives")
        assert on_their_way(push(shop, *sold))
        moment = 0
        while not all(
            isinstance(each, Settled)
            for each in push(shop, *sold, now=later(seconds=moment)).values()
        ):
            moment += 60
            assert moment < 600
    assert 20 == len(held(mc).orders)
    mc.behave()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://x.example/a",
        "http://x.example/a",
        "https://u:p@x.example/a",
        "https://[",
        "file:///etc",
    ],
)
def test_an_address_that_leads_elsewhere(mc: Sandbox, shop: MailchimpSales, address: str) -> None:
    """No archive is fetched from there; it counts as one that cannot be read."""
    mc.sales.polls = 1
    sold = orders(*range(1, 21))
    answer = f'{{"id": "x", "status": "finished", "response_body_url": "{address}"}}'
    fault = Fault(status=200, kind="application/json", body=answer.encode())
    mc.misbehave(fault, endpoint=_LOOK)
    assert on_their_way(push(shop, *sold))
    assert 0 == mc.calls["GET /archives"]
    assert {Settled()} == set(push(shop, *sold, now=later(minutes=1)).values())


def test_our_key_is_not_shown_to_the_archive(mc: Sandbox, shop: MailchimpSales) -> None:
    """The stand-in refuses an archive to who shows a key; so did it go without."""
    mc.sales.polls = 1
    assert {Settled()} == set(push(shop, *orders(*range(1, 21))).values())
    assert 1 == mc.calls["GET /archives"]


def test_results_without_a_word_of_some(mc: Sandbox, shop: MailchimpSales) -> None:
    """An operation that is missing from the results is tried again, alone."""
    sold = orders(*range(1, 21))
    push(shop, *sold)
    [batch] = mc.sales.batches.values()
    lost = batch.operations.pop(3)
    finish(mc)
    mc.calls.clear()
    assert {Settled()} == set(push(shop, *sold, now=later(minutes=1)).values())
    assert 1 == mc.calls["POST /ecommerce/stores/{store_id}/orders"]
    assert lost["path"] == "/ecommerce/stores/c-nord/orders"
    assert 20 == len(held(mc).orders)


def test_a_batch_nobody_knows_was_taken(mc: Sandbox, shop: MailchimpSales) -> None:
    """The answer to it is torn: it is listed among the open ones, and all is sent again."""
    mc.sales.polls = 1
    sold = orders(*range(1, 21))
    mc.misbehave(torn_at(0), endpoint="POST /batches")
    with pytest.raises(TryLater):
        push(shop, *sold)
    listed = mc.calls["GET /batches"]
    for minute in (1, 2):
        outcomes = push(shop, *sold, now=later(minutes=minute))
    assert {Settled()} == set(outcomes.values())
    assert listed + 1 == mc.calls["GET /batches"]
    assert 20 == len(held(mc).orders)


def test_a_batch_too_large_goes_in_halves(mc: Sandbox, shop: MailchimpSales) -> None:
    """Down to the one thing that is too large, which is parked."""
    mc.sales.polls = 1
    mc.misbehave("413", times=1, endpoint="POST /batches")
    assert {Settled()} == set(push(shop, *orders(*range(1, 31))).values())
    assert 3 == mc.calls["POST /batches"]


@pytest.mark.usefixtures("by_batch")
def test_one_thing_too_large(mc: Sandbox, sales: MailchimpSales) -> None:
    """It is parked with what to do."""
    mc.misbehave("413", endpoint="POST /batches")
    [outcome] = push(sales, new(product())).values()
    assert "too_large" == getattr(outcome, "reason", None)


def test_a_batch_that_is_refused(mc: Sandbox, shop: MailchimpSales) -> None:
    """Too many are open in the account: nothing is lost, and it is tried again."""
    mc.sales.polls = 1
    sold = orders(*range(1, 21))
    body = b'{"title": "Too many batches", "status": 400, "detail": "x"}'
    fault = Fault(status=400, kind="application/problem+json", body=body)
    mc.misbehave(fault, endpoint="POST /batches")
    outcomes = push(shop, *sold)
    assert {"Mailchimp refused the batch: Too many batches"} == {
        getattr(each, "reason", None) for each in outcomes.values()
    }
    assert {Settled()} == set(push(shop, *sold).values())


def test_not_too_many_are_open(
    mc: Sandbox, shop: MailchimpSales, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tools need batches too: what is too much waits unsent."""
    monkeypatch.setattr(sending, "MOST_OPEN", 2)
    for start in (1, 101):
        assert on_their_way(push(shop, *orders(*range(start, start + 20))))
    third = push(shop, *orders(*range(201, 221)))
    assert {("many batches are open already", False)} == {
        (getattr(each, "reason", None), getattr(each, "sent", None)) for each in third.values()
    }
    assert 2 == len(mc.sales.batches)


def test_bundles_by_bytes(mc: Sandbox, sales: MailchimpSales) -> None:
    """Long descriptions make more batches, none larger than about four megabytes."""
    mc.sales.polls = 1
    goods = [new(product(str(at), description="x" * 400_000)) for at in range(1, 21)]
    assert {Settled()} == set(push(sales, *goods).values())
    assert 4 == mc.calls["POST /batches"]


@pytest.mark.parametrize("fault", ["429", "500", "503", "HTML", "403 bare", "torn before", "504"])
@pytest.mark.parametrize("batched", [True, False])
def test_mailchimp_cannot_now(
    mc: Sandbox,
    shop: MailchimpSales,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    *,
    batched: bool,
) -> None:
    """Nothing was heard: all is kept, and goes when it can."""
    monkeypatch.setattr(sending, "MOST_BY_CALL", 0 if batched else 10)
    mc.sales.polls = 1
    sold = orders(1, 2)
    mc.misbehave(fault, times=9)
    with pytest.raises(TryLater):
        push(shop, *sold)
    assert {} == held(mc).orders
    mc.behave()
    assert {Settled()} == set(push(shop, *sold).values())


def test_half_way(mc: Sandbox, shop: MailchimpSales) -> None:
    """What was taken before is settled, the rest is kept; no further call is made."""
    mc.misbehave(Fault(), endpoint="POST /ecommerce/stores/{store_id}/orders")
    mc.misbehave("429", times=9, endpoint="POST /ecommerce/stores/{store_id}/orders")
    mc.calls.clear()
    outcomes = push(shop, *orders(1, 2, 3))
    assert [Settled, Postponed, Postponed] == [type(each) for each in outcomes.values()]
    assert 2 == mc.calls["POST /ecommerce/stores/{store_id}/orders"]
    mc.behave()
    assert {Settled()} == set(push(shop, *orders(2, 3)).values())


@pytest.mark.parametrize("when", ["401", "403"])
def test_a_key_that_is_refused_between(mc: Sandbox, shop: MailchimpSales, when: str) -> None:
    """The lane stops; what is on its way is asked about when it goes on."""
    sold = orders(*range(1, 21))
    mc.misbehave(when, endpoint=_LOOK)
    with pytest.raises(LaneDown):
        push(shop, *sold)
    assert on_their_way(push(shop, *sold, now=later(seconds=1)))
    finish(mc)
    assert {Settled()} == set(push(shop, *sold, now=later(minutes=2)).values())
    assert 1 == mc.calls["POST /batches"]


def test_flush_holds_nothing_back(mc: Sandbox, shop: MailchimpSales) -> None:
    """There is nothing to finish that is not due again."""
    calls = mc.calls.total()
    shop.flush()
    shop.prepare(SHAPE)
    assert 0 == len(mc.sales.batches)
    assert calls < mc.calls.total()
