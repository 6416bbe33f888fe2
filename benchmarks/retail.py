"""A year of a real shop's invoices, told in order and told shuffled and twice: the same books.

The data is UCI's "Online Retail", found through ``CONNECTOR_CORPUS``; how its invoices become
webhooks is told in ``adapters/woocommerce/sandbox_retail.py``.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from adapters.woocommerce.sandbox_retail import (
    UNPLACED,
    online_retail_deliveries,
    read_invoices,
    row_worth,
)
from adapters.woocommerce.shop import WooCommerceShop
from benchmarks import Row
from benchmarks.end_state import digest, end_state
from connector.engine import Engine
from connector.flow.rules import Rules
from connector.house import House
from connector.store import schema
from connector.store.connect import Store
from connector.store.sql import insert_missing
from mappings.load import load_mapping
from webhooks.signatures import verify

SECRET = "a benchmark's own secret of some length"  # noqa: S105 - the secret of a shop that is none
FIRST = datetime(2012, 1, 1, tzinfo=UTC)
MAPPING = """
version: 1
orders: {counting: {woocommerce: [completed, refunded]}}
segments:
  once: {when: "number_of_orders = 1"}
  returning: {when: "number_of_orders >= 2"}
  lapsed: {when: "last_order_date < -90d"}
  spender: {when: "amount_spent > 2000"}
