"""A year of a real shop's invoices brought over by ``connector backfill``, accounted to the penny.

The data is UCI's "Online Retail", found through ``CONNECTOR_CORPUS``, in the books of the
WooCommerce stand-in; the command is the real one on a new SQLite file. Told as webhooks, with
every account and product told as well, the same data ends in the same state, row for row and column
for column but two: ``version_tie`` says which of two states of one second counts and is made of the
body's bytes, ``digest`` is made of it too. A body that is asked for has only the fields that are
used, one that is told has all, so their bytes are others.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select

from adapters.woocommerce.sandbox import Sandbox
from adapters.woocommerce.sandbox_retail import INVOICE, SITE, UNPLACED, read_invoices, row_worth
from adapters.woocommerce.sandbox_retail_books import Past, fill, online_retail_past
from benchmarks import Row
from benchmarks.command import backfill
from benchmarks.end_state import State, differences, end_state
from benchmarks.retail import (
    FIRST,
    MAPPING,
    SECRET,
    Ledger,
    Told,
    data_file,
    live,
    of_file,
    of_store,
    read,
)
from connector.store import schema
from connector.store.connect import Store
from connector.wiring import configure, draw_up_books

_SHOP = "retail"
_OF_THE_BYTES = ("version_tie", "digest")


@dataclass(kw_only=True)
class Account:
    """What is in the file, or what was brought over: the two must be the same."""

    sums: Ledger
    customers: frozenset[str] = frozenset()
    invoices: frozenset[str] = frozenset()
    """Numbers that an order bears or a refund gives as its reason."""
    sold: int = 0
    """What all orders came to, in pence, without those that stand only for money given back."""
    given_back: int = 0
    by_refund: Counter[str] = field(default_factory=Counter)
    """Pence given back by each invoice that takes back, over all the orders it concerns."""
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What came of two runs of the command."""

    account: Account
    state: State
    first: dict[str, Any]
    again: dict[str, Any]
    """What the command said at its end, by kind: how many were read, applied, unchanged."""
    seconds: float


def account_of_file(path: Path, *, limit: int | None = None) -> Account:
    """The file added up row by row, knowing nothing of any shop."""
    told = Account(sums=of_file(path, limit=limit))
    invoices = read_invoices(path, limit=limit)
    told.invoices = frozenset(invoices)
    told.customers = frozenset(
        rows[0]["CustomerID"] for rows in invoices.values() if rows[0]["CustomerID"]
    )
    told.codes = frozenset(row["StockCode"].upper() for rows in invoices.values() for row in rows)
    for invoice, rows in invoices.items():
        worth = sum(map(row_worth, rows))
        if invoice.startswith("C") or worth < 0:
            told.given_back -= worth
            told.by_refund[invoice] -= worth
        else:
            told.sold += worth
    return told


def account_of_store(store: Store) -> Account:
    """What the store holds, added up by its own rows."""
    told = Account(sums=of_store(store))
    with store.read() as conn:
        orders = conn.execute(select(schema.orders)).mappings().all()
        for reason, amount in conn.execute(
            select(schema.refunds.c.reason, func.sum(schema.refunds.c.amount)).group_by(
                schema.refunds.c.reason
            )
        ):
            told.by_refund[reason] = amount
        told.customers = frozenset(conn.scalars(select(schema.customers.c.customer_id)))
        told.codes = frozenset(
            code.upper() for code in conn.scalars(select(schema.variants.c.sku)) if code
        )
    told.invoices = frozenset(order["meta"][INVOICE] for order in orders) | told.by_refund.keys()
    told.given_back = sum(order["refunded"] for order in orders)
    told.sold = sum(order["total"] for order in orders if UNPLACED not in order["meta"])
    return told


def bring_over(past: Past, *, now: datetime, mapping: str = MAPPING) -> Brought:
    """Let a shop have that past, run the command twice ``now``, and look at what is there then."""
    around = {"CONNECTOR_CLOCK": now.isoformat()}
    with _shop(past) as url, _folder(url, mapping) as folder:
        first, again = (
            backfill(folder, os.getpid(), name=_SHOP, kinds=None, around=around) for _ in range(2)
        )
        configured = configure(folder / "connector.yaml")
        with closing(Store.open(configured.settings.store)) as store:
            books = draw_up_books(configured, store)
            assert books["balanced"], books
            return Brought(
                account=account_of_store(store),
                state=end_state(store),
                first=_by_kind(first.told),
                again=_by_kind(again.told),
                seconds=first.started + first.seconds,
            )


