"""An order in WooCommerce's words becomes an order in ours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.model import (
    Deleted,
    Fact,
    Ignored,
    Kind,
    Line,
    Order,
    Refund,
    Understanding,
    Understood,
    Version,
)

Build = Callable[..., dict[str, Any]]
Read = Callable[[str, Any], Fact]
Why = Callable[[str, Any], str]
ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _order(read: Read, body: Any) -> Order:
    found = read("order.updated", body)
    assert isinstance(found, Order)
    return found


def test_whole_order(fact: Read, order: Build) -> None:
    """Every part arrives: money in minor units, times in UTC, billing names as typed."""
    body = order()
    digest = hashlib.sha256(json.dumps(body).encode()).digest()
    expected = Order(
        shop="wool",
        id="41",
        version=Version(datetime(2026, 11, 23, 10, 5, tzinfo=UTC), int.from_bytes(digest[:8]) // 2),
        number="2026-41",
        status="processing",
        currency="NOK",
        total=24950,
        placed_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        tax=4990,
        shipping=4900,
        discount=1000,
        paid_at=datetime(2026, 11, 23, 10, 1, tzinfo=UTC),
        customer_id=None,
        email="eva.dahl@example.org",
        phone="+4722000000",
        first_name="Eva",
        last_name="<b>Dahl</b> & Sønn",
        company="Garn",
        countries=("NO", "SE"),
        lines=(
            Line(
                id="7",
                product_id="10",
                variant_id="12",
                sku="SO-42",
                name="Sokker - 42",
                quantity=2,
                total=15960,
            ),
        ),
        refunds=(),
        meta={"newsletter_optin": "1"},
    )
    assert expected == fact("order.created", body)


def test_created_and_updated_are_one(fact: Read, order: Build) -> None:
    """A shop sends order.updated before, after or without order.created: the topic adds nothing."""
    topics = ("order.created", "order.updated", "order.restored", " Order.Updated ")
    assert 1 == len({str(fact(topic, order())) for topic in topics})


def test_account_of_the_buyer(fact: Read, order: Build) -> None:
    """A buyer with an account is linked; 0 is a guest."""
    assert "9" == _order(fact, order(customer_id=9)).customer_id
    assert _order(fact, order(customer_id=0)).customer_id is None


def test_simple_product_is_its_own_variant(fact: Read, order: Build) -> None:
    """Variation 0 means the product itself was bought; product 0 was since deleted."""
    line = {"id": 1, "product_id": 10, "variation_id": 0, "quantity": 1, "total": "1"}
    (bought,) = _order(fact, order(line_items=[line])).lines
    assert ("10", "10") == (bought.product_id, bought.variant_id)
    (orphan,) = _order(fact, order(line_items=[line | {"product_id": 0}])).lines
    assert (None, None) == (orphan.product_id, orphan.variant_id)


def test_line_is_named_as_its_product(fact: Read, order: Build) -> None:
    """A line copies its product's name with the escapes: both are called the same here."""
    line = {"id": 1, "product_id": 10, "quantity": 1, "name": "Ull &amp; bomull", "total": ""}
    assert "Ull & bomull" == _order(fact, order(line_items=[line])).lines[0].name


def test_lines_without_usable_ids_still_count(fact: Read, order: Build) -> None:
    """Two lines with one id, or none, stay two lines."""
    line = {"id": 1, "product_id": 10, "quantity": 1, "total": "1.00"}
    lines = _order(fact, order(line_items=[line, line, line | {"id": None}])).lines
    assert ("1", "#1", "#2") == tuple(each.id for each in lines)
    assert 300 == sum(each.total for each in lines)


def test_part_quantities_are_rounded(
    understand: Callable[[str, Any], Understanding], order: Build
) -> None:
    """Plugins sell 1.5 kg: a whole number is kept, with a flag."""
    line = {"id": 1, "product_id": 10, "quantity": 1.5, "total": "0.00"}
    understanding = understand("order.updated", order(line_items=[line]))
    assert isinstance(understanding, Understood)
    (placed,) = understanding.facts
    assert isinstance(placed, Order)
    assert 2 == placed.lines[0].quantity
    assert ("quantity_rounded",) == understanding.flags


def test_refunds_are_positive(fact: Read, order: Build) -> None:
    """In an order a refund's total is negative; the order's own total does not change."""
    refunds = [
        {"id": 20, "reason": "1 retur", "total": "-54.57", "total_tax": "-10.91"},
        {"id": 19, "refund": "Old form", "total": "-10.00"},
    ]
    refunded = _order(fact, order(refunds=refunds))
    expected = (
        Refund(id="20", amount=5457, reason="1 retur"),
        Refund(id="19", amount=1000, reason="Old form"),
    )
    assert expected == refunded.refunds
    assert 24950 == refunded.total


def test_row_61_odd_sums(fact: Read, order: Build) -> None:
    """Row 61: a negative quantity, a refund above the total and a total of 0 are accepted."""
    line = {"id": 1, "product_id": 10, "quantity": -1, "total": "-49.90"}
    odd = order(
        total="0.00", line_items=[line], refunds=[{"id": 2, "total": "-99.00", "reason": ""}]
    )
    placed = _order(fact, odd)
    assert (0, -1, -4990, 9900) == (
        placed.total,
        placed.lines[0].quantity,
        placed.lines[0].total,
        placed.refunds[0].amount,
    )