"""
_AT_ONCE = 1_000

Told: TypeAlias = tuple[str, bytes]
"""A delivery: topic and body."""


@dataclass(kw_only=True)
class Ledger:
    """What is in the file, or in the store: the two must agree to the penny."""

    orders: int = 0
    lines: int = 0
    pence: int = 0
    by_customer: Counter[str] = field(default_factory=Counter)


def data_file() -> Path | None:
    """The file, if the corpus is at hand."""
    corpus = os.environ.get("CONNECTOR_CORPUS")
    path = Path(corpus or "") / "data/online_retail_2010_2011.csv.gz"
    return path if corpus and path.exists() else None


def read(path: Path, *, limit: int | None = None) -> list[Told]:
    """Every delivery in its order, its signature proven as the receiver does."""
    told = []
    for topic, headers, body in online_retail_deliveries(path, secret=SECRET, limit=limit):
        assert verify(body, headers["X-WC-Webhook-Signature"], [SECRET.encode()])
        told.append((topic, body))
    return told


def of_file(path: Path, *, limit: int | None = None) -> Ledger:
    """The file added up, row by row. Invoices that take back are no orders."""
    ledger = Ledger()
    for invoice, rows in read_invoices(path, limit=limit).items():
        worth = sum(row_worth(row) for row in rows)
        ledger.pence += worth
        if customer := rows[0]["CustomerID"]:
            ledger.by_customer[f"c{customer}@retail.example"] += worth
        if not invoice.startswith("C") and worth >= 0:
            ledger.orders += 1
            ledger.lines += len(rows)
    return ledger


def of_store(store: Store) -> Ledger:
    """What the store holds. An order that only stands for money given back is taken off."""
    marked = schema.orders.c.meta.contains(UNPLACED)
    ledger = Ledger()
    with store.read() as conn:
        of_order = (schema.order_lines.c.shop == schema.orders.c.shop) & (
            schema.order_lines.c.order_id == schema.orders.c.order_id
        )
        ledger.lines = conn.scalar(
            select(func.count()).select_from(schema.order_lines).join(schema.orders, of_order)
            .where(~marked)
        ) or 0  # fmt: skip
        for row in conn.execute(select(schema.orders)).mappings():
            given_back = (row["meta"] or {}).get(UNPLACED)
            ledger.orders += given_back is None
            worth = row["total"] - row["refunded"] - int(given_back or 0)
            ledger.pence += worth
        for person, spent in conn.execute(
            select(schema.profiles.c.person, schema.profiles.c.amount_spent).where(
                schema.profiles.c.email.is_not(None)
            )
        ):
            ledger.by_customer[person] += spent
        for person, meta in conn.execute(
            select(schema.orders.c.person, schema.orders.c.meta).where(
                marked, schema.orders.c.email.is_not(None)
            )
        ):
            ledger.by_customer[person] -= int(meta[UNPLACED])
    return ledger


def given_back_before(told: Sequence[Told]) -> Counter[str]:
    """What customers got back for purchases before the data begins, in pence by address."""
    amounts: Counter[str] = Counter()
    for _, body in told:
        order = json.loads(body)
        for entry in order["meta_data"]:
            if entry["key"] == UNPLACED:
                amounts[order["billing"]["email"]] += int(entry["value"])
    return amounts


def shuffled_and_doubled(told: Sequence[Told], *, seed: int) -> list[Told]:
    """Every delivery twice, in a random order."""
    return random.Random(seed).sample([*told, *told], k=2 * len(told))


def live(folder: Path, told: Sequence[Told]) -> tuple[Store, float]:
    """Tell a new store all of it, as deliveries that all differ; the seconds the worker took."""
    store = Store.open(f"sqlite:///{folder}/connector.db")
    shop = WooCommerceShop("retail", "http://127.0.0.1:9", "ck", "cs", "GBP", "Europe/London")
    mapping = load_mapping(MAPPING, shops={"retail": "woocommerce"}, destinations={})
    rules = Rules(
        mapping=mapping,
        platforms={"retail": "woocommerce"},
        zone=ZoneInfo("Europe/London"),
        currency="GBP",
        targets=(),
    )
    end = FIRST + timedelta(seconds=len(told))
    house = House(
        store=store, shops={"retail": shop}, destinations={}, rules=rules, now=lambda: end
    )
    for part in _parts(told):
        with store.write() as conn:
            conn.execute(insert_missing(conn, schema.deliveries), part)
    began = time.monotonic()
    Engine(house).drain()
    return store, time.monotonic() - began


def _parts(told: Sequence[Told]) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(told), _AT_ONCE):
        yield [
            {
                "key": sha256(b"%d" % number).digest(),
                "shop": "retail",
                "topic": topic,
                "received_at": FIRST + timedelta(seconds=number),
                "headers": {},
                "body": body,
                "body_sha256": sha256(body).digest(),
            }
            for number, (topic, body) in enumerate(told[start : start + _AT_ONCE], start)
        ]


def main(*, quick: bool = False) -> list[Row]:
    """Measure. ``quick`` takes the first two thousand invoices."""
    path = data_file()
    if path is None:
        return [Row(name="not measured: CONNECTOR_CORPUS does not lead to the data", value="")]
    limit = 2_000 if quick else None
    told, truth = read(path, limit=limit), of_file(path, limit=limit)
    hashes, rows = [], [Row(name="deliveries, each signed and verified", value=len(told))]
    for way, order in (
        ("in order", told),
        ("shuffled and doubled", shuffled_and_doubled(told, seed=1)),
    ):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            store, seconds = live(Path(folder), order)
            found = of_store(store)
            hashes.append(digest(end_state(store)))
            store.close()
        rows += [
            _same(f"{way}: orders", found.orders, truth.orders),
            _same(f"{way}: order lines", found.lines, truth.lines),
            _same(f"{way}: customers", len(found.by_customer), len(truth.by_customer)),
            _same(f"{way}: pence", found.pence, truth.pence),
            _same(
                f"{way}: customers whose sum is wrong",
                len(dict(found.by_customer - truth.by_customer))
                + len(dict(truth.by_customer - found.by_customer)),
                0,
            ),
            Row(name=f"{way}: deliveries worked off", value=len(order) / seconds, unit="/s"),
        ]
    rows.append(
        Row(
            name="both end in the same state",
            value="yes" if len(set(hashes)) == 1 else "no",
            target="yes",
            met=len(set(hashes)) == 1,
        )
    )
    return rows


def _same(name: str, found: int, truth: int) -> Row:
    return Row(name=name, value=found, target=f"{truth:,} as in the file", met=found == truth)