def told_as_webhooks(path: Path, past: Past, *, limit: int | None = None) -> list[Told]:
    """Every delivery of the year, and one for each account and product."""
    return [*read(path, limit=limit), *past.told()]


def replayed(told: Sequence[Told]) -> State:
    """What is known in the end of one who was told all of it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store, _ = live(Path(folder), told)
        with closing(store):
            return end_state(store)


def main(*, quick: bool = False) -> list[Row]:
    """Measure. ``quick`` takes the first two thousand invoices."""
    path = data_file()
    if path is None:
        return [Row(name="not measured: CONNECTOR_CORPUS does not lead to the data", value="")]
    limit = 2_000 if quick else None
    truth, past = account_of_file(path, limit=limit), online_retail_past(path, limit=limit)
    told = told_as_webhooks(path, past, limit=limit)
    brought = bring_over(past, now=told_until(told))
    found = brought.account
    apart = unlike(replayed(told), brought.state)
    return [
        _same("invoices", len(found.invoices & truth.invoices), len(truth.invoices)),
        _same("customers", len(found.customers & truth.customers), len(truth.customers)),
        _same("products, by stock code", len(found.codes & truth.codes), len(truth.codes)),
        _same("orders", found.sums.orders, truth.sums.orders),
        _same("order lines", found.sums.lines, truth.sums.lines),
        _same("pence sold", found.sold, truth.sold),
        _same("pence given back", found.given_back, truth.given_back),
        _same("pence in all", found.sums.pence, truth.sums.pence),
        _same(
            "invoices whose refunds come to another sum",
            unequal(found.by_refund, truth.by_refund),
            0,
        ),
        _same(
            "customers whose sum is wrong",
            unequal(found.sums.by_customer, truth.sums.by_customer),
            0,
        ),
        Row(
            name="rows that are otherwise when it is told as webhooks",
            value=len(apart),
            target="0",
            met=not apart,
        ),
        *(
            Row(
                name=f"once more: unchanged of {kind['read']:,}, {name}",
                value=kind["unchanged"],
                target=f"{kind['read']:,}",
                met=kind["unchanged"] == kind["read"],
            )
            for name, kind in brought.again.items()
        ),
        Row(name="the command took, the first time", value=brought.seconds, unit="s"),
    ]


def unlike(one: State, other: State) -> list[str]:
    """What is in one of the two only, as `differences`, whatever bytes it was made of."""
    return differences(_apart_from_bytes(one), _apart_from_bytes(other))


def told_until(told: Sequence[Told]) -> datetime:
    """When `live` believes that it is: the two ways must look at a customer on the same day."""
    return FIRST + timedelta(seconds=len(told))


def unequal(one: Counter[str], other: Counter[str]) -> int:
    """How many names have another sum in the other."""
    return sum(one[name] != other[name] for name in one.keys() | other.keys())


def _same(name: str, found: int, truth: int) -> Row:
    return Row(name=name, value=found, target=f"{truth:,} as in the file", met=found == truth)


@contextmanager
def _shop(past: Past) -> Iterator[str]:
    shop = Sandbox(
        url=SITE.url,
        name=SITE.name,
        timezone=SITE.timezone,
        currency=SITE.currency,
        tax_percent=SITE.tax_percent,
        auto=False,
        keep_alive=True,
    )
    fill(shop.books, past)
    with shop:
        yield shop.base_url


@contextmanager
def _folder(url: str, mapping: str) -> Iterator[Path]:
    """A folder with a configuration and no store yet."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
        (folder / "connector.yaml").write_text(
            f"""\
shops:
  {_SHOP}: {{platform: woocommerce, url: "{url}", timezone: {SITE.timezone},
           currency: {SITE.currency}}}
""",
            encoding="utf-8",
        )
        (folder / ".env").write_text(
            f"""\
CONNECTOR_SHOPS__RETAIL__CONSUMER_KEY=ck_sandbox
CONNECTOR_SHOPS__RETAIL__CONSUMER_SECRET=cs_sandbox
CONNECTOR_SHOPS__RETAIL__WEBHOOK_SECRET={SECRET.replace(" ", "-").replace("'", "-")}
""",
            encoding="utf-8",
        )
        yield folder


def _apart_from_bytes(state: State) -> State:
    return {table: [_without_marks(row) for row in rows] for table, rows in state.items()}


def _without_marks(row: str) -> str:
    known = msgspec.json.decode(row)
    kept = {name: value for name, value in known.items() if name not in _OF_THE_BYTES}
    return msgspec.json.encode(kept, order="sorted").decode()


def _by_kind(told: Mapping[str, Any]) -> dict[str, Any]:
    return {kind["kind"]: kind for kind in told["kinds"]}
