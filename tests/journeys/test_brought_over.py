"""The first weeks of a real shop, brought over by ``connector backfill``: every penny is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.woocommerce.sandbox_retail_books import Past, online_retail_past
from benchmarks import brought_over
from benchmarks.brought_over import Account, Brought
from benchmarks.end_state import State
from benchmarks.retail import Told

pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("brought over")]

INVOICES = 400


@pytest.fixture(scope="module")
def csv(corpus: Path) -> Path:
    """The file of a year's invoices."""
    return corpus / "data/online_retail_2010_2011.csv.gz"


@pytest.fixture(scope="module")
def past(csv: Path) -> Past:
    """What the shop has of the first weeks."""
    return online_retail_past(csv, limit=INVOICES)


@pytest.fixture(scope="module")
def truth(csv: Path) -> Account:
    """The file itself, added up."""
    return brought_over.account_of_file(csv, limit=INVOICES)


@pytest.fixture(scope="module")
def told(csv: Path, past: Past) -> list[Told]:
    """The same weeks as webhooks."""
    return brought_over.told_as_webhooks(csv, past, limit=INVOICES)


@pytest.fixture(scope="module")
def brought(past: Past, told: list[Told]) -> Brought:
    """What came of the real command, run twice."""
    return brought_over.bring_over(past, now=brought_over.told_until(told))


@pytest.fixture(scope="module")
def replayed(told: list[Told]) -> State:
    """What came of the webhooks."""
    return brought_over.replayed(told)


def test_every_penny_is_brought_over(brought: Brought, truth: Account) -> None:
    """Invoices, customers, lines, refunds by invoice, stock codes and each customer's sum."""
    assert (INVOICES, True) == (len(truth.invoices), truth.given_back > 0)
    assert truth == brought.account
    assert truth.sold - truth.given_back == truth.sums.pence


def test_all_of_it_is_read_and_applied(brought: Brought, past: Past) -> None:
    """Each kind is there once, whole; there are no promotions in that file."""
    there = {"customer": past.customers, "product": past.products, "order": past.orders}
    counted = {kind: len(things) for kind, things in there.items()} | {"promotion": 0}
    assert {kind: (many, many, 0, 0) for kind, many in counted.items()} == {
        kind: (told["read"], told["applied"], told["ignored"], told["quarantined"])
        for kind, told in brought.first.items()
    }


def test_brought_over_once_more_nothing_changes(brought: Brought) -> None:
    """The second run reads as much and finds it all unchanged."""
    assert {kind: told["read"] for kind, told in brought.first.items()} == {
        kind: told["unchanged"] for kind, told in brought.again.items()
    }
    assert [0, 0, 0, 0] == [told["applied"] for told in brought.again.values()]


def test_it_is_as_the_webhooks_told_it(brought: Brought, replayed: State) -> None:
    """The same rows in every table, however the shop's past became known."""
    assert [] == brought_over.unlike(replayed, brought.state)
    assert {"customers", "orders", "order_lines", "refunds", "products", "profiles"} <= {
        table for table, rows in brought.state.items() if rows
    }


def test_a_missing_penny_would_be_seen(brought: Brought, replayed: State) -> None:
    """The comparison looks at every column: another amount in one refund is a difference."""
    first, *rest = replayed["refunds"]
    other = first.replace('"amount":', '"amount":1')
    changed = {**replayed, "refunds": [other, *rest]}
    assert 2 == len(brought_over.unlike(changed, brought.state))
