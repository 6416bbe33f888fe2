"""The first weeks of a real shop's invoices: in any order the same books, to the penny."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.mailchimp.sandbox import Sandbox as Audience
from benchmarks import retail
from benchmarks.end_state import State, differences, end_state
from benchmarks.retail import Ledger, Told
from connector.money import to_major
from tests.journeys.premises import Clock, Premises, Tenant

pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("pg")]  # what is dear is made once

INVOICES, FEWER = 790, 200
# Everybody is held, without a permission to mail: so that every sum can be seen to arrive.
MAPPING = """\
version: 1
orders: {counting: {woocommerce: [completed, refunded]}}
segments:
  once: {when: "number_of_orders = 1", tag: Once}
  returning: {when: "number_of_orders >= 2", tag: Returning}
  big: {when: "amount_spent > 500 AND in_segment('returning')", tag: Big}
destinations:
  newsletter:
    contacts: {policy: everyone}
    fields: {ORDERS: number_of_orders, SPENT: amount_spent, LASTORDER: last_order_date}
"""


@pytest.fixture(scope="module")
def csv(corpus: Path) -> Path:
    """The file of a year's invoices."""
    return corpus / "data/online_retail_2010_2011.csv.gz"


@pytest.fixture(scope="module")
def told(csv: Path) -> list[Told]:
    """The deliveries of the first weeks, in their order, each with its signature proven."""
    return retail.read(csv, limit=INVOICES)


@pytest.fixture(scope="module")
def in_order(
    told: list[Told], csv: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[State, dict[str, Any]]:
    """What came of them as they came; the sums are those of the file."""
    folder = tmp_path_factory.mktemp("retail")
    return live(
        folder, f"sqlite:///{folder}/connector.db", told, retail.of_file(csv, limit=INVOICES)
    )


def live(
    folder: Path, store_url: str, told: list[Told], truth: Ledger
) -> tuple[State, dict[str, Any]]:
    """Tell a new house all of it, hold its books and Mailchimp's against the file's."""
    clock = Clock(retail.FIRST)
    shop = Tenant(url="http://127.0.0.1:9", settings="timezone: Europe/London, currency: GBP")
    with Audience(clock=clock) as audience:
        premises = Premises(
            folder=folder,
            shops={"retail": shop},
            audience=audience,
            mapping=MAPPING,
            store_url=store_url,
            clock=clock,
        )
        try:
            premises.arrive(told, shop="retail", distinct=True)
            premises.work()
            assert truth == retail.of_store(premises.store)
            books = premises.books()
            assert (True, len(told)) == (
                books["balanced"],
                books["shops"]["retail"]["applied"] + books["shops"]["retail"]["unchanged"],
            )
            return end_state(premises.store), premises.mailable()
        finally:
            premises.close()


def test_every_penny_arrives_in_mailchimp(
    in_order: tuple[State, dict[str, Any]], told: list[Told], csv: Path
) -> None:
    """Each customer's sum; what was given back for purchases before the data is not theirs."""
    truth = retail.of_file(csv, limit=INVOICES)
    before = retail.given_back_before(told)
    assert len(told) >= 790
    assert {
        email: float(to_major(pence + before[email], "GBP"))
        for email, pence in truth.by_customer.items()
    } == {email: held["fields"]["SPENT"] for email, held in in_order[1].items()}
    assert {"transactional"} == {held["status"] for held in in_order[1].values()}


def test_shuffled_and_doubled_it_ends_the_same(
    tmp_path: Path, told: list[Told], csv: Path, in_order: tuple[State, dict[str, Any]]
) -> None:
    """Same rows in every table, same contacts in Mailchimp, same sums as the file."""
    state, mailable = live(
        tmp_path,
        f"sqlite:///{tmp_path}/connector.db",
        retail.shuffled_and_doubled(told, seed=7),
        retail.of_file(csv, limit=INVOICES),
    )
    assert [] == differences(in_order[0], state)
    assert in_order[1] == mailable


def test_both_engines_end_the_same(
    tmp_path: Path, store_url: str, told: list[Told], csv: Path
) -> None:
    """A smaller part on each: PostgreSQL holds what SQLite holds."""
    part = retail.read(csv, limit=FEWER)
    truth = retail.of_file(csv, limit=FEWER)
    folder = tmp_path / "in-order"
    folder.mkdir()
    state, mailable = live(folder, f"sqlite:///{folder}/connector.db", part, truth)
    again = live(tmp_path, store_url, retail.shuffled_and_doubled(part, seed=8), truth)
    assert [] == differences(state, again[0])
    assert mailable == again[1]