@pytest.mark.parametrize(
    ("currency", "total", "minor"),
    [("JPY", "1000", 1000), ("KWD", "1.234", 1234), ("EUR", "43.665", 4367), ("eur", "-0.00", 0)],
)
def test_minor_units(fact: Read, order: Build, currency: str, total: str, minor: int) -> None:
    """Currencies without decimals, with three, and more digits than the currency has."""
    placed = _order(fact, order(currency=currency, total=total))
    assert (currency.upper(), minor) == (placed.currency, placed.total)


def test_amount_written_as_number_is_exact(fact: Read, order: Build) -> None:
    """Where a plugin writes a number for text, its digits count, not a float's."""
    body = json.dumps(order(total="TOTAL")).replace('"TOTAL"', "1.005").encode()
    assert 101 == _order(fact, body).total  # the float nearest to 1.005 is below it


@pytest.mark.parametrize(
    "amount", ["19,99", "", None, "1e3", "1" * 400, "1" * 30, "kr 5", "NaN", True, []]
)
def test_row_39_unreadable_total(reason: Why, order: Build, amount: object) -> None:
    """Row 39: a total that is no decimal number is never guessed."""
    assert "money" == reason("order.created", order(total=amount))


def test_row_39_unreadable_parts(reason: Why, fact: Read, order: Build) -> None:
    """Row 39: the other amounts may be left empty, which is 0, but not be unreadable."""
    empty = order(total_tax="", shipping_total=None)
    del empty["discount_total"]
    placed = _order(fact, empty)
    assert (0, 0, 0) == (placed.tax, placed.shipping, placed.discount)
    assert "money" == reason("order.created", order(total_tax="19,99"))
    line = {"id": 1, "product_id": 1, "quantity": 1, "total": "19,99"}
    assert "money" == reason("order.created", order(line_items=[line]))
    assert "money" == reason("order.created", order(refunds=[{"id": 1, "total": "ten"}]))


@pytest.mark.parametrize("currency", ["kr", "", None, 7, "EURO"])
def test_row_40_currency(reason: Why, order: Build, currency: object) -> None:
    """Row 40: what is no currency code is not mixed into any sum."""
    assert "currency" == reason("order.created", order(currency=currency))


def test_trash(fact: Read, order: Build) -> None:
    """An order in the trash is gone, since it was put there."""
    gone = fact("order.created", order(status="trash"))
    assert isinstance(gone, Deleted)
    expected = (Kind.ORDER, "41", datetime(2026, 11, 23, 10, 5, tzinfo=UTC))
    assert expected == (gone.kind, gone.id, gone.version.at)


def test_restored_outranks_trash(fact: Read, order: Build) -> None:
    """Row 53: in whatever order they arrive, the later of trash and restore is the newer."""
    trashed = fact("order.updated", order(status="trash"))
    restored = fact("order.restored", order(date_modified_gmt="2026-11-23T10:06:00"))
    assert isinstance(trashed, Deleted)
    assert isinstance(restored, Order)
    assert trashed.version < restored.version


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "draft"])
def test_drafts(understand: Callable[[str, Any], Understanding], order: Build, status: str) -> None:
    """A basket that nobody has ordered yet is no order, whatever else it lacks."""
    draft = order(status=status, date_created_gmt=None, total=None)
    assert Ignored(reason="draft") == understand("order.created", draft)


def test_status_of_a_plugin(fact: Read, order: Build) -> None:
    """Plugins add statuses: they are kept as they are."""
    assert "pre-ordered" == _order(fact, order(status="pre-ordered")).status


def test_meta(fact: Read, order: Build) -> None:
    """Extra fields keep their type; the later of two counts; what is no field is left out."""
    entries = [
        {"id": 1, "key": "a", "value": "old"},
        {"id": 2, "key": "a", "value": "new"},
        {"id": 3, "key": "consent", "value": {"email": True, "at": None, "n": [1, 2.5]}},
        {"id": 4, "key": "big", "value": 2**70},
        {"id": 5, "value": "no key"},
        "no object",
        {"key": "no value"},
    ]
    expected = {
        "a": "new",
        "consent": {"email": True, "at": None, "n": [1, 2.5]},
        "big": str(2**70),
        "no value": None,
    }
    assert expected == _order(fact, order(meta_data=entries)).meta
    gaps = {"0": entries[0], "7": entries[2]}
    assert {"a", "consent"} == set(_order(fact, order(meta_data=gaps)).meta)
    assert {} == _order(fact, order(meta_data="")).meta


def test_addresses_as_empty_lists(fact: Read, order: Build) -> None:
    """PHP writes an object without fields as a list: then nothing is known of the buyer."""
    placed = _order(fact, order(billing=[], shipping=None))
    assert (None, None, "", ()) == (
        placed.email,
        placed.phone,
        placed.first_name,
        placed.countries,
    )


def test_spoilt_frame(reason: Why, order: Build) -> None:
    """Lines that are no lines spoil an order: without them it would say something else."""
    assert "shape" == reason("order.created", order(line_items=["x"]))
    assert "shape" == reason("order.created", order(line_items={}))
    assert "shape" == reason("order.created", order(status=None))
